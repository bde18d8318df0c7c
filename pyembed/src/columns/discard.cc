#include "columns/discard.h"

#include <mutex>
#include <new>
#include <utility>
#include <vector>

namespace clutch::pyembed {
namespace {

// Why: results outlive functions and runtimes, so what waits for the lock belongs to the process. Never destroyed,
// because a host may drop a result while the process ends.
struct Waiting {
  std::mutex mutex;
  std::vector<PyObject*> objects;
  bool asked = false;  // Python was asked to run a pending call
};

Waiting& waiting() {
  static Waiting* const kWaiting = new Waiting;
  return *kWaiting;
}

int empty(void*) {
  std::vector<PyObject*> objects;
  {
    const std::lock_guard<std::mutex> guard(waiting().mutex);
    waiting().asked = false;
    objects.swap(waiting().objects);
  }
  for (PyObject* object : objects) Py_DECREF(object);
  return 0;
}

}  // namespace

void discard(PyObject* object) noexcept {
  if (!interpreter_alive()) return;  // the objects are gone with their interpreter
  if (gil_held()) {
    Py_DECREF(object);
    return;
  }
  bool ask = false;
  try {
    const std::lock_guard<std::mutex> guard(waiting().mutex);
    waiting().objects.push_back(object);
    ask = !std::exchange(waiting().asked, true);
  } catch (const std::bad_alloc&) {
    return;  // Why: one array is lost for good, which is less than what goes wrong next without memory.
  }
  if (ask) Py_AddPendingCall(empty, nullptr);
}

void empty_discarded(const Gil&) { empty(nullptr); }

}  // namespace clutch::pyembed
