// What a function does with a batch. There is one executor for each family of shapes:
//
//   FoldExecutor (fold/)          a call a row on the accumulator of its group
//   GroupsExecutor (fold/)        a call a group, with whole columns
//   Plan (plan/)                  a call a row, in chains
//   ColumnsExecutor (columns/)    one call a batch, with whole columns
//   AsyncExecutor (asynchronous/) coroutines, many rows at a time
//   EventsExecutor (events/)      a call a row or timer, with state by key
//   WindowsExecutor (windows/)    what the engine's windows need of user code: folds and results
//
// It is made once when a function opens, so that a batch looks up and decides nothing.
#pragma once

#include <memory>
#include <vector>

#include "clutch/abi/batch.h"
#include "interpreter/interpreter.h"
#include "loading/object.h"
#include "table/host.h"
#include "watch/watchdog.h"

namespace clutch::pyembed {

class Executor {
 public:
  // What an executor is made from. All of it outlives the executor.
  struct Parts {
    Interpreter& interpreter;
    const FunctionSpec& spec;
    const std::vector<std::unique_ptr<UserObject>>& objects;  // one a step, loaded and not yet opened
    const Host& host;
    clutch_function_context* context;  // states may be declared with it
    // The row that runs is known at any time: for deadlines of rows, and for a watcher of the progress word.
    bool exact_progress;
  };
  // The executor for the shapes of a function. Fails with CLUTCH_ERR_UNSUPPORTED and a sentence.
  static Result<std::unique_ptr<Executor>> make(const Gil& gil, const Parts& parts);

  // Needs the lock.
  virtual ~Executor() = default;
  Executor(const Executor&) = delete;
  Executor& operator=(const Executor&) = delete;

  // Run a batch up to its results, which then wait for emit(). After a failure nothing waits. `error` is for host calls
  // that want one.
  virtual Status run(const Gil& gil, const Host& host, const clutch_batch& batch, Watch& watch,
                     clutch_error* error) = 0;

  // Nothing is to be done for this batch. One without rows may still have groups.
  virtual bool idle(const clutch_batch& batch) const { return batch.rows->length == 0; }

  // What open(context) of the user's object gets states from; NULL where the function has none.
  virtual PyObject* states() const { return nullptr; }

  // Hand the results to the host, without the lock: finished columns belong to no Python object. As function_submit.
  virtual int32_t emit(const Host& host, const clutch_batch& batch, clutch_error* error) = 0;

 protected:
  Executor() = default;
};

}  // namespace clutch::pyembed
