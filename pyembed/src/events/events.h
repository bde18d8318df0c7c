// Rows and timers, one call each, with state by key: process functions of one and two inputs, with broadcast state,
// reductions, and joins of pairs (events/kind.h).
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
  PyObject* states() const override { return function_.kind->keyed ? function_.states->object() : nullptr; }

 private:
  EventsExecutor(Interpreter& interpreter, Running::Function function)
      : interpreter_(&interpreter), function_(std::move(function)) {}
  // The loops, the functions they call and the ctx of each.
  Status make_calls(const Gil& gil, const Parts& parts, PyRef (&callbacks)[Running::kCallbacks]);
  Status check(const clutch_batch& batch, const KeyedBatch& keyed, const Failures& failures) const;
  Status run_timers(const Gil& gil, Running& running, Failures& failures);
  Status run_rows(const Gil& gil, Running& running, Failures& failures, int64_t rows, clutch_error* error);

  // A function and what it is called with, from the loop that fits it.
  struct Call {
    PyRef drive, function, context;
  };
  // From its first argument on. False if the loop ended early.
  bool drive(const Call& call, PyRef first, Running& running);

  Interpreter* interpreter_;
  Running::Function function_;
  Slot slot_;
  PyRef feed_, emit_;
  Call inputs_[2];  // by input
  Call on_timer_;   // its function is None where the object has none
};

}  // namespace clutch::pyembed
