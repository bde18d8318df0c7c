#include <cstring>

#include "access.h"
#include "clutch/columnar/ops.h"

namespace clutch::columnar {
namespace {

bool equal_rows(const Type& type, const ArrowArray& left, int64_t left_row, const ArrowArray& right, int64_t right_row,
                int64_t length);

// What the rows hold; both are valid, rows are positions in the buffers.
bool equal_values(const Type& type, const ArrowArray& left, int64_t i, const ArrowArray& right, int64_t j) {
  const Layout layout = layout_of(type);
  switch (layout) {
    case Layout::kNull:
      return true;
    case Layout::kBits:
      return bit_at(static_cast<const uint8_t*>(left.buffers[1]), i) ==
             bit_at(static_cast<const uint8_t*>(right.buffers[1]), j);
    case Layout::kFixed: {
      if (type.id == TypeId::kDictionary) {
        const int64_t a = load_index(left.buffers[1], type.index, i);
        const int64_t b = load_index(right.buffers[1], type.index, j);
        return equal_rows(type.children[0].type, *left.dictionary, a, *right.dictionary, b, 1);
      }
      const int64_t width = byte_width(type);
      return width == 0 ||
             std::memcmp(static_cast<const uint8_t*>(left.buffers[1]) + i * width,
                         static_cast<const uint8_t*>(right.buffers[1]) + j * width, static_cast<size_t>(width)) == 0;
    }
    case Layout::kFixedList:
      return equal_rows(type.children[0].type, *left.children[0], i * type.width, *right.children[0], j * type.width,
                        type.width);
    case Layout::kStruct:
      for (size_t k = 0; k < type.children.size(); ++k) {
        if (!equal_rows(type.children[k].type, *left.children[k], i, *right.children[k], j, 1)) return false;
      }
      return true;
    default:
      break;
  }
  const bool wide = wide_offsets(layout);
  const int64_t a = load_offset(left.buffers[1], wide, i);
  const int64_t b = load_offset(right.buffers[1], wide, j);
  const int64_t count = load_offset(left.buffers[1], wide, i + 1) - a;
  if (count != load_offset(right.buffers[1], wide, j + 1) - b) return false;
  if (count == 0) return true;
  if (layout == Layout::kList || layout == Layout::kLargeList) {
    return equal_rows(type.children[0].type, *left.children[0], a, *right.children[0], b, count);
  }
  return std::memcmp(static_cast<const uint8_t*>(left.buffers[2]) + a,
                     static_cast<const uint8_t*>(right.buffers[2]) + b, static_cast<size_t>(count)) == 0;
}

bool equal_rows(const Type& type, const ArrowArray& left, int64_t left_row, const ArrowArray& right, int64_t right_row,
                int64_t length) {
  if (type.id == TypeId::kNull) return true;
  for (int64_t i = 0; i < length; ++i) {
    const bool valid = valid_at(left, left_row + i);
    if (valid != valid_at(right, right_row + i)) return false;
    if (valid && !equal_values(type, left, left.offset + left_row + i, right, right.offset + right_row + i)) {
      return false;
    }
  }
  return true;
}

}  // namespace

bool equal(const Field& field, const ArrowArray& left, const ArrowArray& right) {
  return left.length == right.length && equal_rows(field.type, left, 0, right, 0, left.length);
}

}  // namespace clutch::columnar
