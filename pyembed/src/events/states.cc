#include "events/states.h"

#include "errors/exception.h"

namespace clutch::pyembed {

using File = Interpreter::File;

namespace {

// While states are written down, user code that runs for it (an __index__, say) finds no state to change.
class NoKey {
 public:
  explicit NoKey(CurrentKey& key) : key_(key), before_(key.group) { key_.group = -1; }
  ~NoKey() { key_.group = before_; }
  NoKey(const NoKey&) = delete;
  NoKey& operator=(const NoKey&) = delete;

 private:
  CurrentKey& key_;
  int32_t before_;
};

}  // namespace

Result<std::unique_ptr<KeyStates>> KeyStates::make(const Gil& gil, const Executor::Parts& parts, CurrentKey& key,
                                                   bool undoes) {
  std::unique_ptr<KeyStates> made(new KeyStates(parts, key));
  static PyMethodDef methods[] = {{"declare", declare, METH_VARARGS, nullptr}, {"group", group, METH_NOARGS, nullptr}};
  PyRef functions[StoredStates::kFunctions];
  PyRef all = PyRef::steal(PyTuple_New(StoredStates::kFunctions));
  PyRef type = parts.interpreter.helper(gil, File::kEvents, "States");
  PyRef list = parts.interpreter.helper(gil, File::kFold, "_List");
  PyRef map = parts.interpreter.helper(gil, File::kFold, "_Map");
  made->value_type_ = PyRef::steal(ValueCells::make_type());
  PyRef own, backends;
  if (all && type && list && map && made->value_type_ && made->slot_.make() && made->stored_.functions(functions)) {
    for (size_t i = 0; i < StoredStates::kFunctions; ++i) {
      PyTuple_SetItem(all.get(), static_cast<Py_ssize_t>(i), functions[i].release());
    }
    made->slot_.set(made.get());
    PyRef declaring = PyRef::steal(PyCFunction_New(&methods[0], made->slot_.object()));
    PyRef current = PyRef::steal(PyCFunction_New(&methods[1], made->slot_.object()));
    if (declaring && current) own = PyRef::steal(PyTuple_Pack(2, declaring.get(), current.get()));
    backends = PyRef::steal(PyTuple_Pack(2, list.get(), map.get()));
  }
  if (own && backends) {
    made->object_ = PyRef::steal(PyObject_CallFunctionObjArgs(type.get(), all.get(), own.get(), backends.get(),
                                                              undoes ? Py_True : Py_False, nullptr));
  }
  if (made->object_) return made;
  return to_status(CLUTCH_ERR_LOAD, "its states", describe(gil, parts.interpreter, take_exception(gil), true));
}

KeyStates::~KeyStates() {
  if (slot_.object() != nullptr) slot_.set(nullptr);
  if (object_) stored_.end();
}

bool KeyStates::call(const char* method, PyObject* argument) {
  PyRef found = PyRef::steal(PyObject_GetAttrString(object_.get(), method));
  const PyRef given = found ? PyRef::steal(PyObject_CallFunctionObjArgs(found.get(), argument, nullptr)) : PyRef();
  return static_cast<bool>(given);
}

Status KeyStates::begin(const Gil& gil, const Host& host, const clutch_batch& batch, const KeyedBatch& keyed,
                        int32_t operator_group, Failures& failures) {
  open_ = false;
  stored_.begin(host, batch.context);
  for (const std::unique_ptr<ValueCells>& value : values_) value->begin(keyed.groups());
  PyRef group = PyRef::steal(PyLong_FromLong(operator_group));
  return group && call("begin", group.get()) ? Status() : failures.group(gil, "states", "the batch");
}

bool KeyStates::end_row() {
  const NoKey nobody(*key_);
  for (const std::unique_ptr<ValueCells>& value : values_) {
    if (!value->settle()) return false;
  }
  return call("end_row");
}

bool KeyStates::undo_row() {
  for (const std::unique_ptr<ValueCells>& value : values_) value->forget();
  return call("undo_row");
}

Status KeyStates::flush(const Gil& gil, const KeyedBatch& keyed, Failures& failures) {
  const NoKey nobody(*key_);
  for (const std::unique_ptr<ValueCells>& value : values_) {
    if (value->flush()) continue;
    const int32_t at = value->failed_at();
    return failures.group(gil, "storing the state", at >= 0 ? keyed.key_text(at) : "the batch");
  }
  return call("flush") ? Status() : failures.group(gil, "storing the state", "the batch");
}

void KeyStates::end() {
  for (const std::unique_ptr<ValueCells>& value : values_) value->end();
  stored_.end();
}

PyObject* KeyStates::group(PyObject* self, PyObject*) {
  return call_back<KeyStates>(self, [](KeyStates& states) -> PyObject* {
    return states.key_->check() ? PyLong_FromLong(states.key_->group) : nullptr;
  });
}

PyObject* KeyStates::declare(PyObject* self, PyObject* arguments) {
  return call_back<KeyStates>(self, [arguments](KeyStates& states) -> PyObject* {
    const char* name = nullptr;
    const char* label = nullptr;
    int sort = 0;
    PyObject* types = nullptr;
    long long ttl_ms = 0;
    clutch_state_declaration declaration{};
    if (PyArg_ParseTuple(arguments, "ssiO!Lii", &name, &label, &sort, &PyTuple_Type, &types, &ttl_ms,
                         &declaration.ttl_update, &declaration.ttl_visibility) == 0) {
      return nullptr;
    }
    declaration.struct_size = sizeof(declaration);
    declaration.state_kind = sort;
    declaration.name = to_str(name);
    declaration.ttl_ms = ttl_ms;
    return states.declare_state(declaration, label, types);
  });
}

// Gives the number of a list or map state, and the object of a value state.
PyObject* KeyStates::declare_state(const clutch_state_declaration& declaration, const char* label, PyObject* types) {
  if (!open_) {
    PyErr_SetString(PyExc_RuntimeError, (std::string(label) + " is declared after open()").c_str());
    return nullptr;
  }
  std::vector<std::optional<std::string>> texts;
  for (Py_ssize_t i = 0; i < PyTuple_Size(types); ++i) {
    PyObject* type = PyTuple_GetItem(types, i);
    texts.push_back(type == Py_None ? std::nullopt : std::optional<std::string>(to_text(type)));
  }
  const Result<size_t> added = stored_.add(*host_, context_, declaration, label, texts, interpreter_->module());
  if (!added.ok()) {
    PyErr_SetString(PyExc_ValueError, (std::string(label) + ": " + std::string(added.status().message())).c_str());
    return nullptr;
  }
  if (declaration.state_kind != CLUTCH_STATE_VALUE) return PyLong_FromSize_t(*added);
  auto value = std::make_unique<ValueCells>(stored_, *added, *key_, declaration);
  if (!value->make(value_type_.get())) return nullptr;
  values_.push_back(std::move(value));
  return fresh(values_.back()->object());
}

}  // namespace clutch::pyembed
