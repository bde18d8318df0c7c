// Writers of structs: from Row, tuple, list, dict, namedtuple and dataclass.
#include <vector>

#include "convert/mismatch.h"
#include "convert/writer_parts.h"

namespace clutch::pyembed {

using columnar::ArrayBuilder;
using columnar::Field;

namespace {

class StructWriter final : public WriterOf<StructWriter> {
 public:
  StructWriter(const Field& field, const Module& module, std::vector<std::unique_ptr<Writer>> columns, PyRef names)
      : WriterOf(field, module), columns_(std::move(columns)), names_(std::move(names)) {}

  Writer* column(size_t i) override { return columns_[i].get(); }
  void use_for_keys() override {
    for (const std::unique_ptr<Writer>& column : columns_) column->use_for_keys();
  }

  bool put(PyObject* value, ArrayBuilder& out) {
    if (Py_TYPE(value) == module_->row_type()) [[likely]]
      return put_row(value, out);
    if (PyTuple_CheckExact(value)) return put_tuple(value, out);
    if (PyList_CheckExact(value)) return put_sequence(value, value, out);
    if (PyDict_CheckExact(value)) return put_dict(value, value, out);
    return put_slow(value, out);
  }

  bool coerce(PyObject* value, ArrayBuilder& out) {
    auto* type = reinterpret_cast<PyObject*>(Py_TYPE(value));
    const Names& names = module_->names();
    if (module_->is_row(value)) return put_row(value, out);
    if (PyTuple_Check(value)) {
      // A namedtuple with our names in another order means the names.
      PyRef fields = PyRef::steal(PyObject_GetAttr(type, names.fields.get()));
      if (!fields) PyErr_Clear();
      if (fields && PyTuple_Check(fields.get()) && has_same_names(fields.get())) {
        return put_named(value, fields.get(), value, out);
      }
      return put_sequence(value, value, out);
    }
    if (PyList_Check(value)) return put_sequence(value, value, out);
    if (PyDict_Check(value)) return put_dict(value, value, out);
    if (PyType_Check(value) == 0 && has_attribute(type, names.dunder_dataclass)) return put_dataclass(value, out);
    if (has_attribute(type, names.keys) && has_attribute(type, names.dunder_getitem) &&
        !has_attribute(type, names.tolist)) {
      PyRef dict = PyRef::steal(PyDict_New());
      if (!dict || PyDict_Update(dict.get(), value) != 0) return false;
      return put_dict(dict.get(), value, out);
    }
    return fail(value, "", "return a Row, tuple, list, dict or dataclass with " + fields_text());
  }

 private:
  Py_ssize_t count() const { return static_cast<Py_ssize_t>(columns_.size()); }

  std::string fields_text() const {
    if (columns_.empty()) return "no fields";
    std::string text = columns_.size() == 1 ? "the field " : "the fields ";
    for (size_t i = 0; i < field_.type.children.size(); ++i) {
      text += (i == 0 ? "" : ", ") + field_.type.children[i].name;
    }
    return text;
  }

  bool put_column(size_t i, PyObject* item, ArrayBuilder& out) {
    if (columns_[i]->append(item, out.child(i))) [[likely]]
      return true;
    return fail_below(*columns_[i], "." + field_.type.children[i].name);
  }

  // By position. `items` is a list or tuple with the values of `value`.
  bool put_sequence(PyObject* items, PyObject* value, ArrayBuilder& out) {
    const bool list = PyList_Check(items);
    const Py_ssize_t size = list ? PyList_Size(items) : PyTuple_Size(items);
    if (size != count()) [[unlikely]]
      return wrong_count(value, size);
    for (Py_ssize_t i = 0; i < size; ++i) {
      PyRef item = PyRef::share(list ? PyList_GetItem(items, i) : PyTuple_GetItem(items, i));
      if (!item || !put_column(static_cast<size_t>(i), item.get(), out)) return false;
    }
    out.append_struct();
    return true;
  }

  // The same for what cannot change while its values are converted.
  bool put_tuple(PyObject* value, ArrayBuilder& out) {
    const Py_ssize_t size = PyTuple_Size(value);
    if (size != count()) [[unlikely]]
      return wrong_count(value, size);
    for (Py_ssize_t i = 0; i < size; ++i) {
      if (!put_column(static_cast<size_t>(i), PyTuple_GetItem(value, i), out)) return false;
    }
    out.append_struct();
    return true;
  }

  bool wrong_count(PyObject* value, Py_ssize_t size) {
    return fail(
        value,
        " has " + std::to_string(size) + (size == 1 ? " field, not " : " fields, not ") + std::to_string(count()),
        "return " + fields_text());
  }

  bool put_row(PyObject* value, ArrayBuilder& out) {
    PyRef values = module_->row_values(value);
    if (!values) return false;
    PyRef fields = module_->row_fields(value);
    if (!fields || is_our_order(fields.get())) return put_sequence(values.get(), value, out);
    if (PyList_Size(values.get()) != PyTuple_Size(fields.get())) {
      return fail(value,
                  " has " + std::to_string(PyTuple_Size(fields.get())) + " names for " +
                      std::to_string(PyList_Size(values.get())) + " values",
                  "name all its fields");
    }
    return put_named(values.get(), fields.get(), value, out);
  }

  // True if these names are ours, in order. Rows of one function share the names or make equal ones.
  bool is_our_order(PyObject* fields) const {
    if (fields == names_.get()) return true;
    const int same = PyObject_RichCompareBool(fields, names_.get(), Py_EQ);
    if (same < 0) PyErr_Clear();
    return same > 0;
  }

  // Where `name` stands in `fields`, -1 if it does not.
  static Py_ssize_t position_of(PyObject* name, PyObject* fields) {
    const Py_ssize_t size = PyTuple_Size(fields);
    for (Py_ssize_t i = 0; i < size; ++i) {
      PyObject* other = PyTuple_GetItem(fields, i);
      if (other == name || PyObject_RichCompareBool(other, name, Py_EQ) == 1) return i;
    }
    return -1;
  }

  bool has_same_names(PyObject* fields) const {
    if (PyTuple_Size(fields) != count()) return false;
    for (Py_ssize_t i = 0; i < count(); ++i) {
      if (position_of(PyTuple_GetItem(names_.get(), i), fields) < 0) return false;
    }
    return true;
  }

  // By name: `values` (list or tuple) are named by `fields`, in any order.
  bool put_named(PyObject* values, PyObject* fields, PyObject* value, ArrayBuilder& out) {
    if (!remember_order(fields)) return wrong_names(value, fields);
    for (size_t i = 0; i < columns_.size(); ++i) {
      const Py_ssize_t at = order_[i];
      if (at < 0) {
        if (!put_missing(i, value, "field", out)) return false;
        continue;
      }
      PyRef item = PyRef::steal(PySequence_GetItem(values, at));
      if (!item || !put_column(i, item.get(), out)) return false;
    }
    out.append_struct();
    return true;
  }

  // Find for each of our columns its place in `fields` (-1: not there), and keep that for the next row. False if
  // `fields` has a name that no column has.
  bool remember_order(PyObject* fields) {
    if (order_of_ && (order_of_.get() == fields || PyObject_RichCompareBool(order_of_.get(), fields, Py_EQ) == 1)) {
      return true;
    }
    order_of_.reset();
    order_.assign(columns_.size(), -1);
    Py_ssize_t found = 0;
    for (size_t i = 0; i < columns_.size(); ++i) {
      order_[i] = position_of(PyTuple_GetItem(names_.get(), static_cast<Py_ssize_t>(i)), fields);
      if (order_[i] >= 0) ++found;
    }
    if (found != PyTuple_Size(fields)) return false;
    order_of_ = PyRef::share(fields);
    return true;
  }

  bool wrong_names(PyObject* value, PyObject* fields) {
    const Py_ssize_t size = PyTuple_Size(fields);
    for (Py_ssize_t i = 0; i < size; ++i) {
      PyObject* name = PyTuple_GetItem(fields, i);
      if (position_of(name, names_.get()) < 0) return unknown_name(value, name, "field");
    }
    return fail(value, " has a field twice", "return " + fields_text());
  }

  bool unknown_name(PyObject* value, PyObject* name, const char* what) {
    std::string text;
    if (!describe(name, text)) return false;
    return fail(value, " has the unknown " + std::string(what) + " " + text, "return " + fields_text());
  }

  bool put_missing(size_t i, PyObject* value, const char* what, ArrayBuilder& out) {
    const Field& child = field_.type.children[i];
    if (child.nullable) {
      out.child(i).append_null();
      return true;
    }
    return fail(value, " lacks the " + std::string(what) + " '" + child.name + "', which is not null",
                "return " + fields_text());
  }

  bool put_dict(PyObject* dict, PyObject* value, ArrayBuilder& out) {
    Py_ssize_t found = 0;
    for (size_t i = 0; i < columns_.size(); ++i) {
      PyObject* name = PyTuple_GetItem(names_.get(), static_cast<Py_ssize_t>(i));
      PyRef item = PyRef::share(PyDict_GetItemWithError(dict, name));
      if (!item) {
        if (PyErr_Occurred() != nullptr || !put_missing(i, value, "key", out)) return false;
        continue;
      }
      ++found;
      if (!put_column(i, item.get(), out)) return false;
    }
    if (found != PyDict_Size(dict)) return extra_key(dict, value);
    out.append_struct();
    return true;
  }

  [[gnu::noinline, gnu::cold]] bool extra_key(PyObject* dict, PyObject* value) {
    PyObject *key = nullptr, *item = nullptr;
    Py_ssize_t position = 0;
    while (PyDict_Next(dict, &position, &key, &item) != 0) {
      if (position_of(key, names_.get()) < 0) return unknown_name(value, key, "key");
    }
    return fail(value, " has a key twice", "return " + fields_text());
  }

  bool put_dataclass(PyObject* value, ArrayBuilder& out) {
    PyRef fields = dataclass_fields(value);
    if (!fields) return false;
    PyRef values = PyRef::steal(PyTuple_New(PyTuple_Size(fields.get())));
    if (!values) return false;
    for (Py_ssize_t i = 0; i < PyTuple_Size(fields.get()); ++i) {
      PyObject* item = PyObject_GetAttr(value, PyTuple_GetItem(fields.get(), i));
      if (item == nullptr) return false;
      PyTuple_SetItem(values.get(), i, item);
    }
    return put_named(values.get(), fields.get(), value, out);
  }

  // The names of a dataclass's fields. dataclasses.fields() tells fields from class variables; its answer is kept for
  // the class, which a function seldom changes.
  PyRef dataclass_fields(PyObject* value) {
    auto* type = reinterpret_cast<PyObject*>(Py_TYPE(value));
    if (dataclass_.get() == type) return PyRef::share(dataclass_names_);
    PyRef module = PyRef::steal(PyImport_ImportModule("dataclasses"));
    if (!module) return {};
    PyRef fields = PyRef::steal(PyObject_CallMethod(module.get(), "fields", "O", type));
    if (!fields) return {};
    const Py_ssize_t size = PyTuple_Size(fields.get());
    PyRef names = PyRef::steal(PyTuple_New(size));
    for (Py_ssize_t i = 0; names && i < size; ++i) {
      PyObject* name = PyObject_GetAttr(PyTuple_GetItem(fields.get(), i), module_->names().name.get());
      if (name == nullptr) return {};
      PyTuple_SetItem(names.get(), i, name);
    }
    if (!names) return {};
    dataclass_ = PyRef::share(type);
    dataclass_names_ = PyRef::share(names);
    return names;
  }

  std::vector<std::unique_ptr<Writer>> columns_;
  PyRef names_;
  PyRef order_of_;                 // the names order_ was found for
  std::vector<Py_ssize_t> order_;  // for each column its place among those
  PyRef dataclass_;
  PyRef dataclass_names_;
};

}  // namespace

Result<std::unique_ptr<Writer>> make_struct_writer(const Field& field, const Module& module) {
  std::vector<std::unique_ptr<Writer>> columns;
  for (const Field& child : field.type.children) {
    CLUTCH_ASSIGN_OR_RETURN(std::unique_ptr<Writer> column, Writer::make(child, module));
    columns.push_back(std::move(column));
  }
  if (!field.type.object.empty()) return make_tuple_writer(field, module, std::move(columns));
  PyRef names = make_field_names(field);
  if (!names) {
    PyErr_Clear();
    return Status(CLUTCH_ERR_MEMORY, place_of("result", field) + ": no memory for the names of its fields");
  }
  return std::unique_ptr<Writer>(std::make_unique<StructWriter>(field, module, std::move(columns), std::move(names)));
}

}  // namespace clutch::pyembed
