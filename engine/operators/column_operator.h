// Python functions that give one value for each element, which becomes a column of the batch: the key, the timestamp,
// the partition.
#pragma once

#include "operators/function_operator.h"
#include "runtime/batch.h"

namespace clutch::engine {

// The other columns are handed on without a copy.
class ColumnOperator : public FunctionOperator {
 public:
  enum class Column : uint8_t {
    kKey,        // f(value); the column stands behind `value`
    kTimestamp,  // f(value, timestamp); takes the place of the timestamp
    kPartition,  // f(key, n); int32, stands last, and the key is gone
  };
  // `receivers` is n of kPartition.
  ColumnOperator(FunctionDefinition definition, Column column, const BatchType& input, int32_t receivers = 0);

  // The columns that the function gets, and the one that it gives.
  static columnar::Field function_input(Column column, const BatchType& input);
  static columnar::Field function_output(Column column, const BatchType& output);

 protected:
  const columnar::Field& arranged() const override { return arranged_; }
  Result<columnar::Array> arrange(size_t, columnar::Array batch) override { return batch; }
  Result<Submission> prepare(columnar::Array arranged) override;
  Status deliver(FunctionResult& result, Kept kept, Output& output) override;

 private:
  const Column column_;
  const columnar::Field arranged_;
  const bool has_key_;
  const int32_t receivers_;
};

}  // namespace clutch::engine
