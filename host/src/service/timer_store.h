// Timers of one function, by key.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace clutch::host {

struct Timer {
  int64_t time_ms;
  std::string key;
  int8_t domain;  // CLUTCH_TIMER_EVENT_TIME, CLUTCH_TIMER_PROCESSING_TIME
};

struct TimerChange {
  Timer timer;
  bool remove;
};

// Guarded by the function's mutex.
class TimerStore {
 public:
  // Timers up to these times: event time first, each domain in order of time and key.
  std::vector<Timer> due(int64_t event_ms, int64_t processing_ms) const;
  std::optional<int64_t> next(int32_t domain) const;
  // Forget the timers that fired, then apply the batch's changes in order.
  void commit(const std::vector<Timer>& fired, const std::vector<TimerChange>& changes);
  size_t size() const { return domains_[0].size() + domains_[1].size(); }

 private:
  std::array<std::set<std::pair<int64_t, std::string>>, 2> domains_;
};

}  // namespace clutch::host
