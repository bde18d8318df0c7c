// When a window fires: hands its contents to the window function.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "clutch/columnar/result.h"
#include "time/timestamp.h"
#include "window/window.h"

namespace clutch::engine {

enum class TriggerResult : uint8_t { kContinue = 0, kFire = 1, kPurge = 2, kFireAndPurge = 3 };

inline bool fires(TriggerResult result) { return (static_cast<uint8_t>(result) & 1) != 0; }
inline bool purges(TriggerResult result) { return (static_cast<uint8_t>(result) & 2) != 0; }

// What a trigger remembers of one window: nothing, or a number whose meaning is the trigger's.
using TriggerState = std::optional<int64_t>;

// One window of one key, as a trigger sees it. A trigger keeps everything in its state and its timers, so whoever
// forgets both has cleared it.
class TriggerContext {
 public:
  TriggerContext(Window of, TriggerState& memory) : window(of), state(memory) {}
  virtual ~TriggerContext() = default;

  virtual int64_t watermark() const = 0;
  virtual int64_t processing_time() const = 0;
  // Ask for on_timer() once `domain` has reached `time`; setting it twice is setting it once.
  virtual void set_timer(TimeDomain domain, int64_t time) = 0;

  const Window window;
  TriggerState& state;
};

// A plain value. Meanings are Flink's, but for continuous triggers at the ends of time, where Flink fires without end:
// * multiples of the interval are taken downwards for negative times too;
// * the timer is not set again at the end of the window;
// * in a window that does not end, multiples that time has passed already when the trigger looks are skipped, so a jump
//   of the watermark (as the final one) fires once. In a window that ends each of them fires, as in Flink.
class Trigger {
 public:
  // At the end of the window; at every record that comes after it.
  static Trigger event_time() { return Trigger(Kind::kEventTime, 0); }
  static Trigger processing_time() { return Trigger(Kind::kProcessingTime, 0); }
  // At every n-th record since the last time. CLUTCH_ERR_VALUE unless n > 0.
  static Result<Trigger> count(int64_t n);
  // At every multiple of the interval after the first record, and at the end of the window. CLUTCH_ERR_VALUE unless
  // interval > 0. (unit: milliseconds)
  static Result<Trigger> continuous_event_time(int64_t interval);
  static Result<Trigger> continuous_processing_time(int64_t interval);
  static Trigger never() { return Trigger(Kind::kNever, 0); }

  // The same, but the contents go with every firing.
  Trigger purging() const;

  TriggerResult on_element(TriggerContext& context, int64_t timestamp) const;
  // `time` is one that was asked for, by the trigger or for the clean-up of the window.
  TriggerResult on_timer(TriggerContext& context, TimeDomain domain, int64_t time) const;
  // The context's window has just been made from windows with these states.
  void on_merge(TriggerContext& context, std::span<const TriggerState> merged) const;

  // In words, with all numbers: two triggers of one text are the same.
  std::string text() const;
  // Whether it may remember this number, which may come from anywhere.
  bool may_hold(int64_t state) const;

 private:
  enum class Kind : uint8_t {
    kEventTime,
    kProcessingTime,
    kCount,
    kContinuousEventTime,
    kContinuousProcessingTime,
    kNever
  };

  Trigger(Kind kind, int64_t number) : kind_(kind), number_(number) {}
  TriggerResult fire() const { return purging_ ? TriggerResult::kFireAndPurge : TriggerResult::kFire; }
  TriggerResult on_continuous_timer(TriggerContext& context, TimeDomain domain, int64_t time) const;
  void set_next(TriggerContext& context, TimeDomain domain, int64_t after) const;

  Kind kind_;
  int64_t number_;  // count, or interval
  bool purging_ = false;
};

}  // namespace clutch::engine
