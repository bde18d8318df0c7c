// The Python classes and functions the conversions use, looked up once per interpreter.
#pragma once

#include <memory>

#include "clutch/columnar/result.h"
#include "interpreter/python.h"
#include "interpreter/ref.h"

namespace clutch::pyembed {

struct DatetimeApi;

// One per interpreter; immutable after make, so functions share it. Made, used and destroyed with the interpreter lock
// held.
class Module {
 public:
  // Import what conversions need (datetime, decimal) and define the Row class. Fails with CLUTCH_ERR_LOAD, naming what
  // the interpreter lacks.
  static Result<std::unique_ptr<Module>> make();

  ~Module();
  Module(const Module&) = delete;
  Module& operator=(const Module&) = delete;

  // The Python module "clutch._row" with Row and RowKind (borrowed). It stands in sys.modules, so rows can be pickled.
  PyObject* row_module() const { return row_module_.get(); }
  PyObject* row_class() const { return row_class_.get(); }

 private:
  Module();

  PyRef row_module_;
  PyRef row_class_;
};

}  // namespace clutch::pyembed
