#include "source/json_value.h"

#include <limits>
#include <string>

#include "job/members.h"

namespace clutch::engine {
namespace {

using columnar::TypeId;
using Json = nlohmann::json;

Status unfit(const Json& value, const columnar::Field& field) {
  return Status(CLUTCH_ERR_VALUE, json_excerpt(value) + " is no " + columnar::to_string(field.type));
}

template <typename T>
Status append_number(const Json& value, const columnar::Field& field, columnar::ArrayBuilder& out) {
  if (!value.is_number_integer()) return unfit(value, field);
  if (value.is_number_unsigned()) {
    if (value.get<uint64_t>() > static_cast<uint64_t>(std::numeric_limits<T>::max())) return unfit(value, field);
  } else if (std::is_unsigned_v<T> || value.get<int64_t>() < static_cast<int64_t>(std::numeric_limits<T>::min())) {
    return unfit(value, field);
  }
  out.append(value.get<T>());
  return {};
}

Status append_items(const Json& value, const columnar::Field& field, columnar::ArrayBuilder& out) {
  if (!value.is_array()) return unfit(value, field);
  for (const Json& item : value) CLUTCH_RETURN_IF_ERROR(append_value(item, field.type.children[0], out.child(0)));
  return out.append_list();
}

Status append_row(const Json& value, const columnar::Field& field, columnar::ArrayBuilder& out) {
  const std::vector<columnar::Field>& children = field.type.children;
  if (value.size() != children.size() || !(value.is_array() || value.is_object())) return unfit(value, field);
  for (size_t i = 0; i < children.size(); ++i) {
    if (value.is_object() && !value.contains(children[i].name)) return unfit(value, field);
    const Json& item = value.is_array() ? value[i] : value[children[i].name];
    CLUTCH_RETURN_IF_ERROR(append_value(item, children[i], out.child(i)));
  }
  out.append_struct();
  return {};
}

Status append_map(const Json& value, const columnar::Field& field, columnar::ArrayBuilder& out) {
  const columnar::Field& entry = field.type.children[0];
  if (value.is_array()) return append_items(value, field, out);
  if (!value.is_object()) return unfit(value, field);
  for (const auto& [key, item] : value.items()) {
    CLUTCH_RETURN_IF_ERROR(append_value(Json::array({key, item}), entry, out.child(0)));
  }
  return out.append_list();
}

Status append_valid(const Json& value, const columnar::Field& field, columnar::ArrayBuilder& out) {
  switch (field.type.id) {
    case TypeId::kBool:
      if (!value.is_boolean()) return unfit(value, field);
      out.append_bool(value.get<bool>());
      return {};
    case TypeId::kInt8:
      return append_number<int8_t>(value, field, out);
    case TypeId::kInt16:
      return append_number<int16_t>(value, field, out);
    case TypeId::kInt32:
    case TypeId::kDate32:
    case TypeId::kTime32:
      return append_number<int32_t>(value, field, out);
    case TypeId::kInt64:
    case TypeId::kDate64:
    case TypeId::kTime64:
    case TypeId::kTimestamp:
    case TypeId::kDuration:
      return append_number<int64_t>(value, field, out);
    case TypeId::kUint8:
      return append_number<uint8_t>(value, field, out);
    case TypeId::kUint16:
      return append_number<uint16_t>(value, field, out);
    case TypeId::kUint32:
      return append_number<uint32_t>(value, field, out);
    case TypeId::kUint64:
      return append_number<uint64_t>(value, field, out);
    case TypeId::kFloat32:
      if (!value.is_number()) return unfit(value, field);
      out.append(value.get<float>());
      return {};
    case TypeId::kFloat64:
      if (!value.is_number()) return unfit(value, field);
      out.append(value.get<double>());
      return {};
    case TypeId::kUtf8:
    case TypeId::kLargeUtf8:
      if (!value.is_string()) return unfit(value, field);
      return out.append_bytes(value.get_ref<const std::string&>());
    case TypeId::kList:
    case TypeId::kLargeList:
    case TypeId::kFixedSizeList:
      return append_items(value, field, out);
    case TypeId::kStruct:
      return append_row(value, field, out);
    case TypeId::kMap:
      return append_map(value, field, out);
    default:
      return Status(CLUTCH_ERR_UNSUPPORTED, "values of type " + columnar::to_string(field.type) +
                                                " have no form in the description; give them in \"blobs\"");
  }
}

}  // namespace

Status append_value(const Json& value, const columnar::Field& field, columnar::ArrayBuilder& out) {
  if (value.is_null()) {
    if (!field.nullable) return Status(CLUTCH_ERR_VALUE, "null is given where the type is not null");
    out.append_null();
    return {};
  }
  const int64_t before = out.length();
  Status status = append_valid(value, field, out);
  if (!status.ok()) out.truncate(before);
  return status;
}

}  // namespace clutch::engine
