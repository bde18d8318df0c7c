// CLOCK_MONOTONIC, which host and worker share.
#pragma once

#include <time.h>

#include <cstdint>

namespace clutch::pyproc {

inline int64_t now_ns() {
  timespec now = {};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

}  // namespace clutch::pyproc
