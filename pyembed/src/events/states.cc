#include "events/states.h"

#include "errors/exception.h"

namespace clutch::pyembed {

using File = Interpreter::File;

Result<std::unique_ptr<KeyStates>> KeyStates::make(const Gil& gil, const Executor::Parts& parts, PyView group,
                                                   bool undoes) {
  std::unique_ptr<KeyStates> made(new KeyStates(parts));
  static PyMethodDef declaring = {"declare", declare, METH_VARARGS, nullptr};
  PyRef functions[StoredStates::kFunctions];
  PyRef all = PyRef::steal(PyTuple_New(StoredStates::kFunctions));
  PyRef type = parts.interpreter.helper(gil, File::kEvents, "States");
  PyRef list = parts.interpreter.helper(gil, File::kFold, "_List");
  PyRef map = parts.interpreter.helper(gil, File::kFold, "_Map");
  PyRef function, backends;
  if (all && type && list && map && made->slot_.make() && made->stored_.functions(functions)) {
    for (size_t i = 0; i < StoredStates::kFunctions; ++i) {
      PyTuple_SetItem(all.get(), static_cast<Py_ssize_t>(i), functions[i].release());
    }
    made->slot_.set(made.get());
    function = PyRef::steal(PyCFunction_New(&declaring, made->slot_.object()));
    backends = PyRef::steal(PyTuple_Pack(2, list.get(), map.get()));
  }
  if (function && backends) {
    made->object_ = PyRef::steal(PyObject_CallFunctionObjArgs(type.get(), all.get(), function.get(), group.get(),
                                                              backends.get(), undoes ? Py_True : Py_False, nullptr));
  }
  if (made->object_) return made;
  return to_status(CLUTCH_ERR_LOAD, "its states", describe(gil, parts.interpreter, take_exception(gil), true));
}

KeyStates::~KeyStates() {
  if (!object_) return;
  slot_.set(nullptr);
  stored_.end();
}

bool KeyStates::call(const char* method) {
  PyRef found = PyRef::steal(PyObject_GetAttrString(object_.get(), method));
  const PyRef given = found ? PyRef::steal(PyObject_CallFunctionObjArgs(found.get(), nullptr)) : PyRef();
  return static_cast<bool>(given);
}

Status KeyStates::begin(const Gil& gil, const Host& host, const clutch_batch& batch, Failures& failures) {
  slot_.set(nullptr);  // states are declared no more
  stored_.begin(host, batch.context);
  return call("begin") ? Status() : failures.group(gil, "states", "the batch");
}

Status KeyStates::flush(const Gil& gil, const KeyedBatch& keyed, Failures& failures) {
  if (call("flush")) return {};
  // Which key it was must be read with no exception set.
  PyObject *type = nullptr, *value = nullptr, *traceback = nullptr;
  PyErr_Fetch(&type, &value, &traceback);
  PyRef at = PyRef::steal(PyObject_GetAttrString(object_.get(), "at"));
  const long group = at ? PyLong_AsLong(at.get()) : -1;
  PyErr_Restore(type, value, traceback);
  const bool known = group >= 0 && group < keyed.groups();
  return failures.group(gil, "storing the state", known ? keyed.key_text(static_cast<int32_t>(group)) : "the batch");
}

PyObject* KeyStates::declare(PyObject* self, PyObject* arguments) {
  return call_back<KeyStates>(self, [arguments](KeyStates& states) -> PyObject* {
    const char* name = nullptr;
    int sort = 0;
    PyObject* types = nullptr;
    long long ttl_ms = 0;
    if (PyArg_ParseTuple(arguments, "siO!L", &name, &sort, &PyTuple_Type, &types, &ttl_ms) == 0) return nullptr;
    return states.declare_state(name, sort, types, ttl_ms);
  });
}

PyObject* KeyStates::declare_state(const char* name, int sort, PyObject* types, int64_t ttl_ms) {
  std::vector<std::optional<std::string>> texts;
  for (Py_ssize_t i = 0; i < PyTuple_Size(types); ++i) {
    PyObject* type = PyTuple_GetItem(types, i);
    texts.push_back(type == Py_None ? std::nullopt : std::optional<std::string>(to_text(type)));
  }
  const clutch_state_declaration declaration{sizeof(declaration), sort, to_str(name), ttl_ms};
  const std::string label = "state \"" + std::string(name) + "\"";
  const Result<size_t> added = stored_.add(*host_, context_, declaration, label, texts, interpreter_->module());
  if (added.ok()) return PyLong_FromSize_t(*added);
  PyErr_SetString(PyExc_ValueError, (label + ": " + std::string(added.status().message())).c_str());
  return nullptr;
}

}  // namespace clutch::pyembed
