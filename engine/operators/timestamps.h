// The column `timestamp` of what a function gave.
#pragma once

#include <cstdint>

#include "clutch/columnar/owned.h"

namespace clutch::engine {

// The timestamps of `rows` rows, each that of the input row it came from; null for -1, a row without one. `origin`
// nullptr: row i came from input row i, and the input's column is handed on.
columnar::Array timestamps_of_rows(columnar::Array timestamps, const int32_t* origin, int64_t rows);

}  // namespace clutch::engine
