#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "time/watermark_valve.h"

namespace clutch::engine {
namespace {

using Kind = TimeSignal::Kind;

TimeSignal watermark(int64_t time) { return {Kind::kWatermark, time}; }
constexpr TimeSignal kIdle{Kind::kIdle};
constexpr TimeSignal kActive{Kind::kActive};

TimeSignals take(WatermarkValve& valve, size_t channel, TimeSignal signal) {
  TimeSignals out;
  valve.take(channel, signal, out);
  return out;
}

TEST(Valve, OneChannelPassesWhatIsNew) {
  WatermarkValve valve(1);
  EXPECT_EQ(take(valve, 0, watermark(5)), TimeSignals{watermark(5)});
  EXPECT_EQ(take(valve, 0, watermark(5)), TimeSignals{});
  EXPECT_EQ(take(valve, 0, watermark(4)), TimeSignals{});
  EXPECT_EQ(take(valve, 0, kIdle), TimeSignals{kIdle});
  EXPECT_EQ(take(valve, 0, watermark(9)), TimeSignals{});  // from an idle channel
  EXPECT_EQ(take(valve, 0, kActive), TimeSignals{kActive});
  EXPECT_EQ(take(valve, 0, watermark(9)), TimeSignals{watermark(9)});
}

TEST(Valve, WaitsForTheSlowestChannel) {
  WatermarkValve valve(3);
  EXPECT_EQ(take(valve, 0, watermark(10)), TimeSignals{});
  EXPECT_EQ(take(valve, 1, watermark(7)), TimeSignals{});
  EXPECT_EQ(take(valve, 2, watermark(8)), TimeSignals{watermark(7)});
  EXPECT_EQ(take(valve, 1, watermark(20)), TimeSignals{watermark(8)});
}

TEST(Valve, AnIdleChannelIsNotWaitedFor) {
  WatermarkValve valve(2);
  take(valve, 0, watermark(10));
  EXPECT_EQ(take(valve, 1, kIdle), TimeSignals{watermark(10)});
  EXPECT_EQ(take(valve, 0, watermark(12)), TimeSignals{watermark(12)});
  EXPECT_EQ(take(valve, 1, kActive), TimeSignals{});
  // It is behind, so it does not hold the output back until it has caught up.
  EXPECT_EQ(take(valve, 1, watermark(3)), TimeSignals{});
  EXPECT_EQ(take(valve, 0, watermark(14)), TimeSignals{watermark(14)});
  EXPECT_EQ(take(valve, 1, watermark(14)), TimeSignals{});
  EXPECT_EQ(take(valve, 0, watermark(20)), TimeSignals{});
  EXPECT_EQ(take(valve, 1, watermark(15)), TimeSignals{watermark(15)});
}

TEST(Valve, WhenAllAreIdleTheHighestIsFlushed) {
  WatermarkValve valve(2);
  take(valve, 0, watermark(10));
  take(valve, 1, watermark(4));
  EXPECT_EQ(take(valve, 0, kIdle), TimeSignals{});
  EXPECT_EQ(take(valve, 1, kIdle), (TimeSignals{watermark(10), kIdle}));
  EXPECT_EQ(take(valve, 0, kActive), TimeSignals{kActive});
  EXPECT_EQ(take(valve, 1, kActive), TimeSignals{});
}

TEST(Valve, TheFinalWatermarkComesWhenTheLastChannelEnds) {
  WatermarkValve valve(2);
  EXPECT_EQ(take(valve, 0, watermark(kMaxWatermark)), TimeSignals{});
  EXPECT_EQ(take(valve, 1, watermark(kMaxWatermark)), TimeSignals{watermark(kMaxWatermark)});
  EXPECT_EQ(valve.watermark(), kMaxWatermark);
}

// What Flink's valve keeps explicitly: which channels are aligned with the output.
class Model {
 public:
  explicit Model(size_t channels) : marks_(channels, kMinWatermark), idle_(channels), aligned_(channels, true) {}

  TimeSignals take(size_t channel, TimeSignal signal) {
    out_.clear();
    if (signal.kind == Kind::kWatermark) on_watermark(channel, signal.time);
    if (signal.kind == Kind::kIdle && !idle_[channel]) on_idle(channel);
    if (signal.kind == Kind::kActive && idle_[channel]) {
      idle_[channel] = false;
      if (marks_[channel] >= last_) aligned_[channel] = true;
      if (all_idle_) out_.push_back(kActive);
      all_idle_ = false;
    }
    return out_;
  }

 private:
  void on_watermark(size_t channel, int64_t time) {
    if (all_idle_ || idle_[channel] || time <= marks_[channel]) return;
    marks_[channel] = time;
    if (!aligned_[channel] && time >= last_) aligned_[channel] = true;
    emit_lowest();
  }
  void on_idle(size_t channel) {
    idle_[channel] = true;
    aligned_[channel] = false;
    all_idle_ = std::find(idle_.begin(), idle_.end(), false) == idle_.end();
    if (all_idle_) {
      if (marks_[channel] == last_) emit(*std::max_element(marks_.begin(), marks_.end()));
      out_.push_back(kIdle);
    } else if (marks_[channel] == last_) {
      emit_lowest();
    }
  }
  void emit_lowest() {
    int64_t lowest = kMaxWatermark;
    bool any = false;
    for (size_t i = 0; i < marks_.size(); ++i) {
      if (!aligned_[i]) continue;
      any = true;
      lowest = std::min(lowest, marks_[i]);
    }
    if (any) emit(lowest);
  }
  void emit(int64_t time) {
    if (time <= last_) return;
    last_ = time;
    out_.push_back(watermark(time));
  }

  std::vector<int64_t> marks_;
  std::vector<bool> idle_;
  std::vector<bool> aligned_;
  int64_t last_ = kMinWatermark;
  bool all_idle_ = false;
  TimeSignals out_;
};

TEST(Valve, EqualsTheModelOnRandomSignals) {
  for (unsigned seed = 0; seed < 60; ++seed) {
    std::mt19937 random(seed);
    const size_t channels = 1 + random() % 5;
    WatermarkValve valve(channels);
    Model model(channels);
    for (int i = 0; i < 400; ++i) {
      const size_t channel = random() % channels;
      const auto choice = random() % 10;
      const TimeSignal signal = choice < 7   ? watermark(i / 4 + static_cast<int64_t>(random() % 20) - 10)
                                : choice < 8 ? kIdle
                                             : kActive;
      ASSERT_EQ(take(valve, channel, signal), model.take(channel, signal)) << "seed " << seed << " step " << i;
    }
  }
}

}  // namespace
}  // namespace clutch::engine
