// What the extension module has of the interpreter it was imported into, and the small tools all its files use.
//
// The module is thin on purpose: it moves rows between Python objects and libclutch. Which sorts of values users may
// pass, and all that is said about misuse, is Python code in clutch/host.
#pragma once

#include <exception>
#include <memory>
#include <new>
#include <string>
#include <utility>

#include "clutch/clutch.h"
#include "clutch/columnar/result.h"
#include "convert/convert.h"

namespace clutch::python {

using pyembed::PyRef;
using pyembed::PyView;

// The interpreter lock is held wherever a member is used.
struct State {
  std::unique_ptr<pyembed::Module> conversions;
  PyTypeObject* array = nullptr;
  PyTypeObject* function = nullptr;
};
State& state();

// A Python object that is a C++ value.
template <typename T>
struct Boxed {
  PyObject_HEAD T value;
};

template <typename T>
T& unbox(PyObject* self) {
  return reinterpret_cast<Boxed<T>*>(self)->value;
}

template <typename T>
PyObject* box(PyTypeObject* type, T value) {
  PyObject* object = PyType_GenericAlloc(type, 0);
  if (object != nullptr) new (&unbox<T>(object)) T(std::move(value));
  return object;
}

template <typename T>
void unbox_and_free(PyObject* self) {
  PyTypeObject* type = Py_TYPE(self);
  unbox<T>(self).~T();
  reinterpret_cast<freefunc>(PyType_GetSlot(type, Py_tp_free))(self);
  Py_DECREF(type);
}

// For types that only this module makes.
inline PyObject* refuse_new(PyTypeObject*, PyObject*, PyObject*) {
  PyErr_SetString(PyExc_TypeError, "objects of this type are made by clutch.Host");
  return nullptr;
}

// Runs `body`, so that nothing it throws unwinds into the interpreter.
template <typename Body>
PyObject* guarded(Body&& body) noexcept {
  try {
    return body();
  } catch (const std::bad_alloc&) {
    return PyErr_NoMemory();
  } catch (const std::exception& error) {
    PyErr_SetString(PyExc_RuntimeError, error.what());
    return nullptr;
  }
}

// A function of the C API as Python's method tables want it.
template <typename Function>
PyCFunction method(Function* function) {
  return reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(function));
}

inline PyObject* none() {
  Py_INCREF(Py_None);
  return Py_None;
}

PyObject* make_text(std::string_view text);
// UTF-8 of a str, NULL with a Python error set. Lives as long as the str.
const char* text_of(PyObject* text);

// Set clutch.Error, and give NULL. `error` is consumed; NULL is allowed and leaves the name of the status.
PyObject* raise(int32_t status, clutch_app_error* error);
PyObject* raise(const Status& status);
// An instance of clutch.Error for an error that stays with its owner. NULL with a Python error set.
PyObject* make_error(const clutch_app_error* error);

// False with a Python error set in a process that was forked off the one with id `pid`.
bool check_process(int pid, const char* what);

// The types of the module; each adds its own. False with a Python error set.
bool add_array_type(PyObject* module);
bool add_schema_type(PyObject* module);
bool add_host_type(PyObject* module);
bool add_function_type(PyObject* module);
bool add_job_type(PyObject* module);
// Make a type from its spec and add it under its name, keeping a reference in `ret_type` if that is not NULL.
bool add_type(PyObject* module, PyType_Spec& spec, const char* name, PyTypeObject** ret_type);

}  // namespace clutch::python
