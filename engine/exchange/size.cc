#include "exchange/size.h"

namespace clutch::engine {
namespace {

using columnar::Field;
using columnar::Layout;

int64_t bits(int64_t count) { return (count + 7) / 8; }

template <typename Offset>
int64_t span_of(const ArrowArray& array, int64_t start, int64_t length, int64_t& first) {
  const auto* offsets = static_cast<const Offset*>(array.buffers[1]) + array.offset + start;
  first = offsets[0];
  return offsets[length] - first;
}

// Rows [start, start + length), counted from the array's offset.
int64_t bytes_of(const Field& field, const ArrowArray& array, int64_t start, int64_t length) {
  if (length == 0) return 0;
  const Layout layout = columnar::layout_of(field.type);
  int64_t total = layout != Layout::kNull && array.buffers[0] != nullptr ? bits(length) : 0;
  int64_t first = 0;
  switch (layout) {
    case Layout::kNull:
      break;
    case Layout::kBits:
      total += bits(length);
      break;
    case Layout::kFixed:
      total += length * columnar::byte_width(field.type);
      break;
    case Layout::kBytes:
      total += (length + 1) * 4 + span_of<int32_t>(array, start, length, first);
      break;
    case Layout::kLargeBytes:
      total += (length + 1) * 8 + span_of<int64_t>(array, start, length, first);
      break;
    case Layout::kList: {
      const int64_t items = span_of<int32_t>(array, start, length, first);
      total += (length + 1) * 4 + bytes_of(field.type.children[0], *array.children[0], first, items);
      break;
    }
    case Layout::kLargeList: {
      const int64_t items = span_of<int64_t>(array, start, length, first);
      total += (length + 1) * 8 + bytes_of(field.type.children[0], *array.children[0], first, items);
      break;
    }
    case Layout::kFixedList:
      total += bytes_of(field.type.children[0], *array.children[0], (array.offset + start) * field.type.width,
                        length * field.type.width);
      break;
    case Layout::kStruct:
      for (size_t i = 0; i < field.type.children.size(); ++i) {
        total += bytes_of(field.type.children[i], *array.children[i], array.offset + start, length);
      }
      break;
  }
  if (field.type.id == columnar::TypeId::kDictionary) {
    total += bytes_of(field.type.children[0], *array.dictionary, 0, array.dictionary->length);
  }
  return total;
}

}  // namespace

int64_t batch_bytes(const columnar::Field& field, const ArrowArray& array) {
  return bytes_of(field, array, 0, array.length);
}

}  // namespace clutch::engine
