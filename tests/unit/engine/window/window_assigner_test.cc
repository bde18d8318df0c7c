#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "window/assigner.h"
#include "window_text.h"

namespace clutch::engine {
namespace {

using Windows = std::vector<Window>;
constexpr TimeDomain kEvent = TimeDomain::kEventTime;

Windows assigned(const WindowAssigner& assigner, Placement record) {
  Windows out;
  const Status status = assigner.assign(record, out);
  EXPECT_TRUE(status.ok()) << status.message();
  return out;
}

TEST(Tumbling, CutsTimeAtMultiplesAlsoBefore1970) {
  const WindowAssigner assigner = *WindowAssigner::tumbling(kEvent, 10);
  EXPECT_EQ(assigned(assigner, {.time = 0}), (Windows{{0, 10}}));
  EXPECT_EQ(assigned(assigner, {.time = 9}), (Windows{{0, 10}}));
  EXPECT_EQ(assigned(assigner, {.time = 10}), (Windows{{10, 20}}));
  EXPECT_EQ(assigned(assigner, {.time = -1}), (Windows{{-10, 0}}));
  EXPECT_EQ(assigned(assigner, {.time = -10}), (Windows{{-10, 0}}));
}

TEST(Tumbling, OffsetsShiftTheCuts) {
  EXPECT_EQ(assigned(*WindowAssigner::tumbling(kEvent, 10, 3), {.time = 2}), (Windows{{-7, 3}}));
  EXPECT_EQ(assigned(*WindowAssigner::tumbling(kEvent, 10, 3), {.time = 3}), (Windows{{3, 13}}));
  EXPECT_EQ(assigned(*WindowAssigner::tumbling(kEvent, 10, -3), {.time = 7}), (Windows{{7, 17}}));
  EXPECT_EQ(assigned(*WindowAssigner::tumbling(kEvent, 10, -3), {.time = -4}), (Windows{{-13, -3}}));
}

TEST(Tumbling, TheEndsOfTheRangeDoNotWrapAround) {
  const WindowAssigner assigner = *WindowAssigner::tumbling(kEvent, 10, -9);
  const Windows high = assigned(assigner, {.time = kMaxWatermark});
  EXPECT_EQ(high[0].end, kMaxWatermark);
  EXPECT_LE(high[0].start, kMaxWatermark);
  EXPECT_GT(high[0].start, kMaxWatermark - 10);
  const Windows low = assigned(assigner, {.time = kNoTimestamp + 1});
  EXPECT_GE(low[0].start, kNoTimestamp);
  EXPECT_LT(low[0].end, kNoTimestamp + 12);
  EXPECT_GT(low[0].end, kNoTimestamp + 1);
}

TEST(Sliding, GivesEveryWindowThatHoldsTheTimeTheLatestFirst) {
  const WindowAssigner assigner = *WindowAssigner::sliding(kEvent, 10, 4, 1);
  EXPECT_EQ(assigned(assigner, {.time = 5}), (Windows{{5, 15}, {1, 11}, {-3, 7}}));
  EXPECT_EQ(assigned(assigner, {.time = -4}), (Windows{{-7, 3}, {-11, -1}}));
}

TEST(Sliding, ASlideOverTheSizeLeavesHoles) {
  const WindowAssigner assigner = *WindowAssigner::sliding(kEvent, 3, 10);
  EXPECT_EQ(assigned(assigner, {.time = 2}), (Windows{{0, 3}}));
  EXPECT_EQ(assigned(assigner, {.time = 3}), Windows{});
  EXPECT_EQ(assigned(assigner, {.time = -8}), (Windows{{-10, -7}}));
}

TEST(Sliding, EqualsASearchThroughAllStarts) {
  std::mt19937 random(3);
  for (int i = 0; i < 3000; ++i) {
    const int64_t size = 1 + static_cast<int64_t>(random() % 25);
    const int64_t slide = 1 + static_cast<int64_t>(random() % 12);
    const int64_t offset = static_cast<int64_t>(random() % static_cast<unsigned>(2 * slide - 1)) - slide + 1;
    const int64_t time = static_cast<int64_t>(random() % 200) - 100;
    Windows expected;
    for (int64_t start = time; start > time - size; --start) {
      if ((start - offset) % slide == 0) expected.push_back({start, start + size});
    }
    ASSERT_EQ(assigned(*WindowAssigner::sliding(kEvent, size, slide, offset), {.time = time}), expected)
        << "size " << size << " slide " << slide << " offset " << offset << " time " << time;
  }
}

TEST(Session, BeginsAtTheRecordAndLastsTheGap) {
  const WindowAssigner fixed = *WindowAssigner::session(kEvent, 5);
  EXPECT_TRUE(fixed.merging());
  EXPECT_EQ(assigned(fixed, {.time = -2}), (Windows{{-2, 3}}));
  EXPECT_EQ(assigned(WindowAssigner::dynamic_session(kEvent), {.time = 7, .gap = 2}), (Windows{{7, 9}}));
}

TEST(Count, TumblesAndSlidesByTheNumberOfTheRecord) {
  const WindowAssigner tumbling = *WindowAssigner::count_tumbling(3);
  EXPECT_EQ(assigned(tumbling, {.time = kNoTimestamp, .count = 2}), Windows{Window::count(0)});
  EXPECT_EQ(assigned(tumbling, {.time = kNoTimestamp, .count = 3}), Windows{Window::count(1)});
  const WindowAssigner sliding = *WindowAssigner::count_sliding(3, 2);
  EXPECT_EQ(assigned(sliding, {.time = 0, .count = 1}), Windows{Window::count(0)});
  EXPECT_EQ(assigned(sliding, {.time = 0, .count = 2}), (Windows{Window::count(1), Window::count(0)}));
  EXPECT_EQ(assigned(*WindowAssigner::count_sliding(1, 3), {.time = 0, .count = 2}), Windows{});
}

TEST(Global, HasOneWindowForAll) {
  EXPECT_EQ(assigned(WindowAssigner::global(), {.time = kNoTimestamp}), Windows{Window::global()});
  EXPECT_EQ(Window::global().max_timestamp(), kMaxWatermark);
}

TEST(Assigner, RefusesWhatCannotBeAWindow) {
  EXPECT_EQ(
      WindowAssigner::tumbling(kEvent, 5, -5).status().message(),
      "a tumbling window cannot have a size of 5 ms and an offset of -5 ms; parameters must satisfy abs(offset) < "
      "size");
  EXPECT_FALSE(WindowAssigner::tumbling(kEvent, 0).ok());
  EXPECT_FALSE(WindowAssigner::tumbling(kEvent, -4).ok());
  EXPECT_EQ(
      WindowAssigner::sliding(kEvent, 10, 3, 3).status().message(),
      "a sliding window cannot have a size of 10 ms, a slide of 3 ms and an offset of 3 ms; parameters must satisfy "
      "abs(offset) < slide and size > 0");
  EXPECT_FALSE(WindowAssigner::sliding(kEvent, 0, 3).ok());
  EXPECT_EQ(WindowAssigner::session(kEvent, 0).status().message(),
            "a session window cannot have a gap of 0 ms; parameters must satisfy 0 < gap");
  EXPECT_EQ(WindowAssigner::count_sliding(2, 0).status().message(),
            "a count window cannot have a size of 2 and a slide of 0; give at least 1 record for both");
}

TEST(Assigner, RefusesARecordThatCannotBePlaced) {
  Windows out;
  EXPECT_EQ(WindowAssigner::tumbling(kEvent, 5)->assign({.time = kNoTimestamp}, out).message(),
            "the record has no timestamp, and a window of event time needs one; call "
            "assign_timestamps_and_watermarks(...) before the window, or take windows of processing time");
  EXPECT_EQ(WindowAssigner::dynamic_session(kEvent).assign({.time = 8, .gap = -1}, out).message(),
            "the session gap of the record at 8 ms is -1 ms; the extractor must satisfy 0 < gap");
  EXPECT_EQ(out, Windows{});
}

}  // namespace
}  // namespace clutch::engine
