// Which elements of a window are dropped when it fires.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "clutch/columnar/result.h"

namespace clutch::engine {

// A plain value.
class Evictor {
 public:
  // Keeps the last `count` elements. CLUTCH_ERR_VALUE for a negative count.
  static Result<Evictor> count(int64_t count, bool after);
  // Keeps the elements that are less than `window` older than the newest one; keeps all where the first element has no
  // timestamp. CLUTCH_ERR_VALUE for a negative window. (unit: milliseconds)
  static Result<Evictor> time(int64_t window, bool after);

  // Evicts when the window function has run, and not before it.
  bool after() const { return after_; }
  // The positions that stay, ascending. `timestamps` are those of the elements, kNoTimestamp for none.
  std::vector<int32_t> keep(std::span<const int64_t> timestamps) const;

 private:
  Evictor(bool by_time, int64_t number, bool after) : by_time_(by_time), number_(number), after_(after) {}

  bool by_time_;
  int64_t number_;  // elements, or milliseconds
  bool after_;
};

}  // namespace clutch::engine
