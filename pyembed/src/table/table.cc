// The plugin table: each entry catches everything and maps it to a status, so that nothing unwinds into a host.
#include <array>
#include <cstring>
#include <exception>
#include <iterator>
#include <new>

#include "clutch/pyembed.h"
#include "plan/plan.h"
#include "table/function.h"
#include "table/runtime.h"

namespace clutch::pyembed {
namespace {

Runtime* unwrap(clutch_runtime* runtime) { return reinterpret_cast<Runtime*>(runtime); }
Function* unwrap(clutch_function* function) { return reinterpret_cast<Function*>(function); }

// Run `body` (which gives a status code) and turn what it throws into an error.
template <typename Body>
int32_t guard(const clutch_host* host, clutch_error* error, Body&& body) noexcept {
  try {
    return body();
  } catch (const std::bad_alloc&) {
    host->error_set(error, CLUTCH_ERR_MEMORY, CLUTCH_ORIGIN_PLUGIN, to_str("no memory left for the Python runtime"));
    return CLUTCH_ERR_MEMORY;
  } catch (const std::exception& thrown) {
    host->error_set(error, CLUTCH_ERR_INTERNAL, CLUTCH_ORIGIN_PLUGIN, to_str(thrown.what()));
    return CLUTCH_ERR_INTERNAL;
  }
}

const void* get_extension(const char*) { return nullptr; }

int32_t runtime_open(const clutch_host* host, const clutch_options* configuration, clutch_runtime** ret_runtime,
                     clutch_error* error) {
  return guard(host, error, [&] {
    Result<std::unique_ptr<Runtime>> runtime = Runtime::make(host, *configuration);
    if (!runtime.ok()) return Host::fill(host, runtime.status(), error);
    *ret_runtime = reinterpret_cast<clutch_runtime*>((*std::move(runtime)).release());
    return CLUTCH_OK;
  });
}

int32_t runtime_probe(clutch_runtime* runtime, const clutch_spec* spec, clutch_error* reason) {
  const Host& host = unwrap(runtime)->host();
  return guard(host.host, reason, [&]() -> int32_t {
    Result<FunctionSpec> copy = read_spec(*spec);
    Status status = copy.ok() ? Status() : copy.status();
    // Columns are checked where an interpreter runs already; a probe does not start one.
    if (status.ok() && Interpreter::running() != nullptr && interpreter_alive()) {
      Gil gil;
      const Module& module = Interpreter::running()->module();
      if (Result<Inputs> inputs = Inputs::make(*copy, module); !inputs.ok()) status = inputs.status();
      if (Result<Outputs> outputs = Outputs::make(*copy, module); status.ok() && !outputs.ok())
        status = outputs.status();
    }
    if (!status.ok()) {
      host.host->error_set(reason, CLUTCH_ERR_UNSUPPORTED, status.origin(), to_str(status.message()));
      return CLUTCH_ERR_UNSUPPORTED;
    }
    for (const auto& [key, value] : unwrap(runtime)->facts())
      host.host->error_detail(reason, to_str(key), to_str(value));
    return CLUTCH_OK;
  });
}

void runtime_describe(clutch_runtime* runtime, clutch_fact_sink sink, void* sink_self) {
  try {
    for (const auto& [key, value] : unwrap(runtime)->facts()) sink(sink_self, to_str(key), to_str(value));
  } catch (const std::bad_alloc&) {
    // Facts are a courtesy; the host goes on with those it got.
    unwrap(runtime)->host().write_log(CLUTCH_LOG_WARN, "python", nullptr, "no memory to describe the runtime");
  }
}

void runtime_close(clutch_runtime* runtime) { delete unwrap(runtime); }

int32_t function_open(clutch_runtime* runtime, const clutch_spec* spec, clutch_function_context* context,
                      clutch_function** ret_function, clutch_function_info* ret_info, clutch_error* error) {
  const Host& host = unwrap(runtime)->host();
  return guard(host.host, error, [&]() -> int32_t {
    Result<std::unique_ptr<Function>> function = Function::open(*unwrap(runtime), *spec, context);
    if (!function.ok()) return host.report(function.status(), error);
    if (ret_info != nullptr && CLUTCH_HAS(ret_info, clutch_function_info, max_in_flight)) ret_info->max_in_flight = 1;
    *ret_function = reinterpret_cast<clutch_function*>((*std::move(function)).release());
    return CLUTCH_OK;
  });
}

int32_t function_submit(clutch_function* function, const clutch_batch* batch, clutch_error* error) {
  return guard(unwrap(function)->host(), error, [&] { return unwrap(function)->submit(*batch, error); });
}

void function_cancel(clutch_function* function, uint64_t sequence) { unwrap(function)->cancel(sequence); }

int32_t function_close(clutch_function* function, clutch_error* error) {
  const clutch_host* host = unwrap(function)->host();
  return guard(host, error, [&]() -> int32_t {
    std::unique_ptr<Function> owned(unwrap(function));
    return Host::fill(host, owned->close(), error);
  });
}

constexpr clutch_str literal(const char* text) { return {text, std::char_traits<char>::length(text)}; }

constexpr clutch_capability capability(const char* kind, uint64_t features = CLUTCH_FEATURE_CHAIN) {
  return {sizeof(clutch_capability), 0, literal(kind), 1, 1, literal("import,pickle,source"), features};
}

constexpr clutch_capability kCapabilityOf[] = {
    capability(CLUTCH_KIND_STREAM_ASYNC, 0),
    capability(CLUTCH_KIND_STREAM_FILTER),
    capability(CLUTCH_KIND_STREAM_FLAT_MAP),
    capability(CLUTCH_KIND_STREAM_KEY_BY),
    capability(CLUTCH_KIND_STREAM_KEYED_PROCESS, 0),
    capability(CLUTCH_KIND_STREAM_MAP),
    capability(CLUTCH_KIND_STREAM_PROCESS, 0),
    capability(CLUTCH_KIND_STREAM_TIMESTAMPS, 0),
    capability(CLUTCH_KIND_TABLE_AGGREGATE, 0),
    capability(CLUTCH_KIND_TABLE_AGGREGATE_VECTORIZED, 0),
    capability(CLUTCH_KIND_TABLE_SCALAR, CLUTCH_FEATURE_CHAIN | CLUTCH_FEATURE_FUSED),
    capability(CLUTCH_KIND_TABLE_SCALAR_ASYNC, 0),
    capability(CLUTCH_KIND_TABLE_SCALAR_VECTORIZED),
    capability(CLUTCH_KIND_TABLE_TABLE),
    capability(CLUTCH_KIND_TABLE_TABLE_AGGREGATE, 0),
};

constexpr auto kCapabilities = [] {
  std::array<const clutch_capability*, std::size(kCapabilityOf)> pointers{};
  for (size_t i = 0; i < pointers.size(); ++i) pointers[i] = &kCapabilityOf[i];
  return pointers;
}();

constexpr clutch_plugin_api kApi = {
    sizeof(clutch_plugin_api),
    0,
    literal("org.clutch.embedded"),
    literal(CLUTCH_VERSION),
    literal("embedded"),
    kCapabilities.data(),
    kCapabilities.size(),
    get_extension,
    runtime_open,
    runtime_probe,
    runtime_describe,
    runtime_close,
    function_open,
    function_submit,
    nullptr,  // function_poll: a batch is over when submit returns
    function_cancel,
    function_close,
};

}  // namespace
}  // namespace clutch::pyembed

const clutch_plugin_api* clutch_pyembed_table_v1(void) { return &clutch::pyembed::kApi; }
