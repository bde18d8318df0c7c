#include <gtest/gtest.h>

#include <set>

#include "window/trigger.h"

namespace clutch::engine {
namespace {

constexpr TimeDomain kEvent = TimeDomain::kEventTime;
constexpr TimeDomain kProcessing = TimeDomain::kProcessingTime;
using Timers = std::set<std::pair<TimeDomain, int64_t>>;

class Context final : public TriggerContext {
 public:
  explicit Context(Window of) : TriggerContext(of, number) {}
  int64_t watermark() const override { return watermark_now; }
  int64_t processing_time() const override { return processing_now; }
  void set_timer(TimeDomain domain, int64_t time) override { timers.insert({domain, time}); }

  TriggerState number;
  Timers timers;
  int64_t watermark_now = kMinWatermark;
  int64_t processing_now = 0;
};

TEST(Trigger, EventTimeFiresAtTheEndAndForEveryRecordBehindIt) {
  Context window({0, 10});
  const Trigger trigger = Trigger::event_time();
  EXPECT_EQ(trigger.on_element(window, 3), TriggerResult::kContinue);
  EXPECT_EQ(window.timers, (Timers{{kEvent, 9}}));
  EXPECT_EQ(trigger.on_timer(window, kEvent, 12), TriggerResult::kContinue);  // the clean-up
  EXPECT_EQ(trigger.on_timer(window, kProcessing, 9), TriggerResult::kContinue);
  EXPECT_EQ(trigger.on_timer(window, kEvent, 9), TriggerResult::kFire);
  window.watermark_now = 9;
  EXPECT_EQ(trigger.on_element(window, 3), TriggerResult::kFire);
  EXPECT_EQ(trigger.purging().on_element(window, 3), TriggerResult::kFireAndPurge);
}

TEST(Trigger, ProcessingTimeFiresAtTheEnd) {
  Context window({0, 10});
  const Trigger trigger = Trigger::processing_time();
  EXPECT_EQ(trigger.on_element(window, kNoTimestamp), TriggerResult::kContinue);
  EXPECT_EQ(window.timers, (Timers{{kProcessing, 9}}));
  EXPECT_EQ(trigger.on_timer(window, kEvent, 9), TriggerResult::kContinue);
  EXPECT_EQ(trigger.on_timer(window, kProcessing, 9), TriggerResult::kFire);
}

TEST(Trigger, CountFiresAtEveryNthRecordAndCountsOnAfterAMerge) {
  Context window(Window::global());
  const Trigger trigger = *Trigger::count(3);
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(trigger.on_element(window, 0), TriggerResult::kContinue);
    EXPECT_EQ(trigger.on_element(window, 0), TriggerResult::kContinue);
    EXPECT_EQ(trigger.on_element(window, 0), TriggerResult::kFire);
  }
  EXPECT_EQ(window.number, std::nullopt);
  trigger.on_merge(window, std::vector<TriggerState>{1, std::nullopt, 1});
  EXPECT_EQ(trigger.on_element(window, 0), TriggerResult::kFire);
  EXPECT_EQ(window.timers, Timers{});
}

TEST(Trigger, ContinuousEventTimeFiresAtMultiplesAndAtTheEnd) {
  Context window({-10, 10});
  const Trigger trigger = *Trigger::continuous_event_time(8);
  EXPECT_EQ(trigger.on_element(window, -3), TriggerResult::kContinue);
  EXPECT_EQ(window.timers, (Timers{{kEvent, 0}, {kEvent, 9}}));
  EXPECT_EQ(trigger.on_element(window, -9), TriggerResult::kContinue);  // one timer at a time
  EXPECT_EQ(window.timers, (Timers{{kEvent, 0}, {kEvent, 9}}));
  EXPECT_EQ(trigger.on_timer(window, kEvent, -1), TriggerResult::kContinue);
  EXPECT_EQ(trigger.on_timer(window, kEvent, 0), TriggerResult::kFire);
  EXPECT_EQ(window.number, 8);
  EXPECT_EQ(trigger.on_timer(window, kEvent, 8), TriggerResult::kFire);
  EXPECT_EQ(window.number, 9);
  EXPECT_EQ(trigger.on_timer(window, kEvent, 9), TriggerResult::kFire);
  window.watermark_now = 9;
  EXPECT_EQ(trigger.on_element(window, 1), TriggerResult::kFire);
}

TEST(Trigger, ContinuousEventTimeSkipsWhatIsPassedInAWindowWithoutEnd) {
  Context window(Window::global());
  const Trigger trigger = *Trigger::continuous_event_time(10);
  window.watermark_now = 1'000'004;
  EXPECT_EQ(trigger.on_element(window, kNoTimestamp), TriggerResult::kContinue);
  EXPECT_EQ(window.number, 1'000'010);
  window.watermark_now = kMaxWatermark;
  EXPECT_EQ(trigger.on_timer(window, kEvent, 1'000'010), TriggerResult::kFire);
  EXPECT_EQ(window.number, kMaxWatermark);
  EXPECT_EQ(trigger.on_timer(window, kEvent, kMaxWatermark), TriggerResult::kFire);
}

TEST(Trigger, ContinuousProcessingTimeStopsAtTheEnd) {
  Context window({0, 25});
  const Trigger trigger = *Trigger::continuous_processing_time(10);
  window.processing_now = 13;
  EXPECT_EQ(trigger.on_element(window, kNoTimestamp), TriggerResult::kContinue);
  EXPECT_EQ(window.number, 20);
  EXPECT_EQ(trigger.on_timer(window, kProcessing, 20), TriggerResult::kFire);
  EXPECT_EQ(window.number, 24);
  window.timers.clear();
  EXPECT_EQ(trigger.on_timer(window, kProcessing, 24), TriggerResult::kFire);
  EXPECT_EQ(window.timers, Timers{});
}

TEST(Trigger, ContinuousMergesToTheEarliestTime) {
  Context window({0, 100});
  const Trigger trigger = *Trigger::continuous_event_time(10);
  trigger.on_merge(window, std::vector<TriggerState>{50, std::nullopt, 30});
  EXPECT_EQ(window.number, 30);
  EXPECT_EQ(window.timers, (Timers{{kEvent, 30}}));
}

TEST(Trigger, NeverMeansNever) {
  Context window({0, 10});
  window.watermark_now = 50;
  EXPECT_EQ(Trigger::never().on_element(window, 1), TriggerResult::kContinue);
  EXPECT_EQ(Trigger::never().on_timer(window, kEvent, 9), TriggerResult::kContinue);
  EXPECT_EQ(window.timers, Timers{});
}

TEST(Trigger, RefusesCountsAndIntervalsThatMeanNothing) {
  EXPECT_EQ(Trigger::count(0).status().message(), "a window cannot fire every 0 records; give a count of at least 1");
  EXPECT_EQ(Trigger::continuous_event_time(-5).status().message(),
            "a window cannot fire every -5 ms; give an interval of at least 1 ms");
  EXPECT_FALSE(Trigger::continuous_processing_time(0).ok());
}

}  // namespace
}  // namespace clutch::engine
