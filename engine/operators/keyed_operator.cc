#include "operators/keyed_operator.h"

#include "clutch/columnar/builder.h"
#include "clutch/columnar/view.h"
#include "time/clock.h"

namespace clutch::engine {
namespace {

columnar::Field field_of(const char* name, columnar::TypeId id) {
  columnar::Field field{name, {}, false};
  field.type.id = id;
  return field;
}

// The empty key alone, to which all rows belong.
Result<IndexedKeys> one_key(bool there, int64_t rows) {
  columnar::ArrayBuilder keys(field_of("keys", columnar::TypeId::kBinary));
  columnar::ArrayBuilder index(field_of("index", columnar::TypeId::kInt32));
  if (there) CLUTCH_RETURN_IF_ERROR(keys.append_bytes({}));
  index.reserve(rows);
  for (int64_t row = 0; row < rows; ++row) index.append<int32_t>(0);
  return IndexedKeys{keys.finish(), index.finish()};
}

}  // namespace

Result<std::unique_ptr<Operator>> KeyedOperator::make(FunctionDefinition definition, RowsShape shape, bool broadcast) {
  std::optional<KeyIndexer> indexer;
  for (const BatchType& input : shape.inputs) {
    if (!input.key.has_value() || indexer.has_value()) continue;
    CLUTCH_ASSIGN_OR_RETURN(indexer, KeyIndexer::make(input.key_field()));
  }
  return std::unique_ptr<Operator>(
      new KeyedOperator(std::move(definition), std::move(shape), broadcast, std::move(indexer)));
}

Status KeyedOperator::open(const OperatorContext& context) {
  CLUTCH_RETURN_IF_ERROR(RowsOperator::open(context));
  resumed_at_ = watermark_ = restored_event_time();
  return {};
}

Result<IndexedKeys> KeyedOperator::keys_of(Parts& parts, int64_t rows) {
  if (!indexer_.has_value()) return one_key(true, rows);
  if (!broadcast_) return indexer_->index(*parts.key);
  const auto* input = columnar::ArrayView(*parts.payload[0]).values<int8_t>();
  return indexer_->index(*parts.key, true, {input, static_cast<size_t>(rows)});
}

Result<FunctionOperator::Submission> KeyedOperator::prepare(columnar::Array arranged) {
  Submission submission;
  const int64_t rows = arranged->length;
  Parts parts = divide(std::move(arranged), submission);
  CLUTCH_ASSIGN_OR_RETURN(IndexedKeys keys, keys_of(parts, rows));
  submission.extras.keys = std::move(keys.keys);
  submission.extras.key_index = std::move(keys.index);
  submission.rows = columnar::make_batch(rows, std::move(parts.payload));
  return submission;
}

// A batch without rows, which lets timers fire.
Result<FunctionOperator::Submission> KeyedOperator::timers(std::optional<int64_t> watermark, int64_t processing_time) {
  Submission submission;
  submission.rows = empty_rows();
  CLUTCH_ASSIGN_OR_RETURN(IndexedKeys keys, one_key(broadcast_ || !indexer_.has_value(), 0));
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
  if (resumed_at_.has_value() && signal.time <= *resumed_at_) return std::optional<Submission>();
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
