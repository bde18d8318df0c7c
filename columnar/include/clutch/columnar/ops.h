// Whole-array operations.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "clutch/columnar/owned.h"
#include "clutch/columnar/result.h"
#include "clutch/columnar/type.h"

namespace clutch::columnar {

// A look at rows [start, start + length) of an array that must outlive it: shares the buffers, owns only structs.
Array slice(const ArrowArray& array, int64_t start, int64_t length);

// The rows at these positions, copied. Positions must be in range; they may repeat.
Result<Array> take(const Field& field, const ArrowArray& array, std::span<const int32_t> rows);

// One row of one of several arrays.
struct RowAt {
  uint32_t array;
  int32_t row;
};

// These rows of several arrays of one type, copied in this order. Costs least where neighbours are of one array; a type
// with a dictionary takes over the values of an array's dictionary each time the array changes.
Result<Array> gather(const Field& field, std::span<const ArrowArray* const> arrays, std::span<const RowAt> rows);

// A deep copy with offset 0.
Result<Array> copy(const Field& field, const ArrowArray& array);

// The rows of several arrays one after the other, copied.
Result<Array> concatenate(const Field& field, std::span<const ArrowArray* const> arrays);

// Same rows, values compared bit by bit for floats (NaN equals the same NaN); offsets and validity layout do not count.
bool equal(const Field& field, const ArrowArray& left, const ArrowArray& right);

// Text of one row for messages and tests: 1, 'a', null, [1, 2], {'a': 1}. Cut to 200 characters.
std::string row_to_string(const Field& field, const ArrowArray& array, int64_t row);

}  // namespace clutch::columnar
