// Rows and timers, one call each, with state by key: stream.process and stream.keyed_process.
//
// The loop runs in Python (events.py) and asks C++ for each row and with each value. Timers fire before the rows. What
// a call puts into state is seen by the calls after it, and reaches the host once, when the batch is done. A row that
// fails where the function goes on without it (on_error null or dead_letter) leaves state, timers and outputs as they
// were before; a timer that fails fails the batch, because there is no row to put aside.
#pragma once

#include <memory>

#include "events/running.h"
#include "plan/executor.h"

namespace clutch::pyembed {

class EventsExecutor : public Executor {
 public:
  static Result<std::unique_ptr<Executor>> make(const Gil& gil, const Parts& parts);

  Status run(const Gil& gil, const Host& host, const clutch_batch& batch, Watch& watch, clutch_error* error) override;
  int32_t emit(const Host& host, const clutch_batch& batch, clutch_error* error) override;
  bool idle(const clutch_batch& batch) const override { return batch.rows->length == 0 && batch.timers == nullptr; }
  PyObject* states() const override { return function_.states != nullptr ? function_.states->object() : nullptr; }

 private:
  EventsExecutor(Interpreter& interpreter, Running::Function function)
      : interpreter_(&interpreter), function_(std::move(function)) {}
  Status run_timers(const Gil& gil, Running& running, Failures& failures);
  Status run_rows(const Gil& gil, Running& running, Failures& failures, int64_t rows, clutch_error* error);
  // The loop in Python from its first argument on. False if it ended early.
  bool drive(PyObject* function, PyRef first, Running& running);

  Interpreter* interpreter_;
  Running::Function function_;
  Slot slot_;
  PyRef drive_, feed_, emit_, context_;
  PyRef process_, on_timer_;
};

}  // namespace clutch::pyembed
