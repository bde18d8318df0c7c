#include "windows/calls.h"

#include "errors/exception.h"
#include "windows/events.h"

namespace clutch::pyembed {
namespace {

using File = Interpreter::File;

PyRef text_object(std::string_view text) {
  return PyRef::steal(PyUnicode_DecodeUTF8(text.data(), static_cast<Py_ssize_t>(text.size()), "replace"));
}

}  // namespace

template <PyObject* (WindowCalls::*method)()>
PyObject* WindowCalls::ask(PyObject* self, PyObject*) {
  return call_back<WindowCalls>(self, [](WindowCalls& calls) { return (calls.*method)(); });
}

PyObject* WindowCalls::take(PyObject* self, PyObject* item) {
  return call_back<WindowCalls>(self,
                                [item](WindowCalls& calls) { return calls.yields_.take(item, calls.run_.origin); });
}

Result<std::unique_ptr<WindowCalls>> WindowCalls::make(const Gil& gil, const Executor::Parts& parts,
                                                       const StepSpec* step, StoredStates& stored) {
  CLUTCH_ASSIGN_OR_RETURN(Yields yields, Yields::make(gil, parts, parts.spec.steps.size()));
  std::unique_ptr<WindowCalls> made(new WindowCalls(std::move(yields)));
  if (const std::string type = window_option(parts.spec, "key_type"); !type.empty()) {
    CLUTCH_ASSIGN_OR_RETURN(Coder coder, Coder::of_keys(type, parts.interpreter.module()));
    made->key_.emplace(std::move(coder));
  }
  if (step != nullptr) CLUTCH_RETURN_IF_ERROR(made->make_calls(gil, parts, *step, stored));
  return made;
}

Status WindowCalls::make_calls(const Gil& gil, const Executor::Parts& parts, const StepSpec& step,
                               StoredStates& stored) {
  static PyMethodDef methods[] = {{"emit", take, METH_O, nullptr},
                                  {"get_current_key", ask<&WindowCalls::current_key>, METH_NOARGS, nullptr},
                                  {"group", ask<&WindowCalls::group>, METH_NOARGS, nullptr},
                                  {"current_processing_time", ask<&WindowCalls::processing_time>, METH_NOARGS, nullptr},
                                  {"current_watermark", ask<&WindowCalls::watermark>, METH_NOARGS, nullptr}};
  const auto raised = [&](int32_t code) {
    return to_status(code, "its windows", describe(gil, parts.interpreter, take_exception(gil), true));
  };
  what_ = step.kind.substr(step.kind.rfind('.') + 1) + "()";
  if (step.kind == CLUTCH_KIND_STREAM_WINDOW_FLAT_JOIN) what_ = "join()";
  PyRef states = PyRef::share(Py_None);
  if (step.kind == CLUTCH_KIND_STREAM_WINDOW_PROCESS) {
    if (parts.host.state == nullptr) {
      return Status(CLUTCH_ERR_UNSUPPORTED, "this host has no state by key", CLUTCH_ORIGIN_HOST);
    }
    const clutch_state_declaration declaration{sizeof(declaration), CLUTCH_STATE_MAP, to_str("window-state"), 0, 0, 0};
    CLUTCH_ASSIGN_OR_RETURN(Coder coder, Coder::make("state", std::nullopt, parts.interpreter.module()));
    CLUTCH_ASSIGN_OR_RETURN(const size_t number,
                            stored.add(parts.host, parts.context, declaration, "the windows' state", std::move(coder)));
    PyRef functions[StoredStates::kFunctions];
    PyRef type = parts.interpreter.helper(gil, File::kWindows, "States");
    PyRef place = PyRef::steal(PyLong_FromSize_t(number));
    if (!type || !place || !stored.functions(functions)) return raised(CLUTCH_ERR_LOAD);
    states = PyRef::steal(
        PyObject_CallFunctionObjArgs(type.get(), place.get(), functions[3].get(), functions[4].get(), nullptr));
    if (states) begin_states_ = PyRef::steal(PyObject_GetAttrString(states.get(), "begin"));
    if (states) store_states_ = PyRef::steal(PyObject_GetAttrString(states.get(), "store"));
    if (!states || !begin_states_ || !store_states_) return raised(CLUTCH_ERR_LOAD);
  }
  PyRef type = parts.interpreter.helper(gil, File::kWindows, "Calls");
  PyRef functions = PyRef::steal(PyTuple_New(std::size(methods)));
  if (!type || !functions || !slot_.make()) return raised(CLUTCH_ERR_LOAD);
  for (size_t i = 0; i < std::size(methods); ++i) {
    PyObject* function = PyCFunction_New(&methods[i], slot_.object());
    if (function == nullptr) return raised(CLUTCH_ERR_LOAD);
    PyTuple_SetItem(functions.get(), static_cast<Py_ssize_t>(i), function);
  }
  const UserObject& object = *parts.objects.back();
  PyRef kind = text_object(step.kind);
  PyRef sort = text_object(window_option(parts.spec, "window"));
  const std::string all = window_option(parts.spec, "all");
  if (!all.empty() && all != "true" && all != "false") {
    return Status(CLUTCH_ERR_ARGUMENT, "option all is \"" + all + "\"; it is true or false", CLUTCH_ORIGIN_USER);
  }
  PyRef calls;
  if (kind && sort) {
    calls = PyRef::steal(PyObject_CallFunctionObjArgs(type.get(), kind.get(), object.object(), object.callable(),
                                                      sort.get(), all == "true" ? Py_True : Py_False, functions.get(),
                                                      states.get(), nullptr));
  }
  if (calls) fire_ = PyRef::steal(PyObject_GetAttrString(calls.get(), "fire"));
  if (fire_) clear_ = PyRef::steal(PyObject_GetAttrString(calls.get(), "clear"));
  return fire_ && clear_ ? Status() : raised(CLUTCH_ERR_UNSUPPORTED);
}

Status WindowCalls::begin(const Gil& gil, const Host& host, const clutch_batch& batch, const KeyedBatch& keyed,
                          Failures& failures, Watch& watch) {
  run_ = Batch();
  run_.batch = &batch;
  run_.keyed = &keyed;
  run_.failures = &failures;
  yields_.begin(host, watch.context);
  if (!whole()) return {};
  slot_.set(this);
  if (!begin_states_ || PyRef::steal(PyObject_CallObject(begin_states_.get(), nullptr))) return {};
  return failures.group(gil, "states", "the batch");
}

void WindowCalls::at(int64_t row) {
  run_.group = run_.keyed->group_of(row);
  run_.origin = static_cast<int32_t>(row);
  yields_.begin_row();
}

PyObject* WindowCalls::current_key() {
  if (run_.keys.empty()) run_.keys.resize(static_cast<size_t>(run_.keyed->groups()));
  PyRef& key = run_.keys[static_cast<size_t>(run_.group)];
  if (!key) key = run_.keyed->key_object(run_.group, key_ ? &*key_ : nullptr);
  return key ? fresh(key.get()) : nullptr;
}

PyObject* WindowCalls::group() { return PyLong_FromLong(run_.group); }

Status WindowCalls::call(const Gil& gil, PyObject* function, const char* what, int64_t start, int64_t end,
                         PyObject* first, PyObject* second) {
  PyRef from = PyRef::steal(PyLong_FromLongLong(start));
  PyRef to = PyRef::steal(PyLong_FromLongLong(end));
  PyObject* stack[5] = {nullptr, from.get(), to.get(), first, second};
  const size_t count = first == nullptr ? 2 : second == nullptr ? 3 : 4;
  PyRef done;
  if (from && to) done = PyRef::steal(slots().vectorcall(function, stack + 1, count | kArgsOffset, nullptr));
  if (thrown != nullptr) {
    PyErr_Clear();
    std::rethrow_exception(std::exchange(thrown, nullptr));
  }
  return done ? Status() : failed(gil, what, start, end);
}

Status WindowCalls::failed(const Gil& gil, const char* what, int64_t start, int64_t end) {
  Failures& failures = *run_.failures;
  const std::string key = run_.keyed->key_text(run_.group) + ", " + window_text(start, end);
  const std::string where = failures.name() + " " + what + " of " + key;
  if (yields_.misfits()) {
    PyErr_Clear();
    return failures.told(yields_.misfit_status(where), -1);
  }
  PyRef exception = take_exception(gil);
  if (exception && Yields::cannot_be_gone_over(exception)) {
    PyRef text = PyRef::steal(PyObject_Str(exception.get()));
    return failures.told(Status(CLUTCH_ERR_VALUE,
                                where + ": the result cannot be gone over (" + to_text(text) +
                                    "); yield values, or return a list of them or None",
                                CLUTCH_ORIGIN_USER),
                         -1);
  }
  if (exception) PyErr_SetObject(reinterpret_cast<PyObject*>(Py_TYPE(exception.get())), exception.get());
  return failures.group(gil, what, key);
}

Status WindowCalls::fire(const Gil& gil, int64_t row, int64_t start, int64_t end, PyObject* first, PyObject* second) {
  at(row);
  return call(gil, fire_.get(), what_.c_str(), start, end, first, second);
}

Status WindowCalls::put(const Gil& gil, int64_t row, int64_t start, int64_t end, PyObject* value) {
  at(row);
  if (PyRef::steal(yields_.put(value, run_.origin))) return {};
  return failed(gil, "result", start, end);
}

Status WindowCalls::clear(const Gil& gil, int64_t row, int64_t start, int64_t end) {
  if (!whole()) return {};
  at(row);
  return call(gil, clear_.get(), "clear()", start, end, nullptr, nullptr);
}

Status WindowCalls::store(const Gil& gil) {
  if (!store_states_ || PyRef::steal(PyObject_CallObject(store_states_.get(), nullptr))) return {};
  return run_.failures->group(gil, "storing the states of its windows", "the batch");
}

void WindowCalls::end(bool good) {
  if (slot_.object() != nullptr) slot_.set(nullptr);
  if (!good) yields_.clear();
  run_ = Batch();
}

}  // namespace clutch::pyembed
