// Numbers of one function: counted by the host, and reported by name by the plugin and the user's code.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "clutch/clutch.h"
#include "clutch/ext/metrics.h"

namespace clutch::host {

// Counter of the named metrics that is shown as `restarts`.
inline constexpr std::string_view kRestartsMetric = "worker.restarts";

struct NamedMetric {
  int32_t kind = CLUTCH_METRIC_COUNTER;
  uint64_t count = 0;
  double sum = 0;
  double last = 0;
  double min = std::numeric_limits<double>::infinity();
  double max = -std::numeric_limits<double>::infinity();
  int64_t first_ns = 0;  // Of a meter: when the first report came.

  // Counter: sum; gauge: last value; meter: number of events; histogram: mean.
  double value() const;
};

// All methods may be called from every thread.
class NamedMetrics {
 public:
  // False if the name is known with another kind; the value is ignored then. `first_conflict` tells whether this is
  // the first time, so that it is logged once.
  bool record(int32_t kind, std::string_view name, double value, bool& first_conflict);
  std::optional<NamedMetric> find(std::string_view name) const;
  std::map<std::string, NamedMetric, std::less<>> all() const;
  void clear();

 private:
  mutable std::mutex mutex_;
  std::map<std::string, NamedMetric, std::less<>> metrics_;
  std::vector<std::string> conflicts_;
};

// Name of a CLUTCH_STAGE_*: "run".
std::string_view stage_name(uint32_t stage);

std::string metrics_text(std::string_view function, const clutch_app_metrics& metrics, const NamedMetrics& named,
                         int64_t now_ns);
std::string metrics_json(std::string_view function, const clutch_app_metrics& metrics, const NamedMetrics& named,
                         int64_t now_ns);

}  // namespace clutch::host
