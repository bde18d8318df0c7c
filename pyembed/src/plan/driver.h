// Runs a row to row function from a loop in Python itself, a chunk of rows at a time. From 3.12 on a Python function
// called by Python code needs no new frame on the C stack, which saves more than the two lists cost.
#pragma once

#include <memory>
#include <vector>

#include "interpreter/interpreter.h"
#include "plan/loops.h"

namespace clutch::pyembed {

class Driver {
 public:
  static constexpr int64_t kRows = 1024;  // of a chunk: its objects stay in a near cache

  // Only tells the row at the start of each chunk while it runs, so not for those who need it exactly.
  // NULL if this interpreter, or this function, is served better by the loop in C.
  static std::unique_ptr<Driver> make(const Gil& gil, Interpreter& interpreter, PyObject* callable);

  // As the loops of loops.h; a rest of less than a chunk is left to run_map.
  int64_t run(const Loop& loop, int64_t first, int64_t last);

  // Let go of the arguments of the last chunk.
  void clear();

 private:
  static constexpr size_t kLongestSpare = 63;  // (unit: bytes) of a str

  Driver() = default;
  int64_t run_chunk(const Loop& loop, int64_t first);
  int64_t fill(const Loop& loop, int64_t first);
  template <typename T>
  int64_t fill_ints(const Loop& loop, int64_t first);
  int64_t fill_texts(const Loop& loop, int64_t first);
  int64_t write(const Loop& loop, PyObject* results, int64_t first);
  bool put(int64_t i, PyObject* object);
  static int64_t rows_done(PyObject* iterator);

  PyRef drive_;
  PyRef list_;                    // the arguments
  std::vector<PyObject*> items_;  // what stands in the list, borrowed
  std::vector<uint8_t> spare_;    // made here to be filled again: 1 an int with room for 60 bits, a str's length
  bool filled_ = false;           // a chunk ran since the last clear()
  bool list_layout_ = false;      // items of a list are read in place
};

}  // namespace clutch::pyembed
