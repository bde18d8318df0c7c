// The rules of starting and stopping, driven by a clock that is a number.
#include "supervisor/lifecycle.h"

#include <gtest/gtest.h>

#include <random>

namespace clutch::pyproc {
namespace {

constexpr int64_t kMs = kMillisecond;

TEST(Lifecycle, ClimbsTheStopLadder) {
  const StopTimes times;
  Lifecycle life(1, 0, 1000 * kMs);
  ASSERT_TRUE(life.ready());
  EXPECT_EQ(life.next_due(), kNever);
  ASSERT_TRUE(life.stop(1, StopStep::kAsk, 10));
  EXPECT_EQ(life.take_step(10), StopStep::kAsk);
  EXPECT_EQ(life.take_step(10), StopStep::kNone);
  int64_t now = 10 + times.ask_ns;
  EXPECT_EQ(life.take_step(now - 1), StopStep::kNone);
  EXPECT_EQ(life.take_step(now), StopStep::kDump);
  now += times.dump_ns;
  EXPECT_EQ(life.take_step(now), StopStep::kTerminate);
  now += times.terminate_ns;
  EXPECT_EQ(life.take_step(now), StopStep::kKill);
  EXPECT_EQ(life.take_step(now), StopStep::kNone);
  EXPECT_EQ(life.take_step(now + times.kill_ns), StopStep::kKill);  // again until it is gone
  life.gone();
  EXPECT_EQ(life.take_step(kNever), StopStep::kNone);
}

TEST(Lifecycle, DoesNotWaitForAStackThatHasCome) {
  Lifecycle life(1, 0, kNever);
  life.ready();
  life.stop(1, StopStep::kDump, 0);
  life.stack_came(0);  // before it was asked for: another one
  EXPECT_EQ(life.take_step(0), StopStep::kDump);
  life.stack_came(5);
  EXPECT_EQ(life.take_step(4), StopStep::kNone);
  EXPECT_EQ(life.take_step(5), StopStep::kTerminate);
  life.stack_came(6);
  EXPECT_EQ(life.take_step(6), StopStep::kNone);
}

TEST(Lifecycle, StopsOnlyTheEpochThatWasMeant) {
  Lifecycle life(7, 0, kNever);
  EXPECT_FALSE(life.stop(6, StopStep::kKill, 0));
  EXPECT_EQ(life.state(), WorkerState::kStarting);
  EXPECT_TRUE(life.stop(7, StopStep::kKill, 0));
  life.gone();
  EXPECT_FALSE(life.stop(7, StopStep::kKill, 0));
}

TEST(Lifecycle, GoesHarderNeverSofter) {
  Lifecycle life(1, 0, kNever);
  EXPECT_TRUE(life.stop(1, StopStep::kDump, 0));
  EXPECT_FALSE(life.stop(1, StopStep::kAsk, 0));
  EXPECT_FALSE(life.stop(1, StopStep::kDump, 0));
  EXPECT_TRUE(life.stop(1, StopStep::kKill, 0));
  EXPECT_EQ(life.take_step(0), StopStep::kKill);
  EXPECT_FALSE(life.stop(1, StopStep::kTerminate, 0));
}

TEST(Lifecycle, SaysWhenAStartTakesTooLong) {
  Lifecycle life(1, 100, 50);
  EXPECT_FALSE(life.start_overdue(149));
  EXPECT_TRUE(life.start_overdue(150));
  EXPECT_TRUE(life.ready());
  EXPECT_FALSE(life.start_overdue(1000));
  EXPECT_FALSE(life.ready());  // said twice
  Lifecycle stopped(2, 0, 50);
  stopped.stop(2, StopStep::kKill, 0);
  EXPECT_FALSE(stopped.ready());  // too late
}

// Any order of events: it ends, and no step comes after the end or for another epoch.
TEST(Lifecycle, EndsInEveryOrderOfEvents) {
  std::mt19937 random(3);
  for (int round = 0; round < 20000; ++round) {
    Lifecycle life(5, 0, 100 * kMs);
    int64_t now = 0;
    bool asked = false;
    StopStep hardest = StopStep::kNone;
    for (int event = 0; event < 30 && life.state() != WorkerState::kGone; ++event) {
      now += static_cast<int64_t>(random() % 400) * kMs;
      switch (random() % 6) {
        case 0:
          life.ready();
          break;
        case 1:
          asked |= life.stop(5, static_cast<StopStep>(1 + random() % 4), now);
          break;
        case 2:
          EXPECT_FALSE(life.stop(4, StopStep::kKill, now));
          break;
        case 3:
          life.stack_came(now);
          break;
        case 4:
          if (random() % 10 == 0) life.gone();
          break;
        default:
          break;
      }
      const StopStep step = life.take_step(now);
      if (step != StopStep::kNone) {
        EXPECT_TRUE(asked);
        EXPECT_GE(step, hardest);
        hardest = step;
      }
    }
    if (asked && life.state() != WorkerState::kGone) {
      for (int i = 0; i < 10; ++i) {
        now += 10000 * kMs;
        const StopStep step = life.take_step(now);
        hardest = std::max(hardest, step);
      }
      EXPECT_EQ(hardest, StopStep::kKill);
    }
  }
}

TEST(RestartPolicy, IsPatientWithOneLossAndNotWithMany) {
  RestartPolicy policy(1);
  int64_t now = 1000 * kMs;
  for (uint32_t i = 0; i < RestartPolicy::kFreeLosses; ++i) policy.lost(now);
  EXPECT_LE(policy.may_start_at(), now);
  policy.lost(now);
  EXPECT_GT(policy.may_start_at(), now);
  EXPECT_LE(policy.may_start_at(), now + RestartPolicy::kFirstDelay);
  policy.succeeded();
  EXPECT_EQ(policy.losses(), 0u);
  int64_t before = 0;
  for (uint32_t i = 0; i < RestartPolicy::kMaxLosses; ++i) {
    EXPECT_FALSE(policy.circuit_open(now));
    policy.lost(now);
    EXPECT_LE(policy.may_start_at() - now, RestartPolicy::kLongestDelay);
    before = policy.may_start_at();
  }
  EXPECT_TRUE(policy.circuit_open(now));
  EXPECT_FALSE(policy.circuit_open(before));  // half open: one start is tried again
  policy.lost(before);
  EXPECT_TRUE(policy.circuit_open(before + 1));
}

TEST(RestartPolicy, CountsFailedStartsApart) {
  RestartPolicy policy(1);
  for (uint32_t i = 0; i < RestartPolicy::kMaxStartFailures; ++i) {
    EXPECT_FALSE(policy.circuit_open(0));
    policy.start_failed(0);
  }
  EXPECT_TRUE(policy.circuit_open(0));
  EXPECT_EQ(policy.losses(), 0u);
}

}  // namespace
}  // namespace clutch::pyproc
