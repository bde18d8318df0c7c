#include "source/common/element_batch.h"

#include <string>
#include <vector>

namespace clutch::engine {
namespace {

columnar::Field timestamp_field() {
  columnar::Field field;
  field.name = "timestamp";
  field.type.id = columnar::TypeId::kInt64;
  return field;
}

Status wrong_element(const columnar::Field& element, std::string_view place, const char* gives, const char* example) {
  return {CLUTCH_ERR_ARGUMENT,
          std::string(place) + ": gives " + gives + ", and \"output\" is " + columnar::to_string(element.type) +
              "; write \"output\": \"" + example + "\"",
          CLUTCH_ORIGIN_USER};
}

}  // namespace

columnar::Field source_batch(const columnar::Field& element) {
  columnar::Field value = element;
  value.name = "value";
  return columnar::struct_of({std::move(value), timestamp_field()});
}

columnar::Array element_batch(columnar::ArrayBuilder& values) {
  const int64_t rows = values.length();
  columnar::ArrayBuilder timestamps(timestamp_field());
  timestamps.reserve(rows);
  for (int64_t i = 0; i < rows; ++i) timestamps.append_null();
  std::vector<columnar::Array> columns;
  columns.push_back(values.finish());
  columns.push_back(timestamps.finish());
  return columnar::make_batch(rows, std::move(columns));
}

Status check_text_element(const columnar::Field& element, std::string_view place) {
  if (element.type.id == columnar::TypeId::kUtf8) return {};
  return wrong_element(element, place, "text", "string");
}

Status check_struct_element(const columnar::Field& element, std::string_view place) {
  if (element.type.id == columnar::TypeId::kStruct && !element.type.children.empty()) return {};
  return wrong_element(element, place, "rows", "struct<a: int64, b: string>");
}

}  // namespace clutch::engine
