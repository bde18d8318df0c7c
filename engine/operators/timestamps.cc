#include "operators/timestamps.h"

#include "clutch/columnar/builder.h"
#include "clutch/columnar/ops.h"
#include "clutch/columnar/view.h"
#include "runtime/batch.h"

namespace clutch::engine {

columnar::Array timestamps_of_rows(columnar::Array timestamps, const int32_t* origin, int64_t rows) {
  if (origin == nullptr) return timestamps;
  const columnar::ArrayView view(*timestamps);
  const auto* values = view.values<int64_t>();
  columnar::ArrayBuilder out(timestamp_field());
  out.reserve(rows);
  for (int64_t row = 0; row < rows; ++row) {
    if (origin[row] < 0 || view.is_null(origin[row])) {
      out.append_null();
    } else {
      out.append(values[origin[row]]);
    }
  }
  return out.finish();
}

Result<columnar::Array> timestamps_with_timers(const ArrowArray* found) {
  if (found == nullptr) return Status(CLUTCH_ERR_MEMORY, "there is no memory for the times of results");
  return columnar::copy(timestamp_field(), *found);
}

}  // namespace clutch::engine
