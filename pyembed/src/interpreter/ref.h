// Owners of Python references. PyRef owns one; PyView borrows. Both need the interpreter lock wherever they are copied,
// changed or destroyed.
#pragma once

#include <utility>

#include "interpreter/python.h"

namespace clutch::pyembed {

// A borrowed reference: says in a signature that nothing is taken over.
class PyView {
 public:
  PyView(PyObject* object) : object_(object) {}  // NOLINT(google-explicit-constructor)
  PyObject* get() const { return object_; }
  explicit operator bool() const { return object_ != nullptr; }

 private:
  PyObject* object_;
};

class PyRef {
 public:
  PyRef() = default;
  // Take over a new reference (NULL is allowed: a failed call).
  static PyRef steal(PyObject* object) { return PyRef(object); }
  // Make a reference of one's own out of a borrowed one.
  static PyRef share(PyView object) {
    Py_XINCREF(object.get());
    return PyRef(object.get());
  }
  PyRef(PyRef&& other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
  PyRef& operator=(PyRef&& other) noexcept {
    if (this != &other) {
      PyObject* old = std::exchange(object_, std::exchange(other.object_, nullptr));
      Py_XDECREF(old);
    }
    return *this;
  }
  PyRef(const PyRef&) = delete;
  PyRef& operator=(const PyRef&) = delete;
  ~PyRef() { Py_XDECREF(object_); }

  PyObject* get() const { return object_; }
  operator PyView() const { return object_; }  // NOLINT(google-explicit-constructor)
  explicit operator bool() const { return object_ != nullptr; }
  // Hand the reference to the caller.
  [[nodiscard]] PyObject* release() { return std::exchange(object_, nullptr); }
  void reset() { PyRef().swap(*this); }
  void swap(PyRef& other) noexcept { std::swap(object_, other.object_); }

 private:
  explicit PyRef(PyObject* object) : object_(object) {}

  PyObject* object_ = nullptr;
};

}  // namespace clutch::pyembed
