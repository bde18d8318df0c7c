#include <gtest/gtest.h>

#include "exchange/input_gate.h"
#include "exchange/loop.h"

namespace clutch::engine {
namespace {

using Phase = Loop::Phase;

StreamElement mark(int64_t time) { return TimeSignal{TimeSignal::Kind::kWatermark, time}; }

TEST(Loop, EndsInTwoStepsWhenNothingMoves) {
  Loop loop(std::chrono::milliseconds(0));
  int woken = 0;
  loop.add_head([&woken] { ++woken; });
  loop.add_head([&woken] { ++woken; });
  loop.begin(2);
  loop.done();
  EXPECT_EQ(loop.phase(), Phase::kTurning);
  EXPECT_EQ(woken, 0);
  loop.done();
  EXPECT_EQ(loop.phase(), Phase::kLastWatermark);
  EXPECT_EQ(woken, 2);
  // Each head's watermark counts, and what comes of it.
  loop.begin();
  loop.done();
  loop.done();
  EXPECT_EQ(loop.phase(), Phase::kLastWatermark);
  loop.done();
  EXPECT_EQ(loop.phase(), Phase::kOver);
  EXPECT_EQ(woken, 4);
}

TEST(Loop, WaitsForAQuietTime) {
  Loop loop(std::chrono::milliseconds(50));
  loop.add_head([] {});
  loop.begin();
  EXPECT_FALSE(loop.deadline().has_value());
  loop.done();
  ASSERT_TRUE(loop.deadline().has_value());
  const Loop::Clock::time_point deadline = *loop.deadline();
  loop.look(deadline - std::chrono::milliseconds(1));
  EXPECT_EQ(loop.phase(), Phase::kTurning);
  // A movement starts the quiet time anew.
  loop.begin();
  EXPECT_FALSE(loop.deadline().has_value());
  loop.look(deadline + std::chrono::hours(1));
  EXPECT_EQ(loop.phase(), Phase::kTurning);
  loop.done();
  loop.look(*loop.deadline());
  EXPECT_EQ(loop.phase(), Phase::kLastWatermark);
  EXPECT_FALSE(loop.deadline().has_value());
}

class LoopGate : public testing::Test {
 protected:
  LoopGate() {
    loop_.add_head([this] { gate_.wake(); });
    gate_.join(loop_, {true, false});
    gate_.feed_back(1, loop_, 4 * InputGate::kMinBytes);
  }
  Loop loop_{std::chrono::milliseconds(0)};
  InputGate gate_{2, InputGate::kMinBytes};
};

TEST_F(LoopGate, CountsWhatIsPutAndTheChannelsFromElsewhere) {
  ASSERT_TRUE(gate_.put(1, mark(1), 0).ok());
  gate_.close(0);
  gate_.close(0);
  EXPECT_EQ(loop_.phase(), Phase::kTurning);
  loop_.done();
  EXPECT_EQ(loop_.phase(), Phase::kLastWatermark);
}

TEST_F(LoopGate, WhatIsFedBackDoesNotWaitForRoomUpToALimit) {
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(gate_.put(1, mark(i), 0).ok());
  const Status full = gate_.put(1, mark(4), 0);
  EXPECT_EQ(full.code(), CLUTCH_ERR_MEMORY);
  EXPECT_EQ(full.message(),
            "what is fed back and waits takes more than 256 bytes; let more elements leave the iteration, or raise "
            "clutch.engine.feedback-bytes");
}

TEST_F(LoopGate, TheInputWaitsWhileMuchIsFedBack) {
  ASSERT_TRUE(gate_.put(0, mark(1), 0).ok());
  for (const int64_t time : {2, 3, 4}) ASSERT_TRUE(gate_.put(1, mark(time), 0).ok());
  std::vector<int64_t> order;
  while (order.size() < 4) order.push_back(std::get<TimeSignal>(gate_.take()->element).time);
  EXPECT_EQ(order, (std::vector<int64_t>{2, 3, 1, 4}));
}

TEST_F(LoopGate, NothingIsFedBackWhenTheLoopIsOver) {
  gate_.close(0);
  loop_.done();
  ASSERT_EQ(loop_.phase(), Phase::kOver);
  EXPECT_TRUE(gate_.put(1, mark(1), 0).ok());
  EXPECT_EQ(gate_.buffered(1), 0);
}

}  // namespace
}  // namespace clutch::engine
