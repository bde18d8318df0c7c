#include "validate_values.h"

#include "access.h"
#include "clutch/columnar/ops.h"
#include "clutch/columnar/validate.h"

namespace clutch::columnar {
namespace {

constexpr int64_t kSecondsOfDay = 86400;

int64_t units_of_day(TimeUnit unit) {
  constexpr int64_t kPerSecond[] = {1, 1000, 1000000, 1000000000};
  return kSecondsOfDay * kPerSecond[static_cast<size_t>(unit)];
}

// The first valid row whose value is not `good`, or -1. Looks at all values at once first: few arrays are broken.
template <typename T, typename Good>
int64_t first_bad(const ArrowArray& array, Good good) {
  const auto* values = static_cast<const uint8_t*>(array.buffers[1]) + array.offset * static_cast<int64_t>(sizeof(T));
  bool all = true;
  for (int64_t i = 0; i < array.length; ++i) all &= good(load<T>(values, i));
  if (all) return -1;
  for (int64_t i = 0; i < array.length; ++i) {
    if (!good(load<T>(values, i)) && valid_at(array, i)) return i;
  }
  return -1;
}

template <typename T>
Status check_time(const Column& column) {
  const int64_t limit = units_of_day(column.field.type.unit);
  const int64_t row = first_bad<T>(column.array, [limit](T value) { return value >= 0 && value < limit; });
  if (row < 0) return {};
  const std::string value = std::to_string(load<T>(column.array.buffers[1], column.array.offset + row));
  return broken_row(column, row, value,
                    value + " is not a time of day; " + to_string(column.field.type) + " goes from 0 to " +
                        std::to_string(limit - 1));
}

Status check_date64(const Column& column) {
  constexpr int64_t kDay = kSecondsOfDay * 1000;
  const int64_t row = first_bad<int64_t>(column.array, [](int64_t value) { return value % kDay == 0; });
  if (row < 0) return {};
  const std::string value = std::to_string(load<int64_t>(column.array.buffers[1], column.array.offset + row));
  return broken_row(column, row, value, value + " ms is not a whole day; a date64 is a multiple of 86400000");
}

Status check_decimal(const Column& column) {
  Int128 limit = 1;
  for (int32_t i = 0; i < column.field.type.precision; ++i) limit *= 10;
  const int64_t row =
      first_bad<Int128>(column.array, [limit](Int128 value) { return value < limit && value > -limit; });
  if (row < 0) return {};
  const std::string value = row_to_string(column.field, column.array, row);
  return broken_row(column, row, value, value + " has more digits than " + to_string(column.field.type) + " allows");
}

template <typename T>
Status check_index(const Column& column) {
  const int64_t length = column.array.dictionary->length;
  const int64_t row = first_bad<T>(column.array, [length](T value) {
    return static_cast<int64_t>(value) >= 0 && static_cast<int64_t>(value) < length;
  });
  if (row < 0) return {};
  const std::string value = std::to_string(load<T>(column.array.buffers[1], column.array.offset + row));
  return broken_row(column, row, value,
                    "index " + value + " is outside the dictionary, which has " + std::to_string(length) + " values");
}

Status check_dictionary(const Column& column) {
  switch (column.field.type.index) {
    case TypeId::kInt8:
      return check_index<int8_t>(column);
    case TypeId::kInt16:
      return check_index<int16_t>(column);
    case TypeId::kInt32:
      return check_index<int32_t>(column);
    case TypeId::kUint8:
      return check_index<uint8_t>(column);
    case TypeId::kUint16:
      return check_index<uint16_t>(column);
    case TypeId::kUint32:
      return check_index<uint32_t>(column);
    case TypeId::kUint64:
      return check_index<uint64_t>(column);
    default:
      return check_index<int64_t>(column);
  }
}

template <typename Offset>
Status check_utf8(const Column& column) {
  const ArrowArray& array = column.array;
  const auto* offsets =
      static_cast<const uint8_t*>(array.buffers[1]) + array.offset * static_cast<int64_t>(sizeof(Offset));
  const auto* data = static_cast<const uint8_t*>(array.buffers[2]);
  const int64_t first = load<Offset>(offsets, 0);
  const int64_t last = load<Offset>(offsets, array.length);
  if (first == last || is_ascii(data + first, last - first)) return {};

  // All values at once are right if the bytes are, and none starts in the middle of a character.
  if (valid_utf8(data + first, last - first)) {
    bool apart = false;
    for (int64_t i = 0; i < array.length; ++i) {
      const int64_t start = load<Offset>(offsets, i);
      apart |= start < last && (data[start] & 0xC0) == 0x80;
    }
    if (!apart) return {};
  }
  for (int64_t i = 0; i < array.length; ++i) {
    const int64_t start = load<Offset>(offsets, i);
    const int64_t size = load<Offset>(offsets, i + 1) - start;
    if (!valid_at(array, i) || valid_utf8(data + start, size)) continue;
    Field bytes = column.field;
    bytes.type.id = sizeof(Offset) == 8 ? TypeId::kLargeBinary : TypeId::kBinary;
    const std::string value = row_to_string(bytes, array, i);
    return broken_row(column, i, value, value + " is not UTF-8; use binary for bytes that are no text");
  }
  return {};
}

}  // namespace

Status broken(const Path& path, const std::string& what) {
  const std::string column = path.text();
  Status status(CLUTCH_ERR_DATA, (column.empty() ? std::string("batch") : "column \"" + column + "\"") + ": " + what);
  if (!column.empty()) status.with(CLUTCH_DETAIL_COLUMN, column);
  return status;
}

Status broken_row(const Column& column, int64_t row, std::string value, const std::string& what) {
  const std::string path = column.path.text();
  // Rows of a child that lie before the rows its parent shows have no row of the batch.
  const std::string at = std::to_string(row >= column.row_base ? row - column.row_base : row);
  Status status(CLUTCH_ERR_DATA,
                (path.empty() ? std::string("batch") : "column \"" + path + "\"") + " row " + at + ": " + what);
  if (!path.empty()) status.with(CLUTCH_DETAIL_COLUMN, path);
  status.with(CLUTCH_DETAIL_ROW, at).with(CLUTCH_DETAIL_VALUE, std::move(value));
  return status;
}

Status check_values(const Column& column) {
  if (column.array.length == 0) return {};
  switch (column.field.type.id) {
    case TypeId::kUtf8:
      return check_utf8<int32_t>(column);
    case TypeId::kLargeUtf8:
      return check_utf8<int64_t>(column);
    case TypeId::kDecimal128:
      return check_decimal(column);
    case TypeId::kTime32:
      return check_time<int32_t>(column);
    case TypeId::kTime64:
      return check_time<int64_t>(column);
    case TypeId::kDate64:
      return check_date64(column);
    case TypeId::kDictionary:
      return check_dictionary(column);
    default:
      return {};
  }
}

}  // namespace clutch::columnar
