// The interval join of two keyed streams: rows are matched here, Python gets the pairs.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "exchange/key_group.h"
#include "join/interval_join.h"
#include "operators/rows_operator.h"
#include "runtime/keys.h"

namespace clutch::engine {

// The function gets the columns `left`, `right`, `left_timestamp` and `right_timestamp`; what it gives for a pair has
// the later one of the two timestamps. Rows behind the watermark are dropped.
class IntervalJoinOperator final : public RowsOperator {
 public:
  // Two inputs with keys of one type. CLUTCH_ERR_UNSUPPORTED for keys without bytes.
  static Result<std::unique_ptr<Operator>> make(FunctionDefinition definition, const std::vector<BatchType>& inputs,
                                                std::vector<std::pair<std::string, columnar::Type>> sides,
                                                JoinInterval interval);

  // The columns that a join function of these inputs gets.
  static columnar::Field function_input(const std::vector<BatchType>& inputs);

  Status open(const OperatorContext& context) override;
  // The rows of both sides that may still join, by key group, and how far event time has come.
  Result<std::string> snapshot() override;
  Status process(size_t input, columnar::Array batch, Output& output) override;
  Status on_signal(TimeSignal signal, Output& output) override;

 protected:
  std::optional<size_t> count_kept() const override { return join_.rows(); }
  Result<columnar::Array> arrange(size_t, columnar::Array pairs) override { return pairs; }
  Result<Submission> prepare(columnar::Array pairs) override;

 private:
  IntervalJoinOperator(FunctionDefinition definition, RowsShape shape, IntervalJoin join,
                       std::array<KeyIndexer, 2> indexers)
      : RowsOperator(std::move(definition), std::move(shape)), join_(std::move(join)), indexers_(std::move(indexers)) {}
  // Pairs as struct<value: the function's columns, timestamp>.
  Result<columnar::Array> batch_of(std::span<const JoinedPair> pairs) const;

  IntervalJoin join_;
  std::optional<KeyGroups> groups_;     // once it is open
  std::array<KeyIndexer, 2> indexers_;  // by input
  Joined joined_;
};

}  // namespace clutch::engine
