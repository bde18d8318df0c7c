#include "service/timer_store.h"

#include "clutch/ext/timer.h"

namespace clutch::host {
namespace {

// Why an int32: what is told as int8 is a number, and not a character.
size_t place(int32_t domain) { return static_cast<size_t>(domain); }

}  // namespace

std::vector<Timer> TimerStore::due(int64_t event_ms, int64_t processing_ms) const {
  std::vector<Timer> out;
  for (const int8_t domain : {int8_t{CLUTCH_TIMER_EVENT_TIME}, int8_t{CLUTCH_TIMER_PROCESSING_TIME}}) {
    const int64_t bound = domain == CLUTCH_TIMER_EVENT_TIME ? event_ms : processing_ms;
    for (const auto& [time_ms, key] : domains_[place(domain)]) {
      if (time_ms > bound) break;
      out.push_back({time_ms, key, domain});
    }
  }
  return out;
}

std::optional<int64_t> TimerStore::next(int32_t domain) const {
  const auto& timers = domains_[place(domain)];
  if (timers.empty()) return std::nullopt;
  return timers.begin()->first;
}

void TimerStore::commit(const std::vector<Timer>& fired, const std::vector<TimerChange>& changes) {
  for (const Timer& timer : fired) domains_[place(timer.domain)].erase({timer.time_ms, timer.key});
  for (const TimerChange& change : changes) {
    auto& timers = domains_[place(change.timer.domain)];
    if (change.remove) {
      timers.erase({change.timer.time_ms, change.timer.key});
    } else {
      timers.emplace(change.timer.time_ms, change.timer.key);
    }
  }
}

}  // namespace clutch::host
