// Texts about Python objects and errors, for messages.
#pragma once

#include <string>
#include <string_view>

#include "clutch/columnar/type.h"
#include "interpreter/ref.h"

namespace clutch::pyembed {

// "int", "decimal.Decimal", "numpy.int64": module and qualified name, without the module for builtins.
std::string type_name(PyTypeObject* type);

// repr of the object, cut to 200 characters (UTF-8). An object whose repr raises is described by its type and the
// error's. False with the Python error left set if the error was no Exception (KeyboardInterrupt, a deadline): then it
// is not ours to swallow.
bool describe(PyObject* object, std::string& out);

// "ValueError: text" of the Python error that is set, which is cleared. "unknown error" if none is.
std::string take_python_error();

// "column price", or "column" where the field has no name.
std::string place_of(const char* what, const columnar::Field& field);

// UTF-8 of a str, with lone surrogates as backslash escapes. Leaves no Python error behind.
std::string text_of(PyObject* text);

}  // namespace clutch::pyembed
