// Where watermarks are made.
#pragma once

#include "operators/operator.h"
#include "time/clock.h"
#include "time/watermark_strategy.h"

namespace clutch::engine {

// Sends watermarks every `interval_ms` as the strategy says. Watermarks and idleness of its input do not pass, but the
// last watermark, behind which nothing comes.
class WatermarkOperator final : public Operator {
 public:
  // interval 0: no watermarks but the last.
  WatermarkOperator(WatermarkStrategy strategy, int64_t interval_ms);

  // Nothing: the next elements tell the time anew.
  Result<std::string> snapshot() override { return std::string(); }

  Status open(const OperatorContext& context) override;
  Status process(size_t input, columnar::Array batch, Output& output) override;
  Status on_signal(TimeSignal signal, Output& output) override;
  std::optional<Deadline> deadline() const override { return next_; }
  Status on_deadline(Output& output) override;

 private:
  const SteadyClock clock_;
  WatermarkGenerator generator_;
  const std::chrono::milliseconds interval_;
  std::optional<Deadline> next_;
  std::vector<int64_t> timestamps_;  // of the batch at hand, for rows with nulls
  TimeSignals signals_;
};

}  // namespace clutch::engine
