// How one function serves its batches: made once when it opens, so that a batch looks up and decides nothing.
#pragma once

#include <memory>
#include <vector>

#include "clutch/abi/batch.h"
#include "interpreter/interpreter.h"
#include "loading/object.h"
#include "plan/driver.h"
#include "plan/loops.h"
#include "table/host.h"
#include "watch/watchdog.h"

namespace clutch::pyembed {

class Plan {
 public:
  // `spec` and `objects` (one a step) must outlive the plan. With `exact_progress` the row that runs is known at any
  // time: for deadlines of rows, and for a watcher of the progress word.
  static Result<std::unique_ptr<Plan>> make(const Gil& gil, Interpreter& interpreter, const FunctionSpec& spec,
                                            const std::vector<std::unique_ptr<UserObject>>& objects,
                                            bool exact_progress);

  // Needs the lock.
  ~Plan() = default;

  // Run the rows of a batch; the results are then in outputs(). On failure the outputs are empty.
  Status run(const Gil& gil, const Host& host, const clutch_batch& batch, Watch& watch, clutch_error* error);

  Outputs& outputs() { return outputs_; }

 private:
  Plan(Interpreter& interpreter, const FunctionSpec& spec, Inputs inputs, Outputs outputs)
      : interpreter_(&interpreter), spec_(&spec), inputs_(std::move(inputs)), outputs_(std::move(outputs)) {}

  struct Batch {
    const Host& host;
    const clutch_batch& batch;
    Watch& watch;
    clutch_error* error;  // for host calls that want one
    int described = 0;    // errors told with a traceback so far
  };
  Status run_rows(const Gil& gil, Batch& batch);
  // Between two stretches of rows: is it time to stop?
  Status poll(const Batch& batch, int64_t row) const;
  // Treat a row that failed as the policy says; a status means that the batch fails.
  Status handle(const Gil& gil, Batch& batch, int64_t row);
  Status row_status(const Gil& gil, Batch& batch, int64_t row, Cause cause, bool& ret_fatal);
  Status interrupted_status(const Gil& gil, const Batch& batch, int64_t row, Cause cause, PyView exception,
                            bool& ret_fatal);
  Status drop_row(Batch& batch, int64_t row, const Status& why);
  std::string what(size_t step, int64_t row) const;

  Interpreter* interpreter_;
  const FunctionSpec* spec_;
  std::vector<PlannedStep> steps_;
  Inputs inputs_;
  Outputs outputs_;
  Fault fault_;
  int64_t (*run_stretch_)(const Loop&, int64_t, int64_t) = nullptr;
  std::unique_ptr<Driver> driver_;  // NULL: run_stretch_ serves better
  bool one_to_one_ = true;
};

}  // namespace clutch::pyembed
