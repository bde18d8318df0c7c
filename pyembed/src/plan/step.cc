#include "plan/step.h"

#include "interpreter/interpreter.h"

namespace clutch::pyembed {

bool is_python_function(PyObject* callable) {
  PyRef code = PyRef::steal(PyObject_GetAttrString(callable, "__code__"));  // a method gives its function's
  PyErr_Clear();
  PyRef name = PyRef::steal(PyObject_GetAttrString(reinterpret_cast<PyObject*>(Py_TYPE(callable)), "__name__"));
  const std::string type = to_text(name);
  return code && (type == "function" || type == "method");
}

int minor_version(const std::string& version) { return version.starts_with("3.") ? std::atoi(version.c_str() + 2) : 0; }

Vectorcall vectorcall_of(PyObject* callable) {
  const Slots& found = slots();
  Vectorcall direct = nullptr;
  if (found.vectorcall_of != nullptr && is_python_function(callable)) direct = found.vectorcall_of(callable);
  return direct != nullptr ? direct : found.vectorcall;
}

}  // namespace clutch::pyembed
