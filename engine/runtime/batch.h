// What the batches of a stream look like: struct<value, [key], timestamp>.
#pragma once

#include <cstddef>
#include <optional>
#include <utility>

#include "clutch/columnar/type.h"

namespace clutch::engine {

inline columnar::Field timestamp_field() {
  columnar::Field field{"timestamp", {}, true};
  field.type.id = columnar::TypeId::kInt64;
  return field;
}

struct BatchType {
  columnar::Type value;
  std::optional<columnar::Type> key;  // behind key_by

  columnar::Field value_field() const { return {"value", value, true}; }
  columnar::Field key_field() const { return {"key", *key, true}; }
  columnar::Field field() const {
    std::vector<columnar::Field> columns{value_field()};
    if (key.has_value()) columns.push_back(key_field());
    columns.push_back(timestamp_field());
    return columnar::struct_of(std::move(columns));
  }
  BatchType without_key() const { return {value, std::nullopt}; }
  friend bool operator==(const BatchType&, const BatchType&) = default;
};

}  // namespace clutch::engine
