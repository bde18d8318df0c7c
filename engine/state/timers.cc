#include "state/timers.h"

#include <algorithm>
#include <tuple>

namespace clutch::engine {

TimerGroups::TimerGroups(KeyGroups groups, KeyGroupRange range)
    : groups_(groups), range_(range), by_group_(static_cast<size_t>(range.size())) {}

template <typename Change>
void TimerGroups::change(TimerDomain domain, int32_t group, Change change) {
  Timers& timers = group_at(group)[static_cast<size_t>(domain)];
  Heads& heads = heads_[static_cast<size_t>(domain)];
  const bool had = !timers.empty();
  const int64_t before = had ? timers.begin()->first : 0;
  change(timers);
  const bool has = !timers.empty();
  const int64_t after = has ? timers.begin()->first : 0;
  if (had == has && before == after) return;
  if (had) heads.erase({before, group});
  if (has) heads.emplace(after, group);
}

void TimerGroups::add(TimerDomain domain, int64_t time, std::string_view key) {
  change(domain, groups_.group_of(key), [&](Timers& timers) { timers.emplace(time, key); });
}

void TimerGroups::remove(TimerDomain domain, int64_t time, std::string_view key) {
  change(domain, groups_.group_of(key), [&](Timers& timers) { timers.erase({time, std::string(key)}); });
}

std::vector<DueTimer> TimerGroups::due(TimerDomain domain, int64_t bound) const {
  std::vector<DueTimer> out;
  for (const auto& [first, group] : heads_[static_cast<size_t>(domain)]) {
    if (first > bound) break;
    for (const auto& [time, key] : group_at(group)[static_cast<size_t>(domain)]) {
      if (time > bound) break;
      out.push_back({time, key});
    }
  }
  std::sort(out.begin(), out.end(),
            [](const DueTimer& a, const DueTimer& b) { return std::tie(a.time, a.key) < std::tie(b.time, b.key); });
  return out;
}

std::optional<int64_t> TimerGroups::next(TimerDomain domain) const {
  const Heads& heads = heads_[static_cast<size_t>(domain)];
  return heads.empty() ? std::nullopt : std::optional(heads.begin()->first);
}

size_t TimerGroups::size() const {
  size_t count = 0;
  for (const Group& group : by_group_) count += group[0].size() + group[1].size();
  return count;
}

void TimerGroups::encode(int32_t group, std::string& out) const {
  for (const Timers& timers : group_at(group)) {
    put_number(timers.size(), out);
    for (const auto& [time, key] : timers) {
      put_time(time, out);
      put_bytes(key, out);
    }
  }
}

TimerGroups::Group TimerGroups::decode(SnapshotReader& in) {
  Group group;
  for (Timers& timers : group) {
    const uint64_t count = in.number();
    // The count is not believed: the loop ends with the bytes.
    for (uint64_t i = 0; i < count && !in.failed(); ++i) {
      const int64_t time = in.time();
      if (!timers.emplace(time, in.bytes()).second) in.fail("a timer is there twice");
    }
  }
  return group;
}

void TimerGroups::replace(int32_t group, Group timers) {
  for (const TimerDomain domain : {TimerDomain::kEventTime, TimerDomain::kProcessingTime}) {
    change(domain, group, [&](Timers& old) { old = std::move(timers[static_cast<size_t>(domain)]); });
  }
}

}  // namespace clutch::engine
