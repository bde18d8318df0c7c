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
  static const clutch_host_state kState{
      sizeof(clutch_host_state), 0, declare_state, read_state, read_page, lookup, nullptr};
  if (std::strcmp(id, CLUTCH_HOST_STATE) == 0) return &kState;
  return nullptr;
}

// Tells misuse of a batch's context.
class TestHost::Reading {
 public:
  explicit Reading(clutch_batch_context* context) : host_(*context->host), context_(*context) {
    if (context_.reading.exchange(true)) ++host_.misuses;
  }
  Reading(const Reading&) = delete;
  Reading& operator=(const Reading&) = delete;
  ~Reading() {
    {
      const std::lock_guard lock(context_.mutex);
      if (context_.complete) ++host_.misuses;
    }
    context_.reading = false;
  }

 private:
  TestHost& host_;
  clutch_batch_context& context_;
};

int32_t TestHost::declare_state(clutch_function_context*, const clutch_state_declaration* declaration,
                                uint32_t* ret_state, clutch_error*) {
  *ret_state = 10 + static_cast<uint32_t>(declaration->state_kind);
  return CLUTCH_OK;
}

int32_t TestHost::read_state(clutch_batch_context* context, uint32_t, ArrowArray* ret_values, clutch_error*) {
  const Reading reading(context);
  columnar::ArrayBuilder values(state_values_field());
  for (int64_t key = 0; key < context->keys; ++key) {
    values.child(0).append_null();
    values.child(1).append<int64_t>(0);
    values.append_struct();
  }
  *ret_values = values.finish().detach();
  return CLUTCH_OK;
}

namespace {

std::string entry_key(int64_t at) {
  std::string digits = std::to_string(at);
  return std::string(6 - digits.size(), '0') + digits;
}

}  // namespace

int32_t TestHost::read_page(clutch_batch_context* context, uint32_t state, int32_t key, clutch_bytes cursor,
                            uint64_t max_bytes, ArrowArray* ret_page, clutch_bytes* ret_next, clutch_error*) {
  const Reading reading(context);
  TestHost& host = *context->host;
  const bool all = key == CLUTCH_STATE_ALL_KEYS;
  const std::string from(reinterpret_cast<const char*>(cursor.data), cursor.size);
  if (!all) {
    ++host.reads;
    {
      const std::lock_guard lock(host.mutex_);
      host.cursors_.push_back(from);
    }
    if (host.on_read) host.on_read();
  }
  columnar::ArrayBuilder page(all ? state_entries_field() : state_page_field());
  const size_t first = all ? 1 : 0;
  context->next.clear();
  bool good = true;
  for (int32_t of = all ? 0 : key; of < (all ? context->keys : key + 1); ++of) {
    int64_t at = from.empty() ? 0 : std::atoll(from.c_str());
    for (uint64_t bytes = 0; at < host.entries && (bytes == 0 || bytes < max_bytes); ++at) {
      const std::string value = "v" + std::to_string(at);
      if (all) page.child(0).append<int32_t>(of);
      if (state == 10 + CLUTCH_STATE_LIST) {
        page.child(first).append_null();
      } else {
        good &= page.child(first).append_bytes(entry_key(at)).ok();
        bytes += 6;
      }
      good &= page.child(first + 1).append_bytes(value).ok();
      bytes += value.size();
      if (all && at + 1 < host.entries && bytes >= max_bytes) {
        good &= page.child(3).append_bytes(std::to_string(at + 1)).ok();
      } else if (all) {
        page.child(3).append_null();
      }
      page.append_struct();
    }
    if (!all && at < host.entries) context->next = std::to_string(at);
  }
  if (!good) return CLUTCH_ERR_MEMORY;
  *ret_page = page.finish().detach();
  *ret_next = {reinterpret_cast<const uint8_t*>(context->next.data()), context->next.size()};
  return CLUTCH_OK;
}

int32_t TestHost::lookup(clutch_batch_context* context, uint32_t, const ArrowArray* keys, ArrowArray* ret_values,
                         clutch_error*) {
  const Reading reading(context);
  TestHost& host = *context->host;
  ++host.reads;
  if (host.on_read) host.on_read();
  columnar::ArrayBuilder found(state_found_field());
  const columnar::ArrayView names(*keys->children[1]);
  for (int64_t row = 0; row < keys->length; ++row) {
    const int64_t at = std::atoll(std::string(names.bytes_at<int32_t>(row)).c_str());
    if (at < host.entries && names.bytes_at<int32_t>(row) == entry_key(at)) {
      if (!found.child(0).append_bytes("v" + std::to_string(at)).ok()) return CLUTCH_ERR_MEMORY;
    } else {
      found.child(0).append_null();
    }
    found.append_struct();
  }
  *ret_values = found.finish().detach();
  return CLUTCH_OK;
}

std::vector<std::string> TestHost::cursors() {
  const std::lock_guard lock(mutex_);
  return cursors_;
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

void Batch::add_keys(TestHost& host) {
  columnar::ArrayBuilder texts(keys_field());
  columnar::ArrayBuilder index(key_index_field());
  for (int32_t row = 0; row < rows->length; ++row) {
    if (!texts.append_bytes("k" + std::to_string(row)).ok()) throw std::bad_alloc();
    index.append<int32_t>(row);
  }
  keys = texts.finish();
  key_index = index.finish();
  context.keys = rows->length;
  context.host = &host;
}

int32_t Batch::submit(Pool& pool, Function* function) {
  clutch_batch batch{};
  batch.struct_size = sizeof(batch);
  batch.context = &context;
  batch.sequence = sequence;
  batch.deadline_ns = deadline_ns;
  batch.watermark_ms = INT64_MIN;
  batch.rows = rows.get();
  if (!keys.empty()) {
    batch.keys = keys.get();
    batch.key_index = key_index.get();
  }
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
