#include "service/timer_store.h"

#include "clutch/ext/timer.h"
#include "service/key_table.h"

namespace clutch::host {

void TimerStore::due(int64_t event_ms, int64_t processing_ms, std::vector<clutch_app_timer>& ret_timers) const {
  for (const int32_t domain : {CLUTCH_TIMER_EVENT_TIME, CLUTCH_TIMER_PROCESSING_TIME}) {
    const int64_t bound = domain == CLUTCH_TIMER_EVENT_TIME ? event_ms : processing_ms;
    for (const auto& [time_ms, key] : domains_[static_cast<size_t>(domain)]) {
      if (time_ms > bound) break;
      ret_timers.push_back({to_bytes(key), time_ms, domain, 0});
    }
  }
}

std::optional<int64_t> TimerStore::next(int32_t domain) const {
  const auto& timers = domains_[static_cast<size_t>(domain)];
  if (timers.empty()) return std::nullopt;
  return timers.begin()->first;
}

void TimerStore::change(const clutch_app_timer& change) {
  auto& timers = domains_[static_cast<size_t>(change.domain)];
  std::pair<int64_t, std::string> timer(change.time_ms, view(change.key));
  if (change.op == CLUTCH_TIMER_DELETE) {
    timers.erase(timer);
  } else {
    timers.insert(std::move(timer));
  }
}

}  // namespace clutch::host
