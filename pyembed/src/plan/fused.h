// Calls like f(g(x), y): each step runs once a row, in order, with arguments from columns, earlier steps and constants.
#pragma once

#include <memory>
#include <vector>

#include "interpreter/interpreter.h"
#include "plan/loops.h"

namespace clutch::pyembed {

class Fused {
 public:
  // Makes the constants. Fails with CLUTCH_ERR_FUNCTION where one cannot be made, naming step and constant.
  static Result<std::unique_ptr<Fused>> make(const Gil& gil, Interpreter& interpreter, const FunctionSpec& spec);

  // As the loops of loops.h.
  int64_t run(const Loop& loop, int64_t first, int64_t last);

 private:
  struct Call {
    std::vector<size_t> arguments;  // places in values_
    size_t place;                   // of the result
  };
  template <typename Source, typename Sink>
  int64_t run_line(const Loop& loop, Source& source, Sink& sink, int64_t first, int64_t last);
  template <typename Sink>
  int64_t run_calls(const Loop& loop, Sink& sink, int64_t first, int64_t last);
  bool read_columns(const Loop& loop, int64_t row);
  bool call_steps(const Loop& loop);
  template <typename Sink>
  bool write(const Loop& loop, Sink& sink);
  void told(const Loop& loop);
  void clear();

  std::vector<PyObject*> values_;  // columns, then results, owned while a row runs; then constants, borrowed
  std::vector<PyRef> constants_;
  std::vector<PyObject*> stack_;  // one free place, then the arguments of a call
  std::vector<size_t> columns_;   // those that are read
  std::vector<Call> calls_;
  std::vector<size_t> outputs_;  // steps, one a result column
  size_t owned_ = 0;             // how many of values_
  bool line_ = false;            // one column, one argument each, the last one gives the result
};

}  // namespace clutch::pyembed
