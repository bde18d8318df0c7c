// Which Python lives in this process, and bringing a libpython into it.
#pragma once

#include <optional>
#include <string>

#include "clutch/columnar/result.h"
#include "interpreter/interpreter.h"

namespace clutch::thread {

// A CPython whose code is mapped in the process's own namespace, running or not.
struct PresentPython {
  std::string version;  // "3.11.2"
  std::string path;     // File it is in: a libpython, or a program that is linked with Python statically.
  bool global = false;  // Its symbols are what extension modules would be bound to.
};

// The CPython in this process, if there is one. Loads nothing.
std::optional<PresentPython> find_present_python();

// Can this process run functions of that interpreter? Ok if no Python is here yet and there is a libpython to load, or
// if the Python that is here has the same version. Otherwise CLUTCH_ERR_UNSUPPORTED with a sentence that stands alone.
Status check_process(const interpreter::Interpreter& python);

// Make the symbols of that interpreter's version visible to extension modules and to the Python runtime: adopts the
// Python that is here, else loads libpython. It stays until the process ends. Returns the file.
Result<std::string> bring_in(const interpreter::Interpreter& python);

// dlerror() as text, never empty.
std::string loader_error();

}  // namespace clutch::thread
