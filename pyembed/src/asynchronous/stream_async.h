// stream.async: coroutines that give a list of results, for one element or for several at once.
#pragma once

#include "asynchronous/async.h"

namespace clutch::pyembed {

class StreamAsyncExecutor final : public AsyncExecutor {
 public:
  static Result<std::unique_ptr<Executor>> make(const Gil& gil, const Parts& parts);

 private:
  // From the options of the step.
  struct Calls {
    bool ordered = true;
    int64_t elements = 0;  // of one call; 0: async_invoke takes one
  };

  StreamAsyncExecutor(Interpreter& interpreter, const FunctionSpec& spec, AsyncLimits limits, Inputs inputs,
                      Outputs outputs)
      : AsyncExecutor(interpreter, spec, limits, std::move(inputs), std::move(outputs)) {}
  // Fails with CLUTCH_ERR_CONFIG, naming option and value.
  static Result<Calls> read_options(const Options& options, bool of_batches, AsyncLimits& ret_limits);
  Status start_calls(const Gil& gil, const UserObject& user, const Calls& calls);
  static PyObject* read_row(PyObject* self, PyObject* row);

  Status take_results(const Gil& gil, Batch& batch, PyObject* pairs, PyObject* errors) override;
  Status take_errors(const Gil& gil, Batch& batch, PyObject* errors, int& described);
  Status take_row(const Gil& gil, Batch& batch, PyObject* pair, int& described);
};

}  // namespace clutch::pyembed
