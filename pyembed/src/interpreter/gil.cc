#include "interpreter/gil.h"

#include <sys/syscall.h>
#include <unistd.h>

#include "interpreter/slots.h"

namespace clutch::pyembed {
namespace {

// The state a host's thread keeps. Its destructor runs when the thread ends.
class PinnedState {
 public:
  PinnedState() {
    // Why: a thread that another link namespace made has no character tables in this one's C library, and the first
    // isalpha() inside of Python would crash.
    if (slots().ctype_init != nullptr) slots().ctype_init();
  }
  ~PinnedState() {
    if (state_ == nullptr || !interpreter_alive()) return;
    // Why: on the main thread this runs inside exit(), where waiting for the lock could hang the process for ever; the
    // state then goes with the process.
    if (syscall(SYS_gettid) == getpid()) return;
    PyEval_RestoreThread(state_);
    PyGILState_Release(ensured_);
  }
  PinnedState(const PinnedState&) = delete;
  PinnedState& operator=(const PinnedState&) = delete;

  bool there() const { return state_ != nullptr; }
  void enter() { PyEval_RestoreThread(state_); }
  void make() {
    ensured_ = PyGILState_Ensure();
    state_ = PyThreadState_Get();
  }

 private:
  PyThreadState* state_ = nullptr;
  PyGILState_STATE ensured_{};
};

PinnedState& pinned() {
  thread_local PinnedState holder;
  return holder;
}

}  // namespace

bool gil_held() {
  // Why: PyGILState_Check says yes to everybody once a process has made a sub-interpreter, so the state that holds the
  // lock is compared instead where it can be read.
  const Slots& found = slots();
  if (found.current_state != nullptr) {
    PyThreadState* own = PyGILState_GetThisThreadState();
    return own != nullptr && found.current_state() == own;
  }
  return found.gil_held() != 0;
}

bool interpreter_alive() {
  if (Py_IsInitialized() == 0) return false;
  return slots().is_finalizing == nullptr || slots().is_finalizing() == 0;
}

Gil::Gil() {
  PinnedState& holder = pinned();
  if (gil_held()) {
    entry_ = Entry::kNested;
  } else if (holder.there()) {
    holder.enter();
    entry_ = Entry::kPinned;
  } else if (PyGILState_GetThisThreadState() != nullptr) {
    state_ = PyGILState_Ensure();
    entry_ = Entry::kBorrowed;
  } else {
    holder.make();
    entry_ = Entry::kPinned;
  }
}

Gil::~Gil() {
  if (entry_ == Entry::kPinned) {
    PyEval_SaveThread();
  } else if (entry_ == Entry::kBorrowed) {
    PyGILState_Release(state_);
  }
}

}  // namespace clutch::pyembed
