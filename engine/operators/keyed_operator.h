// Python functions with state and timers by key.
#pragma once

#include <memory>
#include <optional>

#include "operators/rows_operator.h"
#include "runtime/keys.h"

namespace clutch::engine {

// libclutch keeps state and timers; the operator gives each batch its keys, and runs timers when they are due: those of
// event time before the watermark that they were waiting for is passed on. Functions with a broadcast input get the
// empty byte string as the last key of every batch: operator state is kept there, and rows of input 1 belong to it.
class KeyedOperator : public RowsOperator {
 public:
  // `indexer`: of the inputs' key column. Without one, all rows belong to the empty key.
  KeyedOperator(FunctionDefinition definition, RowsShape shape, bool broadcast, std::optional<KeyIndexer> indexer)
      : RowsOperator(std::move(definition), std::move(shape)), broadcast_(broadcast), indexer_(std::move(indexer)) {
    limit_in_flight(1);
  }
  // CLUTCH_ERR_UNSUPPORTED for keys of a type with a dictionary.
  static Result<std::unique_ptr<Operator>> make(FunctionDefinition definition, RowsShape shape, bool broadcast);

  Status open(const OperatorContext& context) override;
  std::optional<Deadline> deadline() const override;
  Status on_deadline(Output& output) override { return advance(output); }

 protected:
  bool has_state() const override { return true; }
  std::optional<int64_t> event_time() const override { return watermark_; }
  Result<Submission> prepare(columnar::Array arranged) override;
  Result<std::optional<Submission>> before_signal(const TimeSignal& signal) override;
  Result<std::optional<Submission>> when_idle() override;

 private:
  Result<IndexedKeys> keys_of(Parts& parts, int64_t rows);
  Result<Submission> timers(std::optional<int64_t> watermark, int64_t processing_time);

  const bool broadcast_;
  std::optional<KeyIndexer> indexer_;
  // Where event time was in the snapshot that the job began with: watermarks up to it are over, though sources send
  // them again.
  std::optional<int64_t> resumed_at_;
};

}  // namespace clutch::engine
