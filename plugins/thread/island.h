// An interpreter in a link namespace of its own, with a thread of its own.
//
// Why a thread, instead of the host's: a namespace has its own C library, but the C libraries of a process share what
// hangs on a thread. Keys of thread-specific data are numbered by each library for itself and kept in one table a
// thread, so a host's thread that enters two namespaces finds the first one's values under the second one's keys (the
// thread state of the wrong interpreter, for one), and its own libraries' values are overwritten. Destructors and the
// table itself belong to the library that made the thread. So the namespace makes the one thread that runs its code,
// and callers hand their calls to it. Even loading it, which runs constructors, is not done on a thread of the host.
#pragma once

#include <string>

#include "clutch/abi/plugin.h"
#include "clutch/columnar/result.h"
#include "thread/serving_thread.h"

namespace clutch::thread {

class Island {
 public:
  // A namespace with that libpython and a copy of the Python runtime, and its thread. They live as long as the process.
  // `number` is for messages.
  static Result<Island*> make(const std::string& libpython, const std::string& library, size_t number);

  // The runtime's table. Its functions are to be called on thread().
  const clutch_plugin_api& api() const { return *api_; }
  ServingThread& thread() { return thread_; }

  Island(const Island&) = delete;
  Island& operator=(const Island&) = delete;

 private:
  Island() = default;
  static Result<Island*> load(const std::string& libpython, const std::string& library, const std::string& what);

  const clutch_plugin_api* api_ = nullptr;
  ServingThread thread_;
};

// The table of a Python runtime that was just opened. handle may be NULL.
Result<const clutch_plugin_api*> table_of(void* handle, const std::string& library);

}  // namespace clutch::thread
