// Python functions from elements to elements: rows one by one, with side outputs, with one input or two.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "operators/function_operator.h"
#include "runtime/batch.h"

namespace clutch::engine {

struct RowsShape {
  std::vector<BatchType> inputs;
  std::vector<std::pair<std::string, columnar::Type>> sides;  // by tag
  bool needs_time = false;                                    // the function is told timestamps and the watermark
};

// One input: the function gets the column `value`. Two: `input` (int8: 0 or 1), `value1` and `value2`, of which the
// other input's is null. What it gives is sent as it comes, with the timestamps of the rows it came from.
class RowsOperator : public FunctionOperator {
 public:
  RowsOperator(FunctionDefinition definition, RowsShape shape);

  // The columns that a function with these inputs gets.
  static columnar::Field function_input(const std::vector<BatchType>& inputs);

 protected:
  const columnar::Field& arranged() const override { return arranged_; }
  Result<columnar::Array> arrange(size_t input, columnar::Array batch) override;
  Result<Submission> prepare(columnar::Array arranged) override;
  void passed(const TimeSignal& signal) override;
  Status deliver(FunctionResult& result, Kept kept, Output& output) override;

  bool has_key() const { return arranged_.type.children.size() > payload_ + 1; }
  const columnar::Field& key_field() const { return arranged_.type.children[payload_]; }
  // The function's columns and the key column of an arranged batch; the timestamps go into the submission.
  struct Parts {
    std::vector<columnar::Array> payload;
    columnar::Array key;
  };
  Parts divide(columnar::Array arranged, Submission& submission) const;
  columnar::Array empty_rows() const;

  const RowsShape shape_;
  std::optional<int64_t> watermark_;

 private:
  Status deliver_sides(FunctionResult& result, columnar::Array timestamps, Output& output);

  columnar::Field arranged_;
  size_t payload_;  // columns that the function gets
};

}  // namespace clutch::engine
