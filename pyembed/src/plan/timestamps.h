// The timestamp of an element as a function gets it.
#pragma once

#include <memory>

#include "convert/convert.h"

namespace clutch::pyembed {

// A reader of a column of int64 that gives the least int64 where the element has none, as PyFlink does.
std::unique_ptr<Reader> make_timestamp_reader(const columnar::Field& field, const Module& module);

}  // namespace clutch::pyembed
