#include "operators/watermark_operator.h"

#include <utility>

#include "clutch/columnar/view.h"

namespace clutch::engine {

WatermarkOperator::WatermarkOperator(WatermarkStrategy strategy, int64_t interval_ms)
    : generator_(strategy, clock_),
      interval_(strategy.out_of_orderness.has_value() || strategy.idle_after.has_value() ? interval_ms : 0) {}

Status WatermarkOperator::open(const OperatorContext&) {
  if (interval_.count() > 0) next_ = std::chrono::steady_clock::now() + interval_;
  return {};
}

Status WatermarkOperator::process(size_t, columnar::Array batch, Output& output) {
  ArrowArray column = *batch->children[batch->n_children - 1];  // borrowed
  column.offset += batch->offset;
  const columnar::ArrayView view(column);
  const auto* times = view.values<int64_t>();
  const auto rows = static_cast<size_t>(batch->length);
  if (view.no_nulls()) {
    generator_.on_records({times, rows});
  } else {
    timestamps_.resize(rows);
    for (size_t row = 0; row < rows; ++row) {
      timestamps_[row] = view.is_null(static_cast<int64_t>(row)) ? kNoTimestamp : times[row];
    }
    generator_.on_records(timestamps_);
  }
  return output.emit(std::move(batch));
}

Status WatermarkOperator::on_signal(TimeSignal signal, Output& output) {
  if (signal.kind != TimeSignal::Kind::kWatermark || signal.time != kMaxWatermark) return {};
  next_.reset();
  signals_.clear();
  generator_.finish(signals_);
  for (const TimeSignal& made : signals_) CLUTCH_RETURN_IF_ERROR(output.signal(made));
  return {};
}

Status WatermarkOperator::on_deadline(Output& output) {
  const Deadline now = std::chrono::steady_clock::now();
  if (!next_.has_value() || *next_ > now) return {};
  next_ = now + interval_;
  signals_.clear();
  generator_.on_period(signals_);
  for (const TimeSignal& made : signals_) CLUTCH_RETURN_IF_ERROR(output.signal(made));
  return {};
}

}  // namespace clutch::engine
