// The end of a stream: elements go to the writer of a sink.
#pragma once

#include <memory>

#include "operators/operator.h"
#include "sink/sink.h"

namespace clutch::engine {

class SinkOperator final : public Operator {
 public:
  SinkOperator(const Sink& sink, columnar::Field element) : sink_(&sink), element_(std::move(element)) {}

  // Nothing: what was written is with others.
  Result<std::string> snapshot() override { return std::string(); }

  Status open(const OperatorContext& context) override;
  Status process(size_t input, columnar::Array batch, Output& output) override;
  std::optional<Deadline> deadline() const override { return writer_->next_tick(); }
  Status on_deadline(Output&) override { return writer_->tick(); }
  Status finish(Output&) override { return writer_->finish(); }
  Status close() override;

 private:
  const Sink* sink_;
  columnar::Field element_;
  std::unique_ptr<SinkWriter> writer_;
};

}  // namespace clutch::engine
