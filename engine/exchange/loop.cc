#include "exchange/loop.h"

namespace clutch::engine {

void Loop::begin(int64_t count) {
  const std::scoped_lock lock(mutex_);
  count_ += count;
}

void Loop::done(int64_t count) {
  {
    const std::scoped_lock lock(mutex_);
    count_ -= count;
    if (count_ > 0 || phase_ == Phase::kOver) return;
    if (phase_ == Phase::kLastWatermark) {
      phase_ = Phase::kOver;
    } else if (quiet_.count() > 0) {
      quiet_since_ = Clock::now();
    } else {
      send_last_watermark();
    }
  }
  for (const std::function<void()>& wake : heads_) wake();
}

void Loop::look(Clock::time_point now) {
  {
    const std::scoped_lock lock(mutex_);
    if (!is_quiet() || now < quiet_since_ + quiet_) return;
    send_last_watermark();
  }
  for (const std::function<void()>& wake : heads_) wake();
}

void Loop::send_last_watermark() {
  phase_ = Phase::kLastWatermark;
  count_ = static_cast<int64_t>(heads_.size());
}

Loop::Phase Loop::phase() const {
  const std::scoped_lock lock(mutex_);
  return phase_;
}

std::optional<Loop::Clock::time_point> Loop::deadline() const {
  const std::scoped_lock lock(mutex_);
  if (!is_quiet() || quiet_.count() == 0) return std::nullopt;
  return quiet_since_ + quiet_;
}

}  // namespace clutch::engine
