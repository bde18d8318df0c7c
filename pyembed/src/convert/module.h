// The Python classes and functions the conversions use, looked up once per interpreter.
#pragma once

#include <memory>

#include "clutch/columnar/result.h"
#include "convert/datetime.h"
#include "convert/layout.h"
#include "interpreter/ref.h"

namespace clutch::pyembed {

// Attribute names, interned once so that lookups compare pointers.
struct Names {
  PyRef year, month, day, hour, minute, second, microsecond, tzinfo, nanosecond;
  PyRef days, seconds, microseconds, nanoseconds;
  PyRef utcoffset, fromutc, replace;
  PyRef fields, values, row_kind;  // of a Row: _fields, _values, _row_kind
  PyRef dunder_len, dunder_getitem, dunder_float, dunder_dataclass;
  PyRef keys, item, tolist, dtype, kind, name, astype;
};

// One per interpreter; immutable after make, so functions share it. Made, used and destroyed with the interpreter lock
// held.
class Module {
 public:
  // Import what conversions need (datetime, decimal) and define the Row class. Fails with CLUTCH_ERR_LOAD, naming what
  // the interpreter lacks.
  static Result<std::unique_ptr<Module>> make();

  ~Module();
  Module(const Module&) = delete;
  Module& operator=(const Module&) = delete;

  // The Python module "clutch_row" (borrowed). It stands in sys.modules, so functions can import it and rows can be
  // pickled.
  PyObject* row_module() const { return row_module_.get(); }
  PyTypeObject* row_type() const { return reinterpret_cast<PyTypeObject*>(row_class_.get()); }

  // A Row of `values` (a list, stolen) with `fields` (a tuple of names, borrowed) and kind INSERT, without a call of
  // Row's own code. NULL with a Python error set if memory is short, and then `values` is released.
  PyObject* make_row(PyObject* values, PyObject* fields) const;
  bool is_row(PyObject* object) const {
    return Py_TYPE(object) == row_type() || PyType_IsSubtype(Py_TYPE(object), row_type());
  }
  // The _values list of a row (new reference), NULL with a Python error set if it was deleted or replaced.
  PyRef row_values(PyObject* row) const;
  // The _fields tuple of a row, empty for a row without names. No Python error is left behind.
  PyRef row_fields(PyObject* row) const;

  const Datetime& datetime() const { return datetime_; }
  // For tests of the path by attributes.
  void forget_datetime_layout() { datetime_.forget_layout(); }
  void check_datetime_layout() { datetime_.find_layout(); }
  const ObjectLayout& layout() const { return layout_; }
  // For tests of the path through the API.
  ObjectLayout& layout() { return layout_; }
  const Names& names() const { return names_; }
  // Of what a function with `yield` gives.
  PyTypeObject* generator_type() const { return reinterpret_cast<PyTypeObject*>(generator_class_.get()); }
  PyTypeObject* decimal_type() const { return reinterpret_cast<PyTypeObject*>(decimal_class_.get()); }
  PyObject* decimal_class() const { return decimal_class_.get(); }
  PyObject* decimal_to_text() const { return decimal_to_text_.get(); }  // Decimal.__str__, unbound

 private:
  Module() = default;
  Status load();
  Status load_row();
  bool verify_row_layout();

  Names names_;
  Datetime datetime_;
  ObjectLayout layout_;
  PyRef generator_class_;
  PyRef decimal_class_;
  PyRef decimal_to_text_;
  PyRef row_module_;
  PyRef row_class_;
  PyRef row_insert_;          // RowKind.INSERT
  bool row_layout_ = false;   // slots stand where row_slots_ says (checked on a real row)
  Py_ssize_t row_slots_ = 0;  // offset of _fields; _row_kind and _values follow
};

// A tuple of the names of a struct's children, interned; NULL with a Python error set.
PyRef make_field_names(const columnar::Field& field);

}  // namespace clutch::pyembed
