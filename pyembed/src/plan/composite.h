// Several row-to-row steps as one Python function, such as
//
//   def drive(c0, c1):
//       v0 = f0(c0)
//       return f2(f1(v0, k0), v0)
//
// Why generated: Python calls Python functions cheaper than C does (from 3.11 on without a frame of C), and the loops
// over rows have one callable to serve, which they know everything about. Steps run in their order.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "interpreter/interpreter.h"
#include "loading/object.h"
#include "plan/outputs.h"
#include "plan/step.h"

namespace clutch::pyembed {

class Composite {
 public:
  // `objects`: one a step. Makes the constants; fails with CLUTCH_ERR_FUNCTION where one cannot be made, naming step
  // and constant.
  static Result<std::unique_ptr<Composite>> make(const Gil& gil, Interpreter& interpreter, const FunctionSpec& spec,
                                                 const std::vector<std::unique_ptr<UserObject>>& objects);

  PyObject* callable() const { return call_.get(); }
  // For a loop that has the lines of the function inside of it, python/drivers.py: a list of str, their globals, and
  // where the loop notes its own text, so that step_of can look it up.
  PyObject* lines() const { return lines_.get(); }
  PyObject* names() const { return names_.get(); }
  PyObject* sources() const { return sources_.get(); }
  // Which step of the function a fault of a row is about; the Python error that is set, if any, stays.
  size_t step_of(const Fault& fault, Outputs& outputs) const;

 private:
  Composite() = default;
  size_t raised() const;

  PyRef call_, lines_, names_, sources_, failed_step_;
  std::vector<size_t> results_;  // steps, one a result column; one where a step gives the whole row
};

}  // namespace clutch::pyembed
