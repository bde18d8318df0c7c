// The arguments of a call with whole columns: what a style needs, loaded once, and the parts that one batch brings.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "columns/arguments.h"
#include "interpreter/interpreter.h"
#include "loading/spec.h"

namespace clutch::pyembed {

const char* text_of(Style style);

class ColumnArguments {
 public:
  // Imports numpy and pandas where the style needs them. Fails with CLUTCH_ERR_UNSUPPORTED and a sentence.
  static Result<ColumnArguments> make(const Gil& gil, Interpreter& interpreter, const FunctionSpec& spec);

  Style style() const { return style_; }
  // Objects of python/columns.py (or None in the style arrow): what makes arguments of parts, and plans for it.
  PyObject* maker() const { return maker_.get(); }
  PyObject* plans() const { return plans_.get(); }
  PyObject* numpy() const { return numpy_.get(); }
  PyObject* pandas() const { return pandas_.get(); }

  PartMaker part_maker(std::shared_ptr<Kept> kept, int64_t count) const {
    return {std::move(kept), count, new_objects_.get()};
  }
  // A list of the parts of rows [first, first + maker.count) of maker.kept; in the style arrow they are the arguments
  // themselves. NULL with a Python error set.
  PyRef parts(PartMaker& maker, int64_t first);

 private:
  explicit ColumnArguments(const FunctionSpec& spec) : spec_(&spec) {}

  const FunctionSpec* spec_;
  Style style_ = Style::kPandas;
  bool takes_row_ = false;
  std::vector<std::unique_ptr<ArgumentColumn>> columns_;
  PyRef maker_, plans_, numpy_, pandas_, new_objects_, array_class_;
};

// The Python error that is set, as the reason why a style cannot be served.
Status style_failed(const Gil& gil, Interpreter& interpreter, Style style);

}  // namespace clutch::pyembed
