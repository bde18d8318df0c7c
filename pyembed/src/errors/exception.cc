#include "errors/exception.h"

namespace clutch::pyembed {
namespace {

constexpr size_t kMessageText = 1000;  // (unit: bytes) of an exception's text in the message; the detail has more

}  // namespace

PyRef take_exception(const Gil&) {
  PyObject *type = nullptr, *value = nullptr, *traceback = nullptr;
  PyErr_Fetch(&type, &value, &traceback);
  if (type == nullptr) return {};
  PyErr_NormalizeException(&type, &value, &traceback);
  PyRef owned_type = PyRef::steal(type), owned_value = PyRef::steal(value), owned_traceback = PyRef::steal(traceback);
  if (owned_value && owned_traceback) PyException_SetTraceback(owned_value.get(), owned_traceback.get());
  return owned_value;
}

Described describe(const Gil& gil, Interpreter& interpreter, PyView exception, bool with_traceback) {
  Described described{"Exception", "", "", ""};
  if (!exception) return described;
  PyRef function = interpreter.helper(gil, Interpreter::File::kErrors, "describe");
  PyRef parts;
  if (function) {
    parts = PyRef::steal(
        PyObject_CallFunctionObjArgs(function.get(), exception.get(), with_traceback ? Py_True : Py_False, nullptr));
  }
  if (parts && PyTuple_Check(parts.get()) && PyTuple_Size(parts.get()) == 4) {
    described.type = to_text(PyTuple_GetItem(parts.get(), 0));
    described.text = to_text(PyTuple_GetItem(parts.get(), 1));
    described.traceback = to_text(PyTuple_GetItem(parts.get(), 2));
    described.frames = to_text(PyTuple_GetItem(parts.get(), 3));
    return described;
  }
  // Formatting failed itself (no memory, recursion): the name of the class is always there.
  PyErr_Clear();
  PyRef name = PyRef::steal(PyObject_GetAttrString(reinterpret_cast<PyObject*>(Py_TYPE(exception.get())), "__name__"));
  described.type = to_text(name);
  described.text = "(the exception cannot be shown)";
  return described;
}

Status to_status(int32_t code, std::string_view what, const Described& described) {
  std::string message(what);
  message += ": ";
  message += described.type;
  if (!described.text.empty()) {
    message += ": ";
    size_t end = std::min(described.text.size(), kMessageText);
    while (end > 0 && end < described.text.size() && (static_cast<unsigned char>(described.text[end]) & 0xC0) == 0x80) {
      --end;
    }
    message.append(described.text, 0, end);
    if (end < described.text.size()) message += "...";
  }
  Status status(code, std::move(message), CLUTCH_ORIGIN_USER);
  status.with(CLUTCH_DETAIL_EXCEPTION_TYPE, described.type);
  status.with(CLUTCH_DETAIL_EXCEPTION_TEXT, described.text);
  if (!described.traceback.empty()) status.with(CLUTCH_DETAIL_TRACEBACK, described.traceback);
  if (!described.frames.empty()) status.with(CLUTCH_DETAIL_FRAMES, described.frames);
  return status;
}

}  // namespace clutch::pyembed
