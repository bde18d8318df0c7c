// The Arrow PyCapsule interface, without pyarrow: columns of a batch as objects with __arrow_c_array__, and the columns
// in what a function gave.
#pragma once

#include <memory>
#include <string>

#include "columns/kept.h"
#include "interpreter/ref.h"

namespace clutch::pyembed {

// An object of the class `Array` of python/columns.py for rows [first, first + count) of an array in `kept`. NULL with
// a Python error set.
PyRef make_arrow_object(PyObject* array_class, std::shared_ptr<Kept> kept, const columnar::Field& field,
                        const ArrowArray& array, int64_t first, int64_t count);

// The pair of capsules that __arrow_c_array__ gave, taken over. A failure is a sentence: no such capsules, another
// type, another length, nulls where none may be.
Result<columnar::Array> take_arrow(PyObject* pair, const columnar::Field& field, int64_t rows);

}  // namespace clutch::pyembed
