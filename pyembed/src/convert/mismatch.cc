#include "convert/mismatch.h"

#include "convert/convert.h"

namespace clutch::pyembed {

namespace {

constexpr Py_ssize_t kReprLimit = 200;      // (unit: characters)
constexpr Py_ssize_t kReprItemLimit = 100;  // items of a sequence that can be seen in that many characters

std::string attribute_text(PyObject* object, const char* name) {
  PyRef value = PyRef::steal(PyObject_GetAttrString(object, name));
  if (!value || PyUnicode_Check(value.get()) == 0) {
    PyErr_Clear();
    return {};
  }
  return text_of(value.get());
}

// The repr of a long list costs as much as the list is long: take its head only.
PyRef head_of(PyObject* object) {
  const bool sequence = PyList_CheckExact(object) || PyTuple_CheckExact(object);
  const bool text = PyUnicode_CheckExact(object) || PyBytes_CheckExact(object);
  if ((sequence && PySequence_Size(object) > kReprItemLimit) || (text && PySequence_Size(object) > kReprLimit)) {
    return PyRef::steal(PySequence_GetSlice(object, 0, sequence ? kReprItemLimit : kReprLimit));
  }
  return PyRef::share(object);
}

}  // namespace

std::string place_of(const char* what, const columnar::Field& field) {
  return field.name.empty() ? what : std::string(what) + " " + field.name;
}

std::string text_of(PyObject* text) {
  PyRef bytes = PyRef::steal(PyUnicode_AsEncodedString(text, "utf-8", "backslashreplace"));
  char* data = nullptr;
  Py_ssize_t size = 0;
  if (!bytes || PyBytes_AsStringAndSize(bytes.get(), &data, &size) != 0) {
    PyErr_Clear();
    return {};
  }
  return std::string(data, static_cast<size_t>(size));
}

std::string type_name(PyTypeObject* type) {
  auto* object = reinterpret_cast<PyObject*>(type);
  std::string name = attribute_text(object, "__qualname__");
  const std::string module = attribute_text(object, "__module__");
  if (module.empty() || module == "builtins") return name;
  return module + "." + name;
}

bool describe(PyObject* object, std::string& out) {
  PyRef head = head_of(object);
  PyRef repr = head ? PyRef::steal(PyObject_Repr(head.get())) : PyRef();
  if (!repr) {
    if (PyErr_ExceptionMatches(PyExc_Exception) == 0) return false;
    PyObject *type = nullptr, *value = nullptr, *traceback = nullptr;
    PyErr_Fetch(&type, &value, &traceback);
    const std::string error = type_name(reinterpret_cast<PyTypeObject*>(type));
    Py_XDECREF(type);
    Py_XDECREF(value);
    Py_XDECREF(traceback);
    out = "<" + type_name(Py_TYPE(object)) + " whose repr raised " + error + ">";
    return true;
  }
  if (PyUnicode_GetLength(repr.get()) <= kReprLimit) {
    out = text_of(repr.get());
    return true;
  }
  PyRef cut = PyRef::steal(PyUnicode_Substring(repr.get(), 0, kReprLimit - 3));
  PyErr_Clear();
  out = (cut ? text_of(cut.get()) : std::string()) + "...";
  return true;
}

std::string take_python_error() {
  PyObject *type = nullptr, *value = nullptr, *traceback = nullptr;
  PyErr_Fetch(&type, &value, &traceback);
  if (type == nullptr) return "unknown error";
  PyErr_NormalizeException(&type, &value, &traceback);
  PyRef owned_type = PyRef::steal(type), owned_value = PyRef::steal(value), owned_traceback = PyRef::steal(traceback);
  std::string out = type_name(reinterpret_cast<PyTypeObject*>(type));
  PyRef text = value != nullptr ? PyRef::steal(PyObject_Str(value)) : PyRef();
  if (!text) {
    PyErr_Clear();
    return out;
  }
  const std::string message = text_of(text.get());
  return message.empty() ? out : out + ": " + message;
}

std::string Mismatch::sentence(std::string_view subject) const {
  std::string out = std::string(subject) + " ";
  if (!path.empty()) out += "at " + path + " ";
  out += "of type " + python_type + " does not fit " + expected + ": " + value + reason;
  if (!hint.empty()) out += "; " + hint;
  return out;
}

}  // namespace clutch::pyembed
