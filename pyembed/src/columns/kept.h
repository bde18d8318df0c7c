// The input of one batch for as long as somebody looks at it: the batch itself, and arrays that user code kept.
#pragma once

#include <deque>
#include <memory>

#include "clutch/abi/batch.h"
#include "clutch/columnar/buffer.h"
#include "clutch/columnar/owned.h"
#include "clutch/columnar/type.h"
#include "interpreter/python.h"
#include "table/host.h"

namespace clutch::pyembed {

// Immutable once the batch runs, but for add_buffer. Dropped by any thread, with the interpreter lock or without.
class Kept {
 public:
  // The rows where the host leases its memory, else a copy of them. `error` is for the host's refusal.
  static Result<std::shared_ptr<Kept>> make(const Host& host, const columnar::Field& field, const clutch_batch& batch,
                                            clutch_error* error);
  // Rows of our own.
  static std::shared_ptr<Kept> of(columnar::Array rows);
  ~Kept();
  Kept(const Kept&) = delete;
  Kept& operator=(const Kept&) = delete;

  const ArrowArray& rows() const { return *rows_; }
  // More memory that lives as long: values in another form, masks.
  uint8_t* add_buffer(int64_t bytes);
  const ArrowArray& add_array(columnar::Array array) { return *arrays_.emplace_back(std::move(array)); }

  // A capsule that holds one share; NULL with a Python error set. Needs the interpreter lock.
  static PyObject* make_capsule(std::shared_ptr<Kept> kept);

 private:
  Kept() = default;

  columnar::Array rows_;
  std::deque<columnar::Buffer> buffers_;
  std::deque<columnar::Array> arrays_;
  void (*drop_)(clutch_input_lease*) = nullptr;  // the host and its tables may be gone before the last array is
  clutch_input_lease* lease_ = nullptr;
};

// True if a fixed-width column may have nulls at these rows of its array: the count is taken where it is not known.
bool has_nulls(const ArrowArray& array, int64_t first, int64_t count);

}  // namespace clutch::pyembed
