#include "service/host_table.h"

#include <string_view>

#include "clutch/abi/status.h"
#include "clutch/ext/cancel.h"
#include "clutch/ext/dead_letter.h"
#include "clutch/ext/log.h"
#include "clutch/ext/memory.h"
#include "clutch/ext/metrics.h"
#include "clutch/ext/side_output.h"
#include "clutch/ext/state.h"
#include "clutch/ext/timer.h"
#include "function/context.h"
#include "function/error.h"
#include "function/slot.h"

struct clutch_input_lease {
  clutch::host::InputRef input;
};

namespace clutch::host {
namespace {

HostServices& services(const clutch_host* host) { return *static_cast<HostServices*>(host->self); }

Status stale_function() {
  return {CLUTCH_ERR_STALE, "the function this context belonged to is closed", CLUTCH_ORIGIN_PLUGIN};
}

// Memory for an error message is no reason to end the process: the message is shortened to what the code says.
void error_set(clutch_error* error, int32_t code, int32_t origin, clutch_str message) noexcept {
  if (error == nullptr) return;
  try {
    error->set(code, origin, view(message));
  } catch (...) {
    error->code = CLUTCH_ERR_MEMORY;
  }
}

void error_detail(clutch_error* error, clutch_str key, clutch_str value) noexcept {
  if (error == nullptr) return;
  try {
    error->detail(view(key), view(value));
  } catch (...) {
    error->code = CLUTCH_ERR_MEMORY;
  }
}

int32_t emit(clutch_batch_context* context, uint32_t tag, ArrowArray* rows, ArrowArray* origin,
             clutch_error* error) noexcept {
  // Refused arrays are released here, after the slot is unlocked.
  Chunk chunk;
  if (rows != nullptr) chunk.rows = columnar::Array(std::move(*rows));
  if (origin != nullptr) chunk.origin = columnar::Array(std::move(*origin));
  return BatchSlot::with(context, error, [&](BatchSlot& slot) { return slot.emit(tag, chunk); });
}

void batch_complete(clutch_batch_context* context, int32_t status) noexcept {
  // A batch that is over already is left alone; there is no way to answer the plugin.
  BatchSlot::complete(context, status);
}

int32_t log_enabled(const clutch_host* host, int32_t level) noexcept {
  return services(host).logger->enabled(level) ? 1 : 0;
}

void log_write(const clutch_host* host, int32_t level, clutch_str source, clutch_function_context* context,
               clutch_str text) noexcept {
  try {
    Logger& logger = *services(host).logger;
    if (!logger.enabled(level)) return;
    std::string function;
    FunctionContext::with(context, [&](FunctionContext& live) { function = live.name(); });
    logger.write(level, source.size == 0 ? std::string_view(services(host).plugin) : view(source), function,
                 view(text));
  } catch (...) {
    // A line is lost for want of memory; nothing better can be done about it here.
    return;
  }
}

constexpr clutch_host_log kLog = {sizeof(clutch_host_log), 0, log_enabled, log_write};

int32_t is_cancelled(clutch_batch_context* context) noexcept { return BatchSlot::cancelled(context) ? 1 : 0; }

constexpr clutch_host_cancel kCancel = {sizeof(clutch_host_cancel), 0, is_cancelled};

int32_t dead_letter_add(clutch_batch_context* context, int64_t row, clutch_error** ret_error,
                        clutch_error* error) noexcept {
  return BatchSlot::with(context, error, [&](BatchSlot& slot) {
    return ret_error == nullptr ? argument_error("ret_error is NULL") : slot.add_dead_letter(row, ret_error);
  });
}

constexpr clutch_host_dead_letter kDeadLetter = {sizeof(clutch_host_dead_letter), 0, dead_letter_add};

int32_t lease_take(clutch_batch_context* context, clutch_input_lease** ret_lease, clutch_error* error) noexcept {
  BatchInput* input = nullptr;
  const int32_t status = BatchSlot::with(context, error, [&](BatchSlot& slot) { return slot.take_lease(&input); });
  if (status != CLUTCH_OK) return status;
  *ret_lease = new (std::nothrow) clutch_input_lease{InputRef(input)};
  if (*ret_lease != nullptr) return CLUTCH_OK;
  return fill_error(error, Status(CLUTCH_ERR_MEMORY, "the host has no memory for a lease", CLUTCH_ORIGIN_HOST));
}

void lease_drop(clutch_input_lease* lease) noexcept { delete lease; }

constexpr clutch_host_memory kMemory = {sizeof(clutch_host_memory), 0, lease_take, lease_drop};

void metrics_stage(clutch_batch_context* context, uint32_t stage, int64_t duration_ns) noexcept {
  BatchSlot::with(context, nullptr, [&](BatchSlot& slot) {
    slot.add_stage(stage, duration_ns);
    return Status();
  });
}

void metrics_record(clutch_function_context* context, int32_t kind, clutch_str name, double value) noexcept {
  try {
    Logger* logger = nullptr;
    std::string function;
    FunctionContext::with(context, [&](FunctionContext& live) {
      bool first_conflict = false;
      live.metrics().record(kind, view(name), value, first_conflict);
      if (!first_conflict) return;
      logger = &live.logger();
      function = live.name();
    });
    if (logger == nullptr) return;
    logger->write(CLUTCH_LOG_WARN, "host", function,
                  "metric \"" + std::string(view(name)) + "\" is reported with two kinds; it keeps the first one");
  } catch (...) {
    // A value is lost for want of memory; the call cannot say so.
    return;
  }
}

constexpr clutch_host_metrics kMetrics = {sizeof(clutch_host_metrics), 0, metrics_stage, metrics_record};

int32_t side_declare(clutch_function_context* context, clutch_str name, const ArrowSchema* schema, uint32_t* ret_tag,
                     clutch_error* error) noexcept {
  try {
    Status status = stale_function();
    if (schema == nullptr || ret_tag == nullptr) {
      status = argument_error("a side output is declared without schema or ret_tag");
    } else {
      FunctionContext::with(context, [&](FunctionContext& live) {
        uint32_t tag = 0;
        status = live.declare_side(view(name), *schema, tag);
        if (status.ok()) *ret_tag = tag;
      });
    }
    return status.ok() ? CLUTCH_OK : fill_error(error, status);
  } catch (...) {
    return fill_error(error, current_exception_status());
  }
}

constexpr clutch_host_side_output kSideOutput = {sizeof(clutch_host_side_output), 0, side_declare};

struct Extension {
  std::string_view id;
  const void* table;
};

constexpr Extension kExtensions[] = {{CLUTCH_HOST_CANCEL, &kCancel},
                                     {CLUTCH_HOST_DEAD_LETTER, &kDeadLetter},
                                     {CLUTCH_HOST_LOG, &kLog},
                                     {CLUTCH_HOST_MEMORY, &kMemory},
                                     {CLUTCH_HOST_METRICS, &kMetrics},
                                     {CLUTCH_HOST_SIDE_OUTPUT, &kSideOutput},
                                     {CLUTCH_HOST_STATE, &kStateService},
                                     {CLUTCH_HOST_TIMER, &kTimerService}};

const void* get_extension(const clutch_host*, const char* id) noexcept {
  if (id == nullptr) return nullptr;
  for (const Extension& extension : kExtensions) {
    if (extension.id == id) return extension.table;
  }
  return nullptr;
}

}  // namespace

clutch_host make_host_table(HostServices& services) {
  clutch_host table{};
  table.struct_size = sizeof(table);
  table.self = &services;
  table.get_extension = get_extension;
  table.error_set = error_set;
  table.error_detail = error_detail;
  table.emit = emit;
  table.batch_complete = batch_complete;
  return table;
}

std::vector<std::string> host_extension_ids() {
  std::vector<std::string> out;
  for (const Extension& extension : kExtensions) out.emplace_back(extension.id);
  return out;
}

}  // namespace clutch::host
