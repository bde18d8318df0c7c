// Stops rows that run too long: one thread of the runtime, started when the first deadline or cancellation needs it,
// which raises an exception in the thread that runs the row, again and again with growing pauses.
#pragma once

#include <atomic>
#include <cstdint>

#include "clutch/abi/base.h"
#include "interpreter/gil.h"

namespace clutch::pyembed {

class Interpreter;
struct Host;

// Why a running batch was interrupted.
enum class Cause : uint8_t { kNone, kDeadline, kRowDeadline, kCancelled };

// CLOCK_MONOTONIC. (unit: ns)
int64_t monotonic_ns();

// A plain store that another thread, or another process, may read at any time.
inline void store_row(int64_t* progress, int64_t row) { __atomic_store_n(progress, row, __ATOMIC_RELAXED); }

// One batch being run. Belongs to a function; used by the thread that runs the batch, but for what says otherwise.
class Watch {
 public:
  Watch() = default;
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  // Where the loop stores the row being run, for the watchdog and for whoever set another place for it.
  int64_t* progress = &own_progress_;

  // For the watchdog's log lines: borrowed for as long as the watch is used.
  const Host* host = nullptr;
  clutch_function_context* context = nullptr;
  const char* name = "";

  // The batch begins and ends. `deadline_ns` and `row_deadline_ns` are 0 where there is none. end() clears an
  // exception that is still on its way, so that it cannot hit what the thread runs next.
  void begin(const Gil& gil, Interpreter& interpreter, uint64_t sequence, int64_t deadline_ns, int64_t row_deadline_ns);
  void end(const Gil& gil);

  // Asked by the loop between rows.
  bool cancelled() const {
    return cancelled_.load(std::memory_order_relaxed) == running_.load(std::memory_order_relaxed);
  }
  // Why the running batch was interrupted so far.
  Cause cause() const { return cause_.load(std::memory_order_acquire); }

  // Stop interrupting, and take back an interruption on its way; gives the cause so far. For the runtime's own Python
  // code after a row failed. resume() goes on, with a fresh row clock; a row's cause is forgotten then.
  Cause pause(const Gil& gil);
  void resume(const Gil& gil);

  // From any thread: stop this batch soon. Polled between rows; a row that goes on for long is interrupted.
  void cancel(uint64_t sequence);

 private:
  friend class Watchdog;

  std::atomic<uint64_t> running_{0};
  std::atomic<uint64_t> cancelled_{UINT64_MAX};
  std::atomic<bool> registered_{false};
  std::atomic<Cause> cause_{Cause::kNone};
  int64_t own_progress_ = -1;
  unsigned long thread_ = 0;
  Interpreter* interpreter_ = nullptr;

  // Guarded by the watchdog's mutex.
  int64_t deadline_ns_ = 0;
  int64_t row_deadline_ns_ = 0;
  int64_t cancel_ns_ = 0;  // when a cancelled batch is interrupted
  int64_t seen_row_ = -1;
  int64_t seen_since_ns_ = 0;
  int64_t next_shot_ns_ = 0;  // of a repeated interruption
  int64_t pause_ns_ = 0;
  int64_t first_shot_ns_ = 0;
  bool reported_ = false;
  bool paused_ = false;
};

}  // namespace clutch::pyembed
