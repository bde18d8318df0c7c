#include "window/assigner.h"

#include <string>

namespace clutch::engine {
namespace {

Status refused(const std::string& what, const std::string& remedy) {
  return Status(CLUTCH_ERR_VALUE, what + "; " + remedy);
}

bool within(int64_t offset, int64_t period) { return offset < period && offset > -period; }

std::string milliseconds(int64_t value) { return std::to_string(value) + " ms"; }

}  // namespace

Result<WindowAssigner> WindowAssigner::tumbling(TimeDomain domain, int64_t size, int64_t offset) {
  if (!within(offset, size)) {
    return refused(
        "a tumbling window cannot have a size of " + milliseconds(size) + " and an offset of " + milliseconds(offset),
        "parameters must satisfy abs(offset) < size");
  }
  return WindowAssigner(Kind::kSliding, domain, size, size, offset);
}

Result<WindowAssigner> WindowAssigner::sliding(TimeDomain domain, int64_t size, int64_t slide, int64_t offset) {
  if (!within(offset, slide) || size <= 0) {
    return refused("a sliding window cannot have a size of " + milliseconds(size) + ", a slide of " +
                       milliseconds(slide) + " and an offset of " + milliseconds(offset),
                   "parameters must satisfy abs(offset) < slide and size > 0");
  }
  return WindowAssigner(Kind::kSliding, domain, size, slide, offset);
}

Result<WindowAssigner> WindowAssigner::session(TimeDomain domain, int64_t gap) {
  if (gap <= 0)
    return refused("a session window cannot have a gap of " + milliseconds(gap), "parameters must satisfy 0 < gap");
  return WindowAssigner(Kind::kSession, domain, gap, gap, 0);
}

WindowAssigner WindowAssigner::dynamic_session(TimeDomain domain) {
  return WindowAssigner(Kind::kDynamicSession, domain, 0, 0, 0);
}

WindowAssigner WindowAssigner::global() { return WindowAssigner(Kind::kGlobal, TimeDomain::kProcessingTime, 0, 0, 0); }

Result<WindowAssigner> WindowAssigner::count_tumbling(int64_t size) { return count_sliding(size, size); }

Result<WindowAssigner> WindowAssigner::count_sliding(int64_t size, int64_t slide) {
  if (size <= 0 || slide <= 0) {
    return refused(
        "a count window cannot have a size of " + std::to_string(size) + " and a slide of " + std::to_string(slide),
        "give at least 1 record for both");
  }
  return WindowAssigner(Kind::kCount, TimeDomain::kProcessingTime, size, slide, 0);
}

Status WindowAssigner::assign(const Placement& record, std::vector<Window>& out) const {
  const bool timed = kind_ == Kind::kSliding || merging();
  if (timed && domain_ == TimeDomain::kEventTime && record.time == kNoTimestamp) {
    return refused("the record has no timestamp, and a window of event time needs one",
                   "call assign_timestamps_and_watermarks(...) before the window, or take windows of processing time");
  }
  switch (kind_) {
    case Kind::kSliding:
      assign_sliding(record.time, out);
      return {};
    case Kind::kSession:
      out.push_back({record.time, saturating_add(record.time, size_)});
      return {};
    case Kind::kDynamicSession:
      if (record.gap <= 0) {
        return refused(
            "the session gap of the record at " + milliseconds(record.time) + " is " + milliseconds(record.gap),
            "the extractor must satisfy 0 < gap");
      }
      out.push_back({record.time, saturating_add(record.time, record.gap)});
      return {};
    case Kind::kGlobal:
      out.push_back(Window::global());
      return {};
    case Kind::kCount:
      assign_count(record.count, out);
      return {};
  }
  return {};
}

void WindowAssigner::assign_sliding(int64_t time, std::vector<Window>& out) const {
  // Why two modulos: time - offset may wrap around at the ends of the range.
  const int64_t since = floor_modulo(floor_modulo(time, slide_) - floor_modulo(offset_, slide_), slide_);
  for (int64_t age = since; age < size_; age = saturating_add(age, slide_)) {
    const int64_t start = saturating_subtract(time, age);
    // Measured from the time, so that a window cut off at the beginning of the range still ends where it should.
    out.push_back({start, saturating_add(time, size_ - age)});
  }
}

void WindowAssigner::assign_count(int64_t count, std::vector<Window>& out) const {
  for (int64_t number = count / slide_; number >= 0 && count - number * slide_ < size_; --number) {
    out.push_back(Window::count(number));
  }
}

Trigger WindowAssigner::default_trigger() const {
  switch (kind_) {
    case Kind::kGlobal:
      return Trigger::never();
    case Kind::kCount:
      return (*Trigger::count(size_)).purging();
    default:
      return domain_ == TimeDomain::kEventTime ? Trigger::event_time() : Trigger::processing_time();
  }
}

std::string WindowAssigner::text() const {
  const std::string of = domain_ == TimeDomain::kEventTime ? " of event time" : " of processing time";
  switch (kind_) {
    case Kind::kSliding:
      return "windows of " + milliseconds(size_) + " every " + milliseconds(slide_) + " from " + milliseconds(offset_) +
             of;
    case Kind::kSession:
      return "sessions with a gap of " + milliseconds(size_) + of;
    case Kind::kDynamicSession:
      return "sessions with gaps of their own" + of;
    case Kind::kGlobal:
      return "the global window";
    case Kind::kCount:
      return "windows of " + std::to_string(size_) + " records every " + std::to_string(slide_);
  }
  return {};
}

}  // namespace clutch::engine
