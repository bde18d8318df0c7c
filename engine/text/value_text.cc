#include "text/value_text.h"

#include <charconv>

#include "clutch/columnar/view.h"
#include "rows/text.h"
#include "text/java_number.h"
#include "text/java_time.h"

namespace clutch::engine {
namespace {

using columnar::ArrayView;
using columnar::Field;
using columnar::TypeId;

Status check(const Field& field, ValueText::ObjectKind kind) {
  const std::string name = field.name.empty() ? "the element" : "field \"" + field.name + "\"";
  if (kind(field.type) == "pickle") {
    return {CLUTCH_ERR_UNSUPPORTED, name +
                                        " is a pickled object, which only Python can write as text; map it to text "
                                        "first, or give its type"};
  }
  if (field.type.id == TypeId::kIntervalDayTime || field.type.id == TypeId::kIntervalMonthDayNano) {
    return {CLUTCH_ERR_UNSUPPORTED, name + " has the type " + columnar::to_string(field.type) +
                                        ", which has no text; take duration or an interval of months"};
  }
  for (const Field& child : field.type.children) CLUTCH_RETURN_IF_ERROR(check(child, kind));
  return {};
}

template <typename T>
void append_integer(const ArrayView& view, int64_t row, std::string& out) {
  char text[24];
  const auto [end, error] = std::to_chars(text, text + sizeof text, view.values<T>()[row]);
  out.append(text, end);
}

void append_bytes(std::string_view bytes, std::string& out) {
  out += '[';
  for (size_t i = 0; i < bytes.size(); ++i) {
    if (i > 0) out += ", ";
    char text[8];
    const auto [end, error] = std::to_chars(text, text + sizeof text, static_cast<int>(static_cast<int8_t>(bytes[i])));
    out.append(text, end);
  }
  out += ']';
}

int64_t index_at(const ArrayView& view, TypeId type, int64_t row) {
  switch (type) {
    case TypeId::kInt8:
      return view.values<int8_t>()[row];
    case TypeId::kInt16:
      return view.values<int16_t>()[row];
    case TypeId::kInt32:
      return view.values<int32_t>()[row];
    case TypeId::kUint8:
      return view.values<uint8_t>()[row];
    case TypeId::kUint16:
      return view.values<uint16_t>()[row];
    case TypeId::kUint32:
      return view.values<uint32_t>()[row];
    default:
      return view.values<int64_t>()[row];
  }
}

int64_t floor_days(int64_t milliseconds) {
  constexpr int64_t kDay = 86'400'000;
  return milliseconds / kDay - (milliseconds % kDay < 0 ? 1 : 0);
}

}  // namespace

Result<ValueText> ValueText::make(const Field& element, TextStyle style, ObjectKind kind) {
  CLUTCH_RETURN_IF_ERROR(check(element, kind));
  return ValueText(element, style, kind);
}

void ValueText::append(const ArrowArray& values, int64_t row, std::string& out) const {
  append_value(element_, values, row, out);
}

void ValueText::append_struct(const Field& field, const ArrowArray& array, int64_t row, std::string& out) const {
  const bool tuple = kind_(field.type) == "tuple";
  out += tuple ? "(" : "+I[";
  for (size_t i = 0; i < field.type.children.size(); ++i) {
    if (i > 0) out += tuple ? "," : ", ";
    append_value(field.type.children[i], *array.children[i], array.offset + row, out);
  }
  out += tuple ? ')' : ']';
}

void ValueText::append_items(const Field& item, const ArrowArray& items, int64_t first, int64_t end,
                             std::string& out) const {
  out += '[';
  for (int64_t i = first; i < end; ++i) {
    if (i > first) out += ", ";
    append_value(item, items, i, out);
  }
  out += ']';
}

void ValueText::append_map(const Field& entries, const ArrowArray& pairs, int64_t first, int64_t end,
                           std::string& out) const {
  out += '{';
  for (int64_t i = first; i < end; ++i) {
    if (i > first) out += ", ";
    append_value(entries.type.children[0], *pairs.children[0], pairs.offset + i, out);
    out += '=';
    append_value(entries.type.children[1], *pairs.children[1], pairs.offset + i, out);
  }
  out += '}';
}

void ValueText::append_value(const Field& field, const ArrowArray& array, int64_t row, std::string& out) const {
  const ArrayView view(array);
  const columnar::Type& type = field.type;
  if (type.id == TypeId::kNull || view.is_null(row)) {
    out += "null";
    return;
  }
  const bool table = style_ == TextStyle::kTable;
  switch (type.id) {
    case TypeId::kNull:
      return;
    case TypeId::kBool:
      out += view.bool_at(row) ? "true" : "false";
      return;
    case TypeId::kInt8:
      return append_integer<int8_t>(view, row, out);
    case TypeId::kInt16:
      return append_integer<int16_t>(view, row, out);
    case TypeId::kInt32:
      return append_integer<int32_t>(view, row, out);
    case TypeId::kInt64:
      return append_integer<int64_t>(view, row, out);
    case TypeId::kUint8:
      return append_integer<uint8_t>(view, row, out);
    case TypeId::kUint16:
      return append_integer<uint16_t>(view, row, out);
    case TypeId::kUint32:
      return append_integer<uint32_t>(view, row, out);
    case TypeId::kUint64:
      return append_integer<uint64_t>(view, row, out);
    case TypeId::kFloat16:
      return append_java_float(rows::half_to_float(view.values<uint16_t>()[row]), out);
    case TypeId::kFloat32:
      return append_java_float(view.values<float>()[row], out);
    case TypeId::kFloat64:
      return append_java_double(view.values<double>()[row], out);
    case TypeId::kDecimal128:
      return append_java_decimal(view.fixed_at(row, 16), type.scale, out);
    case TypeId::kUtf8:
      out += view.bytes_at<int32_t>(row);
      return;
    case TypeId::kLargeUtf8:
      out += view.bytes_at<int64_t>(row);
      return;
    case TypeId::kBinary:
      return append_bytes(view.bytes_at<int32_t>(row), out);
    case TypeId::kLargeBinary:
      return append_bytes(view.bytes_at<int64_t>(row), out);
    case TypeId::kFixedSizeBinary:
      return append_bytes(
          {reinterpret_cast<const char*>(view.fixed_at(row, type.width)), static_cast<size_t>(type.width)}, out);
    case TypeId::kDate32:
      return append_local_date(view.values<int32_t>()[row], out);
    case TypeId::kDate64:
      return append_local_date(floor_days(view.values<int64_t>()[row]), out);
    case TypeId::kTime32:
    case TypeId::kTime64: {
      const int64_t value = type.id == TypeId::kTime32 ? view.values<int32_t>()[row] : view.values<int64_t>()[row];
      return table ? append_local_time(value, type.unit, out) : append_sql_time(value, type.unit, out);
    }
    case TypeId::kTimestamp: {
      const int64_t value = view.values<int64_t>()[row];
      if (!type.timezone.empty()) return append_instant(value, type.unit, out);
      return table ? append_local_date_time(value, type.unit, out) : append_sql_timestamp(value, type.unit, out);
    }
    case TypeId::kDuration:
      return append_duration(view.values<int64_t>()[row], type.unit, out);
    case TypeId::kIntervalMonths:
      return append_period(view.values<int32_t>()[row], out);
    case TypeId::kIntervalDayTime:
    case TypeId::kIntervalMonthDayNano:
      return;  // refused by make()
    case TypeId::kList: {
      const auto [first, end] = view.range_at<int32_t>(row);
      return append_items(type.children[0], view.child(0), first, end, out);
    }
    case TypeId::kLargeList: {
      const auto [first, end] = view.range_at<int64_t>(row);
      return append_items(type.children[0], view.child(0), first, end, out);
    }
    case TypeId::kFixedSizeList: {
      const int64_t first = (array.offset + row) * type.width;
      return append_items(type.children[0], view.child(0), first, first + type.width, out);
    }
    case TypeId::kStruct:
      return append_struct(field, array, row, out);
    case TypeId::kMap: {
      const auto [first, end] = view.range_at<int32_t>(row);
      return append_map(type.children[0], view.child(0), first, end, out);
    }
    case TypeId::kDictionary:
      return append_value(type.children[0], *array.dictionary, index_at(view, type.index, row), out);
  }
}

}  // namespace clutch::engine
