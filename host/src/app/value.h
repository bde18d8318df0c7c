// Rows one value at a time: building and reading flat types.
#pragma once

#include <cstdint>
#include <vector>

#include "clutch/clutch.h"
#include "clutch/columnar/builder.h"
#include "clutch/columnar/result.h"
#include "clutch/columnar/type.h"

namespace clutch::host {

// Builds batches of one struct type row by row. Belongs to one thread at a time.
class RowBuilder {
 public:
  explicit RowBuilder(const columnar::Field& columns);

  // Append one row, or nothing on an error.
  Status add(const clutch_app_value* values, uint64_t count);
  columnar::Array finish();
  int64_t rows() const { return rows_; }
  int64_t bytes() const { return bytes_; }  // About what the rows take.

 private:
  columnar::Field columns_;
  std::vector<columnar::ArrayBuilder> builders_;
  int64_t rows_ = 0;
  int64_t bytes_ = 0;
};

// One value of a flat array. CLUTCH_ERR_UNSUPPORTED for other types.
Result<clutch_app_value> read_value(const columnar::Field& field, const ArrowArray& array, int64_t row);

}  // namespace clutch::host
