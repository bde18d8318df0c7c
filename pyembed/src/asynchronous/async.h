// Coroutines, many rows at a time: how async functions are served. Their event loop runs on the caller's thread while a
// batch is run, and stands still in between.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "plan/callback.h"
#include "plan/executor.h"
#include "plan/inputs.h"
#include "plan/outputs.h"

namespace clutch::pyembed {

// How the rows of a function are run, from its options table.exec.async-scalar.*.
struct AsyncLimits {
  int64_t concurrent = 10;
  int64_t timeout_ms = 180'000;
  int64_t attempts = 0;  // after the first
  int64_t delay_ms = 100;
  const char* timeout_key = "table.exec.async-scalar.timeout";

  // Fails with CLUTCH_ERR_CONFIG, naming key and value.
  static Result<AsyncLimits> read(const Options& options);
};

class AsyncExecutor : public Executor {
 public:
  static Result<std::unique_ptr<Executor>> make(const Gil& gil, const Parts& parts);
  // Closes the event loop; what still runs in it is cancelled.
  ~AsyncExecutor() override;

  Status run(const Gil& gil, const Host& host, const clutch_batch& batch, Watch& watch, clutch_error* error) override;
  int32_t emit(const Host& host, const clutch_batch& batch, clutch_error* error) override;

 protected:
  // One batch; the callbacks of the loop find it.
  struct Batch {
    const Host& host;
    const clutch_batch& batch;
    Watch& watch;
    clutch_error* error;
    AsyncExecutor& executor;
    std::vector<std::pair<int64_t, size_t>> unread{};  // rows whose column could not be read
    std::exception_ptr thrown{};
  };

  AsyncExecutor(Interpreter& interpreter, const FunctionSpec& spec, AsyncLimits limits, Inputs inputs, Outputs outputs)
      : interpreter_(&interpreter),
        spec_(&spec),
        limits_(limits),
        inputs_(std::move(inputs)),
        outputs_(std::move(outputs)) {}
  // `callable` makes the awaitable of a row.
  Status start(const Gil& gil, PyObject* callable);
  // The object of python/loop.py that runs rows; `functions` are what it calls.
  PyRef make_rows(const Gil& gil);
  Status no_loop(const Gil& gil);
  static PyObject* begin_row(PyObject* self, PyObject* row);
  static PyObject* poll(PyObject* self, PyObject*);

  Status run_rows(const Gil& gil, Batch& batch);
  // Write what run() of python/loop.py gave: results in the order of the rows, and errors by row.
  virtual Status take_results(const Gil& gil, Batch& batch, PyObject* results, PyObject* errors);
  Status failed_run(const Gil& gil, Batch& batch);
  Status row_error(const Gil& gil, const Batch& batch, int64_t row, PyObject* exception, int& described);
  Status row_mismatch(int64_t row);
  // The policy on errors: this row's error if the batch fails, else the row is put aside.
  Status settle_row(Batch& batch, int64_t row, Status status);
  Status drop_row(Batch& batch, int64_t row, const Status& why);
  void tell_abandoned(const Batch& batch, PyObject* rows) const;
  std::string what(int64_t row) const;

  Interpreter* interpreter_;
  const FunctionSpec* spec_;
  AsyncLimits limits_;
  Inputs inputs_;
  Outputs outputs_;
  PlannedStep step_;
  Slot slot_;
  PyRef begin_;
  PyRef poll_;
  PyRef rows_;
  PyRef run_;
  PyRef timed_out_;
};

}  // namespace clutch::pyembed
