// The plugin table of mode "process": forwards to pools of worker processes.
#include <exception>
#include <memory>
#include <new>
#include <string>
#include <string_view>

#include "clutch/abi.h"
#include "interpreter/kinds.h"
#include "process/runtime.h"

// What the host holds.
struct clutch_function {
  const clutch_host* host;
  clutch::pyproc::Pool* pool;
  clutch::pyproc::Function* inner;
};

namespace clutch::process {
namespace {

constexpr clutch_str literal(std::string_view text) { return {text.data(), text.size()}; }

Runtime* unwrap(clutch_runtime* runtime) { return reinterpret_cast<Runtime*>(runtime); }

int32_t fill(const clutch_host* host, clutch_error* error, const Status& status) {
  pyproc::set_error(*host, error, status);
  return status.code();
}

// Runs `body`, which gives a status code, and turns what it throws into an error, so that nothing unwinds into a host.
template <typename Body>
int32_t guard(const clutch_host* host, clutch_error* error, Body&& body) noexcept {
  try {
    return body();
  } catch (const std::bad_alloc&) {
    host->error_set(error, CLUTCH_ERR_MEMORY, CLUTCH_ORIGIN_HOST, literal("no memory left in the process plugin"));
    return CLUTCH_ERR_MEMORY;
  } catch (const std::exception& thrown) {
    host->error_set(error, CLUTCH_ERR_INTERNAL, CLUTCH_ORIGIN_PLUGIN, literal(thrown.what()));
    return CLUTCH_ERR_INTERNAL;
  }
}

const void* get_extension(const char* /*id*/) { return nullptr; }

int32_t runtime_open(const clutch_host* host, const clutch_options* configuration, clutch_runtime** ret_runtime,
                     clutch_error* error) {
  return guard(host, error, [&]() -> int32_t {
    Result<std::unique_ptr<Runtime>> runtime = Runtime::open(host, *configuration);
    if (!runtime.ok()) return fill(host, error, runtime.status());
    *ret_runtime = reinterpret_cast<clutch_runtime*>(runtime->release());
    return CLUTCH_OK;
  });
}

int32_t runtime_probe(clutch_runtime* runtime, const clutch_spec* spec, clutch_error* reason) {
  const clutch_host* const host = unwrap(runtime)->host();
  return guard(host, reason, [&]() -> int32_t {
    const Result<Facts> facts = unwrap(runtime)->probe(*spec);
    if (!facts.ok()) {
      return fill(host, reason,
                  Status(CLUTCH_ERR_UNSUPPORTED, std::string(facts.status().message()), facts.status().origin()));
    }
    for (const auto& [key, value] : *facts) host->error_detail(reason, literal(key), literal(value));
    return CLUTCH_OK;
  });
}

void runtime_describe(clutch_runtime* runtime, clutch_fact_sink sink, void* sink_self) {
  try {
    for (const auto& [key, value] : unwrap(runtime)->facts()) sink(sink_self, literal(key), literal(value));
  } catch (const std::bad_alloc&) {
    sink(sink_self, literal("error"), literal("no memory left to describe the runtime"));
  }
}

void runtime_close(clutch_runtime* runtime) { delete unwrap(runtime); }

int32_t function_open(clutch_runtime* runtime, const clutch_spec* spec, clutch_function_context* context,
                      clutch_function** ret_function, clutch_function_info* ret_info, clutch_error* error) {
  const clutch_host* const host = unwrap(runtime)->host();
  return guard(host, error, [&]() -> int32_t {
    auto function = std::make_unique<clutch_function>();
    Result<OpenedFunction> opened = unwrap(runtime)->open_function(*spec, context);
    if (!opened.ok()) return fill(host, error, opened.status());
    *function = {host, opened->pool, opened->function};
    ret_info->max_in_flight = opened->pool->max_in_flight(*opened->function);
    *ret_function = function.release();
    return CLUTCH_OK;
  });
}

int32_t function_submit(clutch_function* function, const clutch_batch* batch, clutch_error* error) {
  return guard(function->host, error, [&] { return function->pool->submit(function->inner, *batch, error); });
}

int32_t function_poll(clutch_function* function, int64_t deadline_ns) {
  try {
    return function->pool->poll(function->inner, deadline_ns);
  } catch (const std::bad_alloc&) {
    return CLUTCH_OK;  // The caller looks by itself whether its batch is over, and comes again if not.
  }
}

void function_cancel(clutch_function* function, uint64_t sequence) {
  function->pool->cancel(function->inner, sequence);
}

int32_t function_close(clutch_function* function, clutch_error* error) {
  const std::unique_ptr<clutch_function> owned(function);
  return guard(owned->host, error, [&] { return fill(owned->host, error, owned->pool->close(owned->inner)); });
}

using Kinds = interpreter::Kinds<CLUTCH_FEATURE_ISOLATED>;

const clutch_plugin_api kApi = {
    .struct_size = sizeof(clutch_plugin_api),
    .reserved0 = 0,
    .id = literal("org.clutch.process"),
    .version = literal(CLUTCH_VERSION),
    .mode = literal("process"),
    .capabilities = Kinds::kPointers.data(),
    .n_capabilities = Kinds::kPointers.size(),
    .get_extension = get_extension,
    .runtime_open = runtime_open,
    .runtime_probe = runtime_probe,
    .runtime_describe = runtime_describe,
    .runtime_close = runtime_close,
    .function_open = function_open,
    .function_submit = function_submit,
    .function_poll = function_poll,
    .function_cancel = function_cancel,
    .function_close = function_close,
};

}  // namespace
}  // namespace clutch::process

int32_t clutch_plugin_negotiate_v1(const clutch_host_offer* offer, clutch_plugin_answer* answer) {
  answer->min_level = 1;
  answer->max_level = CLUTCH_ABI_LEVEL;
  if (offer->min_level > answer->max_level || offer->max_level < answer->min_level) return CLUTCH_ERR_UNSUPPORTED;
  answer->level = offer->max_level < answer->max_level ? offer->max_level : answer->max_level;
  answer->api = &clutch::process::kApi;
  return CLUTCH_OK;
}
