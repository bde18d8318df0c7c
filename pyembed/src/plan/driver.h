// Runs a function of one argument from a loop in Python itself. From 3.12 on a Python function called by Python code
// needs no new frame on the C stack, which saves more than it costs that the loop calls back for results and arguments.
#pragma once

#include <memory>

#include "interpreter/interpreter.h"
#include "plan/composite.h"
#include "plan/loops.h"

namespace clutch::pyembed {

class Driver {
 public:
  virtual ~Driver() = default;
  Driver(const Driver&) = delete;
  Driver& operator=(const Driver&) = delete;

  // NULL if this interpreter, or this step, is served better by the loops in C. `exact` asks that a row is done with
  // before the next one is called, and told to the progress word when it begins.
  // `composite` is what the step calls, or NULL.
  static std::unique_ptr<Driver> make(const Gil& gil, Interpreter& interpreter, const PlannedStep& step,
                                      const Composite* composite, Outputs& outputs, bool exact);

  // As the loops of loops.h.
  virtual int64_t run(const Loop& loop, int64_t first, int64_t last) = 0;

 protected:
  Driver() = default;
};

}  // namespace clutch::pyembed
