// Batches of one column.
#pragma once

#include "fake_host.h"

namespace clutch::pyembed::testing {

inline columnar::Array ints(const std::vector<int64_t>& values) {
  std::vector<columnar::Array> columns;
  columns.push_back(int64_column(values));
  return batch_of(std::move(columns));
}

inline columnar::Array texts(const std::vector<std::string>& values) {
  std::vector<columnar::Array> columns;
  columns.push_back(text_column(values));
  return batch_of(std::move(columns));
}

}  // namespace clutch::pyembed::testing
