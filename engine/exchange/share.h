// One array in several hands: looks at it that keep it alive, without a copy.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "clutch/columnar/owned.h"

namespace clutch::engine {

// An array of which any number of views may be handed out; it is released when this object and the last view are gone,
// on whichever thread that is. Children that are moved out of a view keep it alive, too. A view costs an allocation for
// each of its fields.
class Shared {
 public:
  Shared() = default;
  explicit Shared(columnar::Array array) : owner_(std::make_shared<const columnar::Array>(std::move(array))) {}

  const ArrowArray& operator*() const { return **owner_; }
  const ArrowArray* operator->() const { return owner_->get(); }

  columnar::Array view() const { return slice(0, (*owner_)->length); }
  // Rows [start, start + length), counted from the array's offset.
  columnar::Array slice(int64_t start, int64_t length) const;
  // The columns of a batch, each with the batch's rows.
  std::vector<columnar::Array> columns() const;

 private:
  // Why shared_ptr: views go through channels to threads of their own, and nobody knows which of them is the last.
  std::shared_ptr<const columnar::Array> owner_;
};

// The columns of a batch of the engine's own making, moved out of it; each has the batch's rows. Not for what functions
// give: the parts of a worker's result live and die with the whole of it, so they are shared.
std::vector<columnar::Array> take_columns(columnar::Array batch);

}  // namespace clutch::engine
