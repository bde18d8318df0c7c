#include "runtime/subtask.h"

#include <algorithm>
#include <utility>

namespace clutch::engine {
namespace {

size_t inputs_of(const Subtask::Input& input) {
  size_t inputs = 1;
  for (const size_t number : input.input_of_channel) inputs = std::max(inputs, number + 1);
  return inputs;
}

}  // namespace

Subtask::Subtask(std::string name, int32_t number, int32_t parallelism, Input input,
                 std::vector<std::unique_ptr<Link>> links)
    : name_(std::move(name)),
      number_(number),
      parallelism_(parallelism),
      input_(std::move(input)),
      links_(std::move(links)),
      together_(inputs_of(input_)) {
  std::vector<size_t> channels(inputs_of(input_), 0);
  for (size_t channel = 0; channel < input_.input_of_channel.size(); ++channel) {
    const size_t of_input = input_.input_of_channel[channel];
    channel_in_input_.push_back(input_.fed_back[channel] ? 0 : channels[of_input]++);
  }
  for (const size_t count : channels) valves_.emplace_back(count);
}

Status Subtask::open(const OperatorContext& context) {
  OperatorContext own = context;
  own.waker = this;
  const bool beside =
      std::any_of(links_.begin(), links_.end(), [](const auto& link) { return link->works_beside_function(); });
  own.lane = beside ? &lane_ : nullptr;
  own.subtask = number_;
  gathering_ = context.gathering;
  if (input_.reader != nullptr) {
    CLUTCH_RETURN_IF_ERROR(of_source(input_.reader->prepare()));
    CLUTCH_RETURN_IF_ERROR(of_source(restore_reader(context.snapshot)));
  }
  for (const std::unique_ptr<Link>& link : links_) {
    ++opened_;
    CLUTCH_RETURN_IF_ERROR(link->open(own));
  }
  return {};
}

// A position is of one instance among so many; what another number of them had read does not tell what is left.
Status Subtask::restore_reader(const Snapshot* snapshot) {
  if (snapshot == nullptr) return {};
  for (const SnapshotPart* part : snapshot->named(links_.front()->label().key)) {
    if (part->parallelism != parallelism_) {
      return Status(CLUTCH_ERR_CONFIG, "its positions in the snapshot are those of " +
                                           std::to_string(part->parallelism) + " subtasks, and it has " +
                                           std::to_string(parallelism_) + " now; give it the parallelism it had");
    }
    if (part->subtask == number_) return input_.reader->restore(part->bytes);
  }
  return {};
}

Status Subtask::run() {
  Status status = input_.reader != nullptr ? read_source() : read_gate();
  leave();
  if (status.ok()) status = end_of_input();
  if (status.ok()) {
    for (const std::unique_ptr<Link>& link : links_) link->close_senders();
  }
  return status;
}

Status Subtask::reason() const {
  return Status(CLUTCH_ERR_CANCELLED, "the job is being cancelled", CLUTCH_ORIGIN_HOST);
}

// Errors name the source.
Status Subtask::of_source(Status status) const {
  if (status.ok() || status.code() == CLUTCH_ERR_CANCELLED) return status;
  const Link::Label& label = links_.front()->label();
  return std::move(status)
      .prefixed("source \"" + label.name + "\"")
      .with("operator", label.name)
      .with("node", std::to_string(label.node));
}

Status Subtask::read_source() {
  Link& head = *links_.front();
  CLUTCH_RETURN_IF_ERROR(of_source(input_.reader->open()));
  while (!cancelled_.load()) {
    CLUTCH_RETURN_IF_ERROR(poll_all());
    CLUTCH_RETURN_IF_ERROR(run_tasks());
    Result<SourceReader::Polled> polled = input_.reader->poll(deadline());
    if (!polled.ok()) return of_source(std::move(polled).status());
    if (polled->kind == SourceReader::Polled::Kind::kEnded) {
      return head.take_signal({TimeSignal::Kind::kWatermark, kMaxWatermark});
    }
    if (polled->kind == SourceReader::Polled::Kind::kBatch) {
      CLUTCH_RETURN_IF_ERROR(head.process(0, std::move(polled->batch)));
    }
  }
  return reason();
}

Status Subtask::read_gate() {
  while (true) {
    CLUTCH_RETURN_IF_ERROR(poll_all());
    CLUTCH_RETURN_IF_ERROR(run_tasks());
    CLUTCH_RETURN_IF_ERROR(align());
    bool over = false;
    CLUTCH_RETURN_IF_ERROR(turn(over));
    if (over) return {};
    CLUTCH_ASSIGN_OR_RETURN(InputGate::Taken taken, input_.gate->take(deadline()));
    if (taken.kind == InputGate::Taken::Kind::kEnded) return {};
    if (taken.kind == InputGate::Taken::Kind::kElement) {
      ++taken_;
      CLUTCH_RETURN_IF_ERROR(take(taken.channel, std::move(taken.element)));
    }
  }
}

// The subtask's part in the iterations that it belongs to.
Status Subtask::turn(bool& ret_over) {
  Loop* const own = input_.head_of;
  if (own != nullptr) {
    own->look(Loop::Clock::now());
    const Loop::Phase phase = own->phase();
    ret_over = phase == Loop::Phase::kOver;
    if (phase == Loop::Phase::kLastWatermark && !last_watermark_sent_) {
      last_watermark_sent_ = last_watermark_counted_ = true;
      CLUTCH_RETURN_IF_ERROR(links_.front()->take_signal({TimeSignal::Kind::kWatermark, kMaxWatermark}));
    }
  }
  const bool idle = std::all_of(links_.begin(), links_.end(), [](const auto& link) { return link->idle(); });
  if (!idle) return {};
  if (const int64_t done = std::exchange(taken_, 0); done > 0) {
    for (Loop* const loop : input_.loops) loop->done(done);
  }
  if (std::exchange(last_watermark_counted_, false)) own->done();
  return {};
}

Status Subtask::take(size_t channel, StreamElement element) {
  if (auto* batch = std::get_if<columnar::Array>(&element)) {
    return links_.front()->process(input_.input_of_channel[channel], std::move(*batch));
  }
  if (const auto* signal = std::get_if<TimeSignal>(&element)) return take_signal(channel, *signal);
  return take_barrier(channel, std::get<Barrier>(element));
}

void Subtask::post(Task task) {
  {
    const std::scoped_lock lock(tasks_mutex_);
    if (!over_) {
      tasks_.push_back(std::move(task));
      wake();
      return;
    }
  }
  const Status ignored = task(false);  // nobody runs who could fail
}

Status Subtask::run_tasks() {
  std::vector<Task> tasks;
  {
    const std::scoped_lock lock(tasks_mutex_);
    tasks.swap(tasks_);
  }
  Status status;
  for (const Task& task : tasks) {
    Status done = task(status.ok());
    if (status.ok()) status = std::move(done);
  }
  return status;
}

void Subtask::leave() {
  std::vector<Task> tasks;
  {
    const std::scoped_lock lock(tasks_mutex_);
    tasks.swap(tasks_);
    over_ = true;
  }
  for (const Task& task : tasks) {
    const Status ignored = task(false);
  }
  gathering_->leave("task \"" + name_ + "\"");
}

bool Subtask::has_function(int32_t node) const {
  return std::any_of(links_.begin(), links_.end(), [node](const auto& link) { return link->has_function(node); });
}

Status Subtask::move(int32_t node, const std::string& mode, Status& ret_moved) {
  for (const std::unique_ptr<Link>& link : links_) {
    if (!link->has_function(node)) continue;
    CLUTCH_RETURN_IF_ERROR(link->drain());
    ret_moved = link->move_to(mode);
    if (!ret_moved.ok()) break;
  }
  return {};
}

// The channels that were heard wait until the others have been, so that everything before the barrier is worked off and
// nothing behind it.
Status Subtask::take_barrier(size_t channel, Barrier barrier) {
  if (barrier_.has_value() && !(*barrier_ == barrier)) {
    return Status(CLUTCH_ERR_INTERNAL, "task \"" + name_ + "\": a barrier overtook another one");
  }
  barrier_ = barrier;
  aligned_.resize(input_.input_of_channel.size(), false);
  aligned_[channel] = true;
  input_.gate->pause(channel);
  return align();
}

Status Subtask::align() {
  if (!barrier_.has_value()) return {};
  for (size_t channel = 0; channel < aligned_.size(); ++channel) {
    if (!aligned_[channel] && !input_.gate->is_over(channel)) return {};
  }
  const Barrier barrier = *std::exchange(barrier_, std::nullopt);
  CLUTCH_RETURN_IF_ERROR(keep(barrier));
  for (size_t channel = 0; channel < aligned_.size(); ++channel) {
    if (aligned_[channel]) input_.gate->resume(channel);
  }
  aligned_.assign(aligned_.size(), false);
  return {};
}

// What cannot be kept fails the snapshot, and not the job.
Status Subtask::keep(Barrier barrier) {
  std::vector<SnapshotPart> parts;
  Status failure;
  const auto add = [&](const Link& link, Result<std::string> bytes) {
    if (!bytes.ok()) {
      if (failure.ok()) failure = std::move(bytes).status();
    } else if (!bytes->empty()) {
      parts.push_back({link.label().key, number_, parallelism_, std::move(*bytes)});
    }
  };
  if (input_.reader != nullptr) add(*links_.front(), input_.reader->position());
  for (const std::unique_ptr<Link>& link : links_) {
    CLUTCH_RETURN_IF_ERROR(link->drain());
    add(*link, link->snapshot());
  }
  for (const std::unique_ptr<Link>& link : links_) CLUTCH_RETURN_IF_ERROR(link->pass(barrier));
  if (failure.ok()) {
    gathering_->bring(barrier.checkpoint, std::move(parts));
  } else {
    gathering_->fail(barrier.checkpoint, std::move(failure));
  }
  return {};
}

Status Subtask::take_signal(size_t channel, TimeSignal signal) {
  const size_t input = input_.input_of_channel[channel];
  of_input_.clear();
  valves_[input].take(channel_in_input_[channel], signal, of_input_);
  of_all_.clear();
  for (const TimeSignal& made : of_input_) together_.take(input, made, of_all_);
  for (const TimeSignal& made : of_all_) {
    // The last watermark follows what still goes round.
    const bool last = made.kind == TimeSignal::Kind::kWatermark && made.time == kMaxWatermark;
    if (last && input_.head_of != nullptr) continue;
    CLUTCH_RETURN_IF_ERROR(links_.front()->take_signal(made));
  }
  return {};
}

Status Subtask::poll_all() {
  for (const std::unique_ptr<Link>& link : links_) {
    CLUTCH_RETURN_IF_ERROR(link->on_deadline());
    CLUTCH_RETURN_IF_ERROR(link->poll());
  }
  return {};
}

Status Subtask::end_of_input() {
  for (const std::unique_ptr<Link>& link : links_) CLUTCH_RETURN_IF_ERROR(link->finish());
  return {};
}

std::optional<Operator::Deadline> Subtask::deadline() const {
  std::optional<Operator::Deadline> first;
  for (const std::unique_ptr<Link>& link : links_) {
    const std::optional<Operator::Deadline> own = link->deadline();
    if (own.has_value() && (!first.has_value() || *own < *first)) first = own;
  }
  if (input_.head_of != nullptr) {
    const std::optional<Loop::Clock::time_point> quiet = input_.head_of->deadline();
    if (quiet.has_value() && (!first.has_value() || *quiet < *first)) first = quiet;
  }
  return first;
}

Status Subtask::close() {
  Status first;
  if (input_.reader != nullptr) first = of_source(input_.reader->close());
  for (; opened_ > 0; --opened_) {
    Status status = links_[opened_ - 1]->close();
    if (first.ok()) first = std::move(status);
  }
  lane_.end();
  return first;
}

void Subtask::cancel(const Status& reason) {
  cancelled_.store(true);
  if (input_.gate != nullptr) input_.gate->cancel(reason);
  if (input_.reader != nullptr) input_.reader->cancel();
  for (const std::unique_ptr<Link>& link : links_) link->cancel();
  wake();
}

void Subtask::wake() {
  if (input_.gate != nullptr) {
    input_.gate->wake();
  } else {
    input_.reader->wake();
  }
}

}  // namespace clutch::engine
