#include "worker/host_table.h"

#include <cstring>
#include <memory>

#include "clutch/abi/status.h"
#include "clutch/ext/cancel.h"
#include "clutch/ext/dead_letter.h"
#include "clutch/ext/log.h"
#include "clutch/ext/memory.h"
#include "clutch/ext/metrics.h"
#include "clutch/ext/side_output.h"
#include "clutch/ext/state.h"
#include "clutch/ext/timer.h"
#include "worker/context.h"
#include "worker/errors.h"

// The host takes an arena out of use whose batch ended with a lease, so its memory stays as it is.
struct clutch_input_lease {
  std::shared_ptr<const clutch::pyproc::Arena> arena;
};

namespace clutch::pyproc {
namespace {

LogSender& log_of(const clutch_host* host) { return static_cast<HostServices*>(host->self)->log; }

// Take over an array that was moved in; one that is "released" gives an empty owner.
columnar::Array take(ArrowArray* array) {
  return array == nullptr ? columnar::Array() : columnar::Array(std::move(*array));
}

void error_set(clutch_error* error, int32_t code, int32_t origin, clutch_str message) noexcept {
  if (error != nullptr) error->status = Status(code, std::string(view_of(message)), origin);
}

void error_detail(clutch_error* error, clutch_str key, clutch_str value) noexcept {
  if (error != nullptr) error->status.with(view_of(key), std::string(view_of(value)));
}

int32_t emit(clutch_batch_context* context, uint32_t tag, ArrowArray* rows, ArrowArray* origin,
             clutch_error* error) noexcept {
  columnar::Array owned_rows = take(rows);
  columnar::Array owned_origin = take(origin);
  return guarded(error, [&]() -> Status {
    CLUTCH_RETURN_IF_ERROR(require_open(context));
    return stage_emit(*context, tag, std::move(owned_rows), std::move(owned_origin));
  });
}

void batch_complete(clutch_batch_context* context, int32_t status) noexcept {
  if (!require_open(context).ok()) return;
  const std::lock_guard lock(context->mutex);
  context->completion = status;
  context->completed.notify_all();
}

int32_t log_enabled(const clutch_host* host, int32_t level) noexcept { return log_of(host).enabled(level) ? 1 : 0; }

void log_write(const clutch_host* host, int32_t level, clutch_str source, clutch_function_context* context,
               clutch_str text) noexcept {
  if (!log_of(host).enabled(level)) return;
  // What cannot be logged for lack of memory has nowhere else to go.
  (void)guarded(nullptr, [&]() -> Status {
    log_of(host).write(level, context != nullptr ? context->number : 0, view_of(source), view_of(text));
    return {};
  });
}

int32_t is_cancelled(clutch_batch_context* context) noexcept {
  if (!require_open(context).ok()) return 1;
  return context->page->cancelled[context->slot].load(std::memory_order_relaxed) == context->ticket ? 1 : 0;
}

int32_t add_dead_letter(clutch_batch_context* context, int64_t row, clutch_error** ret_error,
                        clutch_error* error) noexcept {
  return guarded(error, [&]() -> Status {
    CLUTCH_RETURN_IF_ERROR(require_open(context));
    return stage_dead_letter(*context, row, ret_error);
  });
}

// The supervisor measures a batch's stages from outside (BatchDone), so that they sum to what the caller waited.
void metric_stage(clutch_batch_context*, uint32_t, int64_t) noexcept {}

void metric_record(clutch_function_context* context, int32_t kind, clutch_str name, double value) noexcept {
  (void)guarded(nullptr, [&]() -> Status {
    record_metric(*context, kind, view_of(name), value);
    return {};
  });
}

int32_t side_declare(clutch_function_context* context, clutch_str name, const ArrowSchema* schema, uint32_t* ret_tag,
                     clutch_error* error) noexcept {
  return guarded(error, [&] { return declare_side_output(*context, view_of(name), schema, ret_tag); });
}

int32_t lease_take(clutch_batch_context* context, clutch_input_lease** ret_lease, clutch_error* error) noexcept {
  return guarded(error, [&]() -> Status {
    CLUTCH_RETURN_IF_ERROR(require_open(context));
    *ret_lease = std::make_unique<clutch_input_lease>(clutch_input_lease{context->input}).release();
    return {};
  });
}

void lease_drop(clutch_input_lease* lease) noexcept { delete lease; }

int32_t state_declare(clutch_function_context* context, const clutch_state_declaration* declaration,
                      uint32_t* ret_state, clutch_error* error) noexcept {
  return guarded(error, [&] {
    StateDeclaration declared{std::string(view_of(declaration->name)), declaration->state_kind, declaration->ttl_ms};
    if (CLUTCH_HAS(declaration, clutch_state_declaration, ttl_update)) declared.ttl_update = declaration->ttl_update;
    if (CLUTCH_HAS(declaration, clutch_state_declaration, ttl_visibility)) {
      declared.ttl_visibility = declaration->ttl_visibility;
    }
    return declare_state(*context, declared, ret_state);
  });
}

int32_t state_read(clutch_batch_context* context, uint32_t state, ArrowArray* ret_values,
                   clutch_error* error) noexcept {
  return guarded(error, [&]() -> Status {
    CLUTCH_RETURN_IF_ERROR(require_open(context));
    return read_state(*context, state, ret_values);
  });
}

int32_t state_read_page(clutch_batch_context* context, uint32_t state, int32_t key, clutch_bytes cursor,
                        uint64_t max_bytes, ArrowArray* ret_page, clutch_bytes* ret_next,
                        clutch_error* error) noexcept {
  return guarded(error, [&]() -> Status {
    CLUTCH_RETURN_IF_ERROR(require_open(context));
    return read_state_page(*context, state, key, cursor, max_bytes, ret_page, ret_next);
  });
}

int32_t state_lookup(clutch_batch_context* context, uint32_t state, const ArrowArray* keys, ArrowArray* ret_values,
                     clutch_error* error) noexcept {
  return guarded(error, [&]() -> Status {
    CLUTCH_RETURN_IF_ERROR(require_open(context));
    return look_up_state(*context, state, *keys, ret_values);
  });
}

int32_t state_apply(clutch_batch_context* context, uint32_t state, ArrowArray* changes, clutch_error* error) noexcept {
  columnar::Array owned = take(changes);
  return guarded(error, [&]() -> Status {
    CLUTCH_RETURN_IF_ERROR(require_open(context));
    return apply_state(*context, state, std::move(owned));
  });
}

int32_t timer_apply(clutch_batch_context* context, ArrowArray* changes, clutch_error* error) noexcept {
  columnar::Array owned = take(changes);
  return guarded(error, [&]() -> Status {
    CLUTCH_RETURN_IF_ERROR(require_open(context));
    return apply_timers(*context, std::move(owned));
  });
}

constexpr clutch_host_log kLog = {sizeof(clutch_host_log), 0, log_enabled, log_write};
constexpr clutch_host_cancel kCancel = {sizeof(clutch_host_cancel), 0, is_cancelled};
constexpr clutch_host_dead_letter kDeadLetter = {sizeof(clutch_host_dead_letter), 0, add_dead_letter};
constexpr clutch_host_metrics kMetrics = {sizeof(clutch_host_metrics), 0, metric_stage, metric_record};
constexpr clutch_host_side_output kSideOutput = {sizeof(clutch_host_side_output), 0, side_declare};
constexpr clutch_host_memory kMemory = {sizeof(clutch_host_memory), 0, lease_take, lease_drop};
constexpr clutch_host_state kState = {
    sizeof(clutch_host_state), 0, state_declare, state_read, state_read_page, state_lookup, state_apply};
constexpr clutch_host_timer kTimer = {sizeof(clutch_host_timer), 0, timer_apply};

const void* get_extension(const clutch_host*, const char* id) noexcept {
  constexpr struct {
    const char* id;
    const void* table;
  } kExtensions[] = {
      {CLUTCH_HOST_LOG, &kLog},
      {CLUTCH_HOST_CANCEL, &kCancel},
      {CLUTCH_HOST_DEAD_LETTER, &kDeadLetter},
      {CLUTCH_HOST_METRICS, &kMetrics},
      {CLUTCH_HOST_SIDE_OUTPUT, &kSideOutput},
      {CLUTCH_HOST_MEMORY, &kMemory},
      {CLUTCH_HOST_STATE, &kState},
      {CLUTCH_HOST_TIMER, &kTimer},
  };
  for (const auto& extension : kExtensions) {
    if (std::strcmp(id, extension.id) == 0) return extension.table;
  }
  return nullptr;
}

}  // namespace

clutch_host make_host(HostServices& services) {
  clutch_host host = {};
  host.struct_size = sizeof(clutch_host);
  host.self = &services;
  host.get_extension = get_extension;
  host.error_set = error_set;
  host.error_detail = error_detail;
  host.emit = emit;
  host.batch_complete = batch_complete;
  return host;
}

}  // namespace clutch::pyproc
