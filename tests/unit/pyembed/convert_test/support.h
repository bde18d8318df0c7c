// What the conversion tests share: an interpreter, values written as Python expressions, outcomes as text.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "clutch/columnar/builder.h"
#include "clutch/columnar/ops.h"
#include "convert/convert.h"
#include "convert/mismatch.h"

namespace clutch::pyembed {

// The module every test uses; made on first use, in the one interpreter of this process.
const Module& test_module();

// Names that expressions may use: datetime, decimal, enum, Row, the classes below... Run `code` in them.
void run_python(const std::string& code);
// Evaluate; a Python error fails the test and gives NULL.
PyRef eval(const std::string& expression);
std::string repr(PyObject* object);
bool importable(const char* module);
// (3, 8) and so on.
bool python_before(int minor);

// The field a test means: "int64", "string not null".
columnar::Field field_of(const std::string& text, const std::string& name = "");

// What became of one value: Arrow's text of it, or the sentence of the mismatch, or "raised X: text".
std::string written(const std::string& type, const std::string& expression);
// The same, and then read again: its repr.
std::string round_trip(const std::string& type, const std::string& expression);
// repr of every row of an array, or "raised X: text".
std::string read_all(const columnar::Field& field, const ArrowArray& array);

}  // namespace clutch::pyembed
