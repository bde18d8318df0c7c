// str objects from UTF-8.
#pragma once

#include <string_view>

#include "interpreter/python.h"

namespace clutch::pyembed {

// A new str, or NULL with a Python error set (malformed UTF-8, no memory).
inline PyObject* make_text(std::string_view text) {
  return PyUnicode_FromStringAndSize(text.data(), static_cast<Py_ssize_t>(text.size()));
}

}  // namespace clutch::pyembed
