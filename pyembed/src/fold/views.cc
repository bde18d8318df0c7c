#include "fold/views.h"

#include "errors/exception.h"

namespace clutch::pyembed {

using columnar::Field;
using columnar::TypeId;

Result<std::unique_ptr<Views>> Views::make(const Gil& gil, const Executor::Parts& parts, std::string_view text,
                                           const Field& accumulator) {
  Interpreter& interpreter = parts.interpreter;
  const auto raised = [&](const char* what) {
    return to_status(CLUTCH_ERR_UNSUPPORTED, what, pyembed::describe(gil, interpreter, take_exception(gil), false));
  };
  PyRef parse = interpreter.helper(gil, Interpreter::File::kFold, "parse_views");
  PyRef given = PyRef::steal(PyUnicode_FromStringAndSize(text.data(), static_cast<Py_ssize_t>(text.size())));
  PyRef found =
      parse && given ? PyRef::steal(PyObject_CallFunctionObjArgs(parse.get(), given.get(), nullptr)) : PyRef();
  if (!found) return raised("the views of the accumulator");
  std::unique_ptr<Views> made(new Views);
  PyRef places = PyRef::steal(PyList_New(0));
  for (Py_ssize_t i = 0; places && i < PyList_Size(found.get()); ++i) {
    PyObject* view = PyList_GetItem(found.get(), i);
    const long position = PyLong_AsLong(PyTuple_GetItem(view, 0));
    const auto& fields = accumulator.type.children;
    if (position < 0 || static_cast<size_t>(position) >= fields.size() ||
        fields[static_cast<size_t>(position)].type.id != TypeId::kNull) {
      return Status(CLUTCH_ERR_UNSUPPORTED,
                    "option views: the accumulator " + columnar::to_string(accumulator.type) +
                        " has no place for a view at " + std::to_string(position) + "; its type has NULL there",
                    CLUTCH_ORIGIN_USER);
    }
    const bool map = PyTuple_Size(view) == 4;
    std::vector<std::optional<std::string>> types;
    for (Py_ssize_t part = 2; part < PyTuple_Size(view); ++part) types.push_back(to_text(PyTuple_GetItem(view, part)));
    const std::string name = "view " + std::to_string(position);
    const clutch_state_declaration declaration{
        sizeof(declaration), map ? CLUTCH_STATE_MAP : CLUTCH_STATE_LIST, to_str(name), 0, 0, 0};
    Result<size_t> added =
        made->states_.add(parts.host, parts.context, declaration, "a view", types, interpreter.module());
    if (!added.ok()) return std::move(added).status().prefixed("option views");
    PyRef place = PyRef::steal(PyTuple_GetSlice(view, 0, 2));
    if (!place || PyList_Append(places.get(), place.get()) != 0) places.reset();
  }
  PyRef functions[StoredStates::kFunctions];
  const bool good = places && made->states_.functions(functions);
  PyRef type = interpreter.helper(gil, Interpreter::File::kFold, "Views");
  if (good && type) {
    made->object_ =
        PyRef::steal(PyObject_CallFunctionObjArgs(type.get(), places.get(), functions[0].get(), functions[1].get(),
                                                  functions[2].get(), functions[3].get(), functions[4].get(), nullptr));
  }
  if (!made->object_) return raised("the views of the accumulator");
  return made;
}

bool Views::call(const char* method, PyObject* argument) {
  PyRef found = PyRef::steal(PyObject_GetAttrString(object_.get(), method));
  const PyRef given = found ? PyRef::steal(PyObject_CallFunctionObjArgs(found.get(), argument, nullptr)) : PyRef();
  return static_cast<bool>(given);
}

bool Views::begin(const Gil&, const Host& host, const clutch_batch& batch) {
  states_.begin(host, batch.keys == nullptr ? nullptr : batch.context);
  return call("begin");
}

PyRef Views::attach(const Gil&, PyView accumulator, int32_t group) {
  PyRef method = PyRef::steal(PyObject_GetAttrString(object_.get(), "attach"));
  PyRef number = PyRef::steal(PyLong_FromLong(group));
  if (!method || !number) return {};
  return PyRef::steal(PyObject_CallFunctionObjArgs(method.get(), accumulator.get(), number.get(), nullptr));
}

PyRef Views::detach(const Gil&, PyView accumulator) {
  PyRef method = PyRef::steal(PyObject_GetAttrString(object_.get(), "detach"));
  if (!method) return {};
  return PyRef::steal(PyObject_CallFunctionObjArgs(method.get(), accumulator.get(), nullptr));
}

bool Views::clear(const Gil&, int32_t group) {
  PyRef number = PyRef::steal(PyLong_FromLong(group));
  return number && call("clear", number.get());
}

bool Views::begin_row(const Gil&) { return call("begin_row"); }
bool Views::undo_row(const Gil&) { return call("undo_row"); }
bool Views::flush(const Gil&) { return !states_.keyed() || call("flush"); }

}  // namespace clutch::pyembed
