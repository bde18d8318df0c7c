// Read one array: typed pointers with the offset already added.
#pragma once

#include <cstdint>
#include <string_view>
#include <utility>

#include "clutch/abi/arrow.h"

namespace clutch::columnar {

inline bool bit(const uint8_t* bits, int64_t i) { return (bits[i >> 3] >> (i & 7)) & 1; }

// Borrowed look at an array whose type the caller knows. All reads are of the array's own rows: row 0 is the row at
// the array's offset.
class ArrayView {
 public:
  explicit ArrayView(const ArrowArray& array)
      : array_(&array),
        validity_(array.n_buffers > 0 && array.null_count != 0 ? static_cast<const uint8_t*>(array.buffers[0])
                                                               : nullptr),
        all_null_(array.n_buffers == 0) {}

  int64_t length() const { return array_->length; }
  // True if no row is null, which lets a loop skip the check. (null_count -1, "not computed", counts as may be null.)
  bool no_nulls() const { return validity_ == nullptr && !all_null_; }
  bool is_null(int64_t i) const { return validity_ != nullptr ? !bit(validity_, array_->offset + i) : all_null_; }

  // Fixed width: pointer to the first row's value.
  template <typename T>
  const T* values() const {
    return static_cast<const T*>(array_->buffers[1]) + array_->offset;
  }
  bool bool_at(int64_t i) const { return bit(static_cast<const uint8_t*>(array_->buffers[1]), array_->offset + i); }
  const uint8_t* fixed_at(int64_t i, int32_t width) const {
    return static_cast<const uint8_t*>(array_->buffers[1]) + (array_->offset + i) * width;
  }
  // utf8 and binary (Offset int32_t), large forms (int64_t).
  template <typename Offset>
  std::string_view bytes_at(int64_t i) const {
    const auto* offsets = static_cast<const Offset*>(array_->buffers[1]) + array_->offset;
    return {static_cast<const char*>(array_->buffers[2]) + offsets[i],
            static_cast<size_t>(offsets[i + 1] - offsets[i])};
  }
  // list and map: rows of child 0 that belong to row i.
  template <typename Offset>
  std::pair<int64_t, int64_t> range_at(int64_t i) const {
    const auto* offsets = static_cast<const Offset*>(array_->buffers[1]) + array_->offset;
    return {offsets[i], offsets[i + 1]};
  }
  const ArrowArray& child(int64_t i) const { return *array_->children[i]; }
  const ArrowArray& array() const { return *array_; }

 private:
  const ArrowArray* array_;
  const uint8_t* validity_;
  bool all_null_;  // only the null type has no buffers
};

}  // namespace clutch::columnar
