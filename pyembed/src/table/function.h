// What function_open makes: the user's objects of all steps, and the executor that runs them over batches.
#pragma once

#include <memory>
#include <vector>

#include "clutch/abi/batch.h"
#include "loading/object.h"
#include "plan/executor.h"
#include "table/runtime.h"
#include "watch/watchdog.h"

namespace clutch::pyembed {

class Function {
 public:
  // Load all steps, then open them in order. On failure what was opened is closed again, last first.
  static Result<std::unique_ptr<Function>> open(Runtime& runtime, const clutch_spec& spec,
                                                clutch_function_context* context);
  // Takes the lock. close() first.
  ~Function();
  Function(const Function&) = delete;
  Function& operator=(const Function&) = delete;

  // As function_submit; has filled `error` where it returns a negative status.
  int32_t submit(const clutch_batch& batch, clutch_error* error);
  void cancel(uint64_t sequence) { watch_.cancel(sequence); }
  const clutch_host* host() const { return runtime_->host().host; }
  // Close all steps, last first; the first failure is reported.
  Status close();

 private:
  Function(Runtime& runtime, FunctionSpec spec, clutch_function_context* context)
      : runtime_(&runtime), spec_(std::move(spec)), context_(context) {}
  Status load(const Gil& gil, Interpreter& interpreter);
  Status close_objects(const Gil& gil);
  Status run(const clutch_batch& batch, clutch_error* error);

  Runtime* runtime_;
  FunctionSpec spec_;
  clutch_function_context* context_;
  Interpreter* interpreter_ = nullptr;
  std::vector<std::unique_ptr<UserObject>> objects_;
  std::unique_ptr<Executor> executor_;
  Watch watch_;
};

}  // namespace clutch::pyembed
