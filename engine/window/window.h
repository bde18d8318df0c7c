// One window: which part of a key's records belongs together.
#pragma once

#include <compare>
#include <cstdint>

#include "time/timestamp.h"

namespace clutch::engine {

// Time windows hold the timestamps in [start, end). An end of kMaxWatermark stands for none: such a window is the
// global one, or the count window whose number is `start`, or a time window at the end of the range.
struct Window {
  int64_t start;
  int64_t end;

  static Window global() { return {kMinWatermark, kMaxWatermark}; }
  static Window count(int64_t number) { return {number, kMaxWatermark}; }

  bool ends() const { return end != kMaxWatermark; }
  // The last timestamp inside; kMaxWatermark if the window does not end.
  int64_t max_timestamp() const { return ends() ? end - 1 : kMaxWatermark; }
  // Touching counts: [0, 5) and [5, 9) merge to one session.
  bool touches(const Window& other) const { return start <= other.end && end >= other.start; }
  Window cover(const Window& other) const {
    return {start < other.start ? start : other.start, end > other.end ? end : other.end};
  }

  auto operator<=>(const Window&) const = default;
};

}  // namespace clutch::engine
