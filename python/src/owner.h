// Python objects that own memory which an engine or a worker may still be reading.
#pragma once

#include "clutch/columnar/owned.h"
#include "convert/convert.h"

#include <memory>

namespace clutch::python {

// Keeps a Python object. It may be dropped on any thread, with the interpreter lock or without: the object is then put
// aside, and freed by whoever holds the lock next.
class Keeper {
 public:
  explicit Keeper(PyObject* object) : object_(object) { Py_INCREF(object); }  // needs the lock
  ~Keeper();
  Keeper(const Keeper&) = delete;
  Keeper& operator=(const Keeper&) = delete;

 private:
  PyObject* object_;
};

// Free what was put aside. Needs the lock; user code may run (__del__).
void bury();

// The rows of `part`, which lies in memory that `owner` keeps. Each of its structs keeps the owner, so that a consumer
// may move children out of it.
columnar::Array share(const std::shared_ptr<const void>& owner, const ArrowArray& part);

}  // namespace clutch::python
