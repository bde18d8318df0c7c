// Divide a batch among destinations.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "clutch/columnar/owned.h"
#include "clutch/columnar/result.h"
#include "clutch/columnar/type.h"

namespace clutch::engine {

// What one destination gets of a batch.
struct Part {
  int32_t destination;
  columnar::Array batch;
};

// Append the rows of a batch by destination, which is given for each row: the destinations in ascending order, each
// with its rows in the batch's order, none without rows. A batch that goes to one destination is handed on as it is;
// other rows are copied. CLUTCH_ERR_VALUE for a destination outside of [0, destinations), naming the row; `out` is as
// before.
Status split_rows(const columnar::Field& field, columnar::Array batch, std::span<const int32_t> destination_of_row,
                  int32_t destinations, std::vector<Part>& out);

}  // namespace clutch::engine
