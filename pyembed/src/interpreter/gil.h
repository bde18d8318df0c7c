// The interpreter lock as a token. Whoever needs the interpreter takes a `const Gil&`, so the type system proves that
// the lock is held.
#pragma once

#include "interpreter/python.h"

namespace clutch::pyembed {

// True if the calling thread holds the lock.
bool gil_held();

// True while an interpreter is there that can be entered: initialised, and not on its way down.
bool interpreter_alive();

// Holds the interpreter lock while it lives; stays on the thread that made it.
//
// A host's thread gets one thread state on its first entry and keeps it until it ends, because making one costs five
// times as much as entering, and a new one would forget threading.local values and trace functions. A thread that has a
// state of its own already (the host is Python) uses that. A nested entry (host, Python, host, Python) does nothing.
class Gil {
 public:
  // Needs interpreter_alive().
  Gil();
  ~Gil();
  Gil(const Gil&) = delete;
  Gil& operator=(const Gil&) = delete;

 private:
  enum class Entry { kNested, kPinned, kBorrowed };
  Entry entry_;
  PyGILState_STATE state_{};
};

// Lets go of the lock while it lives, if the calling thread holds it; for waits that must not block Python.
class GilRelease {
 public:
  GilRelease() : saved_(gil_held() ? PyEval_SaveThread() : nullptr) {}
  ~GilRelease() {
    if (saved_ != nullptr) PyEval_RestoreThread(saved_);
  }
  GilRelease(const GilRelease&) = delete;
  GilRelease& operator=(const GilRelease&) = delete;

 private:
  PyThreadState* saved_;
};

}  // namespace clutch::pyembed
