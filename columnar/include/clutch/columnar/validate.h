// Is an array what its type says? Two depths: cheap structure for data from a trusted side, everything for data from
// a worker or a file.
#pragma once

#include <cstdint>
#include <span>

#include "clutch/abi/arrow.h"
#include "clutch/columnar/result.h"
#include "clutch/columnar/type.h"

namespace clutch::columnar {

enum class Depth {
  kStructure,  // counts of buffers and children, lengths, pointers that must not be NULL. O(fields).
  kFull,       // also every offset, UTF-8, null counts, value ranges (decimal digits, time of day), indices. O(bytes).
};

// Check an array whose buffer sizes are not known (the C data interface does not carry them): the sizes implied by
// length and offsets are taken as granted.
// Errors are CLUTCH_ERR_DATA and name the path of the column, the row, and the value found.
Status validate(const Field& field, const ArrowArray& array, Depth depth);

// A buffer as an untrusted side describes it.
struct Extent {
  const uint8_t* data;
  int64_t size;  // (unit: bytes)
};

// The same for data from a worker: `extents` gives, in depth-first order, the real size of every buffer of the array
// and its children, so nothing outside them is ever read. Always full depth.
Status validate_untrusted(const Field& field, const ArrowArray& array, std::span<const Extent> extents);

// True if the bytes are well-formed UTF-8 (no surrogates, nothing over U+10FFFF, no overlong forms).
bool valid_utf8(const uint8_t* data, int64_t size);

}  // namespace clutch::columnar
