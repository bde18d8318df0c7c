// The end of a stream where Python writes: rows with a control row behind those of each batch.
#pragma once

#include "operators/rows_operator.h"

namespace clutch::engine {

// The function gets elements as input 0 and control rows as input 1: how many elements it was given so far, so that an
// instance that stands in for a lost one notices, and whether what it wrote is to be there for others (flush).
class PythonSinkOperator final : public RowsOperator {
 public:
  PythonSinkOperator(FunctionDefinition definition, const BatchType& element);

  // The inputs of the function. It gives no rows.
  static std::vector<BatchType> inputs(const BatchType& element);
  static columnar::Field function_output();

  // At the end of the input, and before a snapshot: everything is written, then flushed.
  Status drain(Output& output) override;
  // Refused: nobody but the instance knows what it has written.
  Status move_to(const std::string& mode) override;

 protected:
  Result<columnar::Array> arrange(size_t input, columnar::Array batch) override;

 private:
  columnar::Array control_row(bool flush) const;

  int64_t given_ = 0;
};

}  // namespace clutch::engine
