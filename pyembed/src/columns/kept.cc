#include "columns/kept.h"

#include "clutch/columnar/ops.h"
#include "clutch/columnar/view.h"

namespace clutch::pyembed {
namespace {

constexpr char kCapsule[] = "clutch.kept";

void drop(PyObject* capsule) { delete static_cast<std::shared_ptr<Kept>*>(PyCapsule_GetPointer(capsule, kCapsule)); }

}  // namespace

Result<std::shared_ptr<Kept>> Kept::make(const Host& host, const columnar::Field& field, const clutch_batch& batch,
                                         clutch_error* error) {
  std::shared_ptr<Kept> kept(new Kept);
  clutch_input_lease* lease = nullptr;
  if (host.memory != nullptr && host.memory->lease_take(batch.context, &lease, error) == CLUTCH_OK) {
    kept->drop_ = host.memory->lease_drop;
    kept->lease_ = lease;
    kept->rows_ = columnar::slice(*batch.rows, 0, batch.rows->length);
    return kept;
  }
  // Why always: whether user code keeps an array is only known when it is too late to give it other memory.
  CLUTCH_ASSIGN_OR_RETURN(kept->rows_, columnar::copy(field, *batch.rows));
  return kept;
}

std::shared_ptr<Kept> Kept::of(columnar::Array rows) {
  std::shared_ptr<Kept> kept(new Kept);
  kept->rows_ = std::move(rows);
  return kept;
}

Kept::~Kept() {
  rows_.reset();
  if (lease_ != nullptr) drop_(lease_);
}

uint8_t* Kept::add_buffer(int64_t bytes) {
  columnar::Buffer& buffer = buffers_.emplace_back();
  buffer.resize(bytes);
  return buffer.data();
}

PyObject* Kept::make_capsule(std::shared_ptr<Kept> kept) {
  auto share = std::make_unique<std::shared_ptr<Kept>>(std::move(kept));
  PyObject* capsule = PyCapsule_New(share.get(), kCapsule, drop);
  if (capsule != nullptr) (void)share.release();
  return capsule;
}

bool has_nulls(const ArrowArray& array, int64_t first, int64_t count) {
  if (array.null_count == 0 || array.n_buffers == 0 || array.buffers[0] == nullptr) return false;
  const columnar::ArrayView view(array);
  for (int64_t i = first; i < first + count; ++i) {
    if (view.is_null(i)) return true;
  }
  return false;
}

}  // namespace clutch::pyembed
