#include "operators/window_operator.h"

#include <algorithm>

#include "clutch/columnar/ops.h"
#include "clutch/columnar/view.h"
#include "exchange/share.h"
#include "operators/timestamps.h"
#include "state/coding.h"
#include "state/memory_backend.h"

namespace clutch::engine {
namespace {

columnar::Field number_field(const char* name, columnar::TypeId id) {
  columnar::Field field{name, {}, false};
  field.type.id = id;
  return field;
}

}  // namespace

columnar::Field WindowOperator::function_input(const std::vector<BatchType>& inputs) {
  columnar::Field field = RowsOperator::function_input(inputs);
  for (columnar::Field& column : field.type.children) column.nullable = true;  // events without a value have none
  field.type.children.push_back(number_field("op", columnar::TypeId::kInt8));
  field.type.children.push_back(number_field("cell", columnar::TypeId::kInt32));
  field.type.children.push_back(number_field("other", columnar::TypeId::kInt32));
  field.type.children.push_back(number_field("start", columnar::TypeId::kInt64));
  field.type.children.push_back(number_field("end", columnar::TypeId::kInt64));
  return field;
}

Result<std::unique_ptr<Operator>> WindowOperator::make(FunctionDefinition definition, RowsShape shape, WindowPlan plan,
                                                       int32_t max_parallelism) {
  CLUTCH_ASSIGN_OR_RETURN(WindowTracker tracker,
                          WindowTracker::make(plan.assigner, plan.trigger, plan.allowed_lateness, WallClock().now()));
  CLUTCH_ASSIGN_OR_RETURN(KeyIndexer indexer, KeyIndexer::make(shape.inputs[0].key_field()));
  return std::unique_ptr<Operator>(new WindowOperator(std::move(definition), std::move(shape), std::move(plan),
                                                      std::move(tracker), std::move(indexer), max_parallelism));
}

WindowOperator::WindowOperator(FunctionDefinition definition, RowsShape shape, WindowPlan plan, WindowTracker tracker,
                               KeyIndexer indexer, int32_t max_parallelism)
    : RowsOperator(std::move(definition), std::move(shape)),
      plan_(std::move(plan)),
      max_parallelism_(max_parallelism),
      tracker_(std::move(tracker)),
      indexer_(std::move(indexer)) {
  limit_in_flight(1);
}

Status WindowOperator::open(const OperatorContext& context) {
  CLUTCH_ASSIGN_OR_RETURN(groups_, KeyGroups::make(context.parallelism, max_parallelism_));
  range_ = groups_->range_of(context.subtask);
  if (plan_.folds) {
    contents_ = std::make_unique<FoldedContents>(shape_.inputs[0].value_field(), plan_.clears);
  } else {
    backend_ = std::make_unique<MemoryBackend>(*groups_, context.subtask, clock_);
    std::vector<columnar::Field> inputs;
    for (size_t i = 0; i < shape_.inputs.size(); ++i) {
      inputs.push_back(shape_.inputs[i].value_field());
      if (shape_.inputs.size() > 1) inputs.back().name = "value" + std::to_string(i + 1);
    }
    CLUTCH_ASSIGN_OR_RETURN(ListedContents contents,
                            ListedContents::make(std::move(inputs), *backend_, keys_, plan_.evictor, plan_.clears));
    contents_ = std::make_unique<ListedContents>(std::move(contents));
  }
  // What was late stays late. All subtasks have seen the same watermarks before a border, so the lowest is that of
  // each. Time is moved while no window is there: timers that waited for the next watermark still do.
  std::vector<KeyedPart> parts;
  std::optional<int64_t> watermark;
  for (const SnapshotPart* part : context.restored) {
    CLUTCH_ASSIGN_OR_RETURN(KeyedPart kept, KeyedPart::decode(part->bytes, shape()));
    watermark = std::min(kept.watermark, watermark.value_or(kept.watermark));
    parts.push_back(std::move(kept));
  }
  if (watermark.has_value()) tracker_.advance_watermark(*watermark, actions_);
  std::vector<SnapshotPart> of_function;
  for (size_t i = 0; i < parts.size(); ++i) {
    CLUTCH_RETURN_IF_ERROR(restore(parts[i]));
    const SnapshotPart& part = *context.restored[i];
    of_function.push_back({part.name, part.subtask, part.parallelism, std::move(parts[i].function)});
  }
  OperatorContext own = context;
  own.restored.clear();
  for (const SnapshotPart& part : of_function) own.restored.push_back(&part);
  return RowsOperator::open(own);
}

std::string WindowOperator::shape() const {
  std::string out = tracker_.shape() + ", " + (plan_.folds ? "folding " : "holding ");
  for (size_t i = 0; i < shape_.inputs.size(); ++i) {
    out += (i > 0 ? " and " : "") + columnar::to_string(shape_.inputs[i].value);
  }
  return out;
}

// Of each group the windows, then their elements where the function does not fold them.
Result<std::string> WindowOperator::snapshot() {
  KeyedPart part{shape(), tracker_.watermark(), {}, {}};
  CLUTCH_ASSIGN_OR_RETURN(part.function, RowsOperator::snapshot());
  for (const auto& [group, windows] : tracker_.snapshot(keys_, *groups_)) {
    std::string& out = part.groups[group];
    put_bytes(windows, out);
    if (backend_ == nullptr) continue;
    CLUTCH_ASSIGN_OR_RETURN(const std::string elements, backend_->snapshot(group));
    put_bytes(elements, out);
  }
  return part.encode();
}

Status WindowOperator::restore(const KeyedPart& kept) {
  for (const auto& [group, bytes] : kept.groups) {
    if (!range_.contains(group)) continue;
    SnapshotReader in(bytes);
    const std::string_view windows = in.view();
    const std::string_view elements = backend_ != nullptr ? in.view() : std::string_view();
    if (!in.failed() && !in.at_end()) in.fail("something follows its end");
    if (in.failed()) return in.status();
    CLUTCH_RETURN_IF_ERROR(tracker_.restore(keys_, *groups_, group, windows));
    if (backend_ != nullptr) CLUTCH_RETURN_IF_ERROR(backend_->restore(group, elements));
  }
  return {};
}

Result<FunctionOperator::Submission> WindowOperator::prepare(columnar::Array arranged) {
  const int64_t rows = arranged->length;
  Submission of_rows;
  const Parts parts = divide(std::move(arranged), of_rows);
  const columnar::ArrayView timestamps(*of_rows.kept[0]);
  times_.resize(static_cast<size_t>(rows));
  for (int64_t row = 0; row < rows; ++row) {
    times_[static_cast<size_t>(row)] = timestamps.is_null(row) ? kNoTimestamp : timestamps.values<int64_t>()[row];
  }
  CLUTCH_ASSIGN_OR_RETURN(const IndexedKeys keys, indexer_.index(*parts.key));
  const columnar::ArrayView distinct(*keys.keys);
  ids_.clear();
  for (int64_t i = 0; i < keys.keys->length; ++i) ids_.push_back(keys_.id_of(distinct.bytes_at<int32_t>(i)));

  tracker_.advance_processing_time(clock_.now(), actions_);
  const auto* place = columnar::ArrayView(*keys.index).values<int32_t>();
  for (int64_t row = 0; row < rows; ++row) {
    const WindowTracker::Record record{.key = ids_[static_cast<size_t>(place[row])],
                                       .row = row,
                                       .timestamp = times_[static_cast<size_t>(row)],
                                       .gap = 0};
    CLUTCH_RETURN_IF_ERROR(tracker_.add(record, actions_));
  }
  WindowElements elements;
  elements.timestamps = times_;
  if (shape_.inputs.size() == 1) {
    elements.values = {parts.payload[0].get()};
  } else {
    elements.values = {parts.payload[1].get(), parts.payload[2].get()};
    elements.inputs = {columnar::ArrayView(*parts.payload[0]).values<int8_t>(), static_cast<size_t>(rows)};
  }
  return submission_of(&elements);
}

Result<FunctionOperator::Submission> WindowOperator::submission_of(const WindowElements* elements) {
  Submission submission;
  CLUTCH_RETURN_IF_ERROR(contents_->run(actions_, elements, events_));
  columnar::Array late;
  if (elements != nullptr) {
    CLUTCH_ASSIGN_OR_RETURN(late, late_rows(*elements));
  }
  if (events_.size() > 0) {
    CLUTCH_ASSIGN_OR_RETURN(WindowEventBatch::Columns columns, events_.finish(contents_->values(elements)));
    contents_->reset();
    submission.rows = std::move(columns.rows);
    submission.extras.keys = std::move(columns.keys);
    submission.extras.key_index = std::move(columns.key_index);
    submission.extras.watermark = tracker_.watermark();
    const Shared timestamps(std::move(columns.timestamps));
    submission.extras.timestamps = timestamps.view();
    submission.kept.push_back(timestamps.view());
  } else {
    submission.kept.emplace_back();
  }
  submission.kept.push_back(std::move(late));
  // The number of a key may go to another one only now, when its bytes stand in no event any more.
  for (const WindowAction& action : actions_) release_unless_held(action.key);
  for (const KeyId id : ids_) release_unless_held(id);
  ids_.clear();
  actions_.clear();
  return submission;
}

void WindowOperator::release_unless_held(KeyId id) {
  if (keys_.known(id) && !tracker_.holds(id)) keys_.release(id);
}

Result<columnar::Array> WindowOperator::late_rows(const WindowElements& elements) {
  std::vector<int32_t> rows;
  if (plan_.late_side.has_value()) {
    for (const WindowAction& action : actions_) {
      if (action.kind == WindowAction::Kind::kLate) rows.push_back(static_cast<int32_t>(action.row));
    }
  }
  if (rows.empty()) return columnar::Array();
  std::vector<columnar::Array> columns(1);
  CLUTCH_ASSIGN_OR_RETURN(columns[0], columnar::take(shape_.inputs[0].value_field(), *elements.values[0], rows));
  columnar::ArrayBuilder timestamps(timestamp_field());
  for (const int32_t row : rows) {
    const int64_t time = elements.timestamps[static_cast<size_t>(row)];
    if (time == kNoTimestamp) {
      timestamps.append_null();
    } else {
      timestamps.append(time);
    }
  }
  columns.push_back(timestamps.finish());
  return columnar::make_batch(static_cast<int64_t>(rows.size()), std::move(columns));
}

Result<std::optional<FunctionOperator::Submission>> WindowOperator::before_signal(const TimeSignal& signal) {
  if (signal.kind != TimeSignal::Kind::kWatermark) return std::optional<Submission>();
  tracker_.advance_watermark(signal.time, actions_);
  if (actions_.empty()) return std::optional<Submission>();
  CLUTCH_ASSIGN_OR_RETURN(Submission due, submission_of(nullptr));
  return std::optional<Submission>(std::move(due));
}

Result<std::optional<FunctionOperator::Submission>> WindowOperator::when_idle() {
  const int64_t now = clock_.now();
  if (tracker_.next_processing_time() > now) return std::optional<Submission>();
  tracker_.advance_processing_time(now, actions_);
  if (actions_.empty()) return std::optional<Submission>();
  CLUTCH_ASSIGN_OR_RETURN(Submission due, submission_of(nullptr));
  return std::optional<Submission>(std::move(due));
}

std::optional<Operator::Deadline> WindowOperator::deadline() const {
  if (!idle() || tracker_.next_processing_time() == kMaxWatermark) return std::nullopt;
  // No further ahead than a clock that is set may jump without being noticed for long.
  constexpr int64_t kLongest = 60'000;
  const int64_t ahead = std::min(saturating_subtract(tracker_.next_processing_time(), clock_.now()), kLongest);
  return std::chrono::steady_clock::now() + std::chrono::milliseconds(std::max<int64_t>(ahead, 0));
}

Status WindowOperator::emit_late(Kept& kept, Output& output) {
  columnar::Array late = std::move(kept[1]);
  kept.pop_back();
  return late.empty() ? Status() : output.emit_side(*plan_.late_side, std::move(late));
}

Status WindowOperator::deliver(FunctionResult& result, Kept kept, Output& output) {
  CLUTCH_RETURN_IF_ERROR(emit_late(kept, output));
  return RowsOperator::deliver(result, std::move(kept), output);
}

Status WindowOperator::deliver_unrun(Kept kept, Output& output) { return emit_late(kept, output); }

}  // namespace clutch::engine
