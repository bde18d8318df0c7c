// The tracker against a model that looks at every window each time, on random streams with late records.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <tuple>

#include "window/tracker.h"
#include "window_text.h"

namespace clutch::engine {
namespace {

using Rows = std::multiset<int64_t>;
// What a step showed: windows fired with their rows, in any order, and rows that were late.
struct Seen {
  std::multiset<std::tuple<KeyId, Window, Rows>> fired;
  Rows late;
  bool operator==(const Seen&) const = default;
};

// An operator that keeps rows as the actions say, and checks that they make sense.
class Replay {
 public:
  Seen run(const WindowActions& actions) {
    Seen seen;
    for (const WindowAction& action : actions) {
      Rows& rows = contents_[{action.key, action.state}];
      switch (action.kind) {
        case WindowAction::Kind::kAdd:
          rows.insert(action.row);
          continue;
        case WindowAction::Kind::kMerge:
          rows.merge(contents_.at({action.key, action.source}));
          contents_.erase({action.key, action.source});
          continue;
        case WindowAction::Kind::kFire:
          EXPECT_FALSE(rows.empty()) << action;
          seen.fired.insert({action.key, action.window, rows});
          continue;
        case WindowAction::Kind::kLate:
          seen.late.insert(action.row);
          contents_.erase({action.key, action.state});
          continue;
        case WindowAction::Kind::kPurge:
        case WindowAction::Kind::kDrop:
          contents_.erase({action.key, action.state});
          continue;
      }
    }
    return seen;
  }
  size_t size() const { return contents_.size(); }

 private:
  std::map<std::pair<KeyId, Window>, Rows> contents_;
};

// Windows with the trigger of event time, by plain search. `slide` 0 means sessions with the gap `size`.
class Model {
 public:
  Model(int64_t size, int64_t slide, int64_t offset, int64_t lateness)
      : size_(size), slide_(slide), offset_(offset), lateness_(lateness) {}

  Seen add(KeyId key, int64_t row, int64_t time) {
    Seen seen;
    bool placed = false;
    std::vector<Window> windows;
    if (slide_ == 0) {
      windows.push_back({time, time + size_});
    } else {
      for (int64_t start = time - size_ + 1; start <= time; ++start) {
        if ((start - offset_) % slide_ == 0) windows.push_back({start, start + size_});
      }
    }
    for (Window window : windows) {
      Rows joined;
      if (slide_ == 0) {
        for (auto at = open_.begin(); at != open_.end();) {
          if (at->first.first != key || !at->first.second.touches(window)) {
            ++at;
            continue;
          }
          window = window.cover(at->first.second);
          joined.merge(at->second);
          open_.erase(at);
          at = open_.begin();
        }
      }
      if (window.end - 1 + lateness_ <= watermark_) continue;
      placed = true;
      Rows& rows = open_[{key, window}];
      rows.merge(joined);
      rows.insert(row);
      if (window.end - 1 <= watermark_) seen.fired.insert({key, window, rows});
    }
    if (!placed && time + lateness_ <= watermark_) seen.late.insert(row);
    return seen;
  }

  Seen advance(int64_t watermark) {
    Seen seen;
    for (const auto& [name, rows] : open_) {
      const int64_t last = name.second.end - 1;
      if (last > watermark_ && last <= watermark) seen.fired.insert({name.first, name.second, rows});
    }
    watermark_ = watermark;
    std::erase_if(open_, [&](const auto& entry) { return entry.first.second.end - 1 + lateness_ <= watermark; });
    return seen;
  }
  size_t size() const { return open_.size(); }

 private:
  int64_t size_;
  int64_t slide_;
  int64_t offset_;
  int64_t lateness_;
  int64_t watermark_ = -1'000'000;
  std::map<std::pair<KeyId, Window>, Rows> open_;
};

void compare(unsigned seed, bool sessions) {
  std::mt19937 random(seed);
  const auto below = [&](int64_t n) { return static_cast<int64_t>(random() % static_cast<unsigned>(n)); };
  const int64_t size = 1 + below(20);
  const int64_t slide = sessions ? 0 : 1 + below(12);
  const int64_t offset = sessions ? 0 : below(2 * slide - 1) - slide + 1;
  const int64_t lateness = below(3) * below(15);
  const WindowAssigner assigner = sessions ? *WindowAssigner::session(TimeDomain::kEventTime, size)
                                           : *WindowAssigner::sliding(TimeDomain::kEventTime, size, slide, offset);
  WindowTracker tracker = *WindowTracker::make(assigner, assigner.default_trigger(), lateness, 0);
  Model model(size, slide, offset, lateness);
  Replay replay;
  int64_t newest = -300;
  for (int64_t step = 0; step < 600; ++step) {
    WindowActions actions;
    Seen expected;
    if (below(6) == 0) {
      tracker.advance_watermark(newest - below(25), actions);
      expected = model.advance(tracker.watermark());
    } else {
      newest += below(3);
      const int64_t time = newest - below(40);
      const auto key = static_cast<KeyId>(below(3));
      ASSERT_TRUE(tracker.add({.key = key, .row = step, .timestamp = time}, actions).ok());
      expected = model.add(key, step, time);
    }
    const Seen seen = replay.run(actions);
    ASSERT_EQ(seen.late, expected.late) << "seed " << seed << " step " << step;
    ASSERT_EQ(seen.fired, expected.fired) << "seed " << seed << " step " << step;
    ASSERT_EQ(tracker.open_windows(), model.size()) << "seed " << seed << " step " << step;
    ASSERT_EQ(replay.size(), model.size()) << "seed " << seed << " step " << step;
  }
  WindowActions actions;
  tracker.advance_watermark(kMaxWatermark, actions);
  EXPECT_EQ(replay.run(actions), model.advance(kMaxWatermark));
  EXPECT_EQ(tracker.open_windows(), 0U);
  EXPECT_EQ(replay.size(), 0U);
}

TEST(TrackerModel, SlidingAndTumblingWindows) {
  for (unsigned seed = 0; seed < 80; ++seed) compare(seed, false);
}

TEST(TrackerModel, Sessions) {
  for (unsigned seed = 0; seed < 80; ++seed) compare(seed, true);
}

}  // namespace
}  // namespace clutch::engine
