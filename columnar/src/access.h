// Read raw buffers without asking for their alignment.
#pragma once

#include <cstdint>
#include <cstring>

#include "bits.h"
#include "clutch/abi/arrow.h"
#include "clutch/columnar/type.h"

namespace clutch::columnar {

__extension__ typedef __int128 Int128;
__extension__ typedef unsigned __int128 Uint128;

template <typename T>
T load(const void* values, int64_t i) {
  T value;
  std::memcpy(&value, static_cast<const uint8_t*>(values) + i * static_cast<int64_t>(sizeof(T)), sizeof(T));
  return value;
}

inline bool wide_offsets(Layout layout) { return layout == Layout::kLargeBytes || layout == Layout::kLargeList; }

inline int64_t load_offset(const void* offsets, bool wide, int64_t i) {
  return wide ? load<int64_t>(offsets, i) : load<int32_t>(offsets, i);
}

// Index `i` of a dictionary array; unsigned 64-bit indices over 2^63 come out negative, and so never in range.
inline int64_t load_index(const void* indices, TypeId type, int64_t i) {
  switch (type) {
    case TypeId::kInt8:
      return load<int8_t>(indices, i);
    case TypeId::kInt16:
      return load<int16_t>(indices, i);
    case TypeId::kInt32:
      return load<int32_t>(indices, i);
    case TypeId::kUint8:
      return load<uint8_t>(indices, i);
    case TypeId::kUint16:
      return load<uint16_t>(indices, i);
    case TypeId::kUint32:
      return load<uint32_t>(indices, i);
    default:
      return load<int64_t>(indices, i);
  }
}

// The validity bitmap if rows may be null, otherwise NULL. Not for the null type.
inline const uint8_t* validity_of(const ArrowArray& array) {
  return array.n_buffers > 0 && array.null_count != 0 ? static_cast<const uint8_t*>(array.buffers[0]) : nullptr;
}

// `row` counts from the array's offset.
inline bool valid_at(const ArrowArray& array, int64_t row) {
  if (array.n_buffers == 0) return false;
  const uint8_t* validity = validity_of(array);
  return validity == nullptr || bit_at(validity, array.offset + row);
}

}  // namespace clutch::columnar
