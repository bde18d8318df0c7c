#include <gtest/gtest.h>

#include "window/tracker.h"
#include "window_text.h"

namespace clutch::engine {
namespace {

using Kind = WindowAction::Kind;
constexpr TimeDomain kEvent = TimeDomain::kEventTime;
constexpr TimeDomain kProcessing = TimeDomain::kProcessingTime;

WindowAction add(Window window, Window state, int64_t row) { return {Kind::kAdd, 1, window, state, {}, row}; }
WindowAction add(Window window, int64_t row) { return add(window, window, row); }
WindowAction fire(Window window, Window state) { return {Kind::kFire, 1, window, state, {}, 0}; }
WindowAction fire(Window window) { return fire(window, window); }
WindowAction purge(Window window) { return {Kind::kPurge, 1, window, window, {}, 0}; }
WindowAction drop(Window window, Window state) { return {Kind::kDrop, 1, window, state, {}, 0}; }
WindowAction drop(Window window) { return drop(window, window); }
WindowAction late(int64_t row) { return {Kind::kLate, 1, {}, {}, {}, row}; }

// One key, rows numbered as they come.
class Tracked {
 public:
  Tracked(WindowAssigner assigner, Trigger trigger, int64_t lateness = 0)
      : tracker_(*WindowTracker::make(assigner, trigger, lateness, 0)) {}
  explicit Tracked(WindowAssigner assigner, int64_t lateness = 0)
      : Tracked(assigner, assigner.default_trigger(), lateness) {}

  WindowActions record(int64_t timestamp, int64_t gap = 0) {
    WindowActions out;
    const Status status = tracker_.add({.key = 1, .row = row_++, .timestamp = timestamp, .gap = gap}, out);
    EXPECT_TRUE(status.ok()) << status.message();
    return out;
  }
  WindowActions watermark(int64_t time) {
    WindowActions out;
    tracker_.advance_watermark(time, out);
    return out;
  }
  WindowActions clock(int64_t time) {
    WindowActions out;
    tracker_.advance_processing_time(time, out);
    return out;
  }
  WindowTracker& operator*() { return tracker_; }

 private:
  WindowTracker tracker_;
  int64_t row_ = 0;
};

TEST(Tracker, ATumblingWindowFiresAndIsDroppedAtItsLastTimestamp) {
  Tracked tracker(*WindowAssigner::tumbling(kEvent, 10));
  EXPECT_EQ(tracker.record(3), (WindowActions{add({0, 10}, 0)}));
  EXPECT_EQ(tracker.watermark(8), WindowActions{});
  EXPECT_EQ(tracker.record(9), (WindowActions{add({0, 10}, 1)}));
  EXPECT_EQ(tracker.watermark(9), (WindowActions{fire({0, 10}), drop({0, 10})}));
  EXPECT_EQ(tracker.record(9), (WindowActions{late(2)}));
  EXPECT_EQ((*tracker).open_windows(), 0U);
}

TEST(Tracker, AllowedLatenessFiresAgainWithEverything) {
  Tracked tracker(*WindowAssigner::tumbling(kEvent, 10), 5);
  tracker.record(3);
  EXPECT_EQ(tracker.watermark(13), (WindowActions{fire({0, 10})}));
  EXPECT_EQ(tracker.record(2), (WindowActions{add({0, 10}, 1), fire({0, 10})}));
  EXPECT_EQ(tracker.watermark(14), (WindowActions{drop({0, 10})}));
  EXPECT_EQ(tracker.record(2), (WindowActions{late(2)}));
}

TEST(Tracker, PurgedContentsDoNotFireAgain) {
  Tracked tracker(*WindowAssigner::tumbling(kEvent, 10), (*Trigger::count(2)).purging());
  tracker.record(1);
  EXPECT_EQ(tracker.record(2), (WindowActions{add({0, 10}, 1), fire({0, 10}), purge({0, 10})}));
  EXPECT_EQ(tracker.watermark(20), (WindowActions{drop({0, 10})}));
}

TEST(Tracker, ARecordIsLateOnlyIfAllOfItsWindowsAre) {
  Tracked tracker(*WindowAssigner::sliding(kEvent, 10, 5));
  tracker.watermark(9);
  EXPECT_EQ(tracker.record(7), (WindowActions{add({5, 15}, 0)}));
  tracker.watermark(14);
  EXPECT_EQ(tracker.record(7), (WindowActions{late(1)}));
}

TEST(Tracker, ARecordInAHoleIsLateOnlyIfItsTimeIsOver) {
  Tracked tracker(*WindowAssigner::sliding(kEvent, 3, 10));
  EXPECT_EQ(tracker.record(5), WindowActions{});
  tracker.watermark(5);
  EXPECT_EQ(tracker.record(5), (WindowActions{late(1)}));
}

TEST(Tracker, SessionsGrowJoinAndFireAtTheirNewEnd) {
  Tracked tracker(*WindowAssigner::session(kEvent, 10));
  EXPECT_EQ(tracker.record(0), (WindowActions{add({0, 10}, 0)}));
  EXPECT_EQ(tracker.record(4), (WindowActions{add({0, 14}, {0, 10}, 1)}));
  EXPECT_EQ(tracker.record(20), (WindowActions{add({20, 30}, 2)}));
  EXPECT_EQ(tracker.record(12),
            (WindowActions{{Kind::kMerge, 1, {0, 30}, {0, 10}, {20, 30}, 0}, add({0, 30}, {0, 10}, 3)}));
  EXPECT_EQ((*tracker).open_windows(), 1U);
  EXPECT_EQ(tracker.watermark(28), WindowActions{});
  EXPECT_EQ(tracker.watermark(29), (WindowActions{fire({0, 30}, {0, 10}), drop({0, 30}, {0, 10})}));
}

TEST(Tracker, ALateRecordCanReviveNoSessionButJoinOneInFlight) {
  Tracked tracker(*WindowAssigner::session(kEvent, 10));
  tracker.record(20);
  tracker.watermark(25);
  EXPECT_EQ(tracker.record(14), (WindowActions{add({14, 30}, {20, 30}, 1)}));
  EXPECT_EQ(tracker.record(3), (WindowActions{late(2)}));
  EXPECT_EQ((*tracker).open_windows(), 1U);
  EXPECT_EQ(tracker.record(5), (WindowActions{add({5, 30}, {20, 30}, 3)}));
}

TEST(Tracker, DynamicGapsComeFromTheRecords) {
  Tracked tracker(WindowAssigner::dynamic_session(kEvent));
  tracker.record(0, 3);
  EXPECT_EQ(tracker.record(3, 20), (WindowActions{add({0, 23}, {0, 3}, 1)}));
  EXPECT_EQ(tracker.record(24, 1), (WindowActions{add({24, 25}, 2)}));
}

TEST(Tracker, CountWindowsFireFullAndAreForgotten) {
  Tracked tracker(*WindowAssigner::count_tumbling(2));
  EXPECT_EQ(tracker.record(kNoTimestamp), (WindowActions{add(Window::count(0), 0)}));
  EXPECT_EQ(tracker.record(kNoTimestamp),
            (WindowActions{add(Window::count(0), 1), fire(Window::count(0)), purge(Window::count(0))}));
  EXPECT_EQ((*tracker).open_windows(), 0U);
  EXPECT_EQ(tracker.record(kNoTimestamp), (WindowActions{add(Window::count(1), 2)}));
  EXPECT_EQ(tracker.watermark(kMaxWatermark), WindowActions{});  // what is not full does not fire
}

TEST(Tracker, SlidingCountWindowsOverlap) {
  Tracked tracker(*WindowAssigner::count_sliding(3, 2));
  tracker.record(0);
  tracker.record(0);
  EXPECT_EQ(tracker.record(0), (WindowActions{add(Window::count(1), 2), add(Window::count(0), 2),
                                              fire(Window::count(0)), purge(Window::count(0))}));
}

TEST(Tracker, TheGlobalWindowFiresAsItsTriggerSays) {
  Tracked silent(WindowAssigner::global());
  EXPECT_EQ(silent.record(kNoTimestamp), (WindowActions{add(Window::global(), 0)}));
  EXPECT_EQ(silent.watermark(kMaxWatermark), WindowActions{});
  Tracked at_the_end(WindowAssigner::global(), Trigger::event_time());
  at_the_end.record(5);
  EXPECT_EQ(at_the_end.watermark(kMaxWatermark), (WindowActions{fire(Window::global())}));
  Tracked continuous(WindowAssigner::global(), *Trigger::continuous_event_time(10));
  continuous.record(5);
  EXPECT_EQ(continuous.watermark(10), (WindowActions{fire(Window::global())}));
  EXPECT_EQ(continuous.watermark(kMaxWatermark), (WindowActions{fire(Window::global()), fire(Window::global())}));
}

TEST(Tracker, ContinuousFiringCatchesUpInAWindowThatEnds) {
  Tracked tracker(*WindowAssigner::tumbling(kEvent, 30), *Trigger::continuous_event_time(10));
  tracker.record(2);
  EXPECT_EQ(tracker.watermark(100), (WindowActions{fire({0, 30}), fire({0, 30}), fire({0, 30}), drop({0, 30})}));
}

TEST(Tracker, ProcessingTimeWindowsFollowTheClockAndAreNeverLate) {
  Tracked tracker(*WindowAssigner::tumbling(kProcessing, 10));
  EXPECT_EQ((*tracker).next_processing_time(), kMaxWatermark);
  tracker.clock(13);
  tracker.watermark(1000);
  EXPECT_EQ(tracker.record(kNoTimestamp), (WindowActions{add({10, 20}, 0)}));
  EXPECT_EQ((*tracker).next_processing_time(), 19);
  EXPECT_EQ(tracker.clock(18), WindowActions{});
  EXPECT_EQ(tracker.clock(19), (WindowActions{fire({10, 20}), drop({10, 20})}));
  EXPECT_EQ((*tracker).open_windows(), 0U);
}

TEST(Tracker, ProcessingTimeSessionsMerge) {
  Tracked tracker(*WindowAssigner::session(kProcessing, 10));
  tracker.record(kNoTimestamp);
  tracker.clock(6);
  EXPECT_EQ(tracker.record(kNoTimestamp), (WindowActions{add({0, 16}, {0, 10}, 1)}));
  EXPECT_EQ(tracker.clock(14), WindowActions{});  // the timer of [0, 10) is dead
  EXPECT_EQ(tracker.clock(15), (WindowActions{fire({0, 16}, {0, 10}), drop({0, 16}, {0, 10})}));
}

TEST(Tracker, MergedCountsFireAtTheNextRecord) {
  Tracked tracker(*WindowAssigner::session(kEvent, 10), *Trigger::count(3));
  tracker.record(0);
  tracker.record(15);
  EXPECT_EQ(tracker.record(8),
            (WindowActions{
                {Kind::kMerge, 1, {0, 25}, {0, 10}, {15, 25}, 0}, add({0, 25}, {0, 10}, 2), fire({0, 25}, {0, 10})}));
}

TEST(Tracker, RefusesWithoutChangingAnything) {
  EXPECT_EQ(WindowTracker::make(WindowAssigner::global(), Trigger::never(), -1, 0).status().message(),
            "the allowed lateness of a window cannot be -1 ms; it cannot be negative");
  Tracked tracker(*WindowAssigner::tumbling(kEvent, 10));
  WindowActions out;
  EXPECT_EQ((*tracker).add({.key = 1}, out).code(), CLUTCH_ERR_VALUE);
  EXPECT_EQ(out, WindowActions{});
  EXPECT_EQ((*tracker).open_windows(), 0U);
}

}  // namespace
}  // namespace clutch::engine
