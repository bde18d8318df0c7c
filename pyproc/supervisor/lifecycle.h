// When a worker is stopped and started: the rules, without processes, sockets or clocks, so that they can be driven
// through every order of events.
#pragma once

#include <cstdint>

#include "supervisor/clock.h"

namespace clutch::pyproc {

enum class WorkerState {
  kStarting,  // spawned, has not said Ready
  kReady,
  kStopping,  // on the stop ladder
  kGone,      // confirmed dead
};

// The stop ladder, mildest first. Each step is due a while after the one before.
enum class StopStep {
  kNone,
  kAsk,        // Shutdown on ctl: close the functions and leave
  kDump,       // SIGUSR1: faulthandler prints all stacks
  kTerminate,  // SIGTERM
  kKill,       // SIGKILL, to its whole group; repeated
};

struct StopTimes {
  int64_t ask_ns = 3000 * kMillisecond;   // from kAsk to kDump
  int64_t dump_ns = 1000 * kMillisecond;  // from kDump to kTerminate, unless the stack comes earlier
  int64_t terminate_ns = 200 * kMillisecond;
  int64_t kill_ns = 1000 * kMillisecond;  // until it is repeated
};

// One process from spawn to reaping. Every request names the epoch it means, so that one that comes late cannot hit the
// process that came next.
class Lifecycle {
 public:
  Lifecycle(uint64_t epoch, int64_t now, int64_t start_timeout_ns, StopTimes times = {})
      : epoch_(epoch), times_(times), due_(after(now, start_timeout_ns)) {}

  WorkerState state() const { return state_; }
  uint64_t epoch() const { return epoch_; }
  StopStep step() const { return done_; }

  // It said Ready. False if that was not to be expected (said twice, or while it is stopped).
  bool ready();
  // It shall end, beginning with this step. False if the epoch is another, it is gone, or it is that far already.
  bool stop(uint64_t epoch, StopStep first, int64_t now);
  // The stack that kDump asked for has come: no need to wait longer.
  void stack_came(int64_t now);
  void gone() { state_ = WorkerState::kGone, due_ = kNever; }

  // The step to take now, or kNone. Ask again until kNone.
  StopStep take_step(int64_t now);
  // True if it is still starting and its time for that is over.
  bool start_overdue(int64_t now) const { return state_ == WorkerState::kStarting && now >= due_; }
  // When to look again; kNever if nothing is due by itself.
  int64_t next_due() const { return due_; }

 private:
  uint64_t epoch_;
  StopTimes times_;
  WorkerState state_ = WorkerState::kStarting;
  StopStep done_ = StopStep::kNone;  // last step taken
  StopStep next_ = StopStep::kNone;  // to be taken when due
  int64_t due_;                      // of the start, or of next_
};

// When the next worker may start: at once after a single loss, later and later if every one of them is lost, and for a
// while not at all ("the circuit is open") if that does not end.
class RestartPolicy {
 public:
  static constexpr uint32_t kFreeLosses = 3;
  static constexpr uint32_t kMaxLosses = 16;
  static constexpr uint32_t kMaxStartFailures = 3;
  static constexpr int64_t kFirstDelay = 50 * kMillisecond;
  static constexpr int64_t kLongestDelay = 5000 * kMillisecond;
  static constexpr int64_t kOpenFor = 5000 * kMillisecond;

  explicit RestartPolicy(uint64_t seed) : random_(seed | 1) {}

  // A worker ended without being told to: one that had been ready, or one that somebody killed while it started.
  void lost(int64_t now);
  // A worker ended by itself, or was stopped, before it was ready.
  void start_failed(int64_t now);
  // A batch came back: whatever was wrong is not wrong with everything.
  void succeeded() { losses_ = start_failures_ = 0; }

  int64_t may_start_at() const { return may_start_at_; }
  // No worker may start and nothing should wait for one. After that one start is tried again.
  bool circuit_open(int64_t now) const { return now < open_until_; }
  uint32_t losses() const { return losses_; }
  uint32_t start_failures() const { return start_failures_; }

 private:
  void delay(int64_t now, uint32_t failures);

  uint64_t random_;
  uint32_t losses_ = 0;  // since the last success
  uint32_t start_failures_ = 0;
  int64_t may_start_at_ = 0;
  int64_t open_until_ = 0;
};

}  // namespace clutch::pyproc
