#include "function/metrics.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>

#include "function/gate.h"

namespace clutch::host {
namespace {

constexpr std::string_view kStageNames[CLUTCH_STAGE_COUNT] = {"queue", "encode",   "wake",  "run",
                                                              "copy",  "validate", "commit"};
constexpr std::string_view kKindNames[] = {"counter", "gauge", "histogram", "meter"};

double rate(const NamedMetric& metric, int64_t now_ns) {
  const double seconds = static_cast<double>(now_ns - metric.first_ns) / 1e9;
  return seconds > 0 ? metric.sum / seconds : 0;
}

struct Count {
  const char* name;
  uint64_t value;
};

std::vector<Count> counts(const clutch_app_metrics& metrics) {
  return {{"in_flight", metrics.in_flight},
          {"batches_submitted", metrics.batches_submitted},
          {"batches_done", metrics.batches_done},
          {"batches_failed", metrics.batches_failed},
          {"rows_in", metrics.rows_in},
          {"rows_out", metrics.rows_out},
          {"rows_side", metrics.rows_side},
          {"dead_letters", metrics.dead_letters},
          {"timers_fired", metrics.timers_fired},
          {"restarts", metrics.restarts},
          {"busy_ns", metrics.busy_ns}};
}

}  // namespace

double NamedMetric::value() const {
  switch (kind) {
    case CLUTCH_METRIC_GAUGE:
      return last;
    case CLUTCH_METRIC_HISTOGRAM:
      return count == 0 ? 0 : sum / static_cast<double>(count);
    default:
      return sum;
  }
}

bool NamedMetrics::record(int32_t kind, std::string_view name, double value, bool& first_conflict) {
  const std::scoped_lock lock(mutex_);
  first_conflict = false;
  auto found = metrics_.find(name);
  if (found == metrics_.end()) {
    if (kind < CLUTCH_METRIC_COUNTER || kind > CLUTCH_METRIC_METER) return false;
    found = metrics_.emplace(std::string(name), NamedMetric()).first;
    found->second.kind = kind;
    found->second.first_ns = monotonic_ns();
  }
  NamedMetric& metric = found->second;
  if (metric.kind != kind) {
    if (std::find(conflicts_.begin(), conflicts_.end(), name) == conflicts_.end()) {
      conflicts_.emplace_back(name);
      first_conflict = true;
    }
    return false;
  }
  ++metric.count;
  metric.sum += value;
  metric.last = value;
  metric.min = std::min(metric.min, value);
  metric.max = std::max(metric.max, value);
  return true;
}

std::optional<NamedMetric> NamedMetrics::find(std::string_view name) const {
  const std::scoped_lock lock(mutex_);
  const auto found = metrics_.find(name);
  if (found == metrics_.end()) return std::nullopt;
  return found->second;
}

std::map<std::string, NamedMetric, std::less<>> NamedMetrics::all() const {
  const std::scoped_lock lock(mutex_);
  return metrics_;
}

void NamedMetrics::clear() {
  const std::scoped_lock lock(mutex_);
  metrics_.clear();
  conflicts_.clear();
}

std::string_view stage_name(uint32_t stage) { return stage < CLUTCH_STAGE_COUNT ? kStageNames[stage] : "unknown"; }

std::string metrics_text(std::string_view function, const clutch_app_metrics& metrics, const NamedMetrics& named,
                         int64_t now_ns) {
  std::ostringstream out;
  out << "function: " << function << "\n";
  for (const Count& count : counts(metrics)) out << count.name << ": " << count.value << "\n";
  for (uint32_t stage = 0; stage < CLUTCH_STAGE_COUNT; ++stage) {
    out << "stage." << stage_name(stage) << "_ns: " << metrics.stage_ns[stage] << "\n";
  }
  for (int32_t code = 1; code < static_cast<int32_t>(std::size(metrics.errors)); ++code) {
    if (metrics.errors[code] == 0) continue;
    out << "errors." << clutch_app_status_name(-code) << ": " << metrics.errors[code] << "\n";
  }
  for (const auto& [name, metric] : named.all()) {
    out << name << ": " << metric.value();
    if (metric.kind == CLUTCH_METRIC_METER) out << " (" << rate(metric, now_ns) << " a second)";
    if (metric.kind == CLUTCH_METRIC_HISTOGRAM) {
      out << " (" << metric.count << " values from " << metric.min << " to " << metric.max << ")";
    }
    out << "\n";
  }
  return out.str();
}

std::string metrics_json(std::string_view function, const clutch_app_metrics& metrics, const NamedMetrics& named,
                         int64_t now_ns) {
  nlohmann::ordered_json out;
  out["function"] = std::string(function);
  for (const Count& count : counts(metrics)) out[count.name] = count.value;
  out["stage_ns"] = nlohmann::ordered_json::object();
  for (uint32_t stage = 0; stage < CLUTCH_STAGE_COUNT; ++stage) {
    out["stage_ns"][std::string(stage_name(stage))] = metrics.stage_ns[stage];
  }
  out["errors"] = nlohmann::ordered_json::object();
  for (int32_t code = 1; code < static_cast<int32_t>(std::size(metrics.errors)); ++code) {
    if (metrics.errors[code] != 0) out["errors"][clutch_app_status_name(-code)] = metrics.errors[code];
  }
  out["user"] = nlohmann::ordered_json::object();
  for (const auto& [name, metric] : named.all()) {
    nlohmann::ordered_json entry = {{"kind", std::string(kKindNames[metric.kind])}, {"value", metric.value()}};
    if (metric.kind == CLUTCH_METRIC_METER) entry["per_second"] = rate(metric, now_ns);
    if (metric.kind == CLUTCH_METRIC_HISTOGRAM) {
      entry["count"] = metric.count;
      entry["min"] = metric.min;
      entry["max"] = metric.max;
    }
    out["user"][name] = std::move(entry);
  }
  return out.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace clutch::host
