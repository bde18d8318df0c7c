// The host as the supervisor sees it: its table and those extensions it has.
#pragma once

#include <cstdint>
#include <string_view>

#include "clutch/abi/host.h"
#include "clutch/columnar/result.h"
#include "clutch/ext/dead_letter.h"
#include "clutch/ext/log.h"
#include "clutch/ext/metrics.h"
#include "clutch/ext/side_output.h"
#include "clutch/ext/state.h"
#include "clutch/ext/timer.h"

namespace clutch::pyproc {

inline clutch_str to_str(std::string_view text) { return {text.data(), text.size()}; }

// Fill a host-owned error from a status; does nothing where there is no error to fill, or the status has no message
// because the host has filled it itself.
void set_error(const clutch_host& host, clutch_error* error, const Status& status);

class HostServices {
 public:
  explicit HostServices(const clutch_host& host);

  const clutch_host& host() const { return host_; }
  void log(int32_t level, std::string_view source, clutch_function_context* context, std::string_view text) const;
  bool log_enabled(int32_t level) const { return log_ != nullptr && log_->enabled(&host_, level) != 0; }

  // NULL where the host does not have them.
  const clutch_host_dead_letter* dead_letter() const { return dead_letter_; }
  const clutch_host_metrics* metrics() const { return metrics_; }
  const clutch_host_side_output* side_output() const { return side_output_; }
  const clutch_host_state* state() const { return state_; }
  const clutch_host_timer* timer() const { return timer_; }

 private:
  const clutch_host& host_;
  const clutch_host_log* log_;
  const clutch_host_dead_letter* dead_letter_;
  const clutch_host_metrics* metrics_;
  const clutch_host_side_output* side_output_;
  const clutch_host_state* state_;
  const clutch_host_timer* timer_;
};

}  // namespace clutch::pyproc
