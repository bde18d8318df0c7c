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
  own.subtask = number_;
  if (input_.reader != nullptr) CLUTCH_RETURN_IF_ERROR(of_source(input_.reader->prepare()));
  for (const std::unique_ptr<Link>& link : links_) {
    ++opened_;
    CLUTCH_RETURN_IF_ERROR(link->open(own));
  }
  return {};
}

Status Subtask::run() {
  Status status = input_.reader != nullptr ? read_source() : read_gate();
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
  return Status(CLUTCH_ERR_INTERNAL, "task \"" + name_ + "\": a barrier came, and nobody starts checkpoints");
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
