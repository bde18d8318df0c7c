#include "operators/keyed_operator.h"

#include "clutch/columnar/builder.h"
#include "clutch/columnar/view.h"
#include "time/clock.h"

namespace clutch::engine {
namespace {

columnar::Field null_field() { return {"key", {}, true}; }

columnar::Array null_column(int64_t rows) {
  columnar::ArrayBuilder builder(null_field());
  builder.advance(rows);
  return builder.finish();
}

}  // namespace

Result<std::unique_ptr<Operator>> KeyedOperator::make(FunctionDefinition definition, RowsShape shape, bool broadcast) {
  std::unique_ptr<KeyedOperator> made(new KeyedOperator(std::move(definition), std::move(shape), broadcast));
  CLUTCH_ASSIGN_OR_RETURN(made->indexer_, KeyIndexer::make(made->has_key() ? made->key_field() : null_field()));
  return std::unique_ptr<Operator>(std::move(made));
}

Result<FunctionOperator::Submission> KeyedOperator::prepare(columnar::Array arranged) {
  Submission submission;
  const int64_t rows = arranged->length;
  Parts parts = divide(std::move(arranged), submission);
  if (!has_key()) parts.key = null_column(rows);
  std::vector<int8_t> shared(broadcast_ ? static_cast<size_t>(rows) : 0, 1);
  if (broadcast_ && has_key()) {
    const auto* input = columnar::ArrayView(*parts.payload[0]).values<int8_t>();
    shared.assign(input, input + rows);
  }
  CLUTCH_ASSIGN_OR_RETURN(IndexedKeys keys, indexer_->index(*parts.key, broadcast_, shared));
  submission.extras.keys = std::move(keys.keys);
  submission.extras.key_index = std::move(keys.index);
  submission.rows = columnar::make_batch(rows, std::move(parts.payload));
  return submission;
}

// A batch without rows, which lets timers fire.
Result<FunctionOperator::Submission> KeyedOperator::timers(std::optional<int64_t> watermark, int64_t processing_time) {
  Submission submission;
  submission.rows = empty_rows();
  const columnar::Array none = null_column(0);
  CLUTCH_ASSIGN_OR_RETURN(IndexedKeys keys, indexer_->index(*none, broadcast_));
  submission.extras.keys = std::move(keys.keys);
  submission.extras.key_index = std::move(keys.index);
  submission.extras.watermark = watermark;
  submission.extras.processing_time = processing_time;
  submission.extras.timestamps = columnar::ArrayBuilder(timestamp_field()).finish();
  submission.kept.push_back(columnar::ArrayBuilder(timestamp_field()).finish());
  return submission;
}

Result<std::optional<FunctionOperator::Submission>> KeyedOperator::before_signal(const TimeSignal& signal) {
  if (signal.kind != TimeSignal::Kind::kWatermark) return std::optional<Submission>();
  const std::optional<int64_t> next = function().next_timer(CLUTCH_APP_EVENT_TIME);
  if (!next.has_value() || *next > signal.time) return std::optional<Submission>();
  CLUTCH_ASSIGN_OR_RETURN(Submission due, timers(signal.time, 0));
  return std::optional<Submission>(std::move(due));
}

Result<std::optional<FunctionOperator::Submission>> KeyedOperator::when_idle() {
  const std::optional<int64_t> next = function().next_timer(CLUTCH_APP_PROCESSING_TIME);
  const int64_t now = WallClock().now();
  if (!next.has_value() || *next > now) return std::optional<Submission>();
  CLUTCH_ASSIGN_OR_RETURN(Submission due, timers(watermark_, now));
  return std::optional<Submission>(std::move(due));
}

std::optional<Operator::Deadline> KeyedOperator::deadline() const {
  if (!idle()) return std::nullopt;  // the batch that is over wakes the subtask
  const std::optional<int64_t> next = function().next_timer(CLUTCH_APP_PROCESSING_TIME);
  if (!next.has_value()) return std::nullopt;
  // No further ahead than a clock that is set may jump without being noticed for long.
  constexpr int64_t kLongest = 60'000;
  const int64_t ahead = std::min(saturating_subtract(*next, WallClock().now()), kLongest);
  return std::chrono::steady_clock::now() + std::chrono::milliseconds(std::max<int64_t>(ahead, 0));
}

}  // namespace clutch::engine
