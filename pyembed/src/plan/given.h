// What is done with the result of a row, by shape. For each row begin(), then give() with what the function gave, or
// emit() for each of many results and give(None). False: the row failed and `fault` tells why; drop() then takes back
// what is left of it. Chain (plan/chain.h) does the same for functions that give many rows.
#pragma once

#include "plan/loops.h"

namespace clutch::pyembed {

template <typename Sink>
class MappedRow {
 public:
  MappedRow(const Loop& loop, Sink& sink) : fault_(loop.fault), sink_(&sink) {}
  void begin(int64_t) {}
  bool give(PyObject* result) {
    if (sink_->write(result)) [[likely]]
      return true;
    fault_->reason = PyErr_Occurred() != nullptr ? Fault::Reason::kRaised : Fault::Reason::kMismatch;
    return false;
  }
  bool emit(PyObject*) { return true; }
  void drop() {}

 private:
  Fault* fault_;
  Sink* sink_;
};

class FilteredRow {
 public:
  explicit FilteredRow(const Loop& loop) : fault_(loop.fault), outputs_(loop.outputs) {}
  void begin(int64_t row) { row_ = row; }
  bool give(PyObject* result) {
    const int keep = truth(result);
    if (keep == 1) outputs_->push_origin(row_);
    if (keep < 0) fault_->reason = Fault::Reason::kRaised;
    return keep >= 0;
  }
  bool emit(PyObject*) { return true; }
  void drop() {}

 private:
  Fault* fault_;
  Outputs* outputs_;
  int64_t row_ = 0;
};

}  // namespace clutch::pyembed
