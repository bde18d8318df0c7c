#include "operators/interval_join_operator.h"

#include <algorithm>

#include "checkpoint/keyed_part.h"
#include "clutch/columnar/builder.h"
#include "clutch/columnar/ops.h"
#include "clutch/columnar/view.h"
#include "exchange/share.h"

namespace clutch::engine {
namespace {

// Of a key with very many matches; more would only be memory.
constexpr size_t kPairsABatch = 65536;

columnar::Array times(std::span<const JoinedPair> pairs, int64_t (*time_of)(const JoinedPair&)) {
  columnar::ArrayBuilder out(timestamp_field());
  out.reserve(static_cast<int64_t>(pairs.size()));
  for (const JoinedPair& pair : pairs) out.append(time_of(pair));
  return out.finish();
}

}  // namespace

columnar::Field IntervalJoinOperator::function_input(const std::vector<BatchType>& inputs) {
  columnar::Field left = timestamp_field();
  columnar::Field right = timestamp_field();
  left.name = "left_timestamp";
  right.name = "right_timestamp";
  return columnar::struct_of({{"left", inputs[0].value, true}, {"right", inputs[1].value, true}, left, right});
}

Result<std::unique_ptr<Operator>> IntervalJoinOperator::make(FunctionDefinition definition,
                                                             const std::vector<BatchType>& inputs,
                                                             std::vector<std::pair<std::string, columnar::Type>> sides,
                                                             JoinInterval interval) {
  CLUTCH_ASSIGN_OR_RETURN(KeyIndexer left, KeyIndexer::make(inputs[0].key_field()));
  CLUTCH_ASSIGN_OR_RETURN(KeyIndexer right, KeyIndexer::make(inputs[1].key_field()));
  RowsShape shape{{BatchType{function_input(inputs).type, std::nullopt}}, std::move(sides), true};
  IntervalJoin join(interval, inputs[0].value_field(), inputs[1].value_field());
  return std::unique_ptr<Operator>(new IntervalJoinOperator(std::move(definition), std::move(shape), std::move(join),
                                                            {std::move(left), std::move(right)}));
}

Status IntervalJoinOperator::open(const OperatorContext& context) {
  CLUTCH_ASSIGN_OR_RETURN(groups_, KeyGroups::make(context.parallelism, context.max_parallelism));
  const KeyGroupRange range = groups_->range_of(context.subtask);
  std::optional<int64_t> watermark;
  for (const SnapshotPart* part : context.restored) {
    CLUTCH_ASSIGN_OR_RETURN(const KeyedPart kept, KeyedPart::decode(part->bytes, join_.shape()));
    watermark = std::min(kept.watermark, watermark.value_or(kept.watermark));
    for (const auto& [group, bytes] : kept.groups) {
      if (range.contains(group)) CLUTCH_RETURN_IF_ERROR(join_.restore(*groups_, group, bytes));
    }
  }
  if (watermark.has_value() && *watermark != kMinWatermark) {
    join_.advance_watermark(*watermark);
    watermark_ = watermark;
  }
  return RowsOperator::open(context);
}

Result<std::string> IntervalJoinOperator::snapshot() {
  KeyedPart part{join_.shape(), join_.watermark(), {}, {}};
  CLUTCH_ASSIGN_OR_RETURN(part.groups, join_.snapshot(*groups_));
  return part.encode();
}

Status IntervalJoinOperator::process(size_t input, columnar::Array batch, Output& output) {
  std::vector<columnar::Array> columns = take_columns(std::move(batch));
  CLUTCH_ASSIGN_OR_RETURN(const IndexedKeys indexed, indexers_[input].index(*columns[1]));
  const columnar::ArrayView distinct(*indexed.keys);
  std::vector<std::string_view> keys;
  for (int64_t i = 0; i < indexed.keys->length; ++i) keys.push_back(distinct.bytes_at<int32_t>(i));
  const columnar::ArrayView timestamps(*columns[2]);
  std::vector<int64_t> time(static_cast<size_t>(columns[2]->length), kNoTimestamp);
  for (size_t row = 0; row < time.size(); ++row) {
    if (!timestamps.is_null(static_cast<int64_t>(row))) time[row] = timestamps.values<int64_t>()[row];
  }
  const std::span<const int32_t> index(columnar::ArrayView(*indexed.index).values<int32_t>(), time.size());
  CLUTCH_RETURN_IF_ERROR(join_.add(static_cast<JoinSide>(input), std::move(columns[0]), keys, index, time, joined_));
  joined_.late.clear();
  for (size_t first = 0; first < joined_.pairs.size(); first += kPairsABatch) {
    const size_t count = std::min(kPairsABatch, joined_.pairs.size() - first);
    CLUTCH_ASSIGN_OR_RETURN(columnar::Array pairs, batch_of(std::span(joined_.pairs).subspan(first, count)));
    CLUTCH_RETURN_IF_ERROR(RowsOperator::process(0, std::move(pairs), output));
  }
  joined_.pairs.clear();
  join_.settle();
  return {};
}

Result<columnar::Array> IntervalJoinOperator::batch_of(std::span<const JoinedPair> pairs) const {
  const auto count = static_cast<int64_t>(pairs.size());
  std::vector<RowShelf::Row> left;
  std::vector<RowShelf::Row> right;
  left.reserve(pairs.size());
  right.reserve(pairs.size());
  for (const JoinedPair& pair : pairs) {
    left.push_back(pair.left);
    right.push_back(pair.right);
  }
  std::vector<columnar::Array> columns(2);
  CLUTCH_ASSIGN_OR_RETURN(columns[0], join_.shelf(JoinSide::kLeft).rows(left));
  CLUTCH_ASSIGN_OR_RETURN(columns[1], join_.shelf(JoinSide::kRight).rows(right));
  columns.push_back(times(pairs, [](const JoinedPair& pair) { return pair.left_timestamp; }));
  columns.push_back(times(pairs, [](const JoinedPair& pair) { return pair.right_timestamp; }));
  std::vector<columnar::Array> batch;
  batch.push_back(columnar::make_batch(count, std::move(columns)));
  batch.push_back(
      times(pairs, [](const JoinedPair& pair) { return std::max(pair.left_timestamp, pair.right_timestamp); }));
  return columnar::make_batch(count, std::move(batch));
}

Status IntervalJoinOperator::on_signal(TimeSignal signal, Output& output) {
  if (signal.kind == TimeSignal::Kind::kWatermark) join_.advance_watermark(signal.time);
  return RowsOperator::on_signal(signal, output);
}

Result<FunctionOperator::Submission> IntervalJoinOperator::prepare(columnar::Array pairs) {
  Submission submission;
  Parts parts = divide(std::move(pairs), submission);
  submission.rows = std::move(parts.payload[0]);  // the function's columns are its fields
  return submission;
}

}  // namespace clutch::engine
