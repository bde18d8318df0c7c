// Host(options, plugin_path, log_level): an open clutch_app.
#include <unistd.h>

#include "handles.h"

namespace clutch::python {
namespace {

HostValue* live(PyObject* self) {
  HostValue& host = unbox<HostValue>(self);
  if (!check_process(host.pid, "Host")) return nullptr;
  if (host.app != nullptr) return &host;
  PyErr_SetString(PyExc_ValueError, "the Host is closed");
  return nullptr;
}

PyObject* make(PyTypeObject* type, PyObject* arguments, PyObject*) {
  return guarded([&]() -> PyObject* {
    PyObject* options = nullptr;
    const char *plugin_path = nullptr, *log_level = nullptr;
    if (PyArg_ParseTuple(arguments, "O!zz", &PyList_Type, &options, &plugin_path, &log_level) == 0) return nullptr;
    std::vector<clutch_app_option> read;
    if (!read_options(options, read)) return nullptr;
    clutch_app_settings settings{};
    settings.struct_size = sizeof settings;
    settings.options = read.data();
    settings.n_options = read.size();
    settings.plugin_path = plugin_path;
    settings.log_level = log_level;
    HostValue host;
    host.pid = getpid();
    clutch_app_error* error = nullptr;
    int32_t status;
    Py_BEGIN_ALLOW_THREADS;
    status = clutch_app_open(&settings, &host.app, &error);
    Py_END_ALLOW_THREADS;
    if (status < 0) return raise(status, error);
    return box(type, std::move(host));
  });
}

PyObject* close(PyObject* self, PyObject*) {
  HostValue& host = unbox<HostValue>(self);
  if (host.app == nullptr) return none();
  if (!check_process(host.pid, "Host")) return nullptr;
  clutch_app* const app = std::exchange(host.app, nullptr);
  clutch_app_error* error = nullptr;
  int32_t status;
  Py_BEGIN_ALLOW_THREADS;
  status = clutch_app_close(app, &error);
  Py_END_ALLOW_THREADS;
  if (status >= 0) return none();
  host.app = app;  // it stays as it was
  return raise(status, error);
}

PyObject* take_text(char* text) {
  if (text == nullptr) return PyErr_NoMemory();
  PyObject* object = make_text(text);
  clutch_app_text_free(text);
  return object;
}

// get(key): value and origin, or None.
PyObject* get(PyObject* self, PyObject* argument) {
  HostValue* host = live(self);
  const char* key = host != nullptr ? text_of(argument) : nullptr;
  if (key == nullptr) return nullptr;
  char *value = nullptr, *origin = nullptr;
  clutch_app_error* error = nullptr;
  const int32_t status = clutch_app_get(host->app, key, &value, &origin, &error);
  if (status == CLUTCH_ERR_NOT_FOUND) {
    clutch_app_error_free(error);
    return none();
  }
  if (status < 0) return raise(status, error);
  PyRef text = PyRef::steal(take_text(value));
  PyRef from = PyRef::steal(take_text(origin));
  return text && from ? PyTuple_Pack(2, text.get(), from.get()) : nullptr;
}

PyObject* plugins(PyObject* self, PyObject*) {
  HostValue* host = live(self);
  return host != nullptr ? take_text(clutch_app_plugins(host->app, CLUTCH_APP_TEXT)) : nullptr;
}

PyObject* describe(PyObject* self, PyObject* argument) {
  HostValue* host = live(self);
  const char* mode = host != nullptr ? text_of(argument) : nullptr;
  if (mode == nullptr) return nullptr;
  char* text = nullptr;
  clutch_app_error* error = nullptr;
  int32_t status;
  Py_BEGIN_ALLOW_THREADS;
  status = clutch_app_describe(host->app, mode, CLUTCH_APP_JSON, &text, &error);
  Py_END_ALLOW_THREADS;
  return status < 0 ? raise(status, error) : take_text(text);
}

PyObject* open(PyObject* self, PyObject* arguments) {
  return live(self) != nullptr ? open_function(self, arguments) : nullptr;
}

PyMethodDef kMethods[] = {
    {"open", open, METH_VARARGS, "Open a function: steps, input, output, on_error, name, options."},
    {"get", get, METH_O, "Value and origin of a configuration key, or None."},
    {"plugins", plugins, METH_NOARGS, "The plugins found, and every place looked at."},
    {"describe", describe, METH_O, "Facts about the runtime behind a mode, as JSON."},
    {"close", close, METH_NOARGS, "End the runtimes; refused while functions are open."},
    {nullptr, nullptr, 0, nullptr},
};

PyType_Slot kSlots[] = {
    {Py_tp_dealloc, reinterpret_cast<void*>(unbox_and_free<HostValue>)},
    {Py_tp_new, reinterpret_cast<void*>(make)},
    {Py_tp_methods, kMethods},
    {0, nullptr},
};
PyType_Spec kSpec = {"clutch._host.Host", sizeof(Boxed<HostValue>), 0, Py_TPFLAGS_DEFAULT, kSlots};

}  // namespace

HostValue::~HostValue() {
  // A forked child has a copy of the memory, but not the worker processes and threads it speaks of.
  if (app == nullptr || pid != getpid()) return;
  clutch_app* const closed = app;
  Py_BEGIN_ALLOW_THREADS;
  clutch_app_close(closed, nullptr);
  Py_END_ALLOW_THREADS;
}

bool read_options(PyObject* list, std::vector<clutch_app_option>& ret_options) {
  for (Py_ssize_t i = 0; i < PyList_Size(list); ++i) {
    const char *key = nullptr, *value = nullptr;
    if (PyArg_ParseTuple(PyList_GetItem(list, i), "ss", &key, &value) == 0) return false;
    ret_options.push_back({key, value});
  }
  return true;
}

bool add_host_type(PyObject* module) { return add_type(module, kSpec, "Host", nullptr); }

}  // namespace clutch::python
