#include "fake_host.h"

#include <dlfcn.h>

#include <stdexcept>

#include "clutch/columnar/builder.h"
#include "clutch/columnar/ops.h"
#include "clutch/columnar/view.h"

namespace clutch::test {
namespace {

using columnar::Array;
using columnar::ArrayBuilder;
using columnar::Field;

std::string text_of(clutch_str text) { return {text.data, text.size}; }

void error_set(clutch_error* error, int32_t code, int32_t origin, clutch_str message) {
  *error = clutch_error{code, origin, text_of(message), {}};
}

void error_detail(clutch_error* error, clutch_str key, clutch_str value) {
  error->details[text_of(key)] = text_of(value);
}

int32_t emit(clutch_batch_context* context, uint32_t tag, ArrowArray* rows, ArrowArray* origin, clutch_error*) {
  context->emitted.push_back({tag, Array(std::move(*rows)), Array(std::move(*origin))});
  return CLUTCH_OK;
}

void batch_complete(clutch_batch_context*, int32_t) {
  throw std::logic_error("these plugins never return CLUTCH_PENDING");
}

int32_t log_enabled(const clutch_host*, int32_t) { return 0; }
void log_write(const clutch_host*, int32_t, clutch_str, clutch_function_context*, clutch_str) {}
const clutch_host_log kLog = {sizeof(kLog), 0, log_enabled, log_write};

void metrics_stage(clutch_batch_context*, uint32_t, int64_t) {}
void metrics_record(clutch_function_context* context, int32_t, clutch_str name, double value) {
  context->counters[text_of(name)] += value;
}
const clutch_host_metrics kMetrics = {sizeof(kMetrics), 0, metrics_stage, metrics_record};

int32_t is_cancelled(clutch_batch_context* context) { return context->cancelled ? 1 : 0; }
const clutch_host_cancel kCancel = {sizeof(kCancel), 0, is_cancelled};

int32_t dead_letter_add(clutch_batch_context* context, int64_t row, clutch_error** ret_error, clutch_error*) {
  *ret_error = &context->dead_letters[row];
  return CLUTCH_OK;
}
const clutch_host_dead_letter kDeadLetter = {sizeof(kDeadLetter), 0, dead_letter_add};

int32_t side_declare(clutch_function_context* context, clutch_str name, const ArrowSchema*, uint32_t* ret_tag,
                     clutch_error*) {
  context->side_outputs.push_back(text_of(name));
  *ret_tag = static_cast<uint32_t>(context->side_outputs.size());
  return CLUTCH_OK;
}
const clutch_host_side_output kSideOutput = {sizeof(kSideOutput), 0, side_declare};

int32_t state_declare(clutch_function_context* context, const clutch_state_declaration* declaration,
                      uint32_t* ret_state, clutch_error*) {
  context->states.push_back(text_of(declaration->name));
  *ret_state = static_cast<uint32_t>(context->states.size() - 1);
  return CLUTCH_OK;
}

int32_t state_read(clutch_batch_context* context, uint32_t, ArrowArray* ret_values, clutch_error*) {
  ArrayBuilder rows(columnar::struct_of(
      {{"value", *columnar::parse_type("binary")}, {"version", *columnar::parse_type("int64"), false}}));
  for (const std::string& key : context->keys) {
    const auto found = context->state.find(key);
    if (found == context->state.end()) {
      rows.child(0).append_null();
    } else if (!rows.child(0).append_bytes(found->second).ok()) {
      return CLUTCH_ERR_INTERNAL;
    }
    rows.child(1).append<int64_t>(1);
    rows.append_struct();
  }
  *ret_values = rows.finish().detach();
  return CLUTCH_OK;
}

int32_t state_apply(clutch_batch_context* context, uint32_t, ArrowArray* changes, clutch_error*) {
  context->state_changes.emplace_back(std::move(*changes));
  return CLUTCH_OK;
}
const clutch_host_state kState = {sizeof(kState), 0, state_declare, state_read, nullptr, nullptr, state_apply};

int32_t timer_apply(clutch_batch_context* context, ArrowArray* changes, clutch_error*) {
  context->timer_changes.emplace_back(std::move(*changes));
  return CLUTCH_OK;
}
const clutch_host_timer kTimer = {sizeof(kTimer), 0, timer_apply};

}  // namespace

FakeHost::FakeHost() {
  host_.struct_size = sizeof(host_);
  host_.self = this;
  host_.get_extension = get_extension;
  host_.error_set = error_set;
  host_.error_detail = error_detail;
  host_.emit = emit;
  host_.batch_complete = batch_complete;
}

const void* FakeHost::get_extension(const clutch_host* host, const char* id) {
  const std::map<std::string, const void*> tables = {
      {CLUTCH_HOST_LOG, &kLog},
      {CLUTCH_HOST_METRICS, &kMetrics},
      {CLUTCH_HOST_CANCEL, &kCancel},
      {CLUTCH_HOST_DEAD_LETTER, &kDeadLetter},
      {CLUTCH_HOST_SIDE_OUTPUT, &kSideOutput},
      {CLUTCH_HOST_STATE, &kState},
      {CLUTCH_HOST_TIMER, &kTimer},
  };
  const auto found = tables.find(id);
  const bool lacking = static_cast<const FakeHost*>(host->self)->lacking_ == id;
  return found == tables.end() || lacking ? nullptr : found->second;
}

LoadedPlugin::LoadedPlugin(const std::string& path) {
  void* const handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) throw std::runtime_error(dlerror());
  negotiate_ = reinterpret_cast<clutch_plugin_negotiate_fn>(dlsym(handle, CLUTCH_PLUGIN_SYMBOL));
  if (negotiate_ == nullptr) throw std::runtime_error(path + " has no symbol " CLUTCH_PLUGIN_SYMBOL);
  const clutch_host_offer offer = {sizeof(offer), 0, 1, CLUTCH_ABI_LEVEL, str("test")};
  clutch_plugin_answer answer{};
  answer.struct_size = sizeof(answer);
  if (negotiate_(&offer, &answer) != CLUTCH_OK) throw std::runtime_error(path + " refuses level 1");
  api_ = answer.api;
}

Spec::Spec(std::string kind, std::string format, std::string payload, const std::string& in, const std::string& out)
    : input(columnar::struct_of(columnar::parse_type("struct<" + in + ">")->children)),
      output(columnar::struct_of(columnar::parse_type("struct<" + out + ">")->children)),
      kind_(std::move(kind)),
      format_(std::move(format)),
      payload_(std::move(payload)),
      input_schema_(columnar::export_field(input)),
      output_schema_(columnar::export_field(output)) {}

const clutch_spec* Spec::get() {
  c_options_ = c_options(options);
  c_step_options_ = c_options(step_options);
  step_.struct_size = sizeof(step_);
  step_.name = str(name);
  step_.kind = str(kind_);
  step_.kind_revision = 1;
  step_.payload_format = str(format_);
  step_.payload = {reinterpret_cast<const uint8_t*>(payload_.data()), payload_.size()};
  step_.options = {c_step_options_.data(), c_step_options_.size()};
  steps_.assign(n_steps, &step_);
  spec_.struct_size = sizeof(spec_);
  spec_.name = str(name);
  spec_.steps = steps_.data();
  spec_.n_steps = n_steps;
  spec_.input = input_schema_.get();
  spec_.output = output_schema_.get();
  spec_.on_error = on_error;
  spec_.options = {c_options_.data(), c_options_.size()};
  return &spec_;
}

clutch_str str(std::string_view text) { return {text.data(), text.size()}; }

std::vector<clutch_option> c_options(const Options& options) {
  std::vector<clutch_option> out;
  for (const auto& [key, value] : options) out.push_back({str(key), str(value)});
  return out;
}

std::string rows_text(const Field& field, const ArrowArray& array) {
  std::string text;
  for (int64_t row = 0; row < array.length; ++row) text += columnar::row_to_string(field, array, row) + "\n";
  return text;
}

std::string origin_text(const Array& origin) {
  if (origin.empty()) return "all";
  std::string text;
  for (int64_t row = 0; row < origin->length; ++row) {
    text += (row == 0 ? "" : " ") + std::to_string(columnar::ArrayView(*origin).values<int32_t>()[row]);
  }
  return text;
}

}  // namespace clutch::test
