// How much memory a batch occupies, for backpressure.
#pragma once

#include <cstdint>

#include "clutch/columnar/type.h"

namespace clutch::engine {

// Bytes that the rows of the array take in its buffers, validity and values of dictionaries included. A slice counts
// its own rows only. Costs O(fields). (unit: bytes)
int64_t batch_bytes(const columnar::Field& field, const ArrowArray& array);

}  // namespace clutch::engine
