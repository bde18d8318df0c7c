// Small batches for tests.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "clutch/columnar/builder.h"
#include "clutch/columnar/ops.h"
#include "clutch/columnar/type.h"
#include "clutch/columnar/view.h"

namespace clutch::engine {

// Columns "key: string" and "row: int64".
inline columnar::Field batch_field() {
  return columnar::struct_of({{"key", *columnar::parse_type("string")}, {"row", *columnar::parse_type("int64")}});
}

// Rows first, first + 1, ... whose key is their number modulo `keys`, or null where that is 0.
inline columnar::Array batch_of(int64_t first, int64_t length, int64_t keys = 1000) {
  const columnar::Field field = batch_field();
  columnar::ArrayBuilder key(field.type.children[0]);
  columnar::ArrayBuilder row(field.type.children[1]);
  for (int64_t i = first; i < first + length; ++i) {
    if (i % keys == 0) {
      key.append_null();
    } else if (!key.append_bytes("key " + std::to_string(i % keys)).ok()) {
      return {};
    }
    row.append(i);
  }
  std::vector<columnar::Array> columns;
  columns.push_back(key.finish());
  columns.push_back(row.finish());
  return columnar::make_batch(length, std::move(columns));
}

// The values of the column "row".
inline std::vector<int64_t> rows_of(const ArrowArray& batch) {
  const int64_t* values = columnar::ArrayView(*batch.children[1]).values<int64_t>() + batch.offset;
  return {values, values + batch.length};
}

}  // namespace clutch::engine
