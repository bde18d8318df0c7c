#include "columns/capsules.h"

#include <vector>

#include "clutch/columnar/validate.h"
#include "clutch/columnar/view.h"

namespace clutch::pyembed {
namespace {

constexpr char kSchemaCapsule[] = "arrow_schema";
constexpr char kArrayCapsule[] = "arrow_array";
constexpr char kColumnCapsule[] = "clutch.column";

struct Column {
  std::shared_ptr<Kept> kept;
  columnar::Field field;
  const ArrowArray* array;
  int64_t first;
  int64_t count;
};

// One exported array. Each has a share of its own in the memory, because a consumer may move children out.
struct Exported {
  std::shared_ptr<Kept> kept;
  std::vector<ArrowArray> arrays;
  std::vector<ArrowArray*> children;
};

void release_exported(ArrowArray* array) {
  auto* exported = static_cast<Exported*>(array->private_data);
  for (ArrowArray& below : exported->arrays) {
    if (below.release != nullptr) below.release(&below);
  }
  array->release = nullptr;
  delete exported;
}

ArrowArray share(const std::shared_ptr<Kept>& kept, const ArrowArray& array) {
  auto exported = std::make_unique<Exported>();
  exported->kept = kept;
  const bool dictionary = array.dictionary != nullptr;
  exported->arrays.reserve(static_cast<size_t>(array.n_children) + (dictionary ? 1 : 0));
  for (int64_t i = 0; i < array.n_children; ++i) exported->arrays.push_back(share(kept, *array.children[i]));
  for (ArrowArray& child : exported->arrays) exported->children.push_back(&child);
  ArrowArray out = array;
  if (dictionary) {
    exported->arrays.push_back(share(kept, *array.dictionary));
    out.dictionary = &exported->arrays.back();
  }
  out.children = exported->children.empty() ? nullptr : exported->children.data();
  out.release = release_exported;
  out.private_data = exported.release();
  return out;
}

template <typename T>
void drop_arrow(PyObject* capsule, const char* name) {
  auto* value = static_cast<T*>(PyCapsule_GetPointer(capsule, name));
  if (value->release != nullptr) value->release(value);
  delete value;
}

PyRef schema_capsule(const columnar::Field& field) {
  auto schema = std::make_unique<ArrowSchema>(columnar::export_field(field).detach());
  PyRef capsule = PyRef::steal(PyCapsule_New(schema.get(), kSchemaCapsule,
                                             [](PyObject* self) { drop_arrow<ArrowSchema>(self, kSchemaCapsule); }));
  if (capsule) {
    (void)schema.release();
  } else {
    schema->release(schema.get());
  }
  return capsule;
}

PyRef array_capsule(const Column& column) {
  auto array = std::make_unique<ArrowArray>(share(column.kept, *column.array));
  array->offset += column.first;
  if (array->n_buffers == 0) {
    array->null_count = column.count;
  } else if (array->null_count != 0 && column.count != array->length) {
    array->null_count = -1;
  }
  array->length = column.count;
  PyRef capsule = PyRef::steal(
      PyCapsule_New(array.get(), kArrayCapsule, [](PyObject* self) { drop_arrow<ArrowArray>(self, kArrayCapsule); }));
  if (capsule) {
    (void)array.release();
  } else {
    array->release(array.get());
  }
  return capsule;
}

PyObject* export_column(PyObject* self, PyObject*) {
  const auto* column = static_cast<const Column*>(PyCapsule_GetPointer(self, kColumnCapsule));
  if (column == nullptr) return nullptr;
  try {
    PyRef schema = schema_capsule(column->field);
    PyRef array = schema ? array_capsule(*column) : PyRef();
    if (!array) return nullptr;
    return PyTuple_Pack(2, schema.get(), array.get());
  } catch (const std::bad_alloc&) {
    return PyErr_NoMemory();
  }
}

PyMethodDef kExport = {"export", export_column, METH_NOARGS, nullptr};

Status unfit(std::string text) { return Status(CLUTCH_ERR_VALUE, std::move(text), CLUTCH_ORIGIN_USER); }

}  // namespace

PyRef make_arrow_object(PyObject* array_class, std::shared_ptr<Kept> kept, const columnar::Field& field,
                        const ArrowArray& array, int64_t first, int64_t count) {
  auto column = std::make_unique<Column>(Column{std::move(kept), field, &array, first, count});
  PyRef capsule = PyRef::steal(PyCapsule_New(column.get(), kColumnCapsule, [](PyObject* self) {
    delete static_cast<Column*>(PyCapsule_GetPointer(self, kColumnCapsule));
  }));
  if (!capsule) return {};
  (void)column.release();
  PyRef function = PyRef::steal(PyCFunction_New(&kExport, capsule.get()));
  PyRef length = PyRef::steal(PyLong_FromLongLong(count));
  if (!function || !length) return {};
  return PyRef::steal(PyObject_CallFunctionObjArgs(array_class, function.get(), length.get(), nullptr));
}

Result<columnar::Array> take_arrow(PyObject* pair, const columnar::Field& field, int64_t rows) {
  PyObject* schema = PyTuple_Check(pair) != 0 && PyTuple_Size(pair) == 2 ? PyTuple_GetItem(pair, 0) : nullptr;
  PyObject* capsule = schema != nullptr ? PyTuple_GetItem(pair, 1) : nullptr;
  if (schema == nullptr || PyCapsule_IsValid(schema, kSchemaCapsule) == 0 ||
      PyCapsule_IsValid(capsule, kArrayCapsule) == 0) {
    return unfit("the result's __arrow_c_array__ gave no pair of capsules \"arrow_schema\" and \"arrow_array\"");
  }
  const auto* given = static_cast<const ArrowSchema*>(PyCapsule_GetPointer(schema, kSchemaCapsule));
  auto* moved = static_cast<ArrowArray*>(PyCapsule_GetPointer(capsule, kArrayCapsule));
  if (given->release == nullptr || moved->release == nullptr) {
    return unfit("the result's Arrow array was released before it was returned");
  }
  Result<columnar::Field> found = columnar::import_field(*given);
  if (!found.ok()) return std::move(found).status().prefixed("result");
  if (!(found->type == field.type)) {
    return unfit("result of Arrow type " + columnar::to_string(found->type) + " does not fit " +
                 columnar::to_string(field.type) + "; cast it, or change the result type");
  }
  columnar::Array array(std::move(*moved));
  if (array->length != rows) {
    return unfit("result of " + std::to_string(array->length) + " values for " + std::to_string(rows) +
                 " rows; return one value a row");
  }
  CLUTCH_RETURN_IF_ERROR(columnar::validate(field, *array, columnar::Depth::kStructure));
  if (!field.nullable && has_nulls(*array, 0, rows)) {
    return unfit("result has nulls and the column is declared not null; fill them, or change the result type");
  }
  return array;
}

}  // namespace clutch::pyembed
