#include "loading/object.h"

namespace clutch::pyembed {
namespace {

using File = Interpreter::File;

constexpr char kRecorder[] = "clutch.recorder";

// What a record() call of a metric needs; owned by the capsule that is the function's self.
struct Recorder {
  const Host* host;
  clutch_function_context* context;
};

void drop_recorder(PyObject* capsule) { delete static_cast<Recorder*>(PyCapsule_GetPointer(capsule, kRecorder)); }

PyObject* record(PyObject* self, PyObject* arguments) {
  auto* recorder = static_cast<Recorder*>(PyCapsule_GetPointer(self, kRecorder));
  int kind = 0;
  const char* name = nullptr;
  double value = 0;
  if (recorder == nullptr || PyArg_ParseTuple(arguments, "isd", &kind, &name, &value) == 0) return nullptr;
  if (recorder->host->metrics != nullptr) {
    recorder->host->metrics->record(recorder->context, kind, to_str(name), value);
  }
  Py_INCREF(Py_None);
  return Py_None;
}

PyMethodDef kRecord = {"record", record, METH_VARARGS, nullptr};

PyRef make_text_object(std::string_view text) {
  return PyRef::steal(PyUnicode_DecodeUTF8(text.data(), static_cast<Py_ssize_t>(text.size()), "replace"));
}

bool put_options(PyObject* dict, const Options& options) {
  for (const auto& [key, value] : options) {
    PyRef name = make_text_object(key);
    PyRef text = make_text_object(value);
    if (!name || !text || PyDict_SetItem(dict, name.get(), text.get()) != 0) return false;
  }
  return true;
}

// The method of that name, empty without an error if there is none.
PyRef method_of(PyObject* object, const char* name) {
  PyRef method = PyRef::steal(PyObject_GetAttrString(object, name));
  if (!method) {
    PyErr_Clear();
    return {};
  }
  if (PyCallable_Check(method.get()) == 0) return {};
  return method;
}

}  // namespace

UserObject::~UserObject() = default;

void UserObject::abandon() {
  (void)object_.release();
  (void)callable_.release();
  (void)context_.release();
  (void)module_name_.release();
}

Status UserObject::failed(const Gil& gil, std::string_view what) {
  PyRef exception = take_exception(gil);
  std::string prefix = "function \"" + step_.name + "\"";
  prefix += what;
  PyRef refused = interpreter_->helper(gil, File::kLoading, "Refused");
  if (!refused) PyErr_Clear();
  Status status;
  if (exception && refused && PyObject_IsInstance(exception.get(), refused.get()) == 1) {
    PyRef text = PyRef::steal(PyObject_Str(exception.get()));
    status = Status(CLUTCH_ERR_FUNCTION, prefix + ": " + to_text(text), CLUTCH_ORIGIN_USER);
    if (PyRef cause = PyRef::steal(PyException_GetCause(exception.get())); cause) {
      const Status behind = to_status(CLUTCH_ERR_FUNCTION, "", describe(gil, *interpreter_, cause, true));
      for (const auto& [key, value] : behind.details()) status.with(key, value);
    }
  } else {
    status = to_status(CLUTCH_ERR_FUNCTION, prefix, describe(gil, *interpreter_, exception, true));
  }
  status.with(CLUTCH_DETAIL_FUNCTION, step_.name);
  return status;
}

Result<PyRef> UserObject::load_payload(const Gil& gil, PyRef& ret_module_name) {
  PyRef found;
  if (step_.format == CLUTCH_PAYLOAD_PICKLE) {
    PyRef function = interpreter_->helper(gil, File::kLoading, "load_pickle");
    PyRef bytes =
        PyRef::steal(PyBytes_FromStringAndSize(step_.payload.data(), static_cast<Py_ssize_t>(step_.payload.size())));
    PyRef stamp = make_text_object(find_option(step_.options, "python.version").value_or(""));
    if (function && bytes && stamp) {
      found = PyRef::steal(PyObject_CallFunctionObjArgs(function.get(), bytes.get(), stamp.get(), nullptr));
    }
  } else {
    PyRef text = PyRef::steal(
        PyUnicode_DecodeUTF8(step_.payload.data(), static_cast<Py_ssize_t>(step_.payload.size()), nullptr));
    if (text && step_.format == CLUTCH_PAYLOAD_IMPORT) {
      PyRef function = interpreter_->helper(gil, File::kLoading, "load_import");
      if (function) found = PyRef::steal(PyObject_CallFunctionObjArgs(function.get(), text.get(), nullptr));
    } else if (text) {
      PyRef function = interpreter_->helper(gil, File::kLoading, "load_source");
      PyRef name = make_text_object(step_.name);
      PyRef attribute = make_text_object(find_option(step_.options, "attribute").value_or(""));
      if (function && name && attribute) {
        found = PyRef::steal(
            PyObject_CallFunctionObjArgs(function.get(), text.get(), name.get(), attribute.get(), nullptr));
      }
    }
  }
  if (!found) return failed(gil, "");
  if (PyObject* name = PyTuple_GetItem(found.get(), 1); name != Py_None) ret_module_name = PyRef::share(name);
  return PyRef::share(PyTuple_GetItem(found.get(), 0));
}

Result<std::unique_ptr<UserObject>> UserObject::load(const Gil& gil, Interpreter& interpreter, const StepSpec& step,
                                                     const Options& options, const Host& host,
                                                     clutch_function_context* context) {
  std::unique_ptr<UserObject> user(new UserObject(interpreter, step));
  user->options_ = &options;
  user->host_ = &host;
  user->host_context_ = context;
  CLUTCH_ASSIGN_OR_RETURN(PyRef found, user->load_payload(gil, user->module_name_));
  PyRef prepare = interpreter.helper(gil, File::kLoading, "prepare");
  PyRef kind = make_text_object(step.kind);
  PyRef pair;
  if (prepare && kind) {
    pair = PyRef::steal(PyObject_CallFunctionObjArgs(prepare.get(), found.get(), kind.get(), nullptr));
  }
  if (!pair) {
    Status status = user->failed(gil, "");
    user->close(gil).ok();  // nothing was opened; forgets the module that was made for it
    return status;
  }
  user->object_ = PyRef::share(PyTuple_GetItem(pair.get(), 0));
  user->callable_ = PyRef::share(PyTuple_GetItem(pair.get(), 1));
  return user;
}

PyRef UserObject::make_context(const Gil& gil, PyObject* states) {
  PyRef type = interpreter_->helper(gil, File::kContext, "FunctionContext");
  PyRef name = make_text_object(step_.name);
  PyRef options = PyRef::steal(PyDict_New());
  if (!type || !name || !options || !put_options(options.get(), *options_) ||
      !put_options(options.get(), step_.options)) {
    return {};
  }
  auto recorder = std::make_unique<Recorder>(Recorder{host_, host_context_});
  PyRef capsule = PyRef::steal(PyCapsule_New(recorder.get(), kRecorder, drop_recorder));
  if (!capsule) return {};
  (void)recorder.release();
  PyRef function = PyRef::steal(PyCFunction_New(&kRecord, capsule.get()));
  if (!function) return {};
  return PyRef::steal(PyObject_CallFunctionObjArgs(type.get(), name.get(), options.get(), function.get(),
                                                   states != nullptr ? states : Py_None, nullptr));
}

Status UserObject::open(const Gil& gil, PyObject* states) {
  ready_ = true;
  PyRef method = PyType_Check(object_.get()) ? PyRef() : method_of(object_.get(), "open");
  if (!method) return Status();
  context_ = make_context(gil, states);
  if (!context_) return failed(gil, " open()");
  if (!PyRef::steal(PyObject_CallFunctionObjArgs(method.get(), context_.get(), nullptr))) return failed(gil, " open()");
  return Status();
}

Status UserObject::close(const Gil& gil) {
  Status status;
  if (ready_) {
    ready_ = false;
    PyRef method = PyType_Check(object_.get()) ? PyRef() : method_of(object_.get(), "close");
    if (method && !PyRef::steal(PyObject_CallFunctionObjArgs(method.get(), nullptr))) status = failed(gil, " close()");
    flush_metrics(gil);
  }
  if (module_name_) {
    PyRef forget = interpreter_->helper(gil, File::kLoading, "forget");
    if (!forget || !PyRef::steal(PyObject_CallFunctionObjArgs(forget.get(), module_name_.get(), nullptr)))
      PyErr_Clear();
    module_name_.reset();
  }
  return status;
}

void UserObject::flush_metrics(const Gil& gil) {
  if (!context_) return;
  PyRef method = PyRef::steal(PyObject_GetAttrString(context_.get(), "flush_metrics"));
  if (method && PyRef::steal(PyObject_CallFunctionObjArgs(method.get(), nullptr))) return;
  // A gauge of the user raised. Its rows are right, so the batch is too; the log tells.
  const Described described = describe(gil, *interpreter_, take_exception(gil), false);
  host_->write_log(CLUTCH_LOG_WARN, "metrics", host_context_,
                   "a metric of function \"" + step_.name + "\" raised " + described.type + ": " + described.text);
}

}  // namespace clutch::pyembed
