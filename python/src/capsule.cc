#include "capsule.h"

#include <vector>

#include "array.h"
#include "clutch/columnar/ops.h"
#include "clutch/columnar/validate.h"

// As the Arrow specification fixes it (https://arrow.apache.org/docs/format/CStreamInterface.html).
#ifndef ARROW_C_STREAM_INTERFACE
#define ARROW_C_STREAM_INTERFACE
struct ArrowArrayStream {
  int (*get_schema)(struct ArrowArrayStream*, struct ArrowSchema* out);
  int (*get_next)(struct ArrowArrayStream*, struct ArrowArray* out);
  const char* (*get_last_error)(struct ArrowArrayStream*);
  void (*release)(struct ArrowArrayStream*);
  void* private_data;
};
#endif

namespace clutch::python {
namespace {

constexpr char kSchema[] = "arrow_schema";
constexpr char kArray[] = "arrow_array";
constexpr char kStream[] = "arrow_array_stream";

template <typename T>
void drop(PyObject* capsule, const char* name) {
  auto* content = static_cast<T*>(PyCapsule_GetPointer(capsule, name));
  if (content == nullptr) return PyErr_Clear();
  if (content->release != nullptr) content->release(content);
  delete content;
}
void drop_schema(PyObject* capsule) { drop<ArrowSchema>(capsule, kSchema); }
void drop_array(PyObject* capsule) { drop<ArrowArray>(capsule, kArray); }

template <typename T>
PyObject* capsule_of(T content, const char* name, PyCapsule_Destructor destructor) {
  auto held = std::make_unique<T>(content);
  PyObject* capsule = PyCapsule_New(held.get(), name, destructor);
  if (capsule != nullptr) return static_cast<void>(held.release()), capsule;
  if (held->release != nullptr) held->release(held.get());
  return nullptr;
}

// The method of that name, empty without an error if there is none.
PyRef method_of(PyObject* object, const char* name) {
  PyRef found = PyRef::steal(PyObject_GetAttrString(object, name));
  if (!found) PyErr_Clear();
  return found;
}

PyObject* make_checked(columnar::Field field, columnar::Array array) {
  if (Status status = columnar::validate(field, *array, columnar::Depth::kStructure); !status.ok()) {
    PyErr_SetString(PyExc_ValueError, ("the Arrow array is malformed: " + std::string(status.message())).c_str());
    return nullptr;
  }
  return make_array_object(std::make_shared<const columnar::Field>(std::move(field)), std::move(array));
}

PyObject* raise_type(const Status& status) {
  PyErr_SetString(PyExc_TypeError, ("the Arrow type is not served: " + std::string(status.message())).c_str());
  return nullptr;
}

PyObject* from_pair(PyObject* pair) {
  if (PyTuple_Check(pair) == 0 || PyTuple_Size(pair) != 2) {
    PyErr_SetString(PyExc_TypeError, "__arrow_c_array__ must give a tuple of two capsules");
    return nullptr;
  }
  auto* schema = static_cast<ArrowSchema*>(PyCapsule_GetPointer(PyTuple_GetItem(pair, 0), kSchema));
  if (schema == nullptr) return nullptr;
  auto* array = static_cast<ArrowArray*>(PyCapsule_GetPointer(PyTuple_GetItem(pair, 1), kArray));
  if (array == nullptr) return nullptr;
  if (schema->release == nullptr || array->release == nullptr) {
    PyErr_SetString(PyExc_ValueError, "the Arrow array was consumed before");
    return nullptr;
  }
  Result<columnar::Field> field = columnar::import_field(*schema);
  if (!field.ok()) return raise_type(field.status());
  return make_checked(*std::move(field), columnar::Array(std::move(*array)));
}

PyObject* raise_stream(ArrowArrayStream& stream, int code) {
  const char* text = stream.get_last_error(&stream);
  PyErr_Format(PyExc_ValueError, "the Arrow stream failed with error %d: %s", code,
               text != nullptr ? text : "it does not say why");
  return nullptr;
}

PyObject* from_stream(PyObject* capsule) {
  auto* stream = static_cast<ArrowArrayStream*>(PyCapsule_GetPointer(capsule, kStream));
  if (stream == nullptr) return nullptr;
  if (stream->release == nullptr) {
    PyErr_SetString(PyExc_ValueError, "the Arrow stream was consumed before");
    return nullptr;
  }
  ArrowSchema raw{};
  if (const int code = stream->get_schema(stream, &raw); code != 0) return raise_stream(*stream, code);
  const columnar::Schema schema(std::move(raw));
  Result<columnar::Field> field = columnar::import_field(*schema);
  if (!field.ok()) return raise_type(field.status());
  std::vector<columnar::Array> chunks;
  for (;;) {
    ArrowArray chunk{};
    if (const int code = stream->get_next(stream, &chunk); code != 0) return raise_stream(*stream, code);
    if (chunk.release == nullptr) break;
    chunks.emplace_back(std::move(chunk));
    if (Status status = columnar::validate(*field, *chunks.back(), columnar::Depth::kStructure); !status.ok()) {
      PyErr_SetString(PyExc_ValueError, ("the Arrow stream is malformed: " + std::string(status.message())).c_str());
      return nullptr;
    }
  }
  if (chunks.size() == 1) return make_checked(*std::move(field), std::move(chunks.front()));
  std::vector<const ArrowArray*> parts;
  parts.reserve(chunks.size());
  for (const columnar::Array& chunk : chunks) parts.push_back(chunk.get());
  Result<columnar::Array> whole = columnar::concatenate(*field, parts);
  if (!whole.ok()) return raise(whole.status());
  return make_checked(*std::move(field), *std::move(whole));
}

}  // namespace

PyObject* schema_capsule(const columnar::Field& field) {
  return capsule_of(columnar::export_field(field).detach(), kSchema, drop_schema);
}

PyObject* array_capsule(columnar::Array array) { return capsule_of(array.detach(), kArray, drop_array); }

PyObject* from_arrow(PyObject*, PyObject* object) {
  return guarded([object]() -> PyObject* {
    if (Py_TYPE(object) == state().array) {
      Py_INCREF(object);
      return object;
    }
    if (PyRef whole = method_of(object, "__arrow_c_array__"); whole) {
      PyRef pair = PyRef::steal(PyObject_CallObject(whole.get(), nullptr));
      return pair ? from_pair(pair.get()) : nullptr;
    }
    if (PyRef chunks = method_of(object, "__arrow_c_stream__"); chunks) {
      PyRef capsule = PyRef::steal(PyObject_CallObject(chunks.get(), nullptr));
      return capsule ? from_stream(capsule.get()) : nullptr;
    }
    return none();
  });
}

}  // namespace clutch::python
