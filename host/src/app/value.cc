#include "app/value.h"

#include <limits>
#include <string>

#include "clutch/columnar/validate.h"
#include "clutch/columnar/view.h"
#include "function/error.h"

namespace clutch::host {
namespace {

using columnar::Field;
using columnar::TypeId;

constexpr const char* kKindNames[] = {"null", "bool", "integer", "real number", "bytes"};

std::string value_text(const clutch_app_value& value) {
  switch (value.kind) {
    case CLUTCH_APP_VALUE_BOOL:
      return value.integer != 0 ? "true" : "false";
    case CLUTCH_APP_VALUE_INT:
      return std::to_string(value.integer);
    case CLUTCH_APP_VALUE_REAL:
      return std::to_string(value.real);
    case CLUTCH_APP_VALUE_BYTES:
      return "'" + std::string(value.data, std::min<uint64_t>(value.size, 200)) + "'";
    default:
      return "null";
  }
}

Status misfit(const Field& column, const clutch_app_value& value, const std::string& advice) {
  Status status(CLUTCH_ERR_VALUE,
                "column \"" + column.name + "\": " + kKindNames[value.kind] + " " + value_text(value) +
                    " does not fit " + columnar::to_string(column.type) + "; " + advice,
                CLUTCH_ORIGIN_USER);
  return std::move(status).with(CLUTCH_DETAIL_COLUMN, column.name);
}

// How a flat type is stored.
enum class Storage {
  kNone,
  kBool,
  kInt8,
  kInt16,
  kInt32,
  kInt64,
  kUint8,
  kUint16,
  kUint32,
  kUint64,
  kFloat32,
  kFloat64,
  kBytes,
  kFixedBytes
};

Storage storage_of(TypeId id) {
  switch (id) {
    case TypeId::kBool:
      return Storage::kBool;
    case TypeId::kInt8:
      return Storage::kInt8;
    case TypeId::kInt16:
      return Storage::kInt16;
    case TypeId::kInt32:
    case TypeId::kDate32:
    case TypeId::kTime32:
    case TypeId::kIntervalMonths:
      return Storage::kInt32;
    case TypeId::kInt64:
    case TypeId::kDate64:
    case TypeId::kTime64:
    case TypeId::kTimestamp:
    case TypeId::kDuration:
      return Storage::kInt64;
    case TypeId::kUint8:
      return Storage::kUint8;
    case TypeId::kUint16:
      return Storage::kUint16;
    case TypeId::kUint32:
      return Storage::kUint32;
    case TypeId::kUint64:
      return Storage::kUint64;
    case TypeId::kFloat32:
      return Storage::kFloat32;
    case TypeId::kFloat64:
      return Storage::kFloat64;
    case TypeId::kUtf8:
    case TypeId::kLargeUtf8:
    case TypeId::kBinary:
    case TypeId::kLargeBinary:
      return Storage::kBytes;
    case TypeId::kFixedSizeBinary:
      return Storage::kFixedBytes;
    default:
      return Storage::kNone;
  }
}

template <typename T>
bool in_range(int64_t value) {
  if constexpr (std::is_same_v<T, uint64_t>)
    return value >= 0;
  else
    return value >= std::numeric_limits<T>::min() && value <= std::numeric_limits<T>::max();
}

bool integer_fits(Storage storage, int64_t value) {
  switch (storage) {
    case Storage::kInt8:
      return in_range<int8_t>(value);
    case Storage::kInt16:
      return in_range<int16_t>(value);
    case Storage::kInt32:
      return in_range<int32_t>(value);
    case Storage::kUint8:
      return in_range<uint8_t>(value);
    case Storage::kUint16:
      return in_range<uint16_t>(value);
    case Storage::kUint32:
      return in_range<uint32_t>(value);
    case Storage::kUint64:
      return in_range<uint64_t>(value);
    default:
      return true;
  }
}

bool is_integer(Storage storage) { return storage >= Storage::kInt8 && storage <= Storage::kUint64; }

Status check_bytes(const Field& column, Storage storage, const clutch_app_value& value) {
  if (storage == Storage::kFixedBytes) {
    if (value.size == static_cast<uint64_t>(column.type.width)) return {};
    return misfit(column, value, "give exactly " + std::to_string(column.type.width) + " bytes");
  }
  if (storage != Storage::kBytes) return misfit(column, value, "give a number");
  const bool text = column.type.id == TypeId::kUtf8 || column.type.id == TypeId::kLargeUtf8;
  if (!text || columnar::valid_utf8(reinterpret_cast<const uint8_t*>(value.data), static_cast<int64_t>(value.size))) {
    return {};
  }
  Status status(CLUTCH_ERR_VALUE, "column \"" + column.name + "\": the text is not UTF-8; use type binary for bytes",
                CLUTCH_ORIGIN_USER);
  return std::move(status).with(CLUTCH_DETAIL_COLUMN, column.name);
}

Status check(const Field& column, const clutch_app_value& value) {
  if (value.kind < CLUTCH_APP_VALUE_NULL || value.kind > CLUTCH_APP_VALUE_BYTES) {
    return argument_error("column \"" + column.name + "\": value kind " + std::to_string(value.kind) +
                          " does not exist");
  }
  const Storage storage = storage_of(column.type.id);
  if (value.kind == CLUTCH_APP_VALUE_NULL) {
    return column.nullable ? Status() : misfit(column, value, "the column is not null");
  }
  if (storage == Storage::kNone) {
    return {CLUTCH_ERR_UNSUPPORTED,
            "column \"" + column.name + "\" has type " + columnar::to_string(column.type) +
                ", which is not built value by value; give Arrow rows",
            CLUTCH_ORIGIN_USER};
  }
  switch (value.kind) {
    case CLUTCH_APP_VALUE_BOOL:
      return storage == Storage::kBool ? Status() : misfit(column, value, "give a value of that type");
    case CLUTCH_APP_VALUE_REAL:
      return storage == Storage::kFloat32 || storage == Storage::kFloat64
                 ? Status()
                 : misfit(column, value, "give a value of that type");
    case CLUTCH_APP_VALUE_BYTES:
      return check_bytes(column, storage, value);
    default:
      if (storage == Storage::kFloat32 || storage == Storage::kFloat64) return {};
      if (!is_integer(storage)) return misfit(column, value, "give a value of that type");
      return integer_fits(storage, value.integer) ? Status() : misfit(column, value, "it is out of range");
  }
}

Status append(columnar::ArrayBuilder& builder, const clutch_app_value& value) {
  if (value.kind == CLUTCH_APP_VALUE_NULL) {
    builder.append_null();
    return {};
  }
  const int64_t integer = value.integer;
  const double real = value.kind == CLUTCH_APP_VALUE_REAL ? value.real : static_cast<double>(integer);
  switch (storage_of(builder.field().type.id)) {
    case Storage::kBool:
      builder.append_bool(integer != 0);
      return {};
    case Storage::kInt8:
    case Storage::kUint8:
      builder.append(static_cast<uint8_t>(integer));
      return {};
    case Storage::kInt16:
    case Storage::kUint16:
      builder.append(static_cast<uint16_t>(integer));
      return {};
    case Storage::kInt32:
    case Storage::kUint32:
      builder.append(static_cast<uint32_t>(integer));
      return {};
    case Storage::kInt64:
    case Storage::kUint64:
      builder.append(static_cast<uint64_t>(integer));
      return {};
    case Storage::kFloat32:
      builder.append(static_cast<float>(real));
      return {};
    case Storage::kFloat64:
      builder.append(real);
      return {};
    case Storage::kFixedBytes:
      builder.append_fixed(value.data);
      return {};
    case Storage::kBytes:
      return builder.append_bytes({value.data, value.size});
    case Storage::kNone:
      break;
  }
  return {CLUTCH_ERR_INTERNAL, "a value was checked for a type that is not built", CLUTCH_ORIGIN_HOST};
}

template <typename T>
clutch_app_value integer_value(const columnar::ArrayView& view, int64_t row) {
  clutch_app_value out{};
  out.kind = CLUTCH_APP_VALUE_INT;
  out.integer = static_cast<int64_t>(view.values<T>()[row]);  // NOLINT(bugprone-signed-char-misuse): int8 is a number
  return out;
}

clutch_app_value bytes_value(std::string_view bytes) {
  clutch_app_value out{};
  out.kind = CLUTCH_APP_VALUE_BYTES;
  out.data = bytes.data();
  out.size = bytes.size();
  return out;
}

clutch_app_value real_value(double real) {
  clutch_app_value out{};
  out.kind = CLUTCH_APP_VALUE_REAL;
  out.real = real;
  return out;
}

clutch_app_value bool_value(bool value) {
  clutch_app_value out{};
  out.kind = CLUTCH_APP_VALUE_BOOL;
  out.integer = value ? 1 : 0;
  return out;
}

}  // namespace

RowBuilder::RowBuilder(const Field& columns) : columns_(columns) {
  for (const Field& column : columns_.type.children) builders_.emplace_back(column);
}

Status RowBuilder::add(const clutch_app_value* values, uint64_t count) {
  if (count != builders_.size() || (values == nullptr && count > 0)) {
    return {
        CLUTCH_ERR_VALUE,
        "a row of " + std::to_string(count) + " values is given, the columns are " + std::to_string(builders_.size()),
        CLUTCH_ORIGIN_USER};
  }
  for (size_t i = 0; i < builders_.size(); ++i) CLUTCH_RETURN_IF_ERROR(check(columns_.type.children[i], values[i]));
  int64_t bytes = 0;
  for (size_t i = 0; i < builders_.size(); ++i) {
    Status status = append(builders_[i], values[i]);
    if (!status.ok()) {
      for (columnar::ArrayBuilder& builder : builders_) builder.truncate(rows_);
      return status;
    }
    bytes += values[i].kind == CLUTCH_APP_VALUE_BYTES ? static_cast<int64_t>(values[i].size) + 4 : 8;
  }
  ++rows_;
  bytes_ += bytes;
  return {};
}

columnar::Array RowBuilder::finish() {
  std::vector<columnar::Array> columns;
  columns.reserve(builders_.size());
  for (columnar::ArrayBuilder& builder : builders_) columns.push_back(builder.finish());
  const int64_t rows = std::exchange(rows_, 0);
  bytes_ = 0;
  return columnar::make_batch(rows, std::move(columns));
}

Result<clutch_app_value> read_value(const Field& field, const ArrowArray& array, int64_t row) {
  const columnar::ArrayView view(array);
  if (view.is_null(row)) return clutch_app_value{};
  switch (storage_of(field.type.id)) {
    case Storage::kBool:
      return bool_value(view.bool_at(row));
    case Storage::kInt8:
      return integer_value<int8_t>(view, row);
    case Storage::kInt16:
      return integer_value<int16_t>(view, row);
    case Storage::kInt32:
      return integer_value<int32_t>(view, row);
    case Storage::kInt64:
      return integer_value<int64_t>(view, row);
    case Storage::kUint8:
      return integer_value<uint8_t>(view, row);
    case Storage::kUint16:
      return integer_value<uint16_t>(view, row);
    case Storage::kUint32:
      return integer_value<uint32_t>(view, row);
    case Storage::kUint64:
      return integer_value<uint64_t>(view, row);
    case Storage::kFloat32:
      return real_value(static_cast<double>(view.values<float>()[row]));
    case Storage::kFloat64:
      return real_value(view.values<double>()[row]);
    case Storage::kFixedBytes:
      return bytes_value(
          {reinterpret_cast<const char*>(view.fixed_at(row, field.type.width)), static_cast<size_t>(field.type.width)});
    case Storage::kBytes: {
      const bool large = field.type.id == TypeId::kLargeUtf8 || field.type.id == TypeId::kLargeBinary;
      return bytes_value(large ? view.bytes_at<int64_t>(row) : view.bytes_at<int32_t>(row));
    }
    case Storage::kNone:
      break;
  }
  return Status(CLUTCH_ERR_UNSUPPORTED,
                "type " + columnar::to_string(field.type) + " is not read value by value; read the Arrow array",
                CLUTCH_ORIGIN_USER);
}

}  // namespace clutch::host
