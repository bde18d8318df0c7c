// Windows in flight as bytes. Of a key group:
//
//   version (1 byte, 1) | number of keys | for each, in order: key | records so far (of count windows) | number of
//   windows | for each, in order: window | name of its contents | 1 byte: 1 if it has contents, and 2 if its trigger
//   remembers something | what
//   then of event time and of processing time: number of timers | for each, in the order in which they run: time |
//   place of its key | place of its window among those of the key
//
// A window is two times, its start and its end. Numbers, times and bytes are written as state/coding.h says.
#include <algorithm>
#include <limits>
#include <set>
#include <utility>

#include "checkpoint/keyed_part.h"
#include "state/coding.h"
#include "window/key_table.h"
#include "window/tracker.h"

namespace clutch::engine {
namespace {

constexpr char kVersion = 1;
constexpr uint8_t kFilled = 1;
constexpr uint8_t kRemembers = 2;

void put_window(Window window, std::string& out) {
  put_time(window.start, out);
  put_time(window.end, out);
}

Window read_window(SnapshotReader& in) {
  Window window{};
  window.start = in.time();
  window.end = in.time();
  if (!in.failed() && window.start > window.end) in.fail("a window ends before it begins");
  return window;
}

}  // namespace

class WindowTracker::Writer {
 public:
  Writer(const WindowTracker& tracker, const KeyTable& keys, const KeyGroups& groups)
      : tracker_(tracker), keys_(keys), groups_(groups) {}

  std::map<int32_t, std::string> write() {
    for (const auto& [id, per_key] : tracker_.keys_) {
      const std::string_view key = keys_.key(id);
      by_group_[groups_.group_of(key)].keys.emplace_back(key, id);
    }
    for (auto& [number, group] : by_group_) {
      std::sort(group.keys.begin(), group.keys.end());
      for (size_t place = 0; place < group.keys.size(); ++place) places_[group.keys[place].second] = {&group, place};
    }
    for (const TimeDomain domain : {TimeDomain::kEventTime, TimeDomain::kProcessingTime}) add_timers(domain);
    std::map<int32_t, std::string> out;
    for (const auto& [number, group] : by_group_) out.emplace(number, bytes_of(group));
    return out;
  }

 private:
  struct Timers {
    size_t count = 0;
    std::string bytes;
  };
  struct Group {
    std::vector<std::pair<std::string_view, KeyId>> keys;
    std::array<Timers, 2> timers;  // by domain
  };

  // The queue says in which order timers run, and the windows which of them there are.
  void add_timers(TimeDomain domain) {
    for (const auto& [time, dues] : tracker_.queues_[static_cast<size_t>(domain)]) {
      std::set<std::pair<KeyId, Window>> seen;
      for (const Due& due : dues) {
        const auto found = tracker_.keys_.find(due.key);
        if (found == tracker_.keys_.end()) continue;
        const std::vector<Slot>& slots = found->second.slots;
        const auto at = std::partition_point(slots.begin(), slots.end(),
                                             [&](const Slot& slot) { return slot.window < due.window; });
        if (at == slots.end() || at->window != due.window) continue;
        if (std::find(at->timers.begin(), at->timers.end(), Timer{domain, time}) == at->timers.end()) continue;
        if (!seen.emplace(due.key, due.window).second) continue;
        const auto& [group, place] = places_.at(due.key);
        Timers& timers = group->timers[static_cast<size_t>(domain)];
        ++timers.count;
        put_time(time, timers.bytes);
        put_number(place, timers.bytes);
        put_number(static_cast<uint64_t>(at - slots.begin()), timers.bytes);
      }
    }
  }

  std::string bytes_of(const Group& group) const {
    std::string out(1, kVersion);
    put_number(group.keys.size(), out);
    for (const auto& [key, id] : group.keys) {
      const PerKey& per_key = tracker_.keys_.at(id);
      put_bytes(key, out);
      put_number(static_cast<uint64_t>(per_key.count), out);
      put_number(per_key.slots.size(), out);
      for (const Slot& slot : per_key.slots) {
        put_window(slot.window, out);
        put_window(slot.state, out);
        out.push_back(static_cast<char>((slot.filled ? kFilled : 0) | (slot.trigger.has_value() ? kRemembers : 0)));
        if (slot.trigger.has_value()) put_time(*slot.trigger, out);
      }
    }
    for (const Timers& timers : group.timers) {
      put_number(timers.count, out);
      out += timers.bytes;
    }
    return out;
  }

  const WindowTracker& tracker_;
  const KeyTable& keys_;
  const KeyGroups& groups_;
  std::map<int32_t, Group> by_group_;
  std::unordered_map<KeyId, std::pair<Group*, size_t>> places_;
};

class WindowTracker::Reader {
 public:
  Reader(WindowTracker& tracker, std::string_view bytes) : tracker_(tracker), in_(bytes) {}

  Status read(KeyTable& keys, const KeyGroups& groups, int32_t group) {
    if (in_.byte() != kVersion) in_.fail("its version is not 1");
    const uint64_t count = in_.number();
    // Counts are not believed: the loops end with the bytes.
    for (uint64_t i = 0; i < count && !in_.failed(); ++i) {
      const std::string_view key = in_.view();
      if (in_.failed()) break;
      if (groups.group_of(key) != group) return key_of_another_group(group, groups.group_of(key));
      const KeyId id = keys.id_of(key);
      const auto [at, added] = tracker_.keys_.try_emplace(id);
      if (!added) in_.fail("a key is there twice");
      ids_.push_back(id);
      read_windows(at->second);
    }
    for (const TimeDomain domain : {TimeDomain::kEventTime, TimeDomain::kProcessingTime}) read_timers(domain);
    if (!in_.failed() && !in_.at_end()) in_.fail("something follows its end");
    return in_.failed() ? in_.status() : Status();
  }

 private:
  void read_windows(PerKey& per_key) {
    constexpr uint64_t kMost = uint64_t{1} << 62;  // so that counting on stays within the range
    const uint64_t records = in_.number();
    if (records >= kMost) in_.fail("a count is too high");
    per_key.count = static_cast<int64_t>(records);
    const uint64_t windows = in_.number();
    for (uint64_t i = 0; i < windows && !in_.failed(); ++i) {
      Slot slot;
      slot.window = read_window(in_);
      slot.state = read_window(in_);
      const uint8_t flags = in_.byte();
      if (flags > (kFilled | kRemembers)) in_.fail("there is no such window");
      slot.filled = (flags & kFilled) != 0;
      if ((flags & kRemembers) != 0) {
        slot.trigger = in_.time();
        if (!tracker_.trigger_.may_hold(*slot.trigger)) in_.fail("a trigger cannot be so");
      }
      if (!per_key.slots.empty() && !(per_key.slots.back().window < slot.window)) in_.fail("windows are not in order");
      const bool fits =
          tracker_.assigner_.merging() ? per_key.merging.restore(slot.window, slot.state) : slot.window == slot.state;
      if (!fits) in_.fail("a window is not as it is assigned");
      if (in_.failed()) return;
      per_key.slots.push_back(std::move(slot));
      ++tracker_.open_;
    }
  }

  void read_timers(TimeDomain domain) {
    const uint64_t count = in_.number();
    for (uint64_t i = 0; i < count && !in_.failed(); ++i) {
      const Timer timer{domain, in_.time()};
      const uint64_t key = in_.number();
      const uint64_t window = in_.number();
      if (in_.failed()) return;
      if (key >= ids_.size() || window >= tracker_.keys_[ids_[key]].slots.size()) {
        in_.fail("a timer is of no window");
        return;
      }
      Slot& slot = tracker_.keys_[ids_[key]].slots[window];
      if (std::find(slot.timers.begin(), slot.timers.end(), timer) != slot.timers.end()) in_.fail("a timer is twice");
      tracker_.set_timer(ids_[key], slot, timer);
    }
  }

  WindowTracker& tracker_;
  SnapshotReader in_;
  std::vector<KeyId> ids_;  // by place
};

std::string WindowTracker::shape() const {
  return assigner_.text() + " " + trigger_.text() + ", kept for " + std::to_string(lateness_) + " ms more";
}

std::map<int32_t, std::string> WindowTracker::snapshot(const KeyTable& keys, const KeyGroups& groups) const {
  return Writer(*this, keys, groups).write();
}

Status WindowTracker::restore(KeyTable& keys, const KeyGroups& groups, int32_t group, std::string_view snapshot) {
  return Reader(*this, snapshot).read(keys, groups, group);
}

}  // namespace clutch::engine
