// What the calls of a batch give: values for the main output, which go through the steps behind the function on their
// way, and pairs of a tag and a value for side outputs.
#pragma once

#include <string>
#include <vector>

#include "errors/exception.h"
#include "events/sides.h"
#include "fold/failure.h"
#include "plan/executor.h"
#include "plan/outputs.h"
#include "plan/step.h"

namespace clutch::pyembed {

class Yields {
 public:
  // The steps from `tail` on stand behind the function.
  static Result<Yields> make(const Gil& gil, const Executor::Parts& parts, size_t tail);

  // A new batch: whom to tell about rows that nobody wants.
  void begin(const Host& host, clutch_function_context* context);

  // Take what a call gave (borrowed) as coming from `origin`. New None; or NULL with a Python error set, or, if
  // misfits(), because it does not fit its output.
  PyObject* take(PyObject* item, int32_t origin);
  // The same for what is a value and no pair.
  PyObject* put(PyObject* value, int32_t origin);

  // Why the last call of take() or put() failed, until begin_row(). A misfit's sentence begins after "row N: ".
  void begin_row() { fault_ = Fault::kNone; }
  bool misfits() const { return fault_ == Fault::kMismatch; }
  Status misfit_status(const std::string& where);
  // The loop itself raised when it went over what a function gave.
  static bool cannot_be_gone_over(PyView exception);
  // The step behind the function that raised, NULL if none did.
  const StepSpec* raising() const { return fault_ == Fault::kTail ? tail_specs_[failed_] : nullptr; }

  // How many rows each output has, and back to that.
  struct Mark {
    int64_t rows = 0;
    std::vector<int64_t> sides;
  };
  Mark mark() const { return {main_.origin_count(), sides_.counts()}; }
  void truncate(const Mark& mark);
  void clear();

  // As Executor::emit.
  int32_t emit(const Host& host, const clutch_batch& batch, clutch_error* error);

 private:
  enum class Fault : uint8_t { kNone, kMismatch, kTail };

  Yields(const FunctionSpec& spec, Outputs main, SideOutputs sides)
      : spec_(&spec), main_(std::move(main)), sides_(std::move(sides)) {}
  PyObject* take_tagged(PyObject* tag, PyObject* value, int32_t origin);
  bool write(SideOutputs::Side* side, Outputs& outputs, PyObject* value, int32_t origin);
  // Run `value` through the steps from `step` on.
  bool through(size_t step, PyObject* value, int32_t origin);
  bool each(size_t step, PyObject* given, int32_t origin);
  bool raised(size_t step);
  void drop(const std::string& tag);

  const FunctionSpec* spec_;
  Outputs main_;
  SideOutputs sides_;
  std::vector<PlannedStep> tail_;
  std::vector<const StepSpec*> tail_specs_;
  std::vector<std::string> dropped_;  // tags of rows that nobody wanted, told once each
  const Host* host_ = nullptr;
  clutch_function_context* context_ = nullptr;
  Fault fault_ = Fault::kNone;
  size_t failed_ = 0;                         // step of tail_
  SideOutputs::Side* misfit_side_ = nullptr;  // NULL: the main output
};

}  // namespace clutch::pyembed
