// The plugin table of mode "thread": forwards to the Python runtime in this process.
#include <chrono>
#include <exception>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <utility>

#include "clutch/abi.h"
#include "interpreter/kinds.h"
#include "thread/runtime.h"

// What the host holds. Every call of it goes straight to the Python runtime that the function was opened in.
struct clutch_function {
  clutch::thread::Inner place;
  clutch_function* inner;
  const clutch_host* host;
};

namespace clutch::thread {
namespace {

constexpr clutch_str literal(std::string_view text) { return {text.data(), text.size()}; }

Runtime* unwrap(clutch_runtime* runtime) { return reinterpret_cast<Runtime*>(runtime); }

int32_t fill(const clutch_host* host, clutch_error* error, const Status& status) {
  host->error_set(error, status.code(), status.origin(), literal(status.message()));
  for (const auto& [key, value] : status.details()) host->error_detail(error, literal(key), literal(value));
  return status.code();
}

// Runs `body`, which gives a status code, and turns what it throws into an error, so that nothing unwinds into a host.
template <typename Body>
int32_t guard(const clutch_host* host, clutch_error* error, Body&& body) noexcept {
  try {
    return body();
  } catch (const std::bad_alloc&) {
    host->error_set(error, CLUTCH_ERR_MEMORY, CLUTCH_ORIGIN_HOST, literal("no memory left in the thread plugin"));
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
    Result<Settings> settings = read_settings(*configuration);
    if (!settings.ok()) return fill(host, error, settings.status());
    *ret_runtime = reinterpret_cast<clutch_runtime*>(new Runtime(host, *std::move(settings)));
    return CLUTCH_OK;
  });
}

int32_t runtime_probe(clutch_runtime* runtime, const clutch_spec* spec, clutch_error* reason) {
  const clutch_host* const host = unwrap(runtime)->host();
  return guard(host, reason, [&]() -> int32_t {
    const Result<Runtime::Facts> facts = unwrap(runtime)->probe(*spec);
    if (!facts.ok()) {
      fill(host, reason,
           Status(CLUTCH_ERR_UNSUPPORTED, std::string(facts.status().message()), facts.status().origin()));
      return CLUTCH_ERR_UNSUPPORTED;
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
    bool filled = false;
    Result<Inner> place = unwrap(runtime)->next(spec->options, error, filled);
    if (!place.ok()) return filled ? place.status().code() : fill(host, error, place.status());
    auto function = std::make_unique<clutch_function>(clutch_function{*place, nullptr, host});
    int32_t status = CLUTCH_OK;
    place->run(
        [&] { status = place->api->function_open(place->runtime, spec, context, &function->inner, ret_info, error); });
    if (status == CLUTCH_OK) *ret_function = function.release();
    return status;
  });
}

// An island serves one batch at a time, so a batch may have to wait for its turn until its deadline.
int32_t submit_to_island(clutch_function* function, const clutch_batch* batch, clutch_error* error) {
  return guard(function->host, error, [&]() -> int32_t {
    const auto deadline = batch->deadline_ns == 0
                              ? ServingThread::kNoDeadline
                              : ServingThread::Deadline(std::chrono::nanoseconds(batch->deadline_ns));
    int32_t status = CLUTCH_OK;
    const bool ran = function->place.island->thread().run(
        [&] { status = function->place.api->function_submit(function->inner, batch, error); }, deadline);
    if (ran) return status;
    function->host->error_set(
        error, CLUTCH_ERR_DEADLINE, CLUTCH_ORIGIN_USER,
        literal("the batch waited for its interpreter until its deadline, because functions that share it were still "
                "running; raise python.thread.interpreters or the deadline"));
    return CLUTCH_ERR_DEADLINE;
  });
}

int32_t function_submit(clutch_function* function, const clutch_batch* batch, clutch_error* error) {
  if (function->place.island != nullptr) return submit_to_island(function, batch, error);
  return function->place.api->function_submit(function->inner, batch, error);
}

// Not on the island, which is busy with what is to be cancelled: the runtime only stores a number and wakes a thread.
void function_cancel(clutch_function* function, uint64_t sequence) {
  function->place.api->function_cancel(function->inner, sequence);
}

int32_t function_close(clutch_function* function, clutch_error* error) {
  const std::unique_ptr<clutch_function> owned(function);
  return guard(owned->host, error, [&]() -> int32_t {
    int32_t status = CLUTCH_OK;
    owned->place.run([&] { status = owned->place.api->function_close(owned->inner, error); });
    return status;
  });
}

using Kinds = interpreter::Kinds<0>;

const clutch_plugin_api kApi = {
    .struct_size = sizeof(clutch_plugin_api),
    .reserved0 = 0,
    .id = literal("org.clutch.thread"),
    .version = literal(CLUTCH_VERSION),
    .mode = literal("thread"),
    .capabilities = Kinds::kPointers.data(),
    .n_capabilities = Kinds::kPointers.size(),
    .get_extension = get_extension,
    .runtime_open = runtime_open,
    .runtime_probe = runtime_probe,
    .runtime_describe = runtime_describe,
    .runtime_close = runtime_close,
    .function_open = function_open,
    .function_submit = function_submit,
    .function_poll = nullptr,  // A batch is done when its submit returns.
    .function_cancel = function_cancel,
    .function_close = function_close,
};

}  // namespace
}  // namespace clutch::thread

int32_t clutch_plugin_negotiate_v1(const clutch_host_offer* offer, clutch_plugin_answer* answer) {
  answer->min_level = 1;
  answer->max_level = CLUTCH_ABI_LEVEL;
  if (offer->min_level > answer->max_level || offer->max_level < answer->min_level) return CLUTCH_ERR_UNSUPPORTED;
  answer->level = offer->max_level < answer->max_level ? offer->max_level : answer->max_level;
  answer->api = &clutch::thread::kApi;
  return CLUTCH_OK;
}
