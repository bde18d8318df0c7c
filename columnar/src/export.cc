// Field to ArrowSchema.
#include <memory>
#include <string>
#include <vector>

#include "clutch/columnar/metadata.h"
#include "clutch/columnar/type.h"

namespace clutch::columnar {
namespace {

// What one ArrowSchema of ours owns.
struct SchemaNode {
  std::string format;
  std::string name;
  std::string metadata;
  std::vector<Schema> children;
  std::vector<ArrowSchema*> pointers;
  Schema dictionary;
};

void release_schema(ArrowSchema* schema) {
  delete static_cast<SchemaNode*>(schema->private_data);
  schema->private_data = nullptr;
  schema->release = nullptr;
}

char unit_letter(TimeUnit unit) {
  constexpr char kLetters[] = "smun";
  return kLetters[static_cast<size_t>(unit)];
}

}  // namespace

std::string format_of(const Type& type) {
  const auto with_unit = [&](const char* prefix) { return prefix + std::string(1, unit_letter(type.unit)); };
  switch (type.id) {
    case TypeId::kNull:
      return "n";
    case TypeId::kBool:
      return "b";
    case TypeId::kInt8:
      return "c";
    case TypeId::kInt16:
      return "s";
    case TypeId::kInt32:
      return "i";
    case TypeId::kInt64:
      return "l";
    case TypeId::kUint8:
      return "C";
    case TypeId::kUint16:
      return "S";
    case TypeId::kUint32:
      return "I";
    case TypeId::kUint64:
      return "L";
    case TypeId::kFloat16:
      return "e";
    case TypeId::kFloat32:
      return "f";
    case TypeId::kFloat64:
      return "g";
    case TypeId::kDecimal128:
      return "d:" + std::to_string(type.precision) + "," + std::to_string(type.scale);
    case TypeId::kUtf8:
      return "u";
    case TypeId::kLargeUtf8:
      return "U";
    case TypeId::kBinary:
      return "z";
    case TypeId::kLargeBinary:
      return "Z";
    case TypeId::kFixedSizeBinary:
      return "w:" + std::to_string(type.width);
    case TypeId::kDate32:
      return "tdD";
    case TypeId::kDate64:
      return "tdm";
    case TypeId::kTime32:
    case TypeId::kTime64:
      return with_unit("tt");
    case TypeId::kTimestamp:
      return with_unit("ts") + ":" + type.timezone;
    case TypeId::kDuration:
      return with_unit("tD");
    case TypeId::kIntervalMonths:
      return "tiM";
    case TypeId::kIntervalDayTime:
      return "tiD";
    case TypeId::kIntervalMonthDayNano:
      return "tin";
    case TypeId::kList:
      return "+l";
    case TypeId::kLargeList:
      return "+L";
    case TypeId::kFixedSizeList:
      return "+w:" + std::to_string(type.width);
    case TypeId::kStruct:
      return "+s";
    case TypeId::kMap:
      return "+m";
    case TypeId::kDictionary: {
      Type index;
      index.id = type.index;
      return format_of(index);
    }
  }
  return "n";
}

Schema export_field(const Field& field) {
  auto node = std::make_unique<SchemaNode>();
  node->format = format_of(field.type);
  node->name = field.name;
  if (!field.type.object.empty()) node->metadata = object_metadata(field.type.object);
  if (field.type.id == TypeId::kDictionary) {
    node->dictionary = export_field(field.type.children[0]);
  } else {
    for (const Field& child : field.type.children) node->children.push_back(export_field(child));
    for (Schema& child : node->children) node->pointers.push_back(child.get());
  }

  ArrowSchema schema = {};
  schema.format = node->format.c_str();
  schema.name = node->name.c_str();
  if (!node->metadata.empty()) schema.metadata = node->metadata.data();
  schema.flags = (field.nullable ? ARROW_FLAG_NULLABLE : 0) |
                 (field.type.keys_sorted ? ARROW_FLAG_MAP_KEYS_SORTED : 0) |
                 (field.type.ordered ? ARROW_FLAG_DICTIONARY_ORDERED : 0);
  schema.n_children = static_cast<int64_t>(node->pointers.size());
  schema.children = node->pointers.empty() ? nullptr : node->pointers.data();
  schema.dictionary = node->dictionary.empty() ? nullptr : node->dictionary.get();
  schema.release = release_schema;
  schema.private_data = node.release();
  return Schema(std::move(schema));
}

}  // namespace clutch::columnar
