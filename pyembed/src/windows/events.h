// The events of the engine's windows as they stand in the rows of a batch. A cell is a place for the contents of one
// window of one key within the batch.
#pragma once

#include <array>
#include <memory>
#include <string>

#include "convert/convert.h"
#include "loading/spec.h"

namespace clutch::pyembed {

enum class WindowOp : int8_t {
  kAdd = 0,    // the value goes into the cell
  kFire = 1,   // result for the window (start, end) from the cell
  kPurge = 2,  // the cell's contents are gone
  kMerge = 3,  // the contents of the cell `other` go into the cell
  kClear = 4,  // the window (start, end) is over
  kCell = 5,   // declares the cell, whose contents are kept under the name (start, end)
};

class WindowEvents {
 public:
  // Checks that the input's columns are {value, op: int8, cell: int32, other: int32, start: int64, end: int64}, or with
  // two inputs {input: int8, value1, value2, op...}.
  static Result<WindowEvents> make(const FunctionSpec& spec, bool two, const Module& module);

  // Read from this batch from now on. False with a Python error set.
  bool bind(const ArrowArray& rows);
  void unbind();
  // Why the batch makes no sense; empty: it does.
  std::string unreadable(int64_t rows) const;

  WindowOp op(int64_t row) const { return static_cast<WindowOp>(ops_[row]); }
  int32_t cell(int64_t row) const { return cells_[row]; }
  int32_t other(int64_t row) const { return others_[row]; }
  int64_t start(int64_t row) const { return starts_[row]; }
  int64_t end(int64_t row) const { return ends_[row]; }
  int input(int64_t row) const { return inputs_ == nullptr ? 0 : inputs_[row]; }
  Reader& reader(int input) { return *readers_[static_cast<size_t>(input)]; }
  // What to add to a row of the batch to get that of a reader.
  int64_t first() const { return rows_->offset; }
  const columnar::Field& column(int input) const { return readers_[static_cast<size_t>(input)]->field(); }

 private:
  std::array<std::unique_ptr<Reader>, 2> readers_;
  bool two_ = false;
  const ArrowArray* rows_ = nullptr;
  const int8_t* inputs_ = nullptr;
  const int8_t* ops_ = nullptr;
  const int32_t* cells_ = nullptr;
  const int32_t* others_ = nullptr;
  const int64_t* starts_ = nullptr;
  const int64_t* ends_ = nullptr;
};

// An option of a function's steps: of the last one that has it.
std::string window_option(const FunctionSpec& spec, std::string_view key);

// "window [0, 1000)", for messages.
std::string window_text(int64_t start, int64_t end);

}  // namespace clutch::pyembed
