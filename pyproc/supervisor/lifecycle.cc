#include "supervisor/lifecycle.h"

#include <algorithm>

namespace clutch::pyproc {

bool Lifecycle::ready() {
  if (state_ != WorkerState::kStarting) return false;
  state_ = WorkerState::kReady;
  due_ = kNever;
  return true;
}

bool Lifecycle::stop(uint64_t epoch, StopStep first, int64_t now) {
  if (epoch != epoch_ || state_ == WorkerState::kGone || first == StopStep::kNone) return false;
  if (state_ == WorkerState::kStopping && first <= std::max(done_, next_)) return false;
  state_ = WorkerState::kStopping;
  next_ = first;
  due_ = now;
  return true;
}

void Lifecycle::stack_came(int64_t now) {
  if (state_ == WorkerState::kStopping && done_ == StopStep::kDump && next_ == StopStep::kTerminate) {
    due_ = std::min(due_, now);
  }
}

StopStep Lifecycle::take_step(int64_t now) {
  if (state_ != WorkerState::kStopping || now < due_) return StopStep::kNone;
  done_ = next_;
  switch (done_) {
    case StopStep::kNone:
      return StopStep::kNone;
    case StopStep::kAsk:
      next_ = StopStep::kDump;
      due_ = after(now, times_.ask_ns);
      break;
    case StopStep::kDump:
      next_ = StopStep::kTerminate;
      due_ = after(now, times_.dump_ns);
      break;
    case StopStep::kTerminate:
      next_ = StopStep::kKill;
      due_ = after(now, times_.terminate_ns);
      break;
    case StopStep::kKill:
      due_ = after(now, times_.kill_ns);
      break;
  }
  return done_;
}

void RestartPolicy::delay(int64_t now, uint32_t failures) {
  const int64_t full = std::min(kLongestDelay, kFirstDelay << std::min<uint32_t>(failures - 1, 10));
  // Jitter of a quarter, so that pools that lost their workers together do not start them together.
  random_ = random_ * 6364136223846793005ULL + 1442695040888963407ULL;
  may_start_at_ = now + full * 3 / 4 + static_cast<int64_t>((random_ >> 33) % static_cast<uint64_t>(full / 4));
}

void RestartPolicy::lost(int64_t now) {
  ++losses_;
  if (losses_ > kFreeLosses) delay(now, losses_ - kFreeLosses);
  if (losses_ >= kMaxLosses) open_until_ = may_start_at_ = now + kOpenFor;
}

void RestartPolicy::start_failed(int64_t now) {
  ++start_failures_;
  delay(now, start_failures_);
  if (start_failures_ >= kMaxStartFailures) open_until_ = may_start_at_ = now + kOpenFor;
}

}  // namespace clutch::pyproc
