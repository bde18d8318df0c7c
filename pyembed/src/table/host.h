// The host's services as the runtime uses them: extensions looked up once, errors filled from a Status.
#pragma once

#include <string_view>

#include "clutch/abi/host.h"
#include "clutch/columnar/result.h"
#include "clutch/ext/cancel.h"
#include "clutch/ext/dead_letter.h"
#include "clutch/ext/log.h"
#include "clutch/ext/memory.h"
#include "clutch/ext/metrics.h"
#include "clutch/ext/side_output.h"
#include "clutch/ext/state.h"
#include "clutch/ext/timer.h"

namespace clutch::pyembed {

inline clutch_str to_str(std::string_view text) { return {text.data(), text.size()}; }
inline std::string_view to_view(clutch_str text) {
  return text.size == 0 ? std::string_view() : std::string_view(text.data, text.size);
}

struct Host {
  const clutch_host* host = nullptr;
  const clutch_host_log* log = nullptr;
  const clutch_host_metrics* metrics = nullptr;
  const clutch_host_dead_letter* dead_letter = nullptr;
  const clutch_host_cancel* cancel = nullptr;
  const clutch_host_state* state = nullptr;
  const clutch_host_memory* memory = nullptr;
  const clutch_host_timer* timer = nullptr;
  const clutch_host_side_output* side_output = nullptr;

  explicit Host(const clutch_host* table) : host(table) {
    const auto find = [table](const char* id) { return table->get_extension(table, id); };
    log = static_cast<const clutch_host_log*>(find(CLUTCH_HOST_LOG));
    metrics = static_cast<const clutch_host_metrics*>(find(CLUTCH_HOST_METRICS));
    dead_letter = static_cast<const clutch_host_dead_letter*>(find(CLUTCH_HOST_DEAD_LETTER));
    cancel = static_cast<const clutch_host_cancel*>(find(CLUTCH_HOST_CANCEL));
    state = static_cast<const clutch_host_state*>(find(CLUTCH_HOST_STATE));
    memory = static_cast<const clutch_host_memory*>(find(CLUTCH_HOST_MEMORY));
    timer = static_cast<const clutch_host_timer*>(find(CLUTCH_HOST_TIMER));
    side_output = static_cast<const clutch_host_side_output*>(find(CLUTCH_HOST_SIDE_OUTPUT));
  }

  void write_log(int32_t level, std::string_view source, clutch_function_context* context,
                 std::string_view text) const {
    if (log != nullptr) log->write(host, level, to_str(source), context, to_str(text));
  }

  // Fill a host's error and give its code.
  int32_t report(const Status& status, clutch_error* error) const { return fill(host, status, error); }

  static int32_t fill(const clutch_host* host, const Status& status, clutch_error* error) {
    if (status.ok()) return CLUTCH_OK;
    host->error_set(error, status.code(), status.origin(), to_str(status.message()));
    for (const auto& [key, value] : status.details()) host->error_detail(error, to_str(key), to_str(value));
    return status.code();
  }
};

}  // namespace clutch::pyembed
