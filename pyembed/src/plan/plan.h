// Calls a row, in chains: how functions of the shapes row to row and row to rows serve their batches.
#pragma once

#include <memory>
#include <vector>

#include "plan/composite.h"
#include "plan/driver.h"
#include "plan/executor.h"
#include "plan/loops.h"

namespace clutch::pyembed {

class Plan : public Executor {
 public:
  static Result<std::unique_ptr<Executor>> make(const Gil& gil, const Parts& parts);

  Status run(const Gil& gil, const Host& host, const clutch_batch& batch, Watch& watch, clutch_error* error) override;
  int32_t emit(const Host& host, const clutch_batch& batch, clutch_error* error) override;

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
  int64_t run_stretch(const Loop& loop, int64_t first, int64_t last);
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
  std::unique_ptr<Driver> driver_;        // NULL: run_stretch_ serves better
  std::unique_ptr<Composite> composite_;  // of several steps; the loops see it as one
  bool one_to_one_ = true;
};

}  // namespace clutch::pyembed
