#include "pool_host.h"

#include <chrono>
#include <cstdlib>
#include <cstring>
#include <stdexcept>

#include "clutch/columnar/view.h"
#include "supervisor/clock.h"

namespace clutch::pyproc::testing {
namespace {

std::string text_of(clutch_str text) { return {text.data, text.size}; }

void error_set(clutch_error* error, int32_t code, int32_t origin, clutch_str message) {
  *error = {code, origin, text_of(message), {}};
}

void error_detail(clutch_error* error, clutch_str key, clutch_str value) {
  error->details[text_of(key)] = text_of(value);
}

int32_t emit(clutch_batch_context* context, uint32_t tag, ArrowArray* rows, ArrowArray* origin, clutch_error*) {
  Emitted emitted;
  emitted.tag = tag;
  emitted.rows = columnar::Array(std::move(*rows));
  emitted.origin = columnar::Array(std::move(*origin));
  context->emitted.push_back(std::move(emitted));
  return CLUTCH_OK;
}

void batch_complete(clutch_batch_context* context, int32_t status) {
  const std::lock_guard lock(context->mutex);
  context->status = status;
  context->complete = true;
  ++context->completions;
  context->changed.notify_all();
}

int32_t add_dead_letter(clutch_batch_context* context, int64_t row, clutch_error** ret_error, clutch_error*) {
  auto& letter = context->dead_letters[row];
  if (letter) return CLUTCH_ERR_ARGUMENT;
  letter = std::make_unique<clutch_error>();
  *ret_error = letter.get();
  return CLUTCH_OK;
}

void stage_time(clutch_batch_context* context, uint32_t stage, int64_t duration) { context->stages[stage] += duration; }
void record(clutch_function_context*, int32_t, clutch_str, double) {}
int32_t log_enabled(const clutch_host*, int32_t) { return 1; }

std::string from_environment(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr) throw std::runtime_error(std::string(name) + " is not set; run this through meson test");
  return value;
}

}  // namespace

TestHost::TestHost() {
  host_.struct_size = sizeof(host_);
  host_.self = this;
  host_.get_extension = get_extension;
  host_.error_set = error_set;
  host_.error_detail = error_detail;
  host_.emit = emit;
  host_.batch_complete = batch_complete;
}

const void* TestHost::get_extension(const clutch_host*, const char* id) {
  static const clutch_host_log kLog{sizeof(clutch_host_log), 0, log_enabled, write_log};
  static const clutch_host_dead_letter kLetters{sizeof(clutch_host_dead_letter), 0, add_dead_letter};
  static const clutch_host_metrics kMetrics{sizeof(clutch_host_metrics), 0, stage_time, record};
  if (std::strcmp(id, CLUTCH_HOST_LOG) == 0) return &kLog;
  if (std::strcmp(id, CLUTCH_HOST_DEAD_LETTER) == 0) return &kLetters;
  if (std::strcmp(id, CLUTCH_HOST_METRICS) == 0) return &kMetrics;
  return nullptr;
}

void TestHost::write_log(const clutch_host* host, int32_t, clutch_str source, clutch_function_context*,
                         clutch_str text) {
  auto* self = static_cast<TestHost*>(host->self);
  {
    const std::lock_guard lock(self->mutex_);
    self->log_.push_back(text_of(source) + ": " + text_of(text));
    if (std::getenv("CLUTCH_TEST_LOG") != nullptr) std::fprintf(stderr, "%s\n", self->log_.back().c_str());
    self->changed_.notify_all();
  }
  if (self->on_line) self->on_line({text.data, text.size});
}

std::vector<std::string> TestHost::log() {
  const std::lock_guard lock(mutex_);
  return log_;
}

bool TestHost::logged(std::string_view text, int timeout_ms) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, std::chrono::milliseconds(timeout_ms), [&] {
    for (const std::string& line : log_) {
      if (line.find(text) != std::string::npos) return true;
    }
    return false;
  });
}

Worker::Paths test_paths() {
  return {from_environment("CLUTCH_TEST_PYTHON"), from_environment("CLUTCH_LAUNCHER"),
          from_environment("CLUTCH_EMBED_LIBRARY"), from_environment("CLUTCH_WORKER_LIBRARY")};
}

PoolOptions test_options(const std::vector<std::pair<std::string, std::string>>& options) {
  std::vector<clutch_option> list;
  for (const auto& [key, value] : options) list.push_back({to_str(key), to_str(value)});
  const clutch_options all{list.data(), list.size()};
  Result<PoolOptions> read = read_pool_options(all);
  if (!read.ok()) throw std::runtime_error(std::string(read.status().message()));
  return *std::move(read);
}

OpenFunction function_of(std::string name, std::string source, std::string kind) {
  columnar::Field in;
  in.name = "a";
  in.type.id = columnar::TypeId::kInt64;
  columnar::Field out = in;
  out.name = "r";
  OpenFunction function;
  function.name = name;
  function.steps.push_back({name, std::move(kind), 1, CLUTCH_PAYLOAD_SOURCE, std::move(source), {}});
  function.input = columnar::struct_of({in});
  function.output = columnar::struct_of({out});
  return function;
}

columnar::Array int64_batch(const std::vector<int64_t>& values) {
  columnar::Field field;
  field.name = "a";
  field.type.id = columnar::TypeId::kInt64;
  columnar::ArrayBuilder builder(field);
  for (const int64_t value : values) builder.append(value);
  std::vector<columnar::Array> columns;
  columns.push_back(builder.finish());
  return columnar::make_batch(static_cast<int64_t>(values.size()), std::move(columns));
}

std::vector<int64_t> int64_values(const columnar::Array& batch) {
  const columnar::ArrayView view(*batch->children[0]);
  const auto* values = view.values<int64_t>();
  return {values, values + view.length()};
}

int32_t Batch::submit(Pool& pool, Function* function) {
  clutch_batch batch{};
  batch.struct_size = sizeof(batch);
  batch.context = &context;
  batch.sequence = sequence;
  batch.deadline_ns = deadline_ns;
  batch.watermark_ms = INT64_MIN;
  batch.rows = rows.get();
  return pool.submit(function, batch, &context.error);
}

bool Batch::wait(Pool& pool, Function* function, int timeout_ms) {
  const int64_t until = now_ns() + timeout_ms * kMillisecond;
  while (true) {
    {
      const std::lock_guard lock(context.mutex);
      if (context.complete) return true;
    }
    if (now_ns() >= until) return false;
    pool.poll(function, until);
  }
}

bool Batch::wait_aside(int timeout_ms) {
  std::unique_lock lock(context.mutex);
  return context.changed.wait_for(lock, std::chrono::milliseconds(timeout_ms), [&] { return context.complete; });
}

std::vector<int64_t> Batch::results() {
  std::vector<int64_t> out;
  for (const Emitted& emitted : context.emitted) {
    for (const int64_t value : int64_values(emitted.rows)) out.push_back(value);
  }
  return out;
}

}  // namespace clutch::pyproc::testing
