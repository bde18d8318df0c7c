// The pool's own thread: one libuv loop that watches descriptors and one timer.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "clutch/columnar/result.h"

namespace clutch::pyproc {

class Loop {
 public:
  // Called on the loop's thread.
  struct Callbacks {
    std::function<void()> on_wake;    // wake() was called since the last time
    std::function<int64_t()> on_due;  // the armed time has come; gives the next time to be called, or kNever
  };

  // Start the thread. It blocks all signals and lives until stop().
  static Result<std::unique_ptr<Loop>> start(Callbacks callbacks);
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;
  ~Loop();

  // From any thread.
  void wake();
  // From any thread: call on_due at this time at the latest. Wakes nobody before.
  void arm(int64_t due_ns);

  // On the loop's thread alone. `readable` is called as long as the descriptor is readable or hung up. Unwatch before
  // the descriptor is closed.
  uint64_t watch(int fd, std::function<void()> readable);
  void unwatch(uint64_t watch);

  // Not on the loop's thread: end it and wait for it. All descriptors are unwatched.
  void stop();

 private:
  struct Impl;
  explicit Loop(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace clutch::pyproc
