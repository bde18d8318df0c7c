// Event and processing time as numbers: milliseconds since 1970-01-01 UTC, and the three values that mean more.
#pragma once

#include <cstdint>
#include <limits>

namespace clutch::engine {

// What a record without a timestamp carries; also the watermark of a stream that has said nothing yet.
inline constexpr int64_t kNoTimestamp = std::numeric_limits<int64_t>::min();
inline constexpr int64_t kMinWatermark = kNoTimestamp;
// The watermark behind the last record of a bounded stream: all of event time has passed.
inline constexpr int64_t kMaxWatermark = std::numeric_limits<int64_t>::max();

enum class TimeDomain : uint8_t { kEventTime, kProcessingTime };

// a + b, held at the ends of the range instead of wrapping around.
inline int64_t saturating_add(int64_t a, int64_t b) {
  int64_t sum = 0;
  if (!__builtin_add_overflow(a, b, &sum)) return sum;
  return b < 0 ? std::numeric_limits<int64_t>::min() : std::numeric_limits<int64_t>::max();
}

// a - b, likewise.
inline int64_t saturating_subtract(int64_t a, int64_t b) {
  int64_t difference = 0;
  if (!__builtin_sub_overflow(a, b, &difference)) return difference;
  return b > 0 ? std::numeric_limits<int64_t>::min() : std::numeric_limits<int64_t>::max();
}

// a modulo b in [0, b) for b > 0, also where a is negative.
inline int64_t floor_modulo(int64_t a, int64_t b) {
  const int64_t remainder = a % b;
  return remainder < 0 ? remainder + b : remainder;
}

}  // namespace clutch::engine
