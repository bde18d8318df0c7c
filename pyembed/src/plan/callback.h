// What the drivers have in common: callbacks whose state is on the C stack of the thread that runs the rows.
#pragma once

#include <cstring>
#include <exception>

#include "interpreter/ref.h"

namespace clutch::pyembed {

// The self of a callback: a bytes object that holds the address of the state while a loop runs, else NULL. So a
// callback that user code gets hold of, and calls after its loop, finds nothing.
class Slot {
 public:
  bool make() {
    object_ = PyRef::steal(PyBytes_FromStringAndSize(nullptr, sizeof(void*)));
    if (!object_) return false;
    set(nullptr);
    return true;
  }
  PyObject* object() const { return object_.get(); }
  void set(void* state) { std::memcpy(PyBytes_AsString(object_.get()), &state, sizeof state); }

  // NULL with a Python error set where there is none.
  template <typename State>
  static State* get(PyObject* self) {
    // The characters begin at the same place in every bytes object.
    static const Py_ssize_t kCharacters = PyBytes_AsString(self) - reinterpret_cast<char*>(self);
    State* state;
    std::memcpy(&state, reinterpret_cast<const char*>(self) + kCharacters,
                sizeof state);  // NOLINT(bugprone-sizeof-expression): the pointer is what is stored
    if (state == nullptr) [[unlikely]]
      PyErr_SetString(PyExc_RuntimeError, "the loop over these rows has ended");
    return state;
  }

 private:
  PyRef object_;
};

// The body of a callback. What it throws must not unwind the interpreter's frames, so it waits in state.thrown.
template <typename State, typename Body>
PyObject* call_back(PyObject* self, Body&& body) {
  State* state = Slot::get<State>(self);
  if (state == nullptr) [[unlikely]]
    return nullptr;
  try {
    return body(*state);
  } catch (const std::exception&) {
    state->thrown = std::current_exception();
    PyErr_NoMemory();
    return nullptr;
  }
}

inline PyObject* fresh(PyObject* object) {
  Py_INCREF(object);
  return object;
}

}  // namespace clutch::pyembed
