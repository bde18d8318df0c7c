// ArrowSchema to Field.
#include <charconv>
#include <cstring>
#include <optional>
#include <string>

#include "clutch/columnar/metadata.h"
#include "clutch/columnar/type.h"
#include "clutch/columnar/validate.h"
#include "path.h"

namespace clutch::columnar {
namespace {

Status refuse(const Path& path, int32_t code, const std::string& what) {
  const std::string column = path.text();
  Status status(code, (column.empty() ? std::string("schema") : "column \"" + column + "\"") + ": " + what);
  if (!column.empty()) status.with(CLUTCH_DETAIL_COLUMN, column);
  return status;
}

bool is_utf8(std::string_view text) {
  return valid_utf8(reinterpret_cast<const uint8_t*>(text.data()), static_cast<int64_t>(text.size()));
}

// A whole decimal number from the front of `text`, which is shortened by it.
std::optional<int32_t> take_number(std::string_view& text) {
  int32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc()) return std::nullopt;
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  return value;
}

std::optional<TypeId> simple_type(char c) {
  switch (c) {
    case 'n':
      return TypeId::kNull;
    case 'b':
      return TypeId::kBool;
    case 'c':
      return TypeId::kInt8;
    case 'C':
      return TypeId::kUint8;
    case 's':
      return TypeId::kInt16;
    case 'S':
      return TypeId::kUint16;
    case 'i':
      return TypeId::kInt32;
    case 'I':
      return TypeId::kUint32;
    case 'l':
      return TypeId::kInt64;
    case 'L':
      return TypeId::kUint64;
    case 'e':
      return TypeId::kFloat16;
    case 'f':
      return TypeId::kFloat32;
    case 'g':
      return TypeId::kFloat64;
    case 'u':
      return TypeId::kUtf8;
    case 'U':
      return TypeId::kLargeUtf8;
    case 'z':
      return TypeId::kBinary;
    case 'Z':
      return TypeId::kLargeBinary;
    default:
      return std::nullopt;
  }
}

std::optional<TimeUnit> time_unit(char c) {
  switch (c) {
    case 's':
      return TimeUnit::kSecond;
    case 'm':
      return TimeUnit::kMilli;
    case 'u':
      return TimeUnit::kMicro;
    case 'n':
      return TimeUnit::kNano;
    default:
      return std::nullopt;
  }
}

// "t..." formats. False if malformed.
bool temporal_type(std::string_view format, Type& type) {
  if (format.size() < 3) return false;
  const std::string_view rest = format.substr(3);
  const std::optional<TimeUnit> unit = time_unit(format[2]);
  switch (format[1]) {
    case 'd':
      if (format[2] != 'D' && format[2] != 'm') return false;
      type.id = format[2] == 'D' ? TypeId::kDate32 : TypeId::kDate64;
      return rest.empty();
    case 't':
      if (!unit) return false;
      type.id = *unit <= TimeUnit::kMilli ? TypeId::kTime32 : TypeId::kTime64;
      type.unit = *unit;
      return rest.empty();
    case 's':
      if (!unit || rest.empty() || rest[0] != ':') return false;
      type.id = TypeId::kTimestamp;
      type.unit = *unit;
      type.timezone = rest.substr(1);
      return is_utf8(type.timezone);
    case 'D':
      if (!unit) return false;
      type.id = TypeId::kDuration;
      type.unit = *unit;
      return rest.empty();
    case 'i':
      if (format[2] == 'M') {
        type.id = TypeId::kIntervalMonths;
      } else if (format[2] == 'D') {
        type.id = TypeId::kIntervalDayTime;
      } else if (format[2] == 'n') {
        type.id = TypeId::kIntervalMonthDayNano;
      } else {
        return false;
      }
      return rest.empty();
    default:
      return false;
  }
}

// "d:precision,scale[,bits]"
Status decimal_type(const Path& path, std::string_view format, Type& type) {
  std::string_view rest = format.substr(1);
  const auto malformed = [&] {
    return refuse(path, CLUTCH_ERR_ARGUMENT, "format \"" + std::string(format) + "\" is not a decimal");
  };
  if (rest.empty() || rest[0] != ':') return malformed();
  rest.remove_prefix(1);
  const auto precision = take_number(rest);
  if (!precision || rest.empty() || rest[0] != ',') return malformed();
  rest.remove_prefix(1);
  const auto scale = take_number(rest);
  if (!scale) return malformed();
  if (!rest.empty()) {
    if (rest[0] != ',') return malformed();
    rest.remove_prefix(1);
    const auto bits = take_number(rest);
    if (!bits || !rest.empty()) return malformed();
    if (*bits != 128) {
      return refuse(path, CLUTCH_ERR_UNSUPPORTED,
                    "decimals of " + std::to_string(*bits) + " bits are not served; use decimal128");
    }
  }
  if (*precision < 1 || *precision > 38) {
    return refuse(path, CLUTCH_ERR_ARGUMENT,
                  "precision " + std::to_string(*precision) + " of a decimal128 is not from 1 to 38");
  }
  if (*scale < -38 || *scale > 38) {
    return refuse(path, CLUTCH_ERR_ARGUMENT,
                  "scale " + std::to_string(*scale) + " of a decimal128 is not from -38 to 38");
  }
  type.id = TypeId::kDecimal128;
  type.precision = *precision;
  type.scale = *scale;
  return {};
}

// The metadata clutch.object, which only fits one type each.
Status read_object(const ArrowSchema& schema, const Path& path, Type& type) {
  Result<std::string> object = object_of(schema.metadata);
  if (!object.ok()) return refuse(path, CLUTCH_ERR_ARGUMENT, std::string(object.status().message()));
  if (object->empty()) return {};
  if (*object != "pickle" && *object != "tuple") {
    const std::string shown = is_utf8(*object) ? "\"" + *object + "\"" : "no UTF-8";
    return refuse(
        path, CLUTCH_ERR_UNSUPPORTED,
        "the metadata clutch.object is " + shown + "; it may be \"pickle\" on binary or \"tuple\" on a struct");
  }
  const bool pickle = *object == "pickle";
  if (type.id != (pickle ? TypeId::kBinary : TypeId::kStruct)) {
    return refuse(path, CLUTCH_ERR_ARGUMENT,
                  "the metadata clutch.object is \"" + *object + "\", which stands on " +
                      (pickle ? "binary" : "a struct") + " alone, not on " + to_string(type));
  }
  type.object = *std::move(object);
  return {};
}

class Importer {
 public:
  Result<Field> read(const ArrowSchema& schema, const Path& path, int depth);

 private:
  Status read_type(const ArrowSchema& schema, std::string_view format, const Path& path, int depth, Type& type);
  Status read_nested(const ArrowSchema& schema, std::string_view format, const Path& path, int depth, Type& type);
  Status read_children(const ArrowSchema& schema, int64_t expected, const Path& path, int depth, Type& type);
  Status read_map(const Path& path, Type& type);
};

Status Importer::read_children(const ArrowSchema& schema, int64_t expected, const Path& path, int depth, Type& type) {
  if (schema.n_children < 0 || (expected >= 0 && schema.n_children != expected)) {
    return refuse(path, CLUTCH_ERR_ARGUMENT,
                  "format \"" + std::string(schema.format) + "\" with " + std::to_string(schema.n_children) +
                      " children; expected " + (expected < 0 ? "0 or more" : std::to_string(expected)));
  }
  if (schema.n_children > 0 && schema.children == nullptr) {
    return refuse(path, CLUTCH_ERR_ARGUMENT, "the children are a NULL pointer");
  }
  for (int64_t i = 0; i < schema.n_children; ++i) {
    if (schema.children[i] == nullptr) {
      return refuse(path, CLUTCH_ERR_ARGUMENT, "child " + std::to_string(i) + " is a NULL pointer");
    }
    const ArrowSchema& child = *schema.children[i];
    const std::string_view name = child.name != nullptr ? child.name : "";
    const Path child_path = type.id == TypeId::kStruct ? path.field(name) : path.item();
    CLUTCH_ASSIGN_OR_RETURN(Field field, read(child, child_path, depth + 1));
    type.children.push_back(std::move(field));
  }
  return {};
}

Status Importer::read_map(const Path& path, Type& type) {
  Field& entries = type.children[0];
  if (entries.type.id != TypeId::kStruct || entries.type.children.size() != 2) {
    return refuse(path, CLUTCH_ERR_ARGUMENT, "a map holds a struct of key and value, not " + to_string(entries.type));
  }
  entries.name = "entries";
  entries.nullable = false;
  entries.type.object.clear();
  entries.type.children[0].name = "key";
  entries.type.children[0].nullable = false;
  entries.type.children[1].name = "value";
  return {};
}

Status Importer::read_nested(const ArrowSchema& schema, std::string_view format, const Path& path, int depth,
                             Type& type) {
  const auto unsupported = [&](const char* what, const char* instead) {
    return refuse(path, CLUTCH_ERR_UNSUPPORTED,
                  std::string(what) + " (format \"" + std::string(format) + "\") are not served; use " + instead);
  };
  const char kind = format.size() > 1 ? format[1] : '\0';
  if (kind == 'u') return unsupported("unions", "a struct with a nullable field for each case");
  if (kind == 'v') return unsupported("list views", "list");
  if (kind == 'r') return unsupported("run-end encoded arrays", "the type of their values");
  if (kind == 'w') {
    std::string_view rest = format.substr(2);
    if (!rest.empty() && rest[0] == ':') rest.remove_prefix(1);
    const auto width = take_number(rest);
    if (format.substr(2, 1) == ":" && width && *width >= 0 && rest.empty()) {
      type.id = TypeId::kFixedSizeList;
      type.width = *width;
    }
  } else if (format.size() == 2) {
    if (kind == 'l') type.id = TypeId::kList;
    if (kind == 'L') type.id = TypeId::kLargeList;
    if (kind == 's') type.id = TypeId::kStruct;
    if (kind == 'm') type.id = TypeId::kMap;
  }
  if (type.id == TypeId::kNull) {
    return refuse(path, CLUTCH_ERR_ARGUMENT, "format \"" + std::string(format) + "\" is not an Arrow type");
  }
  CLUTCH_RETURN_IF_ERROR(read_children(schema, type.id == TypeId::kStruct ? -1 : 1, path, depth, type));
  if (type.id == TypeId::kMap) {
    type.keys_sorted = (schema.flags & ARROW_FLAG_MAP_KEYS_SORTED) != 0;
    return read_map(path, type);
  }
  if (type.id != TypeId::kStruct) type.children[0].name = "item";
  return {};
}

Status Importer::read_type(const ArrowSchema& schema, std::string_view format, const Path& path, int depth,
                           Type& type) {
  if (!format.empty() && format[0] == '+') return read_nested(schema, format, path, depth, type);
  if (schema.n_children != 0) return read_children(schema, 0, path, depth, type);
  const auto malformed = [&] {
    return refuse(path, CLUTCH_ERR_ARGUMENT, "format \"" + std::string(format) + "\" is not an Arrow type");
  };
  if (format.empty()) return malformed();
  if (format == "vu" || format == "vz") {
    return refuse(
        path, CLUTCH_ERR_UNSUPPORTED,
        "string and binary views (format \"" + std::string(format) + "\") are not served; use utf8 or binary");
  }
  if (format[0] == 'd') return decimal_type(path, format, type);
  if (format[0] == 't') return temporal_type(format, type) ? Status() : malformed();
  if (format[0] == 'w') {
    std::string_view rest = format.substr(1);
    if (rest.empty() || rest[0] != ':') return malformed();
    rest.remove_prefix(1);
    const auto width = take_number(rest);
    if (!width || *width < 0 || !rest.empty()) return malformed();
    type.id = TypeId::kFixedSizeBinary;
    type.width = *width;
    return {};
  }
  const auto id = format.size() == 1 ? simple_type(format[0]) : std::nullopt;
  if (!id) return malformed();
  type.id = *id;
  return {};
}

Result<Field> Importer::read(const ArrowSchema& schema, const Path& path, int depth) {
  if (depth > kMaxNesting) {
    return refuse(path, CLUTCH_ERR_UNSUPPORTED, "nests deeper than " + std::to_string(kMaxNesting) + " levels");
  }
  if (schema.release == nullptr) {
    return refuse(path, CLUTCH_ERR_ARGUMENT, "the schema is released; import it before it is moved or released");
  }
  if (schema.format == nullptr) return refuse(path, CLUTCH_ERR_ARGUMENT, "the format is a NULL pointer");
  if (!is_utf8(schema.format)) return refuse(path, CLUTCH_ERR_ARGUMENT, "the format is not UTF-8");

  Field field;
  if (schema.name != nullptr) field.name = schema.name;
  if (!is_utf8(field.name)) return refuse(path, CLUTCH_ERR_ARGUMENT, "the name is not UTF-8");
  field.nullable = (schema.flags & ARROW_FLAG_NULLABLE) != 0;
  CLUTCH_RETURN_IF_ERROR(read_type(schema, schema.format, path, depth, field.type));
  CLUTCH_RETURN_IF_ERROR(read_object(schema, path, field.type));
  if (schema.dictionary == nullptr) return field;

  const TypeId index = field.type.id;
  if (index < TypeId::kInt8 || index > TypeId::kUint64) {
    return refuse(path, CLUTCH_ERR_ARGUMENT, "the indices of a dictionary are integers, not " + to_string(field.type));
  }
  CLUTCH_ASSIGN_OR_RETURN(Field values, read(*schema.dictionary, path.dictionary(), depth + 1));
  values.name = "values";
  values.nullable = true;
  field.type = Type();
  field.type.id = TypeId::kDictionary;
  field.type.index = index;
  field.type.ordered = (schema.flags & ARROW_FLAG_DICTIONARY_ORDERED) != 0;
  field.type.children.push_back(std::move(values));
  return field;
}

}  // namespace

Result<Field> import_field(const ArrowSchema& schema) {
  const Path root{nullptr, Path::Step::kRoot, schema.release != nullptr && schema.name != nullptr ? schema.name : ""};
  return Importer().read(schema, root, 0);
}

}  // namespace clutch::columnar
