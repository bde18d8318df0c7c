// The contents of windows that are folded: an accumulator a cell, which belongs to the host. Those of a batch are
// looked up at once, decoded once, and written once.
//
// They are kept in one map state, by key, under the cell's name as 16 bytes: start and end, most significant byte
// first.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "fold/failure.h"
#include "fold/keyed.h"
#include "plan/executor.h"
#include "state/stored.h"
#include "windows/events.h"

namespace clutch::pyembed {

// The name of a window in state.
using WindowName = std::array<char, 16>;
WindowName window_name(int64_t start, int64_t end);
inline std::string_view text_of(const WindowName& name) { return {name.data(), name.size()}; }

class WindowCells {
 public:
  // Of stream.window.reduce or stream.window.aggregate. Declares the state in `stored`, which outlives this object.
  static Result<WindowCells> make(const Gil& gil, const Executor::Parts& parts, const columnar::Field& element,
                                  StoredStates& stored);

  // What a batch works with.
  struct Batch {
    const KeyedBatch& keyed;
    WindowEvents& events;
    Failures& failures;
    Watch& watch;
    clutch_error* error;
  };

  // Make the cells that a batch declares ready.
  Status begin(const Gil& gil, Batch& batch);
  // Rows [first, last), all of them kAdd or kCell. A row that fails where the function goes on without it leaves its
  // cell as it was.
  Status add(const Gil& gil, Batch& batch, int64_t first, int64_t last);
  // The result of the cell of a row; empty without a Python error and with a good status: there are no contents.
  Status result(const Gil& gil, Batch& batch, int64_t row, PyRef& ret_result);
  Status purge(Batch& batch, int64_t row);
  Status merge(const Gil& gil, Batch& batch, int64_t row);
  // Stage what changed with the batch.
  Status store(const Gil& gil, Batch& batch);
  // The batch is over.
  void end();

 private:
  struct Cell {
    int32_t group = -1;  // -1: not declared
    int64_t start = 0;
    int64_t end = 0;
    int64_t asked = -1;  // row of found_
    bool touched = false;
    PyRef number;  // the cell's, for the loop in Python
  };

  explicit WindowCells(StoredStates& stored) : stored_(&stored) {}
  Status declare(Batch& batch);
  Status load(const Gil& gil, Batch& batch);
  // The cell of a row, declared for the row's key; NULL with `ret_status`.
  Cell* cell(const Batch& batch, int64_t row, int32_t number, Status& ret_status);
  std::string where(const Batch& batch, const Cell& cell) const {
    return batch.keyed.key_text(cell.group) + ", " + window_text(cell.start, cell.end);
  }
  // Borrowed; the mark of an empty cell is absent_.
  PyObject* contents(int32_t number) const { return PyList_GetItem(contents_.get(), number); }
  void put(int32_t number, PyRef object) { PyList_SetItem(contents_.get(), number, object.release()); }
  Status create(const Gil& gil, Batch& batch, const Cell& cell, int32_t number);
  Status add_one(const Gil& gil, Batch& batch, int64_t row);
  Status add_careful(const Gil& gil, Batch& batch, int64_t row);
  Status add_many(const Gil& gil, Batch& batch, int64_t first, int64_t last);
  PyRef call_add(PyObject* accumulator, PyObject* value) const;

  StoredStates* stored_;
  size_t state_ = 0;
  bool reduces_ = false;
  bool goes_on_ = false;
  bool row_by_row_ = false;
  bool fatal_ = false;  // no policy passes over the failure of the last row
  PyRef create_, add_, result_, merge_;
  PyRef loop_;      // of windows.py
  PyRef absent_;    // stands in contents_ for nothing
  PyRef contents_;  // a list: accumulators by cell
  std::vector<Cell> cells_;
  columnar::Array found_;
  std::vector<PyObject*> read_;
};

}  // namespace clutch::pyembed
