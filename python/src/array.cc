#include "array.h"

#include <array>

#include "capsule.h"
#include "clutch/columnar/view.h"
#include "owner.h"

namespace clutch::python {
namespace {

ArrayValue& self_of(PyObject* self) { return unbox<ArrayValue>(self); }

const ArrowArray& rows_of(PyObject* self) { return *self_of(self).array->get(); }

PyObject* to_list(PyObject* self, PyObject*) {
  return guarded([self]() -> PyObject* {
    const ArrayValue& value = self_of(self);
    const ArrowArray& array = *value.array->get();
    Result<std::unique_ptr<pyembed::Reader>> reader = pyembed::Reader::make(*value.field, *state().conversions);
    if (!reader.ok()) return raise(reader.status());
    PyRef list = PyRef::steal(PyList_New(static_cast<Py_ssize_t>(array.length)));
    if (!list || !(*reader)->bind(array)) return nullptr;
    constexpr int64_t kChunk = 256;
    std::array<PyObject*, kChunk> objects;
    for (int64_t row = 0; row < array.length;) {
      const int64_t wanted = std::min(kChunk, array.length - row);
      const int64_t got = (*reader)->read_many(row, wanted, objects.data());
      for (int64_t i = 0; i < got; ++i) {
        PyList_SetItem(list.get(), static_cast<Py_ssize_t>(row + i), objects[static_cast<size_t>(i)]);
      }
      if (got < wanted) return nullptr;
      row += got;
    }
    (*reader)->unbind();
    return list.release();
  });
}

// A column of a struct, as an array of its own.
PyObject* child(PyObject* self, PyObject* argument) {
  return guarded([&]() -> PyObject* {
    const ArrayValue& value = self_of(self);
    const ArrowArray& array = *value.array->get();
    const Py_ssize_t i = PyLong_AsSsize_t(argument);
    if (i == -1 && PyErr_Occurred() != nullptr) return nullptr;
    if (value.field->type.id != columnar::TypeId::kStruct || i < 0 || i >= array.n_children) {
      PyErr_Format(PyExc_IndexError, "an array of %s has no column %zd", columnar::to_string(value.field->type).c_str(),
                   i);
      return nullptr;
    }
    ArrowArray part = *array.children[i];
    if (array.offset != 0 || part.length != array.length) {
      if (part.null_count != 0) part.null_count = -1;
      part.offset += array.offset;
      part.length = array.length;
    }
    std::shared_ptr<const columnar::Field> field(value.field, &value.field->type.children[static_cast<size_t>(i)]);
    return make_array_object(std::move(field), share(value.array, part));
  });
}

// (address of the first value, or of the bits of booleans) for numpy. None for types without a buffer of such values.
PyObject* address(PyObject* self, PyObject*) {
  const ArrayValue& value = self_of(self);
  const ArrowArray& array = *value.array->get();
  const int32_t width = columnar::byte_width(value.field->type);
  if (columnar::layout_of(value.field->type) != columnar::Layout::kFixed || width == 0) return none();
  const auto first = reinterpret_cast<uintptr_t>(array.buffers[1]) + static_cast<uintptr_t>(array.offset * width);
  return PyLong_FromUnsignedLongLong(first);
}

bool is_null(const columnar::ArrayView& view, int64_t row) { return view.is_null(row); }

// One byte a row: 1 where it is null. None where no row is.
PyObject* nulls(PyObject* self, PyObject*) {
  const columnar::ArrayView view(rows_of(self));
  if (view.no_nulls()) return none();
  PyRef bytes = PyRef::steal(PyBytes_FromStringAndSize(nullptr, static_cast<Py_ssize_t>(view.length())));
  if (!bytes) return nullptr;
  char* out = PyBytes_AsString(bytes.get());
  bool any = false;
  for (int64_t row = 0; row < view.length(); ++row) {
    const bool null = is_null(view, row);
    any = any || null;
    out[row] = null ? 1 : 0;
  }
  return any ? bytes.release() : none();
}

// One byte a row of a column of booleans; a null is 0.
PyObject* booleans(PyObject* self, PyObject*) {
  if (self_of(self).field->type.id != columnar::TypeId::kBool) return none();
  const columnar::ArrayView view(rows_of(self));
  PyRef bytes = PyRef::steal(PyBytes_FromStringAndSize(nullptr, static_cast<Py_ssize_t>(view.length())));
  if (!bytes) return nullptr;
  char* out = PyBytes_AsString(bytes.get());
  for (int64_t row = 0; row < view.length(); ++row) out[row] = !view.is_null(row) && view.bool_at(row) ? 1 : 0;
  return bytes.release();
}

PyObject* get_type(PyObject* self, void*) { return make_text(columnar::to_string(self_of(self).field->type)); }

PyObject* get_names(PyObject* self, void*) {
  const auto& children = self_of(self).field->type.children;
  if (self_of(self).field->type.id != columnar::TypeId::kStruct) return none();
  PyRef list = PyRef::steal(PyList_New(static_cast<Py_ssize_t>(children.size())));
  for (size_t i = 0; list && i < children.size(); ++i) {
    PyObject* name = make_text(children[i].name);
    if (name == nullptr) return nullptr;
    PyList_SetItem(list.get(), static_cast<Py_ssize_t>(i), name);
  }
  return list.release();
}

PyObject* arrow_schema(PyObject* self, PyObject*) {
  return guarded([self] { return schema_capsule(*self_of(self).field); });
}

// The protocol allows to ignore what the consumer would like best.
PyObject* arrow_array(PyObject* self, PyObject*, PyObject*) {
  return guarded([self]() -> PyObject* {
    const ArrayValue& value = self_of(self);
    PyRef schema = PyRef::steal(schema_capsule(*value.field));
    PyRef array = PyRef::steal(schema ? array_capsule(share(value.array, *value.array->get())) : nullptr);
    return array ? PyTuple_Pack(2, schema.get(), array.get()) : nullptr;
  });
}

Py_ssize_t length(PyObject* self) { return static_cast<Py_ssize_t>(rows_of(self).length); }

PyObject* represent(PyObject* self) {
  return guarded([self] {
    return make_text("<clutch array of " + columnar::to_string(self_of(self).field->type) + ", " +
                     std::to_string(rows_of(self).length) + " rows>");
  });
}

PyMethodDef kMethods[] = {
    {"tolist", to_list, METH_NOARGS, "The rows as Python objects, as a function would see them."},
    {"child", child, METH_O, "A column of a struct array, sharing its memory."},
    {"address", address, METH_NOARGS, "Where the values of a type of fixed width lie, or None."},
    {"nulls", nulls, METH_NOARGS, "One byte a row that is 1 for a null, or None where there are none."},
    {"booleans", booleans, METH_NOARGS, "One byte a row of a bool column, or None for other types."},
    {"__arrow_c_schema__", arrow_schema, METH_NOARGS, "Export the type: a capsule 'arrow_schema'."},
    {"__arrow_c_array__", method(arrow_array), METH_VARARGS | METH_KEYWORDS,
     "Export type and rows: capsules 'arrow_schema' and 'arrow_array', which share the memory."},
    {nullptr, nullptr, 0, nullptr},
};

PyGetSetDef kMembers[] = {
    {"type", get_type, nullptr, "The Arrow type as text.", nullptr},
    {"names", get_names, nullptr, "Names of the columns of a struct array, None for other types.", nullptr},
    {nullptr, nullptr, nullptr, nullptr, nullptr},
};

PyType_Slot kSlots[] = {
    {Py_tp_dealloc, reinterpret_cast<void*>(unbox_and_free<ArrayValue>)},
    {Py_tp_new, reinterpret_cast<void*>(refuse_new)},
    {Py_tp_repr, reinterpret_cast<void*>(represent)},
    {Py_sq_length, reinterpret_cast<void*>(length)},
    {Py_tp_methods, kMethods},
    {Py_tp_getset, kMembers},
    {0, nullptr},
};
PyType_Spec kSpec = {"clutch._host.Array", sizeof(Boxed<ArrayValue>), 0, Py_TPFLAGS_DEFAULT, kSlots};

}  // namespace

PyObject* make_array_object(std::shared_ptr<const columnar::Field> field, columnar::Array array) {
  return box(state().array, ArrayValue{std::move(field), std::make_shared<const columnar::Array>(std::move(array))});
}

const ArrayValue* array_value(PyObject* object) {
  if (Py_TYPE(object) == state().array) return &self_of(object);
  PyErr_SetString(PyExc_TypeError, "a clutch._host.Array is needed");
  return nullptr;
}

bool add_array_type(PyObject* module) { return add_type(module, kSpec, "Array", &state().array); }

}  // namespace clutch::python
