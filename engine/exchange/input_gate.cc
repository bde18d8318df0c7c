#include "exchange/input_gate.h"

#include <algorithm>
#include <cassert>
#include <string>
#include <utility>

namespace clutch::engine {

void InputGate::join(Loop& loop, std::vector<bool> outside) {
  loop.begin(std::count(outside.begin(), outside.end(), true));
  loops_.push_back({&loop, std::move(outside)});
}

void InputGate::feed_back(size_t channel, const Loop& loop, int64_t limit) {
  channels_.at(channel).fed_back_by = &loop;
  feedback_limit_ = limit;
}

Status InputGate::put(size_t index, StreamElement element, int64_t bytes) {
  for (const Membership& membership : loops_) membership.loop->begin();
  const Loop* const loop = channels_.at(index).fed_back_by;
  if (loop != nullptr && loop->phase() == Loop::Phase::kOver) {
    for (const Membership& membership : loops_) membership.loop->done();
    return {};
  }
  std::unique_lock lock(mutex_);
  Channel& channel = channels_.at(index);
  bytes = std::max(bytes, kMinBytes);
  if (channel.fed_back_by != nullptr) return put_unbounded(channel, std::move(element), bytes);
  if (!has_room(channel, bytes) && !channel.closed && cancelled_.ok()) {
    ++channel.blocked;
    channel.room.wait(lock, [&] { return has_room(channel, bytes) || channel.closed || !cancelled_.ok(); });
  }
  if (!cancelled_.ok()) return cancelled_;
  if (channel.closed) {
    return Status(CLUTCH_ERR_CLOSED,
                  "channel " + std::to_string(index) + " was closed; put every element before close()");
  }
  add(channel, std::move(element), bytes);
  return {};
}

Status InputGate::put_unbounded(Channel& channel, StreamElement element, int64_t bytes) {
  if (!cancelled_.ok()) return cancelled_;
  if (feedback_bytes_ + bytes > feedback_limit_) {
    return Status(CLUTCH_ERR_MEMORY,
                  "what is fed back and waits takes more than " + std::to_string(feedback_limit_) +
                      " bytes; let more elements leave the iteration, or raise clutch.engine.feedback-bytes",
                  CLUTCH_ORIGIN_USER);
  }
  feedback_bytes_ += bytes;
  add(channel, std::move(element), bytes);
  return {};
}

void InputGate::add(Channel& channel, StreamElement element, int64_t bytes) {
  channel.waiting.push_back({arrivals_++, std::move(element), bytes});
  channel.bytes += bytes;
  readable_.notify_one();
}

void InputGate::close(size_t index) {
  {
    const std::lock_guard lock(mutex_);
    Channel& channel = channels_.at(index);
    if (channel.closed) return;
    channel.closed = true;
    woken_ = woken_ || std::any_of(channels_.begin(), channels_.end(), [](const Channel& of) { return of.paused; });
    channel.room.notify_all();
    readable_.notify_all();
  }
  for (const Membership& membership : loops_) {
    if (membership.outside.at(index)) membership.loop->done();
  }
}

Result<InputGate::Taken> InputGate::take(std::optional<Deadline> until) {
  std::unique_lock lock(mutex_);
  Channel* from = nullptr;
  const auto ready = [&] { return !cancelled_.ok() || (from = longest_waiting()) != nullptr || woken_ || ended(); };
  if (until.has_value()) {
    if (!readable_.wait_until(lock, *until, ready)) return Taken{Taken::Kind::kTimeout, 0, {}};
  } else {
    readable_.wait(lock, ready);
  }
  if (!cancelled_.ok()) return cancelled_;
  if (from == nullptr) {
    return Taken{std::exchange(woken_, false) ? Taken::Kind::kWoken : Taken::Kind::kEnded, 0, {}};
  }

  Waiting first = std::move(from->waiting.front());
  from->waiting.pop_front();
  from->bytes -= first.bytes;
  if (from->fed_back_by != nullptr) feedback_bytes_ -= first.bytes;
  from->room.notify_all();
  if (ended()) readable_.notify_all();  // other takers wait for nothing now
  return Taken{Taken::Kind::kElement, static_cast<size_t>(from - channels_.data()), std::move(first.element)};
}

InputGate::Channel* InputGate::longest_waiting() {
  Channel* found = nullptr;
  for (Channel& channel : channels_) {
    if (channel.paused || channel.waiting.empty()) continue;
    if (channel.fed_back_by == nullptr && feedback_bytes_ > capacity_) continue;
    if (found == nullptr || channel.waiting.front().number < found->waiting.front().number) found = &channel;
  }
  return found;
}

bool InputGate::ended() const {
  return std::all_of(channels_.begin(), channels_.end(),
                     [](const Channel& channel) { return channel.closed && channel.waiting.empty(); });
}

void InputGate::wake() {
  const std::lock_guard lock(mutex_);
  woken_ = true;
  readable_.notify_one();
}

bool InputGate::is_over(size_t channel) const {
  const std::lock_guard lock(mutex_);
  const Channel& of = channels_.at(channel);
  return of.closed && of.waiting.empty();
}

void InputGate::pause(size_t channel) {
  const std::lock_guard lock(mutex_);
  channels_.at(channel).paused = true;
}

void InputGate::resume(size_t channel) {
  const std::lock_guard lock(mutex_);
  channels_.at(channel).paused = false;
  readable_.notify_all();
}

void InputGate::cancel(Status reason) {
  assert(!reason.ok());
  // Freed behind the lock: releasing a batch may run code of others.
  std::vector<std::deque<Waiting>> freed;
  const std::lock_guard lock(mutex_);
  if (!cancelled_.ok()) return;
  cancelled_ = std::move(reason);
  for (Channel& channel : channels_) {
    freed.push_back(std::move(channel.waiting));
    channel.waiting.clear();
    channel.bytes = 0;
    feedback_bytes_ = 0;
    channel.room.notify_all();
  }
  readable_.notify_all();
}

int64_t InputGate::buffered(size_t channel) const {
  const std::lock_guard lock(mutex_);
  return channels_.at(channel).bytes;
}

int64_t InputGate::buffered() const {
  const std::lock_guard lock(mutex_);
  int64_t bytes = 0;
  for (const Channel& channel : channels_) bytes += channel.bytes;
  return bytes;
}

uint64_t InputGate::blocked_puts(size_t channel) const {
  const std::lock_guard lock(mutex_);
  return channels_.at(channel).blocked;
}

}  // namespace clutch::engine
