#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "manual_clock.h"
#include "time/watermark_strategy.h"

namespace clutch::engine {
namespace {

using Kind = TimeSignal::Kind;

TimeSignal watermark(int64_t time) { return {Kind::kWatermark, time}; }

class Generator : public testing::Test {
 protected:
  TimeSignals period(WatermarkGenerator& generator) {
    TimeSignals out;
    generator.on_period(out);
    return out;
  }
  void records(WatermarkGenerator& generator, std::vector<int64_t> timestamps) { generator.on_records(timestamps); }

  ManualClock clock_;
};

TEST_F(Generator, MonotonousIsOneMillisecondBehindTheNewestRecord) {
  WatermarkGenerator generator(WatermarkStrategy::monotonous(), clock_);
  EXPECT_EQ(period(generator), TimeSignals{});
  records(generator, {10, 12, 11});
  EXPECT_EQ(period(generator), TimeSignals{watermark(11)});
  EXPECT_EQ(period(generator), TimeSignals{});
}

TEST_F(Generator, BoundedLagsByTheDelayAndOneMillisecond) {
  WatermarkGenerator generator(*WatermarkStrategy::bounded_out_of_orderness(5), clock_);
  records(generator, {-3});
  EXPECT_EQ(period(generator), TimeSignals{watermark(-9)});
  records(generator, {-4, -100});
  EXPECT_EQ(period(generator), TimeSignals{});
  records(generator, {20});
  EXPECT_EQ(period(generator), TimeSignals{watermark(14)});
}

TEST_F(Generator, TheLowestTimestampsDoNotWrapAround) {
  WatermarkGenerator generator(*WatermarkStrategy::bounded_out_of_orderness(5), clock_);
  records(generator, {kNoTimestamp});
  EXPECT_EQ(period(generator), TimeSignals{});
  records(generator, {kNoTimestamp + 3});
  EXPECT_EQ(period(generator), TimeSignals{});
  records(generator, {kNoTimestamp + 7});
  EXPECT_EQ(period(generator), TimeSignals{watermark(kMinWatermark + 1)});
}

TEST_F(Generator, WithoutAStrategyOnlyTheEndIsSaid) {
  WatermarkGenerator generator(WatermarkStrategy::none(), clock_);
  records(generator, {1, 2});
  EXPECT_EQ(period(generator), TimeSignals{});
  TimeSignals out;
  generator.finish(out);
  generator.finish(out);
  EXPECT_EQ(out, TimeSignals{watermark(kMaxWatermark)});
}

TEST_F(Generator, SilenceMakesIdleAndARecordThatLiftsTheWatermarkActive) {
  WatermarkGenerator generator(*WatermarkStrategy::monotonous().with_idleness(100), clock_);
  records(generator, {10});
  EXPECT_EQ(period(generator), TimeSignals{watermark(9)});
  EXPECT_EQ(period(generator), TimeSignals{});  // the silence begins here
  clock_.advance(100);
  EXPECT_EQ(period(generator), TimeSignals{});  // not longer than 100 ms
  clock_.advance(1);
  EXPECT_EQ(period(generator), TimeSignals{{Kind::kIdle}});
  EXPECT_EQ(period(generator), TimeSignals{});
  records(generator, {10});  // late: the watermark stays, and so does the idleness
  EXPECT_EQ(period(generator), TimeSignals{});
  records(generator, {30});
  EXPECT_EQ(period(generator), (TimeSignals{{Kind::kActive}, watermark(29)}));
}

TEST_F(Generator, AStreamThatNeverSpeaksBecomesIdle) {
  WatermarkGenerator generator(*WatermarkStrategy::monotonous().with_idleness(50), clock_);
  EXPECT_EQ(period(generator), TimeSignals{});
  EXPECT_EQ(period(generator), TimeSignals{});
  clock_.advance(51);
  EXPECT_EQ(period(generator), TimeSignals{{Kind::kIdle}});
  TimeSignals out;
  generator.finish(out);
  EXPECT_EQ(out, (TimeSignals{{Kind::kActive}, watermark(kMaxWatermark)}));
}

TEST_F(Generator, AfterTheEndNothingIsSaid) {
  WatermarkGenerator generator(*WatermarkStrategy::monotonous().with_idleness(50), clock_);
  TimeSignals out;
  generator.finish(out);
  period(generator);
  period(generator);
  clock_.advance(51);
  EXPECT_EQ(period(generator), TimeSignals{});
}

TEST_F(Generator, ARecordWithoutTimestampEndsSilence) {
  WatermarkGenerator generator(*WatermarkStrategy::none().with_idleness(50), clock_);
  period(generator);
  period(generator);
  clock_.advance(51);
  records(generator, {kNoTimestamp});
  EXPECT_EQ(period(generator), TimeSignals{});
}

TEST_F(Generator, NoRecordWithinTheBoundIsEverLate) {
  std::mt19937 random(7);
  for (const int64_t delay : {0, 1, 13}) {
    WatermarkGenerator generator(*WatermarkStrategy::bounded_out_of_orderness(delay), clock_);
    int64_t newest = -50;
    int64_t sent = kMinWatermark;
    for (int i = 0; i < 2000; ++i) {
      newest += static_cast<int64_t>(random() % 4);
      const int64_t timestamp = newest - static_cast<int64_t>(random() % static_cast<unsigned>(delay + 1));
      EXPECT_GT(timestamp, sent);
      records(generator, {newest, timestamp});
      for (const TimeSignal& signal : period(generator)) {
        EXPECT_GT(signal.time, sent);
        sent = signal.time;
      }
      EXPECT_EQ(sent, newest - delay - 1);
    }
  }
}

TEST(Strategy, RefusesDurationsThatMeanNothing) {
  EXPECT_EQ(WatermarkStrategy::bounded_out_of_orderness(-1).status().message(),
            "watermarks cannot lag by -1 ms; give how much older than the newest record a record may be, 0 or more");
  EXPECT_EQ(WatermarkStrategy::monotonous().with_idleness(0).status().message(),
            "a stream cannot be idle after 0 ms without records; give a duration of at least 1 ms");
}

}  // namespace
}  // namespace clutch::engine
