// The arguments of a call for one row, read from the columns of a batch.
#pragma once

#include <memory>
#include <vector>

#include "convert/convert.h"
#include "loading/spec.h"
#include "plan/step.h"

namespace clutch::pyembed {

class Inputs {
 public:
  // table.*: an argument a column. stream.*: one argument, the only column or a Row of all.
  static Result<Inputs> make(const FunctionSpec& spec, const Module& module);

  // Read from this batch from now on. False with a Python error set.
  bool bind(const ArrowArray& rows);
  void unbind();

  size_t count() const { return readers_.size(); }
  Reader& reader(size_t i) { return *readers_[i]; }
  // What to add to a row of the batch to get the row of a reader: the offset of a sliced batch is the parent's.
  int64_t first() const { return first_; }
  // What reader(i) is bound to.
  const ArrowArray& array(size_t i) const { return whole_rows_ ? *rows_ : *rows_->children[i]; }

  // Call with the arguments of a row. NULL with `fault` filled.
  PyObject* call(const PlannedStep& step, int64_t row, Fault& fault);

 private:
  std::vector<std::unique_ptr<Reader>> readers_;
  std::vector<PyObject*> stack_;  // one free place, then an argument each
  bool whole_rows_ = false;
  const ArrowArray* rows_ = nullptr;
  int64_t first_ = 0;
};

}  // namespace clutch::pyembed
