// The columns a function takes, and the making of rows for them.
#include "schema.h"

#include <algorithm>
#include <array>

#include "array.h"
#include "clutch/columnar/builder.h"
#include "clutch/columnar/view.h"
#include "owner.h"

namespace clutch::python {
namespace {

SchemaValue& self_of(PyObject* self) { return unbox<SchemaValue>(self); }

PyObject* make(PyTypeObject* type, PyObject* arguments, PyObject*) {
  return guarded([&]() -> PyObject* {
    const char* text = nullptr;
    if (PyArg_ParseTuple(arguments, "s", &text) == 0) return nullptr;
    ArrowSchema raw{};
    clutch_app_error* error = nullptr;
    const int32_t status = clutch_app_schema_parse(text, &raw, &error);
    if (status < 0) return raise(status, error);
    const columnar::Schema schema(std::move(raw));
    Result<columnar::Field> field = columnar::import_field(*schema);
    if (!field.ok()) return raise(field.status());
    return box(type, SchemaValue{std::make_shared<const columnar::Field>(*std::move(field)), {}});
  });
}

// The column that the first item of `arguments` names by its position, NULL with a Python error set.
const columnar::Field* column(const SchemaValue& self, Py_ssize_t i) {
  const auto& columns = self.field->type.children;
  if (i >= 0 && static_cast<size_t>(i) < columns.size()) return &columns[static_cast<size_t>(i)];
  PyErr_Format(PyExc_IndexError, "there is no column %zd", i);
  return nullptr;
}

std::shared_ptr<const columnar::Field> share_column(const SchemaValue& self, const columnar::Field* column) {
  return {self.field, column};
}

PyObject* refuse_value(const columnar::Field& column, Py_ssize_t row, const pyembed::Mismatch& mismatch) {
  std::string text = "argument \"" + column.name + "\", row " + std::to_string(row) + ": ";
  if (!mismatch.path.empty()) text += "at " + mismatch.path + " ";
  text += mismatch.value + " of type " + mismatch.python_type + " does not fit " + mismatch.expected + mismatch.reason +
          "; pass what fits, or declare another input type";
  PyErr_SetString(PyExc_ValueError, text.c_str());
  return nullptr;
}

// The writer of a column is kept between calls, and used by one thread at a time: conversions may run code of the user,
// which lets other threads in.
class Borrowed {
 public:
  Borrowed(SchemaValue& schema, size_t i) : schema_(schema), i_(i) {
    schema.writers.resize(schema.field->type.children.size());
    writer_ = std::move(schema.writers[i]);
  }
  ~Borrowed() { schema_.writers[i_] = std::move(writer_); }
  Borrowed(const Borrowed&) = delete;
  Borrowed& operator=(const Borrowed&) = delete;
  std::unique_ptr<pyembed::Writer>& writer() { return writer_; }

 private:
  SchemaValue& schema_;
  size_t i_;
  std::unique_ptr<pyembed::Writer> writer_;
};

PyObject* write_list(SchemaValue& self, size_t i, const columnar::Field* field, PyObject* list) {
  Borrowed borrowed(self, i);
  std::unique_ptr<pyembed::Writer>& writer = borrowed.writer();
  if (writer == nullptr) {
    Result<std::unique_ptr<pyembed::Writer>> made = pyembed::Writer::make(*field, *state().conversions);
    if (!made.ok()) return raise(made.status());
    writer = *std::move(made);
  }
  columnar::ArrayBuilder builder(*field);
  builder.reserve(static_cast<int64_t>(PyList_Size(list)));
  constexpr Py_ssize_t kChunk = 256;
  std::array<PyObject*, kChunk> objects;
  for (Py_ssize_t row = 0; row < PyList_Size(list);) {  // the size anew: user code may change the list
    const Py_ssize_t count = std::min(kChunk, PyList_Size(list) - row);
    for (Py_ssize_t k = 0; k < count; ++k) {
      objects[static_cast<size_t>(k)] = PyList_GetItem(list, row + k);
      Py_INCREF(objects[static_cast<size_t>(k)]);
    }
    const int64_t written = writer->write_many(objects.data(), count, builder);
    for (Py_ssize_t k = 0; k < count; ++k) Py_DECREF(objects[static_cast<size_t>(k)]);
    row += static_cast<Py_ssize_t>(written);
    if (written == count) continue;
    return PyErr_Occurred() != nullptr ? nullptr : refuse_value(*field, row, writer->take_mismatch());
  }
  return make_array_object(share_column(self, field), builder.finish());
}

// from_list(position, list): a column of Python objects.
PyObject* from_list(PyObject* self, PyObject* arguments) {
  return guarded([&]() -> PyObject* {
    Py_ssize_t i = 0;
    PyObject* list = nullptr;
    if (PyArg_ParseTuple(arguments, "nO!", &i, &PyList_Type, &list) == 0) return nullptr;
    const columnar::Field* field = column(self_of(self), i);
    return field != nullptr ? write_list(self_of(self), static_cast<size_t>(i), field, list) : nullptr;
  });
}

// from_buffer(position, address, length, owner, validity, nulls): values of fixed width that lie at the address as long
// as `owner` lives, not copied. `validity` is None or bytes of Arrow's validity bits.
PyObject* from_buffer(PyObject* self, PyObject* arguments) {
  return guarded([&]() -> PyObject* {
    Py_ssize_t i = 0, length = 0, nulls = 0;
    unsigned long long address = 0;
    PyObject *owner = nullptr, *validity = nullptr;
    if (PyArg_ParseTuple(arguments, "nKnOOn", &i, &address, &length, &owner, &validity, &nulls) == 0) return nullptr;
    const columnar::Field* field = column(self_of(self), i);
    if (field == nullptr) return nullptr;
    PyRef both = PyRef::steal(PyTuple_Pack(2, owner, validity));
    if (!both) return nullptr;
    const void* bits = PyBytes_Check(validity) ? PyBytes_AsString(validity) : nullptr;
    const void* buffers[2] = {bits, reinterpret_cast<const void*>(static_cast<uintptr_t>(address))};
    ArrowArray array{};
    array.length = length;
    array.null_count = bits == nullptr ? 0 : nulls;
    array.n_buffers = 2;
    array.buffers = buffers;
    return make_array_object(share_column(self_of(self), field), share(std::make_shared<Keeper>(both.get()), array));
  });
}

// The first row that is null, -1 if none is.
int64_t first_null(const ArrowArray& array) {
  const columnar::ArrayView view(array);
  if (view.no_nulls()) return -1;
  for (int64_t row = 0; row < view.length(); ++row) {
    if (view.is_null(row)) return row;
  }
  return -1;
}

// rows(arrays, length): the columns together. TypeError where a column has another type, ValueError for another length.
PyObject* rows(PyObject* self, PyObject* arguments) {
  return guarded([&]() -> PyObject* {
    PyObject* list = nullptr;
    Py_ssize_t length = 0;
    if (PyArg_ParseTuple(arguments, "O!n", &PyList_Type, &list, &length) == 0) return nullptr;
    const SchemaValue& schema = self_of(self);
    const auto& columns = schema.field->type.children;
    if (static_cast<size_t>(PyList_Size(list)) != columns.size()) {
      PyErr_Format(PyExc_TypeError, "%zd columns were given for %zu", PyList_Size(list), columns.size());
      return nullptr;
    }
    std::vector<columnar::Array> parts;
    for (size_t i = 0; i < columns.size(); ++i) {
      const ArrayValue* value = array_value(PyList_GetItem(list, static_cast<Py_ssize_t>(i)));
      if (value == nullptr) return nullptr;
      const ArrowArray& array = *value->array->get();
      if (!(value->field->type == columns[i].type)) {
        PyErr_Format(PyExc_TypeError,
                     "argument \"%s\" is of type %s, and the function takes %s; cast it, or declare its type",
                     columns[i].name.c_str(), columnar::to_string(value->field->type).c_str(),
                     columnar::to_string(columns[i].type).c_str());
        return nullptr;
      }
      if (array.length != length) {
        PyErr_Format(PyExc_ValueError, "argument \"%s\" has %lld rows, and the first one has %zd",
                     columns[i].name.c_str(), static_cast<long long>(array.length), length);
        return nullptr;
      }
      if (const int64_t null = first_null(array); !columns[i].nullable && null >= 0) {
        PyErr_SetString(PyExc_ValueError,
                        ("argument \"" + columns[i].name + "\", row " + std::to_string(null) +
                         ": it is null, and the function takes " + columnar::to_string(columns[i].type) +
                         " not null; pass what fits, or declare another input type")
                            .c_str());
        return nullptr;
      }
      parts.push_back(share(value->array, array));
    }
    return make_array_object(schema.field, columnar::make_batch(length, std::move(parts)));
  });
}

PyObject* texts(PyObject* self, std::string (*text)(const columnar::Field&)) {
  return guarded([&]() -> PyObject* {
    const auto& columns = self_of(self).field->type.children;
    PyRef list = PyRef::steal(PyList_New(static_cast<Py_ssize_t>(columns.size())));
    for (size_t i = 0; list && i < columns.size(); ++i) {
      PyObject* item = make_text(text(columns[i]));
      if (item == nullptr) return nullptr;
      PyList_SetItem(list.get(), static_cast<Py_ssize_t>(i), item);
    }
    return list.release();
  });
}

PyObject* get_names(PyObject* self, void*) {
  return texts(self, [](const columnar::Field& field) { return field.name; });
}

PyObject* get_types(PyObject* self, void*) {
  return texts(self, [](const columnar::Field& field) { return columnar::to_string(field.type); });
}

PyMethodDef kMethods[] = {
    {"from_list", from_list, METH_VARARGS, "A column from a list of Python objects."},
    {"from_buffer", from_buffer, METH_VARARGS, "A column from memory of fixed width, not copied."},
    {"rows", rows, METH_VARARGS, "Columns together as rows."},
    {nullptr, nullptr, 0, nullptr},
};

PyGetSetDef kMembers[] = {
    {"names", get_names, nullptr, "Names of the columns.", nullptr},
    {"types", get_types, nullptr, "Arrow types of the columns, as text.", nullptr},
    {nullptr, nullptr, nullptr, nullptr, nullptr},
};

PyType_Slot kSlots[] = {
    {Py_tp_dealloc, reinterpret_cast<void*>(unbox_and_free<SchemaValue>)},
    {Py_tp_new, reinterpret_cast<void*>(make)},
    {Py_tp_methods, kMethods},
    {Py_tp_getset, kMembers},
    {0, nullptr},
};
PyType_Spec kSpec = {"clutch._host.Schema", sizeof(Boxed<SchemaValue>), 0, Py_TPFLAGS_DEFAULT, kSlots};

}  // namespace

bool add_schema_type(PyObject* module) { return add_type(module, kSpec, "Schema", nullptr); }

}  // namespace clutch::python
