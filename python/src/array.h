// Arrow rows as a Python object: what goes into a function, and what comes out of it.
#pragma once

#include <memory>

#include "clutch/columnar/owned.h"
#include "clutch/columnar/type.h"
#include "state.h"

namespace clutch::python {

// Immutable, so that several objects and exports may share the memory.
struct ArrayValue {
  std::shared_ptr<const columnar::Field> field;
  std::shared_ptr<const columnar::Array> array;
};

// A new clutch._host.Array, NULL with a Python error set.
PyObject* make_array_object(std::shared_ptr<const columnar::Field> field, columnar::Array array);

// Borrowed from a clutch._host.Array; NULL with a TypeError set for another object.
const ArrayValue* array_value(PyObject* object);

}  // namespace clutch::python
