#include "sink/collected.h"

#include "exchange/size.h"
#include "runtime/batch.h"

namespace clutch::engine {

Status CollectQueue::put(Collected collected) {
  const BatchType type{collected.element.type, std::nullopt};
  const int64_t bytes = batch_bytes(type.field(), *collected.batch);
  std::unique_lock lock(mutex_);
  room_.wait(lock, [&] { return !stopped_.ok() || waiting_.empty() || bytes_ + bytes <= capacity_; });
  if (!stopped_.ok()) return stopped_;
  waiting_.push_back({std::move(collected), bytes});
  bytes_ += bytes;
  filled_.notify_one();
  return {};
}

Result<std::optional<Collected>> CollectQueue::take(std::optional<std::chrono::milliseconds> timeout) {
  std::unique_lock lock(mutex_);
  const auto ready = [&] { return !waiting_.empty() || ended_; };
  if (timeout.has_value()) {
    if (!filled_.wait_for(lock, *timeout, ready)) return std::optional<Collected>();
  } else {
    filled_.wait(lock, ready);
  }
  if (waiting_.empty()) {
    if (!outcome_.ok()) return outcome_;
    return std::optional<Collected>();
  }
  Waiting first = std::move(waiting_.front());
  waiting_.pop_front();
  bytes_ -= first.bytes;
  room_.notify_all();
  return std::optional<Collected>(std::move(first.collected));
}

void CollectQueue::stop(const Status& reason) {
  const std::scoped_lock lock(mutex_);
  if (stopped_.ok()) stopped_ = reason;
  room_.notify_all();
}

void CollectQueue::end(const Status& outcome) {
  const std::scoped_lock lock(mutex_);
  ended_ = true;
  outcome_ = outcome;
  filled_.notify_all();
}

}  // namespace clutch::engine
