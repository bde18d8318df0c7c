// Lets one thread at a time through, in the order of arrival, and holds no lock while a thread is inside: so a plugin
// can be called from within, whatever it calls back.
#pragma once

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <limits>
#include <mutex>

namespace clutch::host {

inline constexpr int64_t kForever = std::numeric_limits<int64_t>::max();

// CLOCK_MONOTONIC (unit: ns), which is steady_clock.
inline int64_t monotonic_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

// Wait until notified or the time has come. Wakes up early now and then; the caller looks again.
inline void wait_until(std::condition_variable& changed, std::unique_lock<std::mutex>& lock, int64_t deadline_ns) {
  if (deadline_ns == kForever) {
    changed.wait(lock);
  } else {
    changed.wait_until(lock, std::chrono::steady_clock::time_point(std::chrono::nanoseconds(deadline_ns)));
  }
}

// All methods need the mutex that the owner uses with `changed`.
class Gate {
 public:
  // True if nobody is inside and nobody waits.
  bool open() const { return !busy_ && queue_.empty(); }
  void enter_open() { busy_ = true; }

  // Get in once `ready()` holds at the head of the queue, or return false at the deadline. While it does not hold,
  // the head of the queue calls `help(lock)`, which may unlock to do something useful; if it returns false, the thread
  // waits for a notification instead.
  template <typename Ready, typename Help>
  bool enter(std::unique_lock<std::mutex>& lock, std::condition_variable& changed, int64_t deadline_ns, Ready ready,
             Help help) {
    if (open() && ready()) {
      busy_ = true;
      return true;
    }
    const char me = 0;
    queue_.push_back(&me);
    while (true) {
      const bool head = !busy_ && queue_.front() == &me;
      if (head && ready()) break;
      if (deadline_ns != kForever && monotonic_ns() >= deadline_ns) {
        queue_.erase(std::find(queue_.begin(), queue_.end(), &me));
        changed.notify_all();
        return false;
      }
      if (head) {
        busy_ = true;
        const bool helped = help(lock);
        leave(changed);
        if (helped || ready()) continue;
      }
      wait_until(changed, lock, deadline_ns);
    }
    queue_.pop_front();
    busy_ = true;
    return true;
  }

  void leave(std::condition_variable& changed) {
    busy_ = false;
    changed.notify_all();
  }

 private:
  bool busy_ = false;
  std::deque<const char*> queue_;
};

// A gate with a mutex of its own, as a guard: one control call of a runtime at a time.
class ControlGate {
 public:
  class Inside {
   public:
    explicit Inside(ControlGate& gate) : gate_(gate) {
      std::unique_lock lock(gate_.mutex_);
      gate_.gate_.enter(
          lock, gate_.changed_, kForever, [] { return true; }, [](auto&) { return false; });
    }
    Inside(const Inside&) = delete;
    Inside& operator=(const Inside&) = delete;
    ~Inside() {
      const std::scoped_lock lock(gate_.mutex_);
      gate_.gate_.leave(gate_.changed_);
    }

   private:
    ControlGate& gate_;
  };

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  Gate gate_;
};

}  // namespace clutch::host
