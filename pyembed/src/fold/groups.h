// Group to rows: each group's rows at once, as whole columns. Serves table.aggregate.vectorized. There is no state: a
// group is all there is of it. The columns are made once for the batch, sorted by group; a group gets slices of them.
#pragma once

#include <memory>
#include <vector>

#include "fold/failure.h"
#include "fold/keyed.h"
#include "plan/executor.h"
#include "plan/inputs.h"
#include "plan/outputs.h"

namespace clutch::pyembed {

class GroupsExecutor : public Executor {
 public:
  static Result<std::unique_ptr<Executor>> make(const Gil& gil, const Parts& parts);

  Status run(const Gil& gil, const Host& host, const clutch_batch& batch, Watch& watch, clutch_error* error) override;
  int32_t emit(const Host& host, const clutch_batch& batch, clutch_error* error) override;
  bool idle(const clutch_batch& batch) const override {
    return batch.rows->length == 0 && (batch.keys == nullptr || batch.keys->length == 0);
  }

 private:
  GroupsExecutor(Interpreter& interpreter, const FunctionSpec& spec, Outputs outputs)
      : interpreter_(&interpreter), spec_(&spec), outputs_(std::move(outputs)) {}
  Status run_groups(const Gil& gil, const ArrowArray& rows, const KeyedBatch& keyed, Failures& failures);
  // The rows that count, those of a group together and in their order; where each group begins goes to `ret_bounds`.
  static std::vector<int32_t> sort(const KeyedBatch& keyed, std::vector<int32_t>& ret_bounds);
  // A column as Python has it; NULL with a Python error set.
  PyRef column(size_t i, const ArrowArray& array);

  Interpreter* interpreter_;
  const FunctionSpec* spec_;
  Outputs outputs_;
  std::vector<std::unique_ptr<Reader>> readers_;
  PyRef numbers_, objects_, run_;  // methods of groups.py's Groups
};

}  // namespace clutch::pyembed
