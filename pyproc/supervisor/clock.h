// The one clock of the supervisor.
#pragma once

#include <cstdint>
#include <ctime>
#include <limits>

namespace clutch::pyproc {

inline constexpr int64_t kMillisecond = 1'000'000;  // (unit: ns)
inline constexpr int64_t kNever = std::numeric_limits<int64_t>::max();

// CLOCK_MONOTONIC, the clock of all deadlines. (unit: ns)
inline int64_t now_ns() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return int64_t{1'000'000'000} * now.tv_sec + now.tv_nsec;
}

// `start` plus a duration that may be as long as never.
inline int64_t after(int64_t start, int64_t duration_ns) {
  return duration_ns > kNever - start ? kNever : start + duration_ns;
}

}  // namespace clutch::pyproc
