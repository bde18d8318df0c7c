// A thread that runs what others hand to it, one call at a time.
#pragma once

#include <pthread.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <type_traits>

#include "clutch/columnar/result.h"

namespace clutch::thread {

// Lives as long as the process, like what it serves.
class ServingThread {
 public:
  using Deadline = std::chrono::steady_clock::time_point;
  static constexpr Deadline kNoDeadline = Deadline::max();
  using Create = int (*)(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*);

  ServingThread() = default;
  ServingThread(const ServingThread&) = delete;
  ServingThread& operator=(const ServingThread&) = delete;

  // Make the thread with the pthread_create of some C library. It gets none of the host's signals but those of faults.
  Status start(Create create);

  // Calls call(job) on the thread and waits until it has returned. Callers take turns; false if it was others' turn
  // until the deadline. Called by the thread itself, it runs at once.
  bool run(void (*call)(void* job), void* job, Deadline deadline);

  // The same for anything that can be called.
  template <typename Body>
  bool run(Body&& body, Deadline deadline = kNoDeadline) {
    return run([](void* job) { (*static_cast<std::remove_reference_t<Body>*>(job))(); }, &body, deadline);
  }

 private:
  enum class Turn : uint32_t { kIdle, kCalled, kDone };
  static void* serve(void* self);

  std::atomic<int> thread_id_{0};
  std::timed_mutex mutex_;  // Held by the caller whose turn it is.
  std::atomic<Turn> turn_{Turn::kIdle};
  void (*call_)(void*) = nullptr;
  void* job_ = nullptr;
};

}  // namespace clutch::thread
