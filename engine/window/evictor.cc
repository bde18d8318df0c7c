#include "window/evictor.h"

#include <algorithm>
#include <numeric>

#include "time/timestamp.h"

namespace clutch::engine {

Result<Evictor> Evictor::count(int64_t count, bool after) {
  if (count >= 0) return Evictor(false, count, after);
  return Status(CLUTCH_ERR_VALUE, "an evictor cannot keep " + std::to_string(count) +
                                      " elements of a window; give a number that is not negative");
}

Result<Evictor> Evictor::time(int64_t window, bool after) {
  if (window >= 0) return Evictor(true, window, after);
  return Status(CLUTCH_ERR_VALUE, "an evictor cannot keep the elements of the last " + std::to_string(window) +
                                      " ms; give a time that is not negative");
}

std::vector<int32_t> Evictor::keep(std::span<const int64_t> timestamps) const {
  std::vector<int32_t> kept(timestamps.size());
  std::iota(kept.begin(), kept.end(), 0);
  if (!by_time_) {
    const auto surplus = static_cast<int64_t>(kept.size()) - number_;
    if (surplus > 0) kept.erase(kept.begin(), kept.begin() + surplus);
    return kept;
  }
  if (timestamps.empty() || timestamps.front() == kNoTimestamp) return kept;
  const int64_t newest = *std::max_element(timestamps.begin(), timestamps.end());
  const int64_t last_out = saturating_subtract(newest, number_);
  std::erase_if(kept, [&](int32_t row) { return timestamps[static_cast<size_t>(row)] <= last_out; });
  return kept;
}

}  // namespace clutch::engine
