#include "operators/function_operator.h"

#include <algorithm>
#include <utility>

#include "clutch/columnar/ops.h"

namespace clutch::engine {

Status FunctionOperator::open(const OperatorContext& context) {
  batch_rows_ = context.batch_rows;
  host_ = context.host;
  waker_ = context.waker;
  lane_ = context.lane;
  limited_ = most_ > 0;
  definition_.set_task(context.subtask, context.parallelism, context.max_parallelism);
  if (has_state()) {
    CLUTCH_ASSIGN_OR_RETURN(const KeyGroups groups, KeyGroups::make(context.parallelism, context.max_parallelism));
    store_ = std::make_unique<FunctionStore>(groups, context.subtask);
    CLUTCH_RETURN_IF_ERROR(store_->restore(context.restored));
    definition_.store = store_->table();
  }
  CLUTCH_ASSIGN_OR_RETURN(std::unique_ptr<HostedFunction> opened,
                          HostedFunction::open(*host_, definition_, waker_, lane_));
  use(std::move(opened));
  publish_kept();
  return {};
}

// Gives back the one before.
std::unique_ptr<HostedFunction> FunctionOperator::use(std::unique_ptr<HostedFunction> function) {
  if (!limited_) most_ = std::max<size_t>(function->max_in_flight(), 1);
  const std::scoped_lock lock(mutex_);
  mode_ = function->mode();
  plugin_ = function->plugin();
  function_.swap(function);
  return function;
}

Status FunctionOperator::move_to(const std::string& mode) {
  FunctionDefinition moved = definition_;
  moved.mode = mode;
  // The new one is open before the old one closes, so a mode that cannot serve changes nothing. No batch runs.
  CLUTCH_ASSIGN_OR_RETURN(std::unique_ptr<HostedFunction> opened, HostedFunction::open(*host_, moved, waker_, lane_));
  definition_ = std::move(moved);
  return use(std::move(opened))->close();
}

std::string FunctionOperator::mode() const {
  const std::scoped_lock lock(mutex_);
  return mode_;
}

std::string FunctionOperator::plugin() const {
  const std::scoped_lock lock(mutex_);
  return plugin_;
}

std::optional<size_t> FunctionOperator::count_kept() const {
  return store_ == nullptr ? std::nullopt : std::optional<size_t>(store_->cell_count());
}

std::optional<int64_t> FunctionOperator::kept_entries() const {
  kept_asked_.store(true, std::memory_order_relaxed);
  const int64_t kept = kept_.load(std::memory_order_relaxed);
  return kept == kKeepsNothing ? std::nullopt : std::optional<int64_t>(kept);
}

void FunctionOperator::publish_kept() {
  const std::optional<size_t> kept = count_kept();
  kept_.store(kept.has_value() ? static_cast<int64_t>(*kept) : kKeepsNothing, std::memory_order_relaxed);
  kept_asked_.store(false, std::memory_order_relaxed);
}

Status FunctionOperator::process(size_t input, columnar::Array batch, Output& output) {
  CLUTCH_ASSIGN_OR_RETURN(columnar::Array arranged, arrange(input, std::move(batch)));
  waiting_rows_ += arranged->length;
  waiting_.push_back(std::move(arranged));
  CLUTCH_RETURN_IF_ERROR(advance(output));
  while (waiting_rows_ >= batch_rows_) {
    bool progress = false;
    CLUTCH_RETURN_IF_ERROR(complete_oldest(true, output, progress));
    CLUTCH_RETURN_IF_ERROR(advance(output));
  }
  return {};
}

Status FunctionOperator::on_signal(TimeSignal signal, Output& output) {
  waiting_.push_back(signal);
  return advance(output);
}

Status FunctionOperator::drain(Output& output) {
  CLUTCH_RETURN_IF_ERROR(advance(output));
  while (!idle()) {
    bool progress = false;
    CLUTCH_RETURN_IF_ERROR(complete_oldest(true, output, progress));
    CLUTCH_RETURN_IF_ERROR(advance(output));
  }
  return {};
}

Status FunctionOperator::advance(Output& output) {
  bool progress = true;
  while (progress) {
    progress = false;
    if (!in_flight_.empty()) CLUTCH_RETURN_IF_ERROR(complete_oldest(false, output, progress));
    // A batch that runs may be committing its state right now.
    if (batches_ == 0 && kept_asked_.load(std::memory_order_relaxed)) publish_kept();
    if (prepared_.has_value() && in_flight_.empty()) {
      CLUTCH_RETURN_IF_ERROR(submit_prepared());
      progress = true;
    } else if (!waiting_.empty()) {
      CLUTCH_RETURN_IF_ERROR(start_next(progress));
    } else if (in_flight_.empty()) {
      CLUTCH_ASSIGN_OR_RETURN(std::optional<Submission> due, when_idle());
      if (!due.has_value()) break;
      CLUTCH_RETURN_IF_ERROR(submit(*std::move(due)));
      progress = true;
    }
  }
  return {};
}

// One result or signal leaves, if it is ready or `wait` is asked for.
Status FunctionOperator::complete_oldest(bool wait, Output& output, bool& ret_progress) {
  if (const auto* signal = std::get_if<TimeSignal>(&in_flight_.front())) {
    CLUTCH_ASSIGN_OR_RETURN(std::optional<Submission> due, before_signal(*signal));
    ret_progress = true;
    if (due.has_value()) {
      // It runs before the signal, which stays where it is.
      CLUTCH_RETURN_IF_ERROR(submit(*std::move(due)));
      std::rotate(in_flight_.rbegin(), in_flight_.rbegin() + 1, in_flight_.rend());
      return {};
    }
    const TimeSignal sent = *signal;
    in_flight_.pop_front();
    return output.signal(sent);
  }
  auto& oldest = std::get<InFlight>(in_flight_.front());
  if (oldest.sequence == 0) {
    ret_progress = true;
    Kept unrun = std::move(oldest.kept);
    in_flight_.pop_front();
    return deliver_unrun(std::move(unrun), output);
  }
  CLUTCH_ASSIGN_OR_RETURN(std::optional<FunctionResult> result, function_->await(oldest.sequence, wait));
  if (!result.has_value()) return {};
  ret_progress = true;
  Kept kept = std::move(oldest.kept);
  in_flight_.pop_front();
  --batches_;
  if (const uint64_t dropped = result->dead_letters(); dropped > 0) {
    dead_letters_.fetch_add(dropped, std::memory_order_relaxed);
  }
  // The next one runs while this one's rows are handed on.
  if (prepared_.has_value() && in_flight_.empty()) CLUTCH_RETURN_IF_ERROR(submit_prepared());
  return deliver(*result, std::move(kept), output);
}

Status FunctionOperator::submit_prepared() { return submit(*std::exchange(prepared_, std::nullopt)); }

Status FunctionOperator::start_next(bool& ret_progress) {
  if (prepared_.has_value()) return {};
  if (const auto* signal = std::get_if<TimeSignal>(&waiting_.front())) {
    passed(*signal);
    in_flight_.push_back(*signal);
    waiting_.pop_front();
    ret_progress = true;
    return {};
  }
  // What a signal starts must not be overtaken by the rows behind it where batches run one at a time.
  const bool full = batches_ >= most_ || (most_ == 1 && !in_flight_.empty());
  // A whole batch is made ready while the one before it runs; smaller ones still grow, and none comes before a signal.
  const bool ahead = full && most_ == 1 && waiting_rows_ >= batch_rows_ && in_flight_.size() == 1 && batches_ == 1;
  if (full && !ahead) return {};
  CLUTCH_ASSIGN_OR_RETURN(columnar::Array batch, next_batch());
  CLUTCH_ASSIGN_OR_RETURN(Submission submission, prepare(std::move(batch)));
  ret_progress = true;
  if (!ahead) return submit(std::move(submission));
  prepared_ = std::move(submission);
  return {};
}

// The batches at the head of those that wait, together as far as they fit into one.
Result<columnar::Array> FunctionOperator::next_batch() {
  std::vector<const ArrowArray*> parts;
  int64_t rows = 0;
  for (const Waiting& waiting : waiting_) {
    const auto* batch = std::get_if<columnar::Array>(&waiting);
    if (batch == nullptr || (rows > 0 && rows + (*batch)->length > batch_rows_)) break;
    rows += (*batch)->length;
    parts.push_back(batch->get());
  }
  columnar::Array batch;
  if (parts.size() == 1) {
    batch = std::get<columnar::Array>(std::move(waiting_.front()));
  } else {
    CLUTCH_ASSIGN_OR_RETURN(batch, columnar::concatenate(arranged(), parts));
  }
  waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(parts.size()));
  waiting_rows_ -= rows;
  return batch;
}

Status FunctionOperator::submit(Submission submission) {
  if (submission.rows.empty()) {
    in_flight_.push_back(InFlight{0, std::move(submission.kept)});
    return {};
  }
  CLUTCH_ASSIGN_OR_RETURN(const uint64_t sequence,
                          function_->submit(std::move(submission.rows), std::move(submission.extras)));
  in_flight_.push_back(InFlight{sequence, std::move(submission.kept)});
  ++batches_;
  return {};
}

void FunctionOperator::cancel() {
  const std::scoped_lock lock(mutex_);
  if (function_ != nullptr) function_->cancel();
}

Status FunctionOperator::close() {
  if (function_ == nullptr) return {};
  Status status = function_->close();
  publish_kept();
  return status;
}

}  // namespace clutch::engine
