// Windows in flight as bytes: trackers that go on from them, of any number, act as one that was never interrupted.
#include <gtest/gtest.h>

#include <map>
#include <random>
#include <sstream>

#include "window/key_table.h"
#include "window/tracker.h"
#include "window_text.h"

namespace clutch::engine {
namespace {

constexpr int32_t kGroups = 8;

struct Windows {
  WindowAssigner assigner;
  Trigger trigger;
  int64_t lateness;
};

// The trackers of all subtasks of an operator, and what they did with each key.
class Fleet {
 public:
  Fleet(const Windows& windows, int32_t parallelism, int64_t now) : groups_(*KeyGroups::make(parallelism, kGroups)) {
    for (int32_t subtask = 0; subtask < parallelism; ++subtask) {
      members_.push_back({*WindowTracker::make(windows.assigner, windows.trigger, windows.lateness, now), {}});
    }
  }

  void add(const std::string& key, int64_t row, int64_t timestamp) {
    Member& member = members_[static_cast<size_t>(groups_.subtask_of(groups_.group_of(key)))];
    ASSERT_TRUE(member.tracker.add({.key = member.keys.id_of(key), .row = row, .timestamp = timestamp}, actions_).ok());
    note(member);
  }
  void advance_watermark(int64_t watermark) {
    for (Member& member : members_) {
      member.tracker.advance_watermark(watermark, actions_);
      note(member);
    }
  }
  void advance_processing_time(int64_t time) {
    for (Member& member : members_) {
      member.tracker.advance_processing_time(time, actions_);
      note(member);
    }
  }
  // By key group, of all members.
  std::map<int32_t, std::string> snapshot() const {
    std::map<int32_t, std::string> out;
    for (const Member& member : members_) {
      for (auto& [group, bytes] : member.tracker.snapshot(member.keys, groups_)) {
        EXPECT_TRUE(out.emplace(group, bytes).second) << "two members have group " << group;
      }
    }
    return out;
  }
  Status restore(const std::map<int32_t, std::string>& snapshot, int64_t watermark) {
    for (size_t subtask = 0; subtask < members_.size(); ++subtask) {
      Member& member = members_[subtask];
      member.tracker.advance_watermark(watermark, actions_);
      for (const auto& [group, bytes] : snapshot) {
        if (!groups_.range_of(static_cast<int32_t>(subtask)).contains(group)) continue;
        CLUTCH_RETURN_IF_ERROR(member.tracker.restore(member.keys, groups_, group, bytes));
      }
    }
    EXPECT_TRUE(actions_.empty());
    return {};
  }
  size_t open_windows() const {
    size_t open = 0;
    for (const Member& member : members_) open += member.tracker.open_windows();
    return open;
  }

  std::map<std::string, std::vector<std::string>> acted;  // by key, in order

 private:
  struct Member {
    WindowTracker tracker;
    KeyTable keys;
  };

  void note(Member& member) {
    for (WindowAction action : actions_) {
      std::ostringstream text;
      const std::string key(member.keys.key(action.key));
      action.key = 0;
      text << action;
      acted[key].push_back(text.str());
    }
    for (const WindowAction& action : actions_) {
      if (member.keys.known(action.key) && !member.tracker.holds(action.key)) member.keys.release(action.key);
    }
    actions_.clear();
  }

  KeyGroups groups_;
  std::vector<Member> members_;
  WindowActions actions_;
};

using Random = std::mt19937;

int64_t pick(Random& random, int64_t low, int64_t high) {
  return std::uniform_int_distribution<int64_t>(low, high)(random);
}

Windows random_windows(Random& random) {
  const TimeDomain domain = pick(random, 0, 2) > 0 ? TimeDomain::kEventTime : TimeDomain::kProcessingTime;
  const int64_t size = pick(random, 1, 20);
  const int64_t slide = pick(random, 1, 12);
  WindowAssigner assigner = *WindowAssigner::tumbling(domain, size);
  switch (pick(random, 0, 5)) {
    case 1:
      assigner = *WindowAssigner::sliding(domain, size, slide);
      break;
    case 2:
    case 3:
      assigner = *WindowAssigner::session(domain, pick(random, 1, 9));
      break;
    case 4:
      assigner = WindowAssigner::global();
      break;
    case 5:
      assigner = *WindowAssigner::count_sliding(pick(random, 1, 5), pick(random, 1, 5));
      break;
    default:
      break;
  }
  Trigger trigger = assigner.default_trigger();
  switch (pick(random, 0, 4)) {
    case 1:
      trigger = *Trigger::count(pick(random, 1, 4));
      break;
    case 2:
      trigger = *Trigger::continuous_event_time(pick(random, 1, 6));
      break;
    case 3:
      trigger = *Trigger::continuous_processing_time(pick(random, 1, 6));
      break;
    default:
      break;
  }
  if (pick(random, 0, 2) == 0) trigger = trigger.purging();
  return {assigner, trigger, pick(random, 0, 1) * pick(random, 0, 15)};
}

// One step of the life of an operator, on a fleet.
struct Step {
  int64_t kind;
  std::string key;
  int64_t row;
  int64_t time;
};

void take(Fleet& fleet, const Step& step) {
  if (step.kind == 0) fleet.advance_watermark(step.time);
  if (step.kind == 1) fleet.advance_processing_time(step.time);
  if (step.kind > 1) fleet.add(step.key, step.row, step.time);
}

TEST(WindowSnapshot, TrackersGoOnWhereOthersWere) {
  Random random(20261124);
  size_t windows_restored = 0;
  for (int run = 0; run < 300; ++run) {
    const Windows windows = random_windows(random);
    Fleet unbroken(windows, 1, 0);
    auto fleet = std::make_unique<Fleet>(windows, static_cast<int32_t>(pick(random, 1, kGroups)), 0);
    std::map<std::string, std::vector<std::string>> acted;
    int64_t clock = 0;
    int64_t watermark = kMinWatermark;
    int64_t processing_time = 0;
    for (int64_t row = 0; row < 120; ++row) {
      clock += pick(random, 0, 3);
      Step step{pick(random, 0, 7), "key " + std::to_string(pick(random, 0, 5)), row, clock - pick(random, -2, 25)};
      if (step.kind == 0) step.time = watermark = std::max(watermark, clock - pick(random, 0, 10));
      if (step.kind == 1) step.time = processing_time = processing_time + pick(random, 0, 5);
      take(unbroken, step);
      take(*fleet, step);
      if (pick(random, 0, 19) > 0) continue;
      const std::map<int32_t, std::string> snapshot = fleet->snapshot();
      auto next = std::make_unique<Fleet>(windows, static_cast<int32_t>(pick(random, 1, kGroups)), processing_time);
      const Status restored = next->restore(snapshot, watermark);
      ASSERT_TRUE(restored.ok()) << restored.message();
      ASSERT_EQ(next->snapshot(), snapshot) << "what was restored is what was kept";
      ASSERT_EQ(next->open_windows(), fleet->open_windows());
      windows_restored += next->open_windows();
      next->acted = fleet->acted;
      fleet = std::move(next);
    }
    for (Fleet* one : {&unbroken, fleet.get()}) {
      one->advance_processing_time(processing_time + 100);
      one->advance_watermark(kMaxWatermark);
    }
    for (const auto& [key, actions] : unbroken.acted) ASSERT_EQ(fleet->acted[key], actions) << "run " << run;
    ASSERT_EQ(fleet->acted.size(), unbroken.acted.size());
  }
  EXPECT_GT(windows_restored, 1000U);
}

TEST(WindowSnapshot, TimersThatBecameDueMeanwhileRunWhenTimeMoves) {
  const Windows windows{*WindowAssigner::tumbling(TimeDomain::kProcessingTime, 10), Trigger::processing_time(), 0};
  Fleet before(windows, 1, 5);
  before.add("a", 0, kNoTimestamp);
  Fleet after(windows, 2, 500);
  ASSERT_TRUE(after.restore(before.snapshot(), kMinWatermark).ok());
  after.advance_processing_time(501);
  ASSERT_EQ(after.acted["a"].size(), 2U);
  EXPECT_NE(after.acted["a"][0].find("fire"), std::string::npos);
}

TEST(WindowSnapshot, BytesThatAreDamagedAreRefused) {
  const Windows windows{*WindowAssigner::session(TimeDomain::kEventTime, 5), *Trigger::count(3), 7};
  Fleet fleet(windows, 1, 0);
  for (int64_t row = 0; row < 30; ++row) fleet.add("key " + std::to_string(row % 4), row, row * 4);
  const std::map<int32_t, std::string> snapshot = fleet.snapshot();
  for (const auto& [group, bytes] : snapshot) {
    for (size_t size = 0; size < bytes.size(); ++size) {
      EXPECT_EQ(Fleet(windows, 1, 0).restore({{group, bytes.substr(0, size)}}, 0).code(), CLUTCH_ERR_DATA) << size;
    }
    EXPECT_NE(Fleet(windows, 1, 0).restore({{group, bytes + "x"}}, 0).message().find("something follows its end"),
              std::string::npos);
    const int32_t other = (group + 1) % kGroups;
    EXPECT_EQ(Fleet(windows, 1, 0).restore({{other, bytes}}, 0).message(),
              "the snapshot of key group " + std::to_string(other) + " holds a key of group " + std::to_string(group) +
                  "; restore with the max parallelism it was taken with");
    std::string newer = bytes;
    newer[0] = 2;
    EXPECT_NE(Fleet(windows, 1, 0).restore({{group, newer}}, 0).message().find("its version is not 1"),
              std::string::npos);
  }
  // Any byte may be any other: it is refused, or it is of other windows, which run as well as all.
  Random random(7);
  size_t refused = 0;
  for (int run = 0; run < 3000; ++run) {
    std::map<int32_t, std::string> damaged = snapshot;
    for (auto& [group, bytes] : damaged) {
      for (int64_t i = pick(random, 0, 2); i > 0; --i) {
        bytes[static_cast<size_t>(pick(random, 0, static_cast<int64_t>(bytes.size()) - 1))] =
            static_cast<char>(pick(random, 0, 255));
      }
    }
    Fleet after(windows, 1, 0);
    const Status restored = after.restore(damaged, 0);
    if (!restored.ok()) {
      EXPECT_EQ(restored.code(), CLUTCH_ERR_DATA);
      ++refused;
      continue;
    }
    after.add("key 1", 100, 60);
    after.advance_watermark(kMaxWatermark);
  }
  EXPECT_GT(refused, 1000U);
}

TEST(WindowSnapshot, ShapesTellWindowsApart) {
  const auto shape = [](const Windows& windows) {
    return WindowTracker::make(windows.assigner, windows.trigger, windows.lateness, 0)->shape();
  };
  const Trigger at_end = Trigger::event_time();
  EXPECT_EQ(shape({*WindowAssigner::sliding(TimeDomain::kEventTime, 10, 5), at_end, 3}),
            "windows of 10 ms every 5 ms from 0 ms of event time that fire at their end in event time, kept for 3 ms "
            "more");
  EXPECT_EQ(
      shape({*WindowAssigner::session(TimeDomain::kProcessingTime, 7), *Trigger::continuous_processing_time(2), 0}),
      "sessions with a gap of 7 ms of processing time that fire every 2 ms of processing time, kept for 0 ms more");
  EXPECT_EQ(shape({*WindowAssigner::count_sliding(4, 2), Trigger::count(4)->purging(), 0}),
            "windows of 4 records every 2 that fire at every 4 records and are emptied then, kept for 0 ms more");
  EXPECT_EQ(shape({WindowAssigner::global(), Trigger::never(), 0}),
            "the global window that fire never, kept for 0 ms more");
}

}  // namespace
}  // namespace clutch::engine
