// One step of a chain as the loops see it.
#pragma once

#include <string>

#include "interpreter/python.h"
#include "interpreter/slots.h"
#include "loading/spec.h"

namespace clutch::pyembed {

struct PlannedStep {
  PyObject* callable = nullptr;  // borrowed from the step's UserObject
  Shape shape = Shape::kRow;
  Vectorcall call = nullptr;  // what calls it
  bool table_rows = false;    // table.table: a tuple, dict or text is one row, not an iterable of rows
};

// Functions written in Python and their methods. Their results need no check by the caller, and from 3.12 on Python
// code calls them cheaper than C can.
bool is_python_function(PyObject* callable);

// 11 of "3.11.2".
int minor_version(const std::string& version);

// What calls this callable with the least ado.
Vectorcall vectorcall_of(PyObject* callable);

// Why a row could not be served. A Python error is set unless the reason is kMismatch.
struct Fault {
  enum class Reason : uint8_t { kNone, kRaised, kMismatch, kRead, kNotIterable };
  Reason reason = Reason::kNone;
  size_t step = 0;
  size_t column = 0;    // kRead: of the input
  std::string culprit;  // kNotIterable: the type of the result
};

// Call with one argument (borrowed). NULL with a Python error set.
inline PyObject* call_one(const PlannedStep& step, PyObject* argument) {
  PyObject* stack[2] = {nullptr, argument};
  return step.call(step.callable, stack + 1, 1 | kArgsOffset, nullptr);
}

// 1, 0, or -1 with a Python error set.
inline int truth(PyObject* value) {
  if (value == Py_True) return 1;
  if (value == Py_False || value == Py_None) return 0;
  return PyObject_IsTrue(value);
}

}  // namespace clutch::pyembed
