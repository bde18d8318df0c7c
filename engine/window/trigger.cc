#include "window/trigger.h"

#include <algorithm>
#include <string>

namespace clutch::engine {
namespace {

Status check_interval(int64_t interval) {
  if (interval > 0) return {};
  return Status(CLUTCH_ERR_VALUE,
                "a window cannot fire every " + std::to_string(interval) + " ms; give an interval of at least 1 ms");
}

// The highest multiple of the interval that is <= time.
int64_t multiple_before(int64_t time, int64_t interval) {
  return saturating_subtract(time, floor_modulo(time, interval));
}

}  // namespace

Result<Trigger> Trigger::count(int64_t n) {
  if (n <= 0) {
    return Status(CLUTCH_ERR_VALUE,
                  "a window cannot fire every " + std::to_string(n) + " records; give a count of at least 1");
  }
  return Trigger(Kind::kCount, n);
}

Result<Trigger> Trigger::continuous_event_time(int64_t interval) {
  CLUTCH_RETURN_IF_ERROR(check_interval(interval));
  return Trigger(Kind::kContinuousEventTime, interval);
}

Result<Trigger> Trigger::continuous_processing_time(int64_t interval) {
  CLUTCH_RETURN_IF_ERROR(check_interval(interval));
  return Trigger(Kind::kContinuousProcessingTime, interval);
}

Trigger Trigger::purging() const {
  Trigger changed = *this;
  changed.purging_ = true;
  return changed;
}

TriggerResult Trigger::on_element(TriggerContext& context, int64_t timestamp) const {
  const int64_t end = context.window.max_timestamp();
  switch (kind_) {
    case Kind::kEventTime:
      if (end <= context.watermark()) return fire();
      context.set_timer(TimeDomain::kEventTime, end);
      return TriggerResult::kContinue;
    case Kind::kProcessingTime:
      context.set_timer(TimeDomain::kProcessingTime, end);
      return TriggerResult::kContinue;
    case Kind::kCount:
      context.state = context.state.value_or(0) + 1;
      if (*context.state < number_) return TriggerResult::kContinue;
      context.state.reset();
      return fire();
    case Kind::kContinuousEventTime:
      if (end <= context.watermark()) return fire();
      context.set_timer(TimeDomain::kEventTime, end);
      if (!context.state.has_value()) {
        // A record without a timestamp counts from the start of the window.
        set_next(context, TimeDomain::kEventTime, multiple_before(std::max(timestamp, context.window.start), number_));
      }
      return TriggerResult::kContinue;
    case Kind::kContinuousProcessingTime:
      if (!context.state.has_value()) {
        set_next(context, TimeDomain::kProcessingTime, multiple_before(context.processing_time(), number_));
      }
      return TriggerResult::kContinue;
    case Kind::kNever:
      break;
  }
  return TriggerResult::kContinue;
}

TriggerResult Trigger::on_timer(TriggerContext& context, TimeDomain domain, int64_t time) const {
  const bool at_end = time == context.window.max_timestamp();
  switch (kind_) {
    case Kind::kEventTime:
      return domain == TimeDomain::kEventTime && at_end ? fire() : TriggerResult::kContinue;
    case Kind::kProcessingTime:
      return domain == TimeDomain::kProcessingTime && at_end ? fire() : TriggerResult::kContinue;
    case Kind::kContinuousEventTime:
      if (domain != TimeDomain::kEventTime) return TriggerResult::kContinue;
      return at_end ? fire() : on_continuous_timer(context, domain, time);
    case Kind::kContinuousProcessingTime:
      if (domain != TimeDomain::kProcessingTime) return TriggerResult::kContinue;
      return on_continuous_timer(context, domain, time);
    case Kind::kCount:
    case Kind::kNever:
      break;
  }
  return TriggerResult::kContinue;
}

TriggerResult Trigger::on_continuous_timer(TriggerContext& context, TimeDomain domain, int64_t time) const {
  if (context.state != time) return TriggerResult::kContinue;
  context.state.reset();
  if (time < context.window.max_timestamp()) set_next(context, domain, time);
  return fire();
}

void Trigger::set_next(TriggerContext& context, TimeDomain domain, int64_t after) const {
  const int64_t end = context.window.max_timestamp();
  if (!context.window.ends()) {
    const int64_t now = domain == TimeDomain::kEventTime ? context.watermark() : context.processing_time();
    after = std::max(after, multiple_before(now, number_));
  }
  const int64_t next = std::min(saturating_add(after, number_), end);
  context.state = next;
  context.set_timer(domain, next);
}

void Trigger::on_merge(TriggerContext& context, std::span<const TriggerState> merged) const {
  const int64_t end = context.window.max_timestamp();
  switch (kind_) {
    case Kind::kEventTime:
      if (end > context.watermark()) context.set_timer(TimeDomain::kEventTime, end);
      return;
    case Kind::kProcessingTime:
      if (end > context.processing_time()) context.set_timer(TimeDomain::kProcessingTime, end);
      return;
    case Kind::kCount:
      for (const TriggerState& state : merged) {
        if (state.has_value()) context.state = context.state.value_or(0) + *state;
      }
      return;
    case Kind::kContinuousEventTime:
    case Kind::kContinuousProcessingTime:
      for (const TriggerState& state : merged) {
        if (state.has_value()) context.state = std::min(context.state.value_or(kMaxWatermark), *state);
      }
      if (context.state.has_value()) {
        context.set_timer(kind_ == Kind::kContinuousEventTime ? TimeDomain::kEventTime : TimeDomain::kProcessingTime,
                          *context.state);
      }
      return;
    case Kind::kNever:
      return;
  }
}

std::string Trigger::text() const {
  const auto named = [this]() -> std::string {
    switch (kind_) {
      case Kind::kEventTime:
        return "at their end in event time";
      case Kind::kProcessingTime:
        return "at their end in processing time";
      case Kind::kCount:
        return "at every " + std::to_string(number_) + " records";
      case Kind::kContinuousEventTime:
        return "every " + std::to_string(number_) + " ms of event time";
      case Kind::kContinuousProcessingTime:
        return "every " + std::to_string(number_) + " ms of processing time";
      case Kind::kNever:
        break;
    }
    return "never";
  };
  return "that fire " + named() + (purging_ ? " and are emptied then" : "");
}

bool Trigger::may_hold(int64_t state) const {
  constexpr int64_t kMost = int64_t{1} << 62;  // so that counting on stays within the range
  return kind_ != Kind::kCount || (state > 0 && state < kMost);
}

}  // namespace clutch::engine
