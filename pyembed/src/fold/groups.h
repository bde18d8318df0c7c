// Group to rows: each group's rows at once, as whole columns. Serves table.aggregate.vectorized. There is no state: a
// group is all there is of it. The columns are made once for the batch, sorted by group and as table.scalar.vectorized
// has them; a group gets slices of them.
#pragma once

#include <memory>
#include <vector>

#include "columns/column_arguments.h"
#include "fold/failure.h"
#include "fold/keyed.h"
#include "plan/executor.h"
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
  GroupsExecutor(Interpreter& interpreter, const FunctionSpec& spec, ColumnArguments arguments, Outputs outputs)
      : interpreter_(&interpreter), spec_(&spec), arguments_(std::move(arguments)), outputs_(std::move(outputs)) {}
  // Where the groups of a batch are: `order` is of its rows, and group i is order[bounds[i]] to order[bounds[i + 1]].
  struct Groups {
    std::vector<int32_t> order;
    std::vector<int32_t> bounds;
    bool in_order = true;  // all rows count, and stand as in `order`
  };
  // The rows that count, those of a group together and in their order.
  static Groups sort(const KeyedBatch& keyed);
  Result<std::shared_ptr<Kept>> keep(const Host& host, const clutch_batch& batch, const Groups& groups,
                                     clutch_error* error) const;
  // The columns of all groups as Python has them (style arrow: a list of columns for each group). NULL with `status`.
  PyRef columns(const Gil& gil, std::shared_ptr<Kept> kept, const Groups& groups, Failures& failures, Status& status);
  Status run_groups(const Gil& gil, PyRef columns, const Groups& groups, const KeyedBatch& keyed, Failures& failures);

  Interpreter* interpreter_;
  const FunctionSpec* spec_;
  ColumnArguments arguments_;
  Outputs outputs_;
  PyRef columns_, run_, unfit_;  // methods of groups.py's Groups, the class of columns.py
};

}  // namespace clutch::pyembed
