// An interpreter in a link namespace of its own, with a thread of its own.
//
// Why a thread, instead of the host's: a namespace has its own C library, but the C libraries of a process share what
// hangs on a thread. Keys of thread-specific data are numbered by each library for itself and kept in one table a
// thread, so a host's thread that enters two namespaces finds the first one's values under the second one's keys (the
// thread state of the wrong interpreter, for one). Destructors and the table itself are freed by the library that made
// the thread. So the namespace makes the one thread that ever runs its code, and callers hand their calls to it.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <type_traits>

#include "clutch/abi/plugin.h"
#include "clutch/columnar/result.h"

namespace clutch::thread {

class Island {
 public:
  using Deadline = std::chrono::steady_clock::time_point;
  static constexpr Deadline kNoDeadline = Deadline::max();

  // A namespace with that libpython and a copy of the Python runtime, and its thread. They live as long as the process.
  // `number` is for messages.
  static Result<Island*> make(const std::string& libpython, const std::string& library, size_t number);

  // The runtime's table. Its functions are to be called inside of run().
  const clutch_plugin_api& api() const { return *api_; }

  // Calls call(job) on the thread of the island and waits until it has returned. Callers take turns; false if it was
  // nobody's turn but another's until the deadline. Called by the island's thread itself, it runs at once.
  bool run(void (*call)(void* job), void* job, Deadline deadline);

  // The same for anything that can be called.
  template <typename Body>
  bool run(Body&& body, Deadline deadline = kNoDeadline) {
    return run([](void* job) { (*static_cast<std::remove_reference_t<Body>*>(job))(); }, &body, deadline);
  }

  Island(const Island&) = delete;
  Island& operator=(const Island&) = delete;

 private:
  enum class Turn : uint32_t { kIdle, kCalled, kDone };

  Island() = default;
  static void* serve(void* self);
  Status start(void* libpython);

  const clutch_plugin_api* api_ = nullptr;
  std::atomic<int> thread_id_{0};
  std::timed_mutex mutex_;  // Held by the caller whose turn it is.
  std::atomic<Turn> turn_{Turn::kIdle};
  void (*call_)(void*) = nullptr;
  void* job_ = nullptr;
};

// The table of a Python runtime that was just opened. handle may be NULL.
Result<const clutch_plugin_api*> table_of(void* handle, const std::string& library);

}  // namespace clutch::thread
