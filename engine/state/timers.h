// Timers of one subtask by key group, as they are stored and moved: by domain, time and key.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "clutch/columnar/result.h"
#include "exchange/key_group.h"
#include "state/coding.h"

namespace clutch::engine {

enum class TimerDomain : uint8_t { kEventTime, kProcessingTime };

struct DueTimer {
  int64_t time;
  std::string_view key;
};

// Keys must be of the range's groups.
class TimerGroups {
 public:
  TimerGroups(KeyGroups groups, KeyGroupRange range);

  // A timer is there once, whatever often it is registered.
  void add(TimerDomain domain, int64_t time, std::string_view key);
  void remove(TimerDomain domain, int64_t time, std::string_view key);
  // Timers up to and with `bound`, in order of time and key; borrowed until the next change.
  std::vector<DueTimer> due(TimerDomain domain, int64_t bound) const;
  std::optional<int64_t> next(TimerDomain domain) const;
  size_t size() const;

  // For snapshots: for each domain the number of timers, and each as time and key, in order. The same timers give the
  // same bytes.
  void encode(int32_t group, std::string& out) const;

  using Timers = std::set<std::pair<int64_t, std::string>>;
  using Group = std::array<Timers, 2>;  // by domain
  // What encode() wrote; the reader says what is wrong with it.
  static Group decode(SnapshotReader& in);
  void replace(int32_t group, Group timers);

 private:
  // The earliest timer of each group that has any, so that nobody looks at all groups.
  using Heads = std::set<std::pair<int64_t, int32_t>>;

  Group& group_at(int32_t group) { return by_group_[static_cast<size_t>(group - range_.first)]; }
  const Group& group_at(int32_t group) const { return by_group_[static_cast<size_t>(group - range_.first)]; }
  // Run change(timers) and keep heads_ right.
  template <typename Change>
  void change(TimerDomain domain, int32_t group, Change change);

  KeyGroups groups_;
  KeyGroupRange range_;
  std::vector<Group> by_group_;  // from the first of the range
  std::array<Heads, 2> heads_;   // by domain
};

}  // namespace clutch::engine
