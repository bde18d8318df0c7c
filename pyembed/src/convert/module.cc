#include "convert/module.h"

#include <cstring>

#include "convert/mismatch.h"
#include "row_source.h"

namespace clutch::pyembed {

namespace {

constexpr char kRowModule[] = "clutch_row";

bool intern(PyRef& out, const char* text) {
  out = PyRef::steal(PyUnicode_InternFromString(text));
  return static_cast<bool>(out);
}

bool load_names(Names& names) {
  return intern(names.year, "year") && intern(names.month, "month") && intern(names.day, "day") &&
         intern(names.hour, "hour") && intern(names.minute, "minute") && intern(names.second, "second") &&
         intern(names.microsecond, "microsecond") && intern(names.tzinfo, "tzinfo") &&
         intern(names.nanosecond, "nanosecond") && intern(names.days, "days") && intern(names.seconds, "seconds") &&
         intern(names.microseconds, "microseconds") && intern(names.nanoseconds, "nanoseconds") &&
         intern(names.utcoffset, "utcoffset") && intern(names.fromutc, "fromutc") && intern(names.replace, "replace") &&
         intern(names.fields, "_fields") && intern(names.values, "_values") && intern(names.row_kind, "_row_kind") &&
         intern(names.dunder_len, "__len__") && intern(names.dunder_getitem, "__getitem__") &&
         intern(names.dunder_float, "__float__") && intern(names.dunder_dataclass, "__dataclass_fields__") &&
         intern(names.keys, "keys") && intern(names.item, "item") && intern(names.tolist, "tolist") &&
         intern(names.dtype, "dtype") && intern(names.kind, "kind") && intern(names.name, "name") &&
         intern(names.astype, "astype");
}

// The slots of a row stand one behind the other in the order of their names.
PyObject** slots_of(PyObject* row, Py_ssize_t offset) {
  return reinterpret_cast<PyObject**>(reinterpret_cast<char*>(row) + offset);
}

}  // namespace

PyRef make_field_names(const columnar::Field& field) {
  PyRef names = PyRef::steal(PyTuple_New(static_cast<Py_ssize_t>(field.type.children.size())));
  for (size_t i = 0; names && i < field.type.children.size(); ++i) {
    PyObject* name = PyUnicode_InternFromString(field.type.children[i].name.c_str());
    if (name == nullptr) return {};
    PyTuple_SetItem(names.get(), static_cast<Py_ssize_t>(i), name);
  }
  return names;
}

Module::~Module() = default;

Result<std::unique_ptr<Module>> Module::make() {
  std::unique_ptr<Module> module(new Module);
  CLUTCH_RETURN_IF_ERROR(module->load());
  return module;
}

Status Module::load() {
  if (!load_names(names_)) return Status(CLUTCH_ERR_MEMORY, "interning names: " + take_python_error());
  CLUTCH_RETURN_IF_ERROR(datetime_.load(names_));
  layout_.find();
  PyRef decimal = PyRef::steal(PyImport_ImportModule("decimal"));
  if (decimal) decimal_class_ = PyRef::steal(PyObject_GetAttrString(decimal.get(), "Decimal"));
  if (decimal_class_) decimal_to_text_ = PyRef::steal(PyObject_GetAttrString(decimal_class_.get(), "__str__"));
  if (!decimal_to_text_) {
    return Status(CLUTCH_ERR_LOAD, "this interpreter has no usable decimal module: " + take_python_error() +
                                       "; use a CPython whose standard library is complete");
  }
  PyRef types = PyRef::steal(PyImport_ImportModule("types"));
  if (types) generator_class_ = PyRef::steal(PyObject_GetAttrString(types.get(), "GeneratorType"));
  if (!generator_class_) {
    return Status(CLUTCH_ERR_LOAD, "this interpreter has no usable types module: " + take_python_error());
  }
  return load_row();
}

Status Module::load_row() {
  // Another runtime, or the clutch package, may have defined it in this interpreter: there must be one Row class.
  PyObject* modules = PyImport_GetModuleDict();  // borrowed
  PyObject* there = PyDict_GetItemString(modules, kRowModule);
  if (there != nullptr) {
    row_module_ = PyRef::share(there);
  } else {
    PyRef code = PyRef::steal(Py_CompileString(kRowSource, "<clutch_row>", Py_file_input));
    if (code) row_module_ = PyRef::steal(PyImport_ExecCodeModule(kRowModule, code.get()));
  }
  PyRef kinds;
  if (row_module_) row_class_ = PyRef::steal(PyObject_GetAttrString(row_module_.get(), "Row"));
  if (row_class_) kinds = PyRef::steal(PyObject_GetAttrString(row_module_.get(), "RowKind"));
  if (kinds) row_insert_ = PyRef::steal(PyObject_GetAttrString(kinds.get(), "INSERT"));
  if (!row_insert_) return Status(CLUTCH_ERR_LOAD, "defining the Row class failed: " + take_python_error());
  if (PyType_Check(row_class_.get()) == 0) {
    return Status(CLUTCH_ERR_LOAD, "the module clutch_row of this interpreter is not Clutch's: its Row is no class");
  }
  row_layout_ = verify_row_layout();
  PyErr_Clear();
  return {};
}

bool Module::verify_row_layout() {
  PyRef bare = PyRef::steal(PyObject_GetAttrString(reinterpret_cast<PyObject*>(&PyBaseObject_Type), "__basicsize__"));
  PyRef size = PyRef::steal(PyObject_GetAttrString(row_class_.get(), "__basicsize__"));
  PyRef row = PyRef::steal(PyType_GenericAlloc(row_type(), 0));
  PyRef fields = PyRef::steal(PyTuple_New(0));
  PyRef values = PyRef::steal(PyList_New(0));
  if (!bare || !size || !row || !fields || !values) return false;
  const Py_ssize_t offset = PyLong_AsSsize_t(bare.get());
  if (PyLong_AsSsize_t(size.get()) < offset + static_cast<Py_ssize_t>(3 * sizeof(PyObject*))) return false;
  if (PyObject_GenericSetAttr(row.get(), names_.fields.get(), fields.get()) != 0 ||
      PyObject_GenericSetAttr(row.get(), names_.row_kind.get(), row_insert_.get()) != 0 ||
      PyObject_GenericSetAttr(row.get(), names_.values.get(), values.get()) != 0) {
    return false;
  }
  PyObject** slots = slots_of(row.get(), offset);
  row_slots_ = offset;
  return slots[0] == fields.get() && slots[1] == row_insert_.get() && slots[2] == values.get();
}

PyObject* Module::make_row(PyObject* values, PyObject* fields) const {
  PyRef owned_values = PyRef::steal(values);
  PyRef row = PyRef::steal(PyType_GenericAlloc(row_type(), 0));
  if (!row) return nullptr;
  if (row_layout_) {
    PyObject** slots = slots_of(row.get(), row_slots_);
    Py_INCREF(fields);
    slots[0] = fields;
    Py_INCREF(row_insert_.get());
    slots[1] = row_insert_.get();
    slots[2] = owned_values.release();
    return row.release();
  }
  if (PyObject_GenericSetAttr(row.get(), names_.fields.get(), fields) != 0 ||
      PyObject_GenericSetAttr(row.get(), names_.row_kind.get(), row_insert_.get()) != 0 ||
      PyObject_GenericSetAttr(row.get(), names_.values.get(), owned_values.get()) != 0) {
    return nullptr;
  }
  return row.release();
}

PyRef Module::row_values(PyObject* row) const {
  if (row_layout_ && Py_TYPE(row) == row_type()) {
    PyObject* values = slots_of(row, row_slots_)[2];
    if (values != nullptr && PyList_CheckExact(values)) return PyRef::share(values);
  }
  PyRef values = PyRef::steal(PyObject_GetAttr(row, names_.values.get()));
  if (values && PyList_Check(values.get()) == 0) {
    PyErr_SetString(PyExc_TypeError, "the _values of a Row must be a list");
    return {};
  }
  return values;
}

PyRef Module::row_fields(PyObject* row) const {
  if (row_layout_ && Py_TYPE(row) == row_type()) {
    PyObject* fields = slots_of(row, row_slots_)[0];
    if (fields == nullptr) return {};
    if (PyTuple_CheckExact(fields)) return PyRef::share(fields);
  }
  PyRef fields = PyRef::steal(PyObject_GetAttr(row, names_.fields.get()));
  if (!fields || PyTuple_Check(fields.get()) == 0) {
    PyErr_Clear();
    return {};
  }
  return fields;
}

}  // namespace clutch::pyembed
