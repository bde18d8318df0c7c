// Append rows of existing arrays to a builder of the same type.
#pragma once

#include <cstdint>
#include <span>

#include "clutch/columnar/builder.h"

namespace clutch::columnar {

// Call begin() for each source array before its rows are appended. Rows count from the array's offset.
class Gather {
 public:
  // Takes over the values of dictionaries. `previous` is the source before this one, or NULL: dictionaries that are
  // equal in both are taken over once.
  static Status begin(ArrayBuilder& out, const ArrowArray& array, const ArrowArray* previous);

  static Status append_range(ArrayBuilder& out, const ArrowArray& array, int64_t start, int64_t length);
  static Status append_rows(ArrayBuilder& out, const ArrowArray& array, std::span<const int32_t> rows, int64_t base);

 private:
  static int64_t append_validity_range(ArrayBuilder& out, const ArrowArray& array, int64_t start, int64_t length);
  static void append_validity_rows(ArrayBuilder& out, const ArrowArray& array, std::span<const int32_t> rows,
                                   int64_t base);
  static Status append_slots(ArrayBuilder& out, const ArrowArray& array, int64_t start, int64_t length, bool nulls);
  static Status append_slot(ArrayBuilder& out, const ArrowArray& array, int64_t row);
  static Status append_indices(ArrayBuilder& out, const ArrowArray& array, int64_t start, int64_t length);
  static Status fixed_rows(ArrayBuilder& out, const ArrowArray& array, std::span<const int32_t> rows, int64_t base);
};

}  // namespace clutch::columnar
