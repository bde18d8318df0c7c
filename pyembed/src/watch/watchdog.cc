#include "watch/watchdog.h"

#include <pthread.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <ctime>
#include <mutex>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "interpreter/interpreter.h"
#include "table/host.h"

namespace clutch::pyembed {
namespace {

constexpr int64_t kNever = INT64_MAX;
constexpr int64_t kMillisecond = 1'000'000;
constexpr int64_t kGrace = kMillisecond;  // for the loop to see a deadline between two rows by itself
constexpr int64_t kCancelGrace = 20 * kMillisecond;
constexpr int64_t kFirstPause = 5 * kMillisecond;  // between two interruptions; doubles
constexpr int64_t kLongestPause = 1000 * kMillisecond;
constexpr int64_t kReportAfter = 10'000 * kMillisecond;

}  // namespace

int64_t monotonic_ns() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1'000'000'000 + now.tv_nsec;
}

// Lock order: the interpreter lock before the mutex. The thread waits with neither, looks with the mutex, and takes the
// interpreter lock first when there is something to do.
class Watchdog {
 public:
  static Watchdog& instance() {
    // Why: serves the process's one interpreter, and its thread cannot be joined while user code may hold the lock.
    static Watchdog* const kWatchdog = new Watchdog;
    return *kWatchdog;
  }

  void add(Watch& watch, int64_t deadline_ns, int64_t row_deadline_ns) {
    std::lock_guard<std::mutex> guard(mutex_);
    watch.deadline_ns_ = deadline_ns;
    watch.row_deadline_ns_ = row_deadline_ns;
    watch.cancel_ns_ = 0;
    register_locked(watch);
  }

  void request_cancel(Watch& watch, uint64_t sequence) {
    std::lock_guard<std::mutex> guard(mutex_);
    const bool fresh = !watch.registered_.exchange(true);
    // The batch may end right now: either end() sees registered_ and waits for the mutex, or this sees that it ended.
    if (watch.running_.load() != sequence) {
      if (fresh) watch.registered_.store(false);
      return;
    }
    if (fresh) {
      watch.deadline_ns_ = 0;
      watch.row_deadline_ns_ = 0;
    }
    if (fresh || watch.cancel_ns_ == 0) watch.cancel_ns_ = monotonic_ns() + kCancelGrace;
    if (fresh) {
      register_locked(watch);
    } else {
      wake_by_locked(watch.cancel_ns_);
    }
  }

  void remove(Watch& watch) {
    std::lock_guard<std::mutex> guard(mutex_);
    watches_.erase(std::remove(watches_.begin(), watches_.end(), &watch), watches_.end());
    watch.registered_.store(false);
  }

  void set_paused(Watch& watch, bool paused) {
    std::lock_guard<std::mutex> guard(mutex_);
    watch.paused_ = paused;
    if (paused) return;
    reset_locked(watch);
    if (watch.cause_.load() == Cause::kRowDeadline) watch.cause_.store(Cause::kNone);
    wake_by_locked(monotonic_ns());  // what was due in the meantime
  }

 private:
  void reset_locked(Watch& watch) {
    watch.seen_row_ = INT64_MIN;
    watch.seen_since_ns_ = 0;
    watch.next_shot_ns_ = 0;
    watch.pause_ns_ = kFirstPause;
    watch.first_shot_ns_ = 0;
    watch.reported_ = false;
    watch.paused_ = false;
  }

  void register_locked(Watch& watch) {
    reset_locked(watch);
    watch.registered_.store(true);
    watches_.push_back(&watch);
    if (!running_) start_locked();
    int64_t first = kNever;
    if (watch.deadline_ns_ != 0) first = std::min(first, watch.deadline_ns_ + kGrace);
    if (watch.cancel_ns_ != 0) first = std::min(first, watch.cancel_ns_);
    if (watch.row_deadline_ns_ != 0) first = std::min(first, monotonic_ns() + look_every(watch));
    wake_by_locked(first);
  }

  // Waking the thread costs a system call, so it is only done for something earlier than what it waits for anyhow.
  void wake_by_locked(int64_t time_ns) {
    if (time_ns >= wake_ns_) return;
    wake_ns_ = time_ns;
    changed_.notify_one();
  }

  static int64_t look_every(const Watch& watch) {
    return std::clamp(watch.row_deadline_ns_ / 8, kMillisecond / 2, 1000 * kMillisecond);
  }

  void start_locked() {
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    try {
      std::thread([this] {
        pthread_setname_np(pthread_self(), "clutch-watchdog");
        run();
      }).detach();
      running_ = true;
    } catch (const std::system_error&) {
      running_ = false;  // Deadlines are then only seen between rows; the next batch tries again.
    }
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
  }

  void run() {
    std::unique_lock<std::mutex> lock(mutex_);
    for (;;) {
      const int64_t now = monotonic_ns();
      bool due = false;
      wake_ns_ = kNever;
      for (Watch* watch : watches_) {
        const int64_t next = look(*watch, now);
        if (next <= now) due = true;
        wake_ns_ = std::min(wake_ns_, std::max(next, now + kMillisecond / 4));
      }
      if (due && interpreter_alive()) {
        lock.unlock();
        {
          Gil gil;
          lock.lock();
          shoot(monotonic_ns());
          lock.unlock();
        }
        lock.lock();
        continue;
      }
      if (wake_ns_ == kNever) {
        changed_.wait(lock);
      } else {
        changed_.wait_until(lock, std::chrono::steady_clock::time_point(std::chrono::nanoseconds(wake_ns_)));
      }
    }
  }

  // When to do something about this batch next: now or earlier means at once.
  static int64_t look(Watch& watch, int64_t now) {
    if (watch.paused_) return kNever;
    int64_t next = kNever;
    if (watch.deadline_ns_ != 0) next = std::min(next, watch.deadline_ns_ + kGrace);
    if (watch.cancel_ns_ != 0) next = std::min(next, watch.cancel_ns_);
    if (watch.row_deadline_ns_ != 0) {
      const int64_t row = __atomic_load_n(watch.progress, __ATOMIC_RELAXED);
      if (row != watch.seen_row_) {
        watch.seen_row_ = row;
        watch.seen_since_ns_ = now;
        if (watch.cause_.load() == Cause::kNone) watch.next_shot_ns_ = 0;
      }
      const int64_t end = watch.seen_since_ns_ + watch.row_deadline_ns_;
      next = std::min(next, end <= now ? end : std::min(end, now + look_every(watch)));
    }
    if (watch.next_shot_ns_ != 0) next = std::max(next, watch.next_shot_ns_);
    return next;
  }

  static Cause cause_of(const Watch& watch, int64_t now) {
    if (watch.cancel_ns_ != 0 && watch.cancel_ns_ <= now) return Cause::kCancelled;
    if (watch.deadline_ns_ != 0 && watch.deadline_ns_ + kGrace <= now) return Cause::kDeadline;
    return Cause::kRowDeadline;
  }

  // Interrupt what is due. With both locks, so no batch can begin or end meanwhile.
  void shoot(int64_t now) {
    for (Watch* watch : watches_) {
      if (look(*watch, now) > now) continue;
      watch->cause_.store(cause_of(*watch, now), std::memory_order_release);
      PyThreadState_SetAsyncExc(watch->thread_, watch->interpreter_->interrupted());
      watch->next_shot_ns_ = now + watch->pause_ns_;
      watch->pause_ns_ = std::min(watch->pause_ns_ * 2, kLongestPause);
      if (watch->first_shot_ns_ == 0) watch->first_shot_ns_ = now;
      if (!watch->reported_ && now - watch->first_shot_ns_ >= kReportAfter) {
        watch->reported_ = true;
        if (watch->host != nullptr) {
          watch->host->write_log(CLUTCH_LOG_ERROR, "watchdog", watch->context,
                                 std::string("function \"") + watch->name +
                                     "\" does not stop although it was interrupted for 10 s; only process mode can end "
                                     "such code");
        }
      }
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Watch*> watches_;
  int64_t wake_ns_ = kNever;
  bool running_ = false;
};

void Watch::begin(const Gil&, Interpreter& interpreter, uint64_t sequence, int64_t deadline_ns,
                  int64_t row_deadline_ns) {
  thread_ = static_cast<unsigned long>(pthread_self());
  interpreter_ = &interpreter;
  cause_.store(Cause::kNone, std::memory_order_relaxed);
  store_row(progress, -1);
  running_.store(sequence);
  if (deadline_ns != 0 || row_deadline_ns != 0) Watchdog::instance().add(*this, deadline_ns, row_deadline_ns);
}

void Watch::end(const Gil&) {
  running_.store(0);
  if (!registered_.load()) return;
  Watchdog::instance().remove(*this);
  if (cause_.load() != Cause::kNone) PyThreadState_SetAsyncExc(thread_, nullptr);
}

Cause Watch::pause(const Gil&) {
  if (!registered_.load()) return Cause::kNone;
  Watchdog::instance().set_paused(*this, true);
  if (cause() != Cause::kNone) PyThreadState_SetAsyncExc(thread_, nullptr);
  return cause();
}

void Watch::resume(const Gil&) {
  if (registered_.load()) Watchdog::instance().set_paused(*this, false);
}

void Watch::cancel(uint64_t sequence) {
  cancelled_.store(sequence);
  if (sequence != 0 && running_.load() == sequence) Watchdog::instance().request_cancel(*this, sequence);
}

}  // namespace clutch::pyembed
