// Type to text. type_parse.cc reads it back.
#include <string>

#include "clutch/columnar/type.h"

namespace clutch::columnar {
namespace {

const char* unit_name(TimeUnit unit) {
  constexpr const char* kNames[] = {"s", "ms", "us", "ns"};
  return kNames[static_cast<size_t>(unit)];
}

bool plain_name(const std::string& name) {
  if (name.empty() || (name[0] >= '0' && name[0] <= '9')) return false;
  for (const char c : name) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (!letter && !(c >= '0' && c <= '9') && c != '_') return false;
  }
  return true;
}

std::string quoted(const std::string& name) {
  if (plain_name(name)) return name;
  std::string out = "`";
  for (const char c : name) {
    if (c == '`') out += '`';
    out += c;
  }
  return out + "`";
}

// The type with its nullability, without a name.
std::string element(const Field& field) { return to_string(field.type) + (field.nullable ? "" : " not null"); }

std::string timestamp(const Type& type) {
  std::string out = std::string("timestamp[") + unit_name(type.unit);
  if (!type.timezone.empty()) out += ", " + type.timezone;
  return out + "]";
}

std::string struct_text(const Type& type) {
  std::string out = type.object.empty() ? "struct<" : type.object + "<";
  for (size_t i = 0; i < type.children.size(); ++i) {
    if (i > 0) out += ", ";
    out += to_string(type.children[i]);
  }
  return out + ">";
}

std::string map_text(const Type& type) {
  const Type& entries = type.children[0].type;
  return "map<" + to_string(entries.children[0].type) + ", " + element(entries.children[1]) +
         (type.keys_sorted ? ", keys_sorted>" : ">");
}

std::string dictionary_text(const Type& type) {
  Type index;
  index.id = type.index;
  return "dictionary<" + to_string(index) + ", " + to_string(type.children[0].type) +
         (type.ordered ? ", ordered>" : ">");
}

}  // namespace

std::string to_string(const Type& type) {
  const auto with_unit = [&](const char* name) { return std::string(name) + "[" + unit_name(type.unit) + "]"; };
  switch (type.id) {
    case TypeId::kNull:
      return "null";
    case TypeId::kBool:
      return "bool";
    case TypeId::kInt8:
      return "int8";
    case TypeId::kInt16:
      return "int16";
    case TypeId::kInt32:
      return "int32";
    case TypeId::kInt64:
      return "int64";
    case TypeId::kUint8:
      return "uint8";
    case TypeId::kUint16:
      return "uint16";
    case TypeId::kUint32:
      return "uint32";
    case TypeId::kUint64:
      return "uint64";
    case TypeId::kFloat16:
      return "float16";
    case TypeId::kFloat32:
      return "float32";
    case TypeId::kFloat64:
      return "float64";
    case TypeId::kDecimal128:
      return "decimal128(" + std::to_string(type.precision) + ", " + std::to_string(type.scale) + ")";
    case TypeId::kUtf8:
      return "string";
    case TypeId::kLargeUtf8:
      return "large_string";
    case TypeId::kBinary:
      return type.object.empty() ? "binary" : type.object;
    case TypeId::kLargeBinary:
      return "large_binary";
    case TypeId::kFixedSizeBinary:
      return "fixed_size_binary[" + std::to_string(type.width) + "]";
    case TypeId::kDate32:
      return "date32";
    case TypeId::kDate64:
      return "date64";
    case TypeId::kTime32:
      return with_unit("time32");
    case TypeId::kTime64:
      return with_unit("time64");
    case TypeId::kTimestamp:
      return timestamp(type);
    case TypeId::kDuration:
      return with_unit("duration");
    case TypeId::kIntervalMonths:
      return "month_interval";
    case TypeId::kIntervalDayTime:
      return "day_time_interval";
    case TypeId::kIntervalMonthDayNano:
      return "month_day_nano_interval";
    case TypeId::kList:
      return "list<" + element(type.children[0]) + ">";
    case TypeId::kLargeList:
      return "large_list<" + element(type.children[0]) + ">";
    case TypeId::kFixedSizeList:
      return "fixed_size_list<" + element(type.children[0]) + ">[" + std::to_string(type.width) + "]";
    case TypeId::kStruct:
      return struct_text(type);
    case TypeId::kMap:
      return map_text(type);
    case TypeId::kDictionary:
      return dictionary_text(type);
  }
  return "null";
}

std::string to_string(const Field& field) { return quoted(field.name) + ": " + element(field); }

}  // namespace clutch::columnar
