// Fold by group: accumulators, a call a row, results by group. Serves table.aggregate and table.table_aggregate.
//
// A row that fails where the function goes on without it (on_error null or dead_letter) leaves its accumulator as it
// was: such functions run row by row, and the accumulator is copied before each call (Accumulators::remember). Others
// run from a loop in Python over lists of accumulators and columns, which has no work of its own between the calls.
#pragma once

#include <memory>
#include <vector>

#include "fold/accumulators.h"
#include "plan/executor.h"
#include "plan/inputs.h"
#include "plan/outputs.h"

namespace clutch::pyembed {

class FoldExecutor : public Executor {
 public:
  static Result<std::unique_ptr<Executor>> make(const Gil& gil, const Parts& parts);

  Status run(const Gil& gil, const Host& host, const clutch_batch& batch, Watch& watch, clutch_error* error) override;
  int32_t emit(const Host& host, const clutch_batch& batch, clutch_error* error) override;
  bool idle(const clutch_batch& batch) const override {
    return batch.rows->length == 0 && (batch.keys == nullptr || batch.keys->length == 0);
  }

 private:
  struct Batch {
    const KeyedBatch& keyed;
    Failures& failures;
    Watch& watch;
    clutch_error* error;
  };
  FoldExecutor(Interpreter& interpreter, const FunctionSpec& spec, Inputs inputs, Outputs outputs,
               Accumulators accumulators)
      : interpreter_(&interpreter),
        spec_(&spec),
        inputs_(std::move(inputs)),
        outputs_(std::move(outputs)),
        accumulators_(std::move(accumulators)) {}
  Status check(const KeyedBatch& keyed, const Failures& failures) const;
  Status run_merges(const Gil& gil, Batch& batch);
  // Rows [first, last) row by row, or from the loop in Python.
  Status run_rows(const Gil& gil, Batch& batch, int64_t first, int64_t last);
  Status run_stretch(const Gil& gil, Batch& batch, int64_t first, int64_t last);
  // Fill lists_ with the rows of a stretch that are called; gives the row that could not be read, or last.
  int64_t gather(const Batch& batch, int64_t first, int64_t last, size_t& ret_column);
  Status read_failed(const Gil& gil, Batch& batch, int64_t row, size_t column);
  PyObject* function_of(const KeyedBatch& keyed, int64_t row) const {
    return keyed.retracts(row) ? retract_.get() : accumulate_.get();
  }
  Status run_results(const Gil& gil, Batch& batch);
  Status write_result(const Gil& gil, Batch& batch, int32_t group, PyObject* result);
  Status write_rows(const Gil& gil, Batch& batch, int32_t group, PyObject* result);

  Interpreter* interpreter_;
  const FunctionSpec* spec_;
  Inputs inputs_;
  Outputs outputs_;
  Accumulators accumulators_;
  PyRef accumulate_, retract_, merge_, result_;
  PyRef loop_, mixed_loop_;
  bool many_ = false;  // emit_value
  bool row_by_row_ = false;
  std::vector<PyRef> lists_;     // accumulators, functions (or empty), columns: of a stretch
  std::vector<int64_t> called_;  // row of each item of the lists
  std::vector<PyObject*> read_;  // of one column
};

}  // namespace clutch::pyembed
