#include "rows/json_rows.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "clutch/columnar/view.h"
#include "rows/text.h"

namespace clutch::rows {
namespace {

using columnar::ArrayBuilder;
using columnar::ArrayView;
using columnar::Field;
using columnar::TypeId;

// True if the value nests at most so deep. Looks no deeper than that: what a stranger wrote may nest without end.
bool nests_at_most(const Json& value, int depth) {
  if (!value.is_structured()) return true;
  if (depth == 0) return false;
  return std::all_of(value.begin(), value.end(), [&](const Json& item) { return nests_at_most(item, depth - 1); });
}

// The beginning of a text, not cut inside of a character.
std::string shortened(std::string_view text) {
  if (text.size() <= 200) return std::string(text);
  size_t size = 200;
  while (size > 0 && (static_cast<uint8_t>(text[size]) & 0xC0) == 0x80) --size;
  return std::string(text.substr(0, size)) + "...";
}

Status mismatch(const Json& value, const Field& field, std::string_view hint = {}) {
  const std::string text = nests_at_most(value, columnar::kMaxNesting)
                               ? shortened(value.dump(-1, ' ', false, Json::error_handler_t::replace))
                               : "a value that nests deeper than " + std::to_string(columnar::kMaxNesting);
  std::string message = "column \"" + field.name + "\": " + text + " does not fit " + columnar::to_string(field.type);
  if (!hint.empty()) message += std::string("; write ") + std::string(hint);
  return {CLUTCH_ERR_VALUE, std::move(message), CLUTCH_ORIGIN_USER};
}

template <typename T>
Status append_integer(const Json& value, const Field& field, ArrayBuilder& out) {
  if (value.is_number_unsigned()) {
    const auto number = value.get<uint64_t>();
    if (number > static_cast<uint64_t>(std::numeric_limits<T>::max())) return mismatch(value, field);
    out.append(static_cast<T>(number));
    return {};
  }
  if (!value.is_number_integer()) return mismatch(value, field, "a whole number");
  const auto number = value.get<int64_t>();
  if (number < 0 &&
      (!std::numeric_limits<T>::is_signed || number < static_cast<int64_t>(std::numeric_limits<T>::min()))) {
    return mismatch(value, field);
  }
  out.append(static_cast<T>(number));
  return {};
}

std::optional<double> real_of(const Json& value) {
  if (value.is_number()) return value.get<double>();
  if (!value.is_string()) return std::nullopt;
  const auto& text = value.get_ref<const std::string&>();
  if (text == "NaN") return std::numeric_limits<double>::quiet_NaN();
  if (text == "Infinity") return std::numeric_limits<double>::infinity();
  if (text == "-Infinity") return -std::numeric_limits<double>::infinity();
  return std::nullopt;
}

Status append_real(const Json& value, const Field& field, ArrayBuilder& out) {
  const auto number = real_of(value);
  if (!number) return mismatch(value, field, "a number, \"NaN\", \"Infinity\" or \"-Infinity\"");
  switch (field.type.id) {
    case TypeId::kFloat16:
      out.append(float_to_half(*number));
      break;
    case TypeId::kFloat32:
      out.append(static_cast<float>(*number));
      break;
    default:
      out.append(*number);
      break;
  }
  return {};
}

// Dates, times and timestamps: text to the number that is stored.
std::optional<int64_t> temporal_of(const std::string& text, const Field& field) {
  switch (field.type.id) {
    case TypeId::kDate32:
      return parse_date(text);
    case TypeId::kDate64: {
      const auto days = parse_date(text);
      return days ? std::optional(*days * 86'400'000) : std::nullopt;
    }
    case TypeId::kTime32:
    case TypeId::kTime64:
      return parse_time(text, field.type.unit);
    default:
      return parse_timestamp(text, field.type.unit, !field.type.timezone.empty());
  }
}

std::string_view temporal_hint(const Field& field) {
  switch (field.type.id) {
    case TypeId::kDate32:
    case TypeId::kDate64:
      return "\"2018-03-11\"";
    case TypeId::kTime32:
    case TypeId::kTime64:
      return "\"03:00:00\", with no more digits than the unit has";
    default:
      return field.type.timezone.empty() ? "\"2018-03-11T03:00:00\"" : "\"2018-03-11T03:00:00Z\"";
  }
}

Status append_bytes(const Json& value, const Field& field, ArrayBuilder& out) {
  const auto bytes = value.is_string() ? base64_decode(value.get_ref<const std::string&>()) : std::nullopt;
  if (!bytes) return mismatch(value, field, "base64 text");
  if (field.type.id != TypeId::kFixedSizeBinary) return out.append_bytes(*bytes);
  if (bytes->size() != static_cast<size_t>(field.type.width)) return mismatch(value, field);
  out.append_fixed(bytes->data());
  return {};
}

Status append_interval(const Json& value, const Field& field, ArrayBuilder& out) {
  const auto part = [&](const char* key) {
    return value.is_object() && value.contains(key) && value[key].is_number_integer() ? value[key].get<int64_t>() : 0;
  };
  if (!value.is_object())
    return mismatch(value, field, "an object with days and milliseconds, or months, days and nanoseconds");
  uint8_t bytes[16] = {};
  const auto days = static_cast<int32_t>(part("days"));
  if (field.type.id == TypeId::kIntervalDayTime) {
    const auto milliseconds = static_cast<int32_t>(part("milliseconds"));
    std::memcpy(bytes, &days, 4);
    std::memcpy(bytes + 4, &milliseconds, 4);
  } else {
    const auto months = static_cast<int32_t>(part("months"));
    const int64_t nanoseconds = part("nanoseconds");
    std::memcpy(bytes, &months, 4);
    std::memcpy(bytes + 4, &days, 4);
    std::memcpy(bytes + 8, &nanoseconds, 8);
  }
  out.append_fixed(bytes);
  return {};
}

Status append_items(const Json& value, const Field& field, ArrayBuilder& out, UnknownMembers unknown) {
  if (!value.is_array()) return mismatch(value, field, "an array");
  if (field.type.id == TypeId::kFixedSizeList && value.size() != static_cast<size_t>(field.type.width)) {
    return mismatch(value, field);
  }
  for (const Json& item : value)
    CLUTCH_RETURN_IF_ERROR(append_json(item, field.type.children[0], out.child(0), unknown));
  return out.append_list();
}

Status append_map(const Json& value, const Field& field, ArrayBuilder& out, UnknownMembers unknown) {
  const Field& entries = field.type.children[0];
  ArrayBuilder& pairs = out.child(0);
  const auto append_pair = [&](const Json& key, const Json& item) -> Status {
    CLUTCH_RETURN_IF_ERROR(append_json(key, entries.type.children[0], pairs.child(0), unknown));
    CLUTCH_RETURN_IF_ERROR(append_json(item, entries.type.children[1], pairs.child(1), unknown));
    pairs.append_struct();
    return {};
  };
  if (value.is_object()) {
    for (const auto& [key, item] : value.items()) CLUTCH_RETURN_IF_ERROR(append_pair(Json(key), item));
    return out.append_list();
  }
  if (!value.is_array()) return mismatch(value, field, "an array of [key, value]");
  for (const Json& pair : value) {
    if (!pair.is_array() || pair.size() != 2) return mismatch(value, field, "an array of [key, value]");
    CLUTCH_RETURN_IF_ERROR(append_pair(pair[0], pair[1]));
  }
  return out.append_list();
}

// The fields of a struct from an array or an object.
Status append_fields(const Json& value, const Field& field, ArrayBuilder& out, UnknownMembers unknown) {
  const auto& fields = field.type.children;
  if (value.is_array()) {
    if (value.size() != fields.size()) {
      return {CLUTCH_ERR_VALUE,
              "a row of " + std::to_string(value.size()) + " values where there are " + std::to_string(fields.size()) +
                  " columns: " + columnar::to_string(field.type),
              CLUTCH_ORIGIN_USER};
    }
    for (size_t i = 0; i < fields.size(); ++i)
      CLUTCH_RETURN_IF_ERROR(append_json(value[i], fields[i], out.child(i), unknown));
  } else if (value.is_object()) {
    size_t used = 0;
    for (size_t i = 0; i < fields.size(); ++i) {
      const auto found = value.find(fields[i].name);
      used += found != value.end() ? 1 : 0;
      CLUTCH_RETURN_IF_ERROR(append_json(found != value.end() ? *found : Json(), fields[i], out.child(i), unknown));
    }
    if (used != value.size() && unknown == UnknownMembers::kRefuse) {
      for (const auto& [key, item] : value.items()) {
        bool known = false;
        for (const Field& candidate : fields) known = known || candidate.name == key;
        if (!known) {
          return {CLUTCH_ERR_VALUE, "there is no column \"" + key + "\" in " + columnar::to_string(field.type),
                  CLUTCH_ORIGIN_USER};
        }
      }
    }
  } else {
    return mismatch(value, field, "an array or an object");
  }
  out.append_struct();
  return {};
}

// Each row has a value of its own: what is equal is told by who reads, not here.
Status append_dictionary(const Json& value, const Field& field, ArrayBuilder& out, UnknownMembers unknown) {
  ArrayBuilder& values = out.child(0);
  const int64_t index = values.length();
  const int64_t last = columnar::highest_index(field.type.index);
  if (index > last) {
    return {CLUTCH_ERR_VALUE, "column \"" + field.name + "\": " + columnar::to_string(field.type) + " ends at index " +
                                  std::to_string(last) + "; take a wider type for the indices"};
  }
  CLUTCH_RETURN_IF_ERROR(append_json(value, field.type.children[0], values, unknown));
  switch (columnar::byte_width(field.type)) {
    case 1:
      out.append(static_cast<int8_t>(index));
      break;
    case 2:
      out.append(static_cast<int16_t>(index));
      break;
    case 4:
      out.append(static_cast<int32_t>(index));
      break;
    default:
      out.append(index);
  }
  return {};
}

Status append_value(const Json& value, const Field& field, ArrayBuilder& out, UnknownMembers unknown) {
  switch (field.type.id) {
    case TypeId::kNull:
      return mismatch(value, field, "null");
    case TypeId::kBool:
      if (!value.is_boolean()) return mismatch(value, field, "true or false");
      out.append_bool(value.get<bool>());
      return {};
    case TypeId::kInt8:
      return append_integer<int8_t>(value, field, out);
    case TypeId::kInt16:
      return append_integer<int16_t>(value, field, out);
    case TypeId::kInt32:
    case TypeId::kIntervalMonths:
      return append_integer<int32_t>(value, field, out);
    case TypeId::kInt64:
    case TypeId::kDuration:
      return append_integer<int64_t>(value, field, out);
    case TypeId::kUint8:
      return append_integer<uint8_t>(value, field, out);
    case TypeId::kUint16:
      return append_integer<uint16_t>(value, field, out);
    case TypeId::kUint32:
      return append_integer<uint32_t>(value, field, out);
    case TypeId::kUint64:
      return append_integer<uint64_t>(value, field, out);
    case TypeId::kFloat16:
    case TypeId::kFloat32:
    case TypeId::kFloat64:
      return append_real(value, field, out);
    case TypeId::kDecimal128: {
      uint8_t bytes[16];
      const std::string text = value.is_string() ? value.get<std::string>() : value.is_number() ? value.dump() : "";
      if (!parse_decimal(text, field.type.precision, field.type.scale, bytes))
        return mismatch(value, field, "\"12.50\"");
      out.append_fixed(bytes);
      return {};
    }
    case TypeId::kUtf8:
    case TypeId::kLargeUtf8:
      if (!value.is_string()) return mismatch(value, field, "text");
      return out.append_bytes(value.get_ref<const std::string&>());
    case TypeId::kBinary:
    case TypeId::kLargeBinary:
    case TypeId::kFixedSizeBinary:
      return append_bytes(value, field, out);
    case TypeId::kDate32:
    case TypeId::kDate64:
    case TypeId::kTime32:
    case TypeId::kTime64:
    case TypeId::kTimestamp: {
      const auto number = value.is_string() ? temporal_of(value.get_ref<const std::string&>(), field) : std::nullopt;
      if (!number) return mismatch(value, field, temporal_hint(field));
      if (columnar::byte_width(field.type) == 4) {
        out.append(static_cast<int32_t>(*number));
      } else {
        out.append(*number);
      }
      return {};
    }
    case TypeId::kIntervalDayTime:
    case TypeId::kIntervalMonthDayNano:
      return append_interval(value, field, out);
    case TypeId::kList:
    case TypeId::kLargeList:
    case TypeId::kFixedSizeList:
      return append_items(value, field, out, unknown);
    case TypeId::kStruct:
      return append_fields(value, field, out, unknown);
    case TypeId::kMap:
      return append_map(value, field, out, unknown);
    case TypeId::kDictionary:
      return append_dictionary(value, field, out, unknown);
  }
  return {CLUTCH_ERR_INTERNAL, "column \"" + field.name + "\" has a type that nothing reads"};
}

Json real_json(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "Infinity" : "-Infinity";
  return value;
}

template <typename T>
T at(const ArrayView& view, int64_t row) {
  return view.values<T>()[row];
}

int64_t index_at(const ArrayView& view, TypeId type, int64_t row) {
  switch (type) {
    case TypeId::kInt8:
      return at<int8_t>(view, row);
    case TypeId::kInt16:
      return at<int16_t>(view, row);
    case TypeId::kInt32:
      return at<int32_t>(view, row);
    case TypeId::kUint8:
      return at<uint8_t>(view, row);
    case TypeId::kUint16:
      return at<uint16_t>(view, row);
    case TypeId::kUint32:
      return at<uint32_t>(view, row);
    default:
      return at<int64_t>(view, row);
  }
}

Json items_json(const Field& field, const ArrayView& view, int64_t first, int64_t end) {
  Json out = Json::array();
  for (int64_t i = first; i < end; ++i) {
    if (field.type.id == TypeId::kMap) {
      const Field& entries = field.type.children[0];
      const ArrowArray& pairs = view.child(0);
      const int64_t entry = pairs.offset + i;
      out.push_back(Json::array({value_json(entries.type.children[0], *pairs.children[0], entry),
                                 value_json(entries.type.children[1], *pairs.children[1], entry)}));
    } else {
      out.push_back(value_json(field.type.children[0], view.child(0), i));
    }
  }
  return out;
}

Json interval_json(const Field& field, const ArrayView& view, int64_t row) {
  const uint8_t* bytes = view.fixed_at(row, field.type.id == TypeId::kIntervalDayTime ? 8 : 16);
  int32_t words[2];
  std::memcpy(words, bytes, sizeof words);
  if (field.type.id == TypeId::kIntervalDayTime) return {{"days", words[0]}, {"milliseconds", words[1]}};
  int64_t nanoseconds;
  std::memcpy(&nanoseconds, bytes + 8, sizeof nanoseconds);
  return {{"months", words[0]}, {"days", words[1]}, {"nanoseconds", nanoseconds}};
}

}  // namespace

Result<Json> parse_json(std::string_view text) {
  Json value = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!value.is_discarded()) return value;
  size_t column = 1;
  try {
    value = Json::parse(text);
  } catch (const Json::parse_error& error) {
    column = error.byte;
  }
  return Status(CLUTCH_ERR_VALUE, "not JSON at column " + std::to_string(column) + ": " + shortened(text),
                CLUTCH_ORIGIN_USER);
}

Status append_json(const Json& value, const Field& field, ArrayBuilder& out, UnknownMembers unknown) {
  const int64_t before = out.length();
  if (value.is_null()) {
    if (!field.nullable) return mismatch(value, field);
    out.append_null();
    return {};
  }
  Status status = append_value(value, field, out, unknown);
  if (!status.ok()) out.truncate(before);
  return status;
}

Status append_json_row(const Json& row, const Field& batch, ArrayBuilder& out) {
  const int64_t before = out.length();
  Status status = append_fields(row, batch, out, UnknownMembers::kRefuse);
  if (!status.ok()) out.truncate(before);
  return status;
}

Json value_json(const Field& field, const ArrowArray& array, int64_t row) {
  const ArrayView view(array);
  if (field.type.id == TypeId::kNull || view.is_null(row)) return nullptr;
  const auto text = [](std::string_view bytes) { return Json(std::string(bytes)); };
  switch (field.type.id) {
    case TypeId::kNull:
      return nullptr;
    case TypeId::kBool:
      return view.bool_at(row);
    case TypeId::kInt8:
      return at<int8_t>(view, row);
    case TypeId::kInt16:
      return at<int16_t>(view, row);
    case TypeId::kInt32:
    case TypeId::kIntervalMonths:
      return at<int32_t>(view, row);
    case TypeId::kInt64:
    case TypeId::kDuration:
      return at<int64_t>(view, row);
    case TypeId::kUint8:
      return at<uint8_t>(view, row);
    case TypeId::kUint16:
      return at<uint16_t>(view, row);
    case TypeId::kUint32:
      return at<uint32_t>(view, row);
    case TypeId::kUint64:
      return at<uint64_t>(view, row);
    case TypeId::kFloat16:
      return real_json(half_to_float(at<uint16_t>(view, row)));
    case TypeId::kFloat32:
      return real_json(at<float>(view, row));
    case TypeId::kFloat64:
      return real_json(at<double>(view, row));
    case TypeId::kDecimal128:
      return format_decimal(view.fixed_at(row, 16), field.type.scale);
    case TypeId::kUtf8:
      return text(view.bytes_at<int32_t>(row));
    case TypeId::kLargeUtf8:
      return text(view.bytes_at<int64_t>(row));
    case TypeId::kBinary:
      return base64_encode(view.bytes_at<int32_t>(row));
    case TypeId::kLargeBinary:
      return base64_encode(view.bytes_at<int64_t>(row));
    case TypeId::kFixedSizeBinary:
      return base64_encode(
          {reinterpret_cast<const char*>(view.fixed_at(row, field.type.width)), static_cast<size_t>(field.type.width)});
    case TypeId::kDate32:
      return format_date(at<int32_t>(view, row));
    case TypeId::kDate64: {
      const int64_t milliseconds = at<int64_t>(view, row);
      return format_date(milliseconds / 86'400'000 - (milliseconds % 86'400'000 < 0 ? 1 : 0));
    }
    case TypeId::kTime32:
      return format_time(at<int32_t>(view, row), field.type.unit);
    case TypeId::kTime64:
      return format_time(at<int64_t>(view, row), field.type.unit);
    case TypeId::kTimestamp:
      return format_timestamp(at<int64_t>(view, row), field.type.unit, !field.type.timezone.empty());
    case TypeId::kIntervalDayTime:
    case TypeId::kIntervalMonthDayNano:
      return interval_json(field, view, row);
    case TypeId::kList:
    case TypeId::kMap: {
      const auto [first, end] = view.range_at<int32_t>(row);
      return items_json(field, view, first, end);
    }
    case TypeId::kLargeList: {
      const auto [first, end] = view.range_at<int64_t>(row);
      return items_json(field, view, first, end);
    }
    case TypeId::kFixedSizeList: {
      const int64_t first = (array.offset + row) * field.type.width;
      return items_json(field, view, first, first + field.type.width);
    }
    case TypeId::kStruct: {
      Json out = Json::object();
      for (size_t i = 0; i < field.type.children.size(); ++i) {
        const Field& child = field.type.children[i];
        out[child.name] = value_json(child, view.child(static_cast<int64_t>(i)), array.offset + row);
      }
      return out;
    }
    case TypeId::kDictionary:
      return value_json(field.type.children[0], *array.dictionary, index_at(view, field.type.index, row));
  }
  return nullptr;
}

Json row_json_array(const Field& batch, const ArrowArray& rows, int64_t row) {
  Json out = Json::array();
  for (size_t i = 0; i < batch.type.children.size(); ++i) {
    out.push_back(value_json(batch.type.children[i], *rows.children[i], rows.offset + row));
  }
  return out;
}

Json row_json_object(const Field& batch, const ArrowArray& rows, int64_t row) {
  Json out = Json::object();
  for (size_t i = 0; i < batch.type.children.size(); ++i) {
    const Field& column = batch.type.children[i];
    out[column.name] = value_json(column, *rows.children[i], rows.offset + row);
  }
  return out;
}

Result<columnar::Array> batch_from_json_lines(std::string_view text, const Field& batch) {
  ArrayBuilder builder(batch);
  int64_t line_number = 0;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    ++line_number;
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    const Json row = Json::parse(line, nullptr, /*allow_exceptions=*/false);
    if (row.is_discarded()) {
      return Status(CLUTCH_ERR_VALUE,
                    "line " + std::to_string(line_number) + ": not JSON: " + std::string(line.substr(0, 200)),
                    CLUTCH_ORIGIN_USER);
    }
    if (Status status = append_json_row(row, batch, builder); !status.ok()) {
      return std::move(status).prefixed("line " + std::to_string(line_number));
    }
  }
  return builder.finish();
}

}  // namespace clutch::rows
