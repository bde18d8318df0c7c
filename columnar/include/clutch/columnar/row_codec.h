// One value of any type as bytes: how values are kept one by one, as state is. Directed by the type alone, so the bytes
// hold no description but a mark of the type they were made for.
//
//   version (1 byte) | mark of the type (2 bytes) | value
//   value  0 (null), or 1 and then by layout: bool 1 byte; fixed width as it lies in memory; text and bytes a length
//          and the bytes; list and map a count and the items; fixed_size_list the items; struct the children
//
// Lengths and counts are unsigned LEB128 numbers. The same value of the same type always gives the same bytes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "clutch/columnar/builder.h"
#include "clutch/columnar/result.h"
#include "clutch/columnar/type.h"

namespace clutch::columnar {

class RowCodec {
 public:
  // CLUTCH_ERR_UNSUPPORTED for types with a dictionary, whose values mean nothing outside of their array.
  static Result<RowCodec> make(Field field);

  const Field& field() const { return field_; }

  // Append the bytes of row `row` (counted from the array's offset) of a valid array of field() to `out`.
  void encode(const ArrowArray& array, int64_t row, std::string& out) const;

  // Append the value to `out`, which was made from field(). The bytes may come from anywhere: CLUTCH_ERR_DATA says what
  // is wrong with them, and `out` is as before. What a value of the right size means (text in UTF-8, a decimal within
  // its precision) is for validate() on the finished array.
  Status decode(std::string_view bytes, ArrayBuilder& out) const;

 private:
  explicit RowCodec(Field field);
  Status refuse(const char* why, size_t at) const;

  Field field_;
  uint16_t mark_;
  size_t word_ = 0;  // bytes of a value of fixed width, up to 8; else 0
};

}  // namespace clutch::columnar
