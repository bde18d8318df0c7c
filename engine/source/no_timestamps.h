// The column `timestamp` of elements that have none.
#pragma once

#include <algorithm>
#include <cstdint>

#include "clutch/columnar/builder.h"
#include "exchange/share.h"
#include "runtime/batch.h"

namespace clutch::engine {

// Of one reader: all its batches share one column of nulls.
class NoTimestamps {
 public:
  columnar::Array column(int64_t rows) {
    if (rows > rows_) {
      columnar::ArrayBuilder builder(timestamp_field());
      for (int64_t row = 0; row < rows; ++row) builder.append_null();
      nulls_ = Shared(builder.finish());
      rows_ = rows;
    }
    return rows == 0 ? columnar::ArrayBuilder(timestamp_field()).finish() : nulls_.slice(0, rows);
  }

 private:
  Shared nulls_;
  int64_t rows_ = 0;
};

}  // namespace clutch::engine
