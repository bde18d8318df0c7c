// The column `timestamp` of what a function gave.
#pragma once

#include <cstdint>

#include "clutch/columnar/owned.h"
#include "clutch/columnar/result.h"

namespace clutch::engine {

// The timestamps of `rows` rows, each that of the input row it came from; null for -1, a row without one. `origin`
// nullptr: row i came from input row i, and the input's column is handed on.
columnar::Array timestamps_of_rows(columnar::Array timestamps, const int32_t* origin, int64_t rows);

// A copy of what libclutch says of the times of results, which knows those of timers. `found` is borrowed.
Result<columnar::Array> timestamps_with_timers(const ArrowArray* found);

// Whether some of the rows came from timers: they stand before the others.
inline bool from_timers(const int32_t* origin, int64_t rows) { return origin != nullptr && rows > 0 && origin[0] < 0; }

}  // namespace clutch::engine
