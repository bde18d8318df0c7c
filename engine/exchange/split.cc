#include "exchange/split.h"

#include <cassert>
#include <cstddef>
#include <numeric>
#include <string>

#include "clutch/columnar/ops.h"

namespace clutch::engine {

Status split_rows(const columnar::Field& field, columnar::Array batch, std::span<const int32_t> destination_of_row,
                  int32_t destinations, std::vector<Part>& out) {
  assert(static_cast<int64_t>(destination_of_row.size()) == batch->length);
  if (destination_of_row.empty()) return {};

  // First how many rows the destination before has, then where among the sorted rows a destination's own begin.
  std::vector<size_t> starts(static_cast<size_t>(destinations) + 1, 0);
  for (size_t row = 0; row < destination_of_row.size(); ++row) {
    const int32_t to = destination_of_row[row];
    if (to < 0 || to >= destinations) {
      return Status(CLUTCH_ERR_VALUE, "row " + std::to_string(row) + " was sent to partition " + std::to_string(to) +
                                          " of " + std::to_string(destinations) +
                                          "; the partitioner must give a number from 0 to " +
                                          std::to_string(destinations - 1));
    }
    ++starts[static_cast<size_t>(to) + 1];
  }
  if (starts[static_cast<size_t>(destination_of_row[0]) + 1] == destination_of_row.size()) {
    out.push_back({destination_of_row[0], std::move(batch)});
    return {};
  }
  std::partial_sum(starts.begin(), starts.end(), starts.begin());
  std::vector<int32_t> rows(destination_of_row.size());
  std::vector<size_t> next = starts;
  for (size_t row = 0; row < destination_of_row.size(); ++row) {
    rows[next[static_cast<size_t>(destination_of_row[row])]++] = static_cast<int32_t>(row);
  }

  const size_t before = out.size();
  for (size_t i = 0; i + 1 < starts.size(); ++i) {
    if (starts[i] == starts[i + 1]) continue;
    auto part = columnar::take(field, *batch, std::span(rows).subspan(starts[i], starts[i + 1] - starts[i]));
    if (!part.ok()) {
      out.erase(out.begin() + static_cast<std::ptrdiff_t>(before), out.end());
      return std::move(part).status();
    }
    out.push_back({static_cast<int32_t>(i), *std::move(part)});
  }
  return {};
}

}  // namespace clutch::engine
