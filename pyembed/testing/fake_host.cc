#include "fake_host.h"

#include <cstring>

namespace clutch::pyembed::testing {
namespace {

std::string text(clutch_str value) { return value.size == 0 ? std::string() : std::string(value.data, value.size); }
clutch_str view_of(const std::string& value) { return {value.data(), value.size()}; }

}  // namespace

FakeHost* FakeHost::latest_ = nullptr;
std::atomic<int64_t> FakeHost::leases_{0};

FakeHost::FakeHost() {
  latest_ = this;
  host_.struct_size = sizeof(host_);
  host_.self = this;
  host_.get_extension = [](const clutch_host* host, const char* id) -> const void* {
    FakeHost& self = of(host);
    if (self.hidden_ == id) return nullptr;
    if (std::strcmp(id, CLUTCH_HOST_LOG) == 0) return &self.log_;
    if (std::strcmp(id, CLUTCH_HOST_METRICS) == 0) return &self.metrics_;
    if (std::strcmp(id, CLUTCH_HOST_DEAD_LETTER) == 0) return &self.dead_letter_;
    if (std::strcmp(id, CLUTCH_HOST_CANCEL) == 0) return &self.cancel_;
    if (std::strcmp(id, CLUTCH_HOST_MEMORY) == 0) return &self.memory_;
    return nullptr;
  };
  host_.error_set = [](clutch_error* error, int32_t code, int32_t origin, clutch_str message) {
    error->code = code;
    error->origin = origin;
    error->message = text(message);
    error->details.clear();
  };
  host_.error_detail = [](clutch_error* error, clutch_str key, clutch_str value) {
    error->details[text(key)] = text(value);
  };
  host_.emit = [](clutch_batch_context* context, uint32_t tag, ArrowArray* rows, ArrowArray* origin, clutch_error*) {
    context->emitted.push_back({tag, columnar::Array(std::move(*rows)), columnar::Array(std::move(*origin))});
    return CLUTCH_OK;
  };
  host_.batch_complete = [](clutch_batch_context*, int32_t) {};
  log_.struct_size = sizeof(log_);
  log_.enabled = [](const clutch_host*, int32_t) -> int32_t { return 1; };
  log_.write = [](const clutch_host* host, int32_t level, clutch_str source, clutch_function_context* context,
                  clutch_str line) {
    FakeHost& self = of(host);
    std::lock_guard<std::mutex> guard(self.mutex_);
    self.lines_.push_back({level, text(source), context == nullptr ? "" : context->name, text(line)});
  };
  metrics_.struct_size = sizeof(metrics_);
  metrics_.stage = [](clutch_batch_context* context, uint32_t stage, int64_t duration) {
    context->stages[stage] += duration;
  };
  metrics_.record = [](clutch_function_context*, int32_t kind, clutch_str name, double value) {
    std::lock_guard<std::mutex> guard(latest_->mutex_);
    latest_->recorded_.push_back({kind, text(name), value});
  };
  dead_letter_.struct_size = sizeof(dead_letter_);
  dead_letter_.add = [](clutch_batch_context* context, int64_t row, clutch_error** ret_error, clutch_error*) {
    auto [place, fresh] = context->dead_letters.emplace(row, std::make_unique<clutch_error>());
    if (!fresh) return CLUTCH_ERR_ARGUMENT;
    *ret_error = place->second.get();
    return CLUTCH_OK;
  };
  memory_.struct_size = sizeof(memory_);
  memory_.lease_take = [](clutch_batch_context*, clutch_input_lease** ret_lease, clutch_error*) -> int32_t {
    ++leases_;
    static char lease;
    *ret_lease = reinterpret_cast<clutch_input_lease*>(&lease);
    return CLUTCH_OK;
  };
  memory_.lease_drop = [](clutch_input_lease*) { --leases_; };
  cancel_.struct_size = sizeof(cancel_);
  cancel_.is_cancelled = [](clutch_batch_context* context) -> int32_t { return context->cancelled.load() ? 1 : 0; };
}

std::vector<FakeHost::Line> FakeHost::lines() const {
  std::lock_guard<std::mutex> guard(mutex_);
  return lines_;
}

std::vector<FakeHost::Metric> FakeHost::metrics() const {
  std::lock_guard<std::mutex> guard(mutex_);
  return recorded_;
}

clutch_options OptionList::view() {
  options_.clear();
  for (const auto& [key, value] : texts_) options_.push_back({view_of(key), view_of(value)});
  return {options_.data(), options_.size()};
}

const clutch_spec* SpecText::view() {
  step_views_.clear();
  step_pointers_.clear();
  for (StepText& step : steps) {
    clutch_step shown{};
    shown.struct_size = sizeof(shown);
    shown.name = view_of(step.name);
    shown.kind = view_of(step.kind);
    shown.kind_revision = 1;
    shown.payload_format = view_of(step.format);
    shown.payload = {reinterpret_cast<const uint8_t*>(step.payload.data()), step.payload.size()};
    shown.options = step.options.view();
    step_views_.push_back(shown);
  }
  for (const clutch_step& step : step_views_) step_pointers_.push_back(&step);
  input_schema_ = columnar::export_field(columnar::struct_of(input));
  output_schema_ = columnar::export_field(columnar::struct_of(output));
  spec_.struct_size = sizeof(spec_);
  spec_.name = view_of(name);
  spec_.steps = step_pointers_.data();
  spec_.n_steps = step_pointers_.size();
  spec_.input = input_schema_.get();
  spec_.output = output_schema_.get();
  spec_.on_error = on_error;
  spec_.options = options.view();
  return &spec_;
}

columnar::Field column(const std::string& name, const std::string& type, bool nullable) {
  return {name, *columnar::parse_type(type), nullable};
}

columnar::Array int64_column(const std::vector<int64_t>& values) {
  columnar::ArrayBuilder builder(column("x", "int64"));
  for (int64_t value : values) builder.append(value);
  return builder.finish();
}

columnar::Array text_column(const std::vector<std::string>& values) {
  columnar::ArrayBuilder builder(column("x", "string"));
  for (const std::string& value : values) {
    if (!builder.append_bytes(value).ok()) std::abort();
  }
  return builder.finish();
}

columnar::Array batch_of(std::vector<columnar::Array> columns) {
  const int64_t length = columns.empty() ? 0 : columns.front()->length;
  return columnar::make_batch(length, std::move(columns));
}

}  // namespace clutch::pyembed::testing
