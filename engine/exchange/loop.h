// When an iteration has nothing left to do.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <vector>

namespace clutch::engine {

// Counts what is under way in the subtasks of an iteration: elements and signals in their channels, what a subtask has
// taken and not worked off, and the channels into the iteration that are still open. Whoever hands something on counts
// it before its own work is off the count, so the count is 0 only when nothing can come any more, but for timers of
// processing time. Used by any thread.
//
// An iteration ends in two steps. When nothing moves, and nothing did for the quiet time, its heads send the last
// watermark, each counted as one; when nothing moves again, they end, and with them what is behind them.
class Loop {
 public:
  using Clock = std::chrono::steady_clock;
  enum class Phase : uint8_t {
    kTurning,
    kLastWatermark,  // the heads send it
    kOver,           // nothing is fed back any more
  };

  explicit Loop(std::chrono::milliseconds quiet) : quiet_(quiet) {}
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  // Before the job runs. `wake` is called at each step, by any thread, without a lock of the loop.
  void add_head(std::function<void()> wake) { heads_.push_back(std::move(wake)); }

  void begin(int64_t count = 1);
  void done(int64_t count = 1);

  Phase phase() const;
  // When a head is to ask again, because nothing moves at present; nothing: no need.
  std::optional<Clock::time_point> deadline() const;
  // Take the first step if the quiet time has passed.
  void look(Clock::time_point now);

 private:
  bool is_quiet() const { return phase_ == Phase::kTurning && count_ == 0; }
  void send_last_watermark();

  const std::chrono::milliseconds quiet_;
  std::vector<std::function<void()>> heads_;
  mutable std::mutex mutex_;  // guards all below
  int64_t count_ = 0;
  Phase phase_ = Phase::kTurning;
  Clock::time_point quiet_since_;
};

}  // namespace clutch::engine
