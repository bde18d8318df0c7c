// What a type means for the buffers of its arrays.
#include "clutch/columnar/type.h"

namespace clutch::columnar {
namespace {

int32_t width_of(TypeId id) {
  switch (id) {
    case TypeId::kInt8:
    case TypeId::kUint8:
      return 1;
    case TypeId::kInt16:
    case TypeId::kUint16:
    case TypeId::kFloat16:
      return 2;
    case TypeId::kInt32:
    case TypeId::kUint32:
    case TypeId::kFloat32:
    case TypeId::kDate32:
    case TypeId::kTime32:
    case TypeId::kIntervalMonths:
      return 4;
    case TypeId::kInt64:
    case TypeId::kUint64:
    case TypeId::kFloat64:
    case TypeId::kDate64:
    case TypeId::kTime64:
    case TypeId::kTimestamp:
    case TypeId::kDuration:
    case TypeId::kIntervalDayTime:
      return 8;
    case TypeId::kDecimal128:
    case TypeId::kIntervalMonthDayNano:
      return 16;
    default:
      return 0;
  }
}

}  // namespace

int64_t highest_index(TypeId type) {
  switch (type) {
    case TypeId::kInt8:
      return INT8_MAX;
    case TypeId::kUint8:
      return UINT8_MAX;
    case TypeId::kInt16:
      return INT16_MAX;
    case TypeId::kUint16:
      return UINT16_MAX;
    case TypeId::kInt32:
      return INT32_MAX;
    case TypeId::kUint32:
      return UINT32_MAX;
    default:
      return INT64_MAX;
  }
}

int32_t byte_width(const Type& type) {
  if (type.id == TypeId::kFixedSizeBinary) return type.width;
  return width_of(type.id == TypeId::kDictionary ? type.index : type.id);
}

Layout layout_of(const Type& type) {
  switch (type.id) {
    case TypeId::kNull:
      return Layout::kNull;
    case TypeId::kBool:
      return Layout::kBits;
    case TypeId::kUtf8:
    case TypeId::kBinary:
      return Layout::kBytes;
    case TypeId::kLargeUtf8:
    case TypeId::kLargeBinary:
      return Layout::kLargeBytes;
    case TypeId::kList:
    case TypeId::kMap:
      return Layout::kList;
    case TypeId::kLargeList:
      return Layout::kLargeList;
    case TypeId::kFixedSizeList:
      return Layout::kFixedList;
    case TypeId::kStruct:
      return Layout::kStruct;
    default:
      return Layout::kFixed;
  }
}

int64_t buffer_count(Layout layout) {
  switch (layout) {
    case Layout::kNull:
      return 0;
    case Layout::kFixedList:
    case Layout::kStruct:
      return 1;
    case Layout::kBytes:
    case Layout::kLargeBytes:
      return 3;
    default:
      return 2;
  }
}

size_t child_count(const Type& type) { return type.id == TypeId::kDictionary ? 0 : type.children.size(); }

Field struct_of(std::vector<Field> columns) {
  Field field;
  field.type.id = TypeId::kStruct;
  field.type.children = std::move(columns);
  field.nullable = false;
  return field;
}

}  // namespace clutch::columnar
