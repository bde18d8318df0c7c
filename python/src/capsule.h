// The Arrow PyCapsule interface: arrays of other libraries in, ours out.
#pragma once

#include "clutch/columnar/owned.h"
#include "clutch/columnar/type.h"
#include "state.h"

namespace clutch::python {

// Capsules that own what they hold until somebody takes it. NULL with a Python error set.
PyObject* schema_capsule(const columnar::Field& field);
PyObject* array_capsule(columnar::Array array);

// from_arrow(object): a clutch._host.Array of what __arrow_c_array__ or __arrow_c_stream__ gives; the chunks of a
// stream are put together. None for an object that has neither.
PyObject* from_arrow(PyObject* module, PyObject* object);

}  // namespace clutch::python
