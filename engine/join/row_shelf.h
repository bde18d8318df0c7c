// Rows that an operator keeps: whole batches, each for as long as a row of it is needed.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "clutch/columnar/ops.h"
#include "clutch/columnar/owned.h"
#include "clutch/columnar/result.h"
#include "clutch/columnar/type.h"

namespace clutch::engine {

// Keeping a row costs no copy. A batch is freed when its last row is released, so one row that stays keeps its batch:
// right for rows that are kept by time, because those of a batch go at about the same time. Not thread-safe.
class RowShelf {
 public:
  using Row = columnar::RowAt;  // `array` is the number of the batch

  explicit RowShelf(columnar::Field field) : field_(std::move(field)) {}

  const columnar::Field& field() const { return field_; }

  // Put a batch in, of which nothing is kept yet. It goes at the next settle() unless rows of it are kept by then.
  uint32_t add(columnar::Array batch);
  void keep(uint32_t batch) { ++batches_[batch].kept; }
  void release(Row row) { --batches_[row.array].kept; }
  // Free the batches without rows that are kept. Rows named before are good until then.
  void settle();

  // Copies of these rows, in this order.
  Result<columnar::Array> rows(std::span<const Row> wanted) const;
  const ArrowArray& batch(uint32_t number) const { return *batches_[number].batch; }

  size_t batches() const { return batches_.size() - free_.size(); }

 private:
  struct Batch {
    columnar::Array batch;
    int64_t kept = 0;
  };

  columnar::Field field_;
  std::vector<Batch> batches_;
  std::vector<uint32_t> free_;  // numbers without a batch
};

}  // namespace clutch::engine
