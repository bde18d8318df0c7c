// Python exceptions as data.
#pragma once

#include <string>
#include <string_view>

#include "clutch/columnar/result.h"
#include "interpreter/gil.h"
#include "interpreter/interpreter.h"
#include "interpreter/ref.h"

namespace clutch::pyembed {

// The pending exception, taken from the thread; empty if there was none.
PyRef take_exception(const Gil& gil);

// What is told about an exception.
struct Described {
  std::string type;       // "ValueError", "json.decoder.JSONDecodeError"
  std::string text;       // str(exception)
  std::string traceback;  // as Python prints it, with causes, without the runtime's own frames
  std::string frames;     // file:line:function, innermost last
};

// Never fails: what cannot be formatted says so. `with_traceback` costs tens of microseconds.
Described describe(const Gil& gil, Interpreter& interpreter, PyView exception, bool with_traceback);

// "what: Type: text" with the exception's details.
Status to_status(int32_t code, std::string_view what, const Described& described);

}  // namespace clutch::pyembed
