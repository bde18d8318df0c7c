// Timers of one function in memory, by key.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "clutch/clutch.h"

namespace clutch::host {

class TimerStore {
 public:
  // Append the timers up to these times: event time first, each domain in order of time and key. Their keys are
  // borrowed until the next change.
  void due(int64_t event_ms, int64_t processing_ms, std::vector<clutch_app_timer>& ret_timers) const;
  std::optional<int64_t> next(int32_t domain) const;
  void change(const clutch_app_timer& change);
  size_t size() const { return domains_[0].size() + domains_[1].size(); }

 private:
  std::array<std::set<std::pair<int64_t, std::string>>, 2> domains_;
};

}  // namespace clutch::host
