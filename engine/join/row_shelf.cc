#include "join/row_shelf.h"

namespace clutch::engine {

uint32_t RowShelf::add(columnar::Array batch) {
  if (free_.empty()) {
    batches_.push_back({std::move(batch)});
    return static_cast<uint32_t>(batches_.size() - 1);
  }
  const uint32_t number = free_.back();
  free_.pop_back();
  batches_[number].batch = std::move(batch);
  return number;
}

void RowShelf::settle() {
  for (size_t i = 0; i < batches_.size(); ++i) {
    Batch& one = batches_[i];
    if (one.kept > 0 || one.batch.empty()) continue;
    one.batch.reset();
    free_.push_back(static_cast<uint32_t>(i));
  }
}

Result<columnar::Array> RowShelf::rows(std::span<const Row> wanted) const {
  std::vector<const ArrowArray*> arrays;
  arrays.reserve(batches_.size());
  for (const Batch& one : batches_) arrays.push_back(one.batch.get());
  return columnar::gather(field_, arrays, wanted);
}

}  // namespace clutch::engine
