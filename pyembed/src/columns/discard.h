// Python references that are let go by threads without the interpreter lock: result columns that are numpy arrays end
// wherever the host drops them.
#pragma once

#include "interpreter/gil.h"

namespace clutch::pyembed {

// Let go of a reference from any thread, with the lock or without. Without it, the object waits for the next
// empty_discarded(), or for Python to run a pending call. Never waits for the lock: the host may hold one of its own.
void discard(PyObject* object) noexcept;

// Let go of what waits.
void empty_discarded(const Gil& gil);

}  // namespace clutch::pyembed
