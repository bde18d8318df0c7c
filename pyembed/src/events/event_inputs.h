// The values of a batch's rows, for functions of one input, of two, and of pairs.
#pragma once

#include <array>
#include <memory>
#include <string>

#include "convert/convert.h"
#include "events/kind.h"
#include "loading/spec.h"

namespace clutch::pyembed {

class EventInputs {
 public:
  // Checks that the input's columns are those of the kind: {input: int8, value1, value2} for two inputs, {left, right,
  // left_timestamp: int64, right_timestamp: int64} for pairs, any for one: a row of several is a Row.
  static Result<EventInputs> make(const FunctionSpec& spec, const EventKind& kind, const Module& module);

  // Read from this batch from now on. False with a Python error set.
  bool bind(const ArrowArray& rows);
  void unbind();
  // Why the batch cannot be read: an input that is neither 0 nor 1, or a pair without a time. Empty: it can.
  std::string unreadable(int64_t rows) const;

  int input(int64_t row) const { return which_ == nullptr ? 0 : which_[row]; }
  // A new reference, NULL with a Python error set. Of a pair: the left one.
  PyObject* value(int64_t row) { return readers_[static_cast<size_t>(input(row))]->read(first_ + row); }
  PyObject* right(int64_t row) { return readers_[1]->read(first_ + row); }
  // Of a pair. (unit: ms)
  int64_t left_time(int64_t row) const { return times_[0][row]; }
  int64_t right_time(int64_t row) const { return times_[1][row]; }
  // The column of the value() of a row.
  const std::string& column(int64_t row) const { return names_[static_cast<size_t>(input(row))]; }

 private:
  std::array<std::unique_ptr<Reader>, 2> readers_;
  std::array<std::string, 2> names_;
  bool whole_rows_ = false;
  bool two_ = false;
  bool pairs_ = false;
  int64_t first_ = 0;  // what to add to a row of the batch to get that of a reader
  const ArrowArray* rows_ = nullptr;
  const int8_t* which_ = nullptr;
  std::array<const int64_t*, 2> times_{};
};

}  // namespace clutch::pyembed
