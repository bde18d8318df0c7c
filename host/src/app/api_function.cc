// clutch.h: functions, batches, metrics.
#include <cstddef>

#include "app/api.h"

namespace host = clutch::host;
using clutch::Status;

namespace {

// Size of the options before row_flags and merges joined them.
constexpr size_t kFirstBatchOptions = offsetof(clutch_app_batch_options, row_flags);

void move_in(ArrowArray* from, clutch::columnar::Array& to) {
  if (from != nullptr && from->release != nullptr) to = clutch::columnar::Array(std::move(*from));
}

// Takes the arrays over in any case, so that they are consumed also when the call fails.
Status read_request(const char* call, clutch_app_function* function, ArrowArray* rows,
                    const clutch_app_batch_options* options, host::BatchRequest& request) {
  move_in(rows, request.rows);
  if (options != nullptr) {
    CLUTCH_RETURN_IF_ERROR(host::check_struct_size("clutch_app_batch_options", options->struct_size, kFirstBatchOptions,
                                                   sizeof(clutch_app_batch_options)));
    move_in(options->timestamps, request.timestamps);
    move_in(options->row_kinds, request.row_kinds);
    move_in(options->keys, request.keys);
    move_in(options->key_index, request.key_index);
    if (options->struct_size >= sizeof(clutch_app_batch_options)) {
      move_in(options->row_flags, request.row_flags);
      move_in(options->merges, request.merges);
    }
    request.flags = options->flags;
    request.timeout_ms = options->timeout_ms;
    request.processing_time_ms = options->processing_time_ms;
    request.watermark_ms = options->watermark_ms;
  }
  if (function == nullptr) return host::null_argument(call, "function");
  return {};
}

template <typename MakeText>
char* report(const clutch_app_function* function, int32_t format, MakeText make) noexcept {
  if (function == nullptr || !host::check_format(format).ok()) return nullptr;
  try {
    return host::give_text(make(*function->function));
  } catch (const std::exception& failure) {
    function->host->logger().error("host", std::string("a report could not be written: ") + failure.what());
    return nullptr;
  }
}

// The result of a batch, or nothing if it is pending.
int32_t give_result(clutch::Result<std::unique_ptr<clutch_app_result>> result, bool pending,
                    clutch_app_result** ret_result, clutch_app_error** ret_error) noexcept {
  if (!result.ok()) return host::give_error(ret_error, std::move(result).status());
  if (pending) return CLUTCH_PENDING;
  *ret_result = (*std::move(result)).release();
  return CLUTCH_OK;
}

template <typename Body>
int32_t result_entry(clutch_app_error** ret_error, Body body) noexcept {
  try {
    return body();
  } catch (...) {
    return host::give_error(ret_error, host::current_exception_status());
  }
}

}  // namespace

int32_t clutch_app_function_open(clutch_app* app, const clutch_app_spec* spec, clutch_app_function** ret_function,
                                 clutch_app_error** ret_error) {
  return host::entry(ret_error, [&]() -> Status {
    if (app == nullptr) return host::null_argument("clutch_app_function_open", "app");
    if (ret_function == nullptr) return host::null_argument("clutch_app_function_open", "ret_function");
    CLUTCH_ASSIGN_OR_RETURN(const host::FunctionSpec read, host::read_spec(spec));
    auto handle = std::make_unique<clutch_app_function>();
    handle->host = app->host.get();
    CLUTCH_ASSIGN_OR_RETURN(handle->function, app->host->open_function(read));
    *ret_function = handle.release();
    return {};
  });
}

int32_t clutch_app_function_close(clutch_app_function* function, clutch_app_error** ret_error) {
  if (function == nullptr) return CLUTCH_OK;
  const std::unique_ptr<clutch_app_function> handle(function);
  return host::entry(ret_error, [&] { return handle->host->close_function(handle->function); });
}

const char* clutch_app_function_name(const clutch_app_function* function) {
  return function == nullptr ? "" : function->function->setup().name.c_str();
}

const char* clutch_app_function_mode(const clutch_app_function* function) {
  return function == nullptr ? "" : function->function->setup().mode.c_str();
}

const char* clutch_app_function_asked_mode(const clutch_app_function* function) {
  return function == nullptr ? "" : function->function->setup().asked_mode.c_str();
}

const char* clutch_app_function_plugin(const clutch_app_function* function) {
  return function == nullptr ? "" : function->function->setup().plugin.c_str();
}

char* clutch_app_function_decision(const clutch_app_function* function, int32_t format) {
  return report(function, format, [&](const host::Function& opened) {
    return format == CLUTCH_APP_JSON ? opened.setup().decision_json : opened.setup().decision_text;
  });
}

const ArrowSchema* clutch_app_function_input_schema(const clutch_app_function* function) {
  return function == nullptr ? nullptr : function->function->shape().input_schema.get();
}

const ArrowSchema* clutch_app_function_output_schema(const clutch_app_function* function) {
  return function == nullptr ? nullptr : function->function->shape().main().schema.get();
}

uint32_t clutch_app_function_max_in_flight(const clutch_app_function* function) {
  return function == nullptr ? 0 : function->function->max_in_flight();
}

int32_t clutch_app_function_call(clutch_app_function* function, ArrowArray* rows,
                                 const clutch_app_batch_options* options, clutch_app_result** ret_result,
                                 clutch_app_error** ret_error) {
  return result_entry(ret_error, [&] {
    host::BatchRequest request;
    Status status = read_request("clutch_app_function_call", function, rows, options, request);
    if (status.ok() && ret_result == nullptr) status = host::null_argument("clutch_app_function_call", "ret_result");
    if (!status.ok()) return host::give_error(ret_error, std::move(status));
    return give_result(function->function->call(std::move(request)), false, ret_result, ret_error);
  });
}

int32_t clutch_app_function_submit(clutch_app_function* function, ArrowArray* rows,
                                   const clutch_app_batch_options* options, uint64_t* ret_sequence,
                                   clutch_app_error** ret_error) {
  return host::entry(ret_error, [&]() -> Status {
    host::BatchRequest request;
    CLUTCH_RETURN_IF_ERROR(read_request("clutch_app_function_submit", function, rows, options, request));
    if (ret_sequence == nullptr) return host::null_argument("clutch_app_function_submit", "ret_sequence");
    CLUTCH_ASSIGN_OR_RETURN(*ret_sequence, function->function->submit(std::move(request)));
    return {};
  });
}

int32_t clutch_app_function_await(clutch_app_function* function, uint64_t sequence, int64_t timeout_ms,
                                  clutch_app_result** ret_result, clutch_app_error** ret_error) {
  return result_entry(ret_error, [&] {
    const char* missing = function == nullptr ? "function" : ret_result == nullptr ? "ret_result" : nullptr;
    if (missing != nullptr) {
      return host::give_error(ret_error, host::null_argument("clutch_app_function_await", missing));
    }
    bool pending = false;
    auto result = function->function->await(sequence, timeout_ms, pending);
    return give_result(std::move(result), pending, ret_result, ret_error);
  });
}

int32_t clutch_app_function_await_any(clutch_app_function* function, int64_t timeout_ms, uint64_t* ret_sequence,
                                      clutch_app_result** ret_result, clutch_app_error** ret_error) {
  return result_entry(ret_error, [&] {
    const char* missing = function == nullptr       ? "function"
                          : ret_sequence == nullptr ? "ret_sequence"
                          : ret_result == nullptr   ? "ret_result"
                                                    : nullptr;
    if (missing != nullptr) {
      return host::give_error(ret_error, host::null_argument("clutch_app_function_await_any", missing));
    }
    bool pending = false;
    auto result = function->function->await_any(timeout_ms, *ret_sequence, pending);
    return give_result(std::move(result), pending, ret_result, ret_error);
  });
}

int32_t clutch_app_function_cancel(clutch_app_function* function, uint64_t sequence) {
  return host::entry(nullptr, [&]() -> Status {
    if (function == nullptr) return host::null_argument("clutch_app_function_cancel", "function");
    function->function->cancel(sequence);
    return {};
  });
}

int32_t clutch_app_function_next_timer(clutch_app_function* function, int32_t domain, int64_t* ret_time_ms) {
  if (function == nullptr || ret_time_ms == nullptr || domain < CLUTCH_APP_EVENT_TIME ||
      domain > CLUTCH_APP_PROCESSING_TIME) {
    return CLUTCH_ERR_ARGUMENT;
  }
  return function->function->next_timer(domain, *ret_time_ms);
}

int32_t clutch_app_function_metrics(clutch_app_function* function, clutch_app_metrics* ret_metrics) {
  // Both numbers in front are there in every version of the struct.
  if (function == nullptr || ret_metrics == nullptr || ret_metrics->struct_size < 2 * sizeof(uint32_t)) {
    return CLUTCH_ERR_ARGUMENT;
  }
  clutch_app_metrics metrics = function->function->metrics();
  const uint32_t size = std::min<uint32_t>(ret_metrics->struct_size, sizeof(metrics));
  metrics.struct_size = ret_metrics->struct_size;
  std::memcpy(ret_metrics, &metrics, size);
  return CLUTCH_OK;
}

char* clutch_app_function_metrics_report(clutch_app_function* function, int32_t format) {
  return report(function, format, [&](const host::Function& opened) {
    const auto make = format == CLUTCH_APP_JSON ? host::metrics_json : host::metrics_text;
    return make(opened.setup().name, opened.metrics(), opened.named_metrics(), host::monotonic_ns());
  });
}

int32_t clutch_app_function_metric(clutch_app_function* function, const char* name, double* ret_value) {
  if (function == nullptr || name == nullptr || ret_value == nullptr) return CLUTCH_ERR_ARGUMENT;
  const std::optional<host::NamedMetric> found = function->function->named_metrics().find(name);
  if (!found) return CLUTCH_ERR_NOT_FOUND;
  *ret_value = found->value();
  return CLUTCH_OK;
}
