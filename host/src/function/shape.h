// What is fixed about a function once it is open: names and schemas.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "clutch/abi/spec.h"
#include "clutch/columnar/owned.h"
#include "clutch/columnar/type.h"

namespace clutch::host {

// A field of a type without parameters.
inline columnar::Field simple_field(std::string name, columnar::TypeId id, bool nullable) {
  columnar::Type type;
  type.id = id;
  return {std::move(name), std::move(type), nullable};
}

// Kinds whose output rows come from groups of input rows (clutch/abi/spec.h).
inline bool takes_rows_by_group(std::string_view kind) {
  return kind == CLUTCH_KIND_TABLE_AGGREGATE || kind == CLUTCH_KIND_TABLE_TABLE_AGGREGATE ||
         kind == CLUTCH_KIND_TABLE_AGGREGATE_VECTORIZED;
}

// Kinds whose output rows stand in the order in which they were done.
inline bool gives_rows_in_any_order(std::string_view kind) { return kind == CLUTCH_KIND_STREAM_ASYNC; }

// One output tag; tag 0 is the main output.
struct OutputShape {
  std::string name;  // Empty for the main output.
  columnar::Field field;
  columnar::Schema schema;
};

struct Shape {
  std::string name;
  columnar::Field input;
  columnar::Schema input_schema;
  std::vector<OutputShape> outputs;
  bool by_group = false;         // The kind takes rows by group: an origin is the position of a key.
  bool any_order = false;        // Of the kind's output rows: origins may decrease.
  bool output_is_input = false;  // Main output and input have the same columns: selections are legal.

  const OutputShape& main() const { return outputs.front(); }
  // Index into outputs, or 0 if there is no such side output.
  size_t find_side(std::string_view side) const {
    for (size_t tag = 1; tag < outputs.size(); ++tag) {
      if (outputs[tag].name == side) return tag;
    }
    return 0;
  }
};

// Why shared: results keep it, and they may outlive their function.
using ShapePtr = std::shared_ptr<const Shape>;

}  // namespace clutch::host
