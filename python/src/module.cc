// The extension module clutch._host: libclutch for the package clutch.host, which is its only user.
#include <unistd.h>

#include "capsule.h"
#include "job.h"
#include "state.h"

namespace clutch::python {
namespace {

PyMethodDef kFunctions[] = {
    {"from_arrow", from_arrow, METH_O, "An Array of what an object gives by the Arrow PyCapsule interface, or None."},
    {"pack_elements", pack_elements, METH_O, "Bytes of the elements of an Array, for a source `collection` of a job."},
    {nullptr, nullptr, 0, nullptr},
};

PyModuleDef kModule = {
    PyModuleDef_HEAD_INIT, "clutch._host", nullptr, -1, kFunctions, nullptr, nullptr, nullptr, nullptr};

// clutch._error.<name>(*arguments). The class stands in the package, so that it can be caught without this module.
PyRef call_error(const char* name, PyObject* arguments) {
  PyRef owned = PyRef::steal(arguments);
  PyRef module = PyRef::steal(owned ? PyImport_ImportModule("clutch._error") : nullptr);
  PyRef function = PyRef::steal(module ? PyObject_GetAttrString(module.get(), name) : nullptr);
  return PyRef::steal(function ? PyObject_CallObject(function.get(), owned.get()) : nullptr);
}

PyObject* set(PyRef error) {
  if (error) PyErr_SetObject(reinterpret_cast<PyObject*>(Py_TYPE(error.get())), error.get());
  return nullptr;
}

bool put(PyObject* dict, std::string_view key, std::string_view text) {
  PyRef name = PyRef::steal(make_text(key));
  PyRef value = PyRef::steal(make_text(text));
  return name && value && PyDict_SetItem(dict, name.get(), value.get()) == 0;
}

PyRef make_error(int32_t code, std::string_view message, PyObject* details) {
  PyRef text = PyRef::steal(make_text(message));
  if (!text) return {};
  return call_error("make",
                    Py_BuildValue("(isOO)", static_cast<int>(code), clutch_app_status_name(code), text.get(), details));
}

}  // namespace

State& state() {
  static State* const kState = new State;  // Never destroyed, like the interpreter that its members belong to.
  return *kState;
}

PyObject* make_text(std::string_view text) {
  return PyUnicode_DecodeUTF8(text.data(), static_cast<Py_ssize_t>(text.size()), "replace");
}

const char* text_of(PyObject* text) {
  // The limited API of 3.8 has no way to the UTF-8 of a str but this one.
  const char* out = nullptr;
  PyRef tuple = PyRef::steal(PyTuple_Pack(1, text));
  return tuple && PyArg_ParseTuple(tuple.get(), "s", &out) != 0 ? out : nullptr;
}

PyObject* make_error(const clutch_app_error* error) {
  PyRef details = PyRef::steal(PyDict_New());
  for (uint64_t i = 0; details && i < clutch_app_error_detail_count(error); ++i) {
    if (!put(details.get(), clutch_app_error_detail_key(error, i), clutch_app_error_detail_value(error, i))) {
      return nullptr;
    }
  }
  if (!details) return nullptr;
  return make_error(clutch_app_error_code(error), clutch_app_error_message(error), details.get()).release();
}

PyObject* raise(int32_t status, clutch_app_error* error) {
  if (error == nullptr) {
    return raise(Status(status, std::string("libclutch gave no reason beside ") + clutch_app_status_name(status)));
  }
  PyRef made = PyRef::steal(make_error(error));
  clutch_app_error_free(error);
  return set(std::move(made));
}

PyObject* raise(const Status& status) {
  PyRef details = PyRef::steal(PyDict_New());
  for (const auto& [key, value] : status.details()) {
    if (details && !put(details.get(), key, value)) return nullptr;
  }
  return details ? set(make_error(status.code(), status.message(), details.get())) : nullptr;
}

bool check_process(int pid, const char* what) {
  if (pid == getpid()) return true;
  PyErr_Format(PyExc_RuntimeError,
               "this %s was made in process %d and cannot be used in process %d, which was forked off it; make a Host "
               "after the fork",
               what, pid, static_cast<int>(getpid()));
  return false;
}

bool add_type(PyObject* module, PyType_Spec& spec, const char* name, PyTypeObject** ret_type) {
  PyRef type = PyRef::steal(PyType_FromSpec(&spec));
  if (!type) return false;
  if (ret_type != nullptr) *ret_type = reinterpret_cast<PyTypeObject*>(PyRef::share(type).release());
  PyObject* given = type.release();
  if (PyModule_AddObject(module, name, given) == 0) return true;
  Py_DECREF(given);
  return false;
}

}  // namespace clutch::python

PyMODINIT_FUNC PyInit__host(void);  // exported by the macro

PyMODINIT_FUNC PyInit__host(void) {
  using namespace clutch::python;
  return guarded([]() -> PyObject* {
    // The Row class of this process is that of the package.
    if (!PyRef::steal(PyImport_ImportModule("clutch_row"))) PyErr_Clear();
    clutch::Result<std::unique_ptr<clutch::pyembed::Module>> conversions = clutch::pyembed::Module::make();
    if (!conversions.ok()) {
      PyErr_SetString(PyExc_ImportError, std::string(conversions.status().message()).c_str());
      return nullptr;
    }
    state().conversions = *std::move(conversions);
    PyRef module = PyRef::steal(PyModule_Create(&kModule));
    if (!module || !add_array_type(module.get()) || !add_schema_type(module.get()) || !add_host_type(module.get()) ||
        !add_function_type(module.get()) || !add_job_type(module.get()) ||
        PyModule_AddStringConstant(module.get(), "version", clutch_app_version()) != 0) {
      return nullptr;
    }
    return module.release();
  });
}
