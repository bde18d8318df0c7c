// Rows to rows in groups: a group of rows is called, then its results are written. For batches that fail with their
// first bad row, because the rest of its group has been called by then.
#pragma once

#include <memory>

#include "plan/driver.h"

namespace clutch::pyembed {

// NULL, perhaps with a Python error set, where it cannot be made. `composite` is NULL for a function of one step.
std::unique_ptr<Driver> make_group_driver(const Gil& gil, Interpreter& interpreter, const Composite* composite);

}  // namespace clutch::pyembed
