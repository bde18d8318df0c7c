#include "columns/column_arguments.h"

#include "columns/capsules.h"
#include "errors/exception.h"

namespace clutch::pyembed {
namespace {

using File = Interpreter::File;

Result<Style> read_style(const FunctionSpec& spec) {
  const std::string_view first = find_option(spec.steps.front().options, "style").value_or("pandas");
  for (const StepSpec& step : spec.steps) {
    const std::string_view text = find_option(step.options, "style").value_or("pandas");
    if (text != first) {
      return Status(CLUTCH_ERR_UNSUPPORTED, "step \"" + step.name + "\" has style " + std::string(text) +
                                                " and the one before it " + std::string(first) +
                                                "; all steps of a chain need one style");
    }
  }
  if (first == "pandas") return Style::kPandas;
  if (first == "numpy") return Style::kNumpy;
  if (first == "arrow") return Style::kArrow;
  return Status(CLUTCH_ERR_UNSUPPORTED, "style \"" + std::string(first) + "\" is none of arrow, numpy, pandas");
}

}  // namespace

const char* text_of(Style style) {
  return style == Style::kPandas ? "pandas" : style == Style::kNumpy ? "numpy" : "arrow";
}

Status style_failed(const Gil& gil, Interpreter& interpreter, Style style) {
  PyRef exception = take_exception(gil);
  if (exception && PyObject_IsInstance(exception.get(), PyExc_ModuleNotFoundError) == 1) {
    PyRef name = PyRef::steal(PyObject_GetAttrString(exception.get(), "name"));
    const std::string package = to_text(name);
    if (package == "numpy" || package == "pandas") {
      return Status(CLUTCH_ERR_UNSUPPORTED,
                    "style " + std::string(text_of(style)) + " needs " + package + ", which " +
                        interpreter.executable() + " does not have; install it there",
                    CLUTCH_ORIGIN_CONFIG);
    }
  }
  return to_status(CLUTCH_ERR_UNSUPPORTED, "style " + std::string(text_of(style)) + " cannot be served",
                   describe(gil, interpreter, exception, true));
}

Result<ColumnArguments> ColumnArguments::make(const Gil& gil, Interpreter& interpreter, const FunctionSpec& spec) {
  ColumnArguments made(spec);
  CLUTCH_ASSIGN_OR_RETURN(made.style_, read_style(spec));
  made.takes_row_ = find_option(spec.steps.front().options, "takes_row").value_or("") == "true";
  if (made.takes_row_ && made.style_ == Style::kNumpy) {
    return Status(CLUTCH_ERR_UNSUPPORTED, "style numpy has no array of all columns; use style pandas or arrow");
  }
  made.plans_ = PyRef::steal(PyList_New(0));
  for (const columnar::Field& column : spec.input.type.children) {
    if (made.style_ == Style::kArrow) break;
    CLUTCH_ASSIGN_OR_RETURN(std::unique_ptr<ArgumentColumn> argument,
                            ArgumentColumn::make(column, made.style_, interpreter.module()));
    PyRef plan = argument->plan();
    if (!made.plans_ || !plan || PyList_Append(made.plans_.get(), plan.get()) != 0) {
      return style_failed(gil, interpreter, made.style_);
    }
    made.columns_.push_back(std::move(argument));
  }
  made.array_class_ = interpreter.helper(gil, File::kColumns, "Array");
  PyRef load = interpreter.helper(gil, File::kColumns, "load");
  PyRef loaded;
  if (made.plans_ && made.array_class_ && load) {
    loaded = PyRef::steal(
        PyObject_CallFunction(load.get(), "sO", text_of(made.style_), made.takes_row_ ? Py_True : Py_False));
  }
  if (!loaded) return style_failed(gil, interpreter, made.style_);
  made.maker_ = PyRef::share(PyTuple_GetItem(loaded.get(), 0));
  made.numpy_ = PyRef::share(PyTuple_GetItem(loaded.get(), 1));
  made.pandas_ = PyRef::share(PyTuple_GetItem(loaded.get(), 2));
  made.new_objects_ = PyRef::share(PyTuple_GetItem(loaded.get(), 3));
  return made;
}

PyRef ColumnArguments::parts(PartMaker& maker, int64_t first) {
  PyRef parts = PyRef::steal(PyList_New(0));
  const ArrowArray& rows = maker.kept->rows();
  const auto add = [&](PyRef part) { return parts && part && PyList_Append(parts.get(), part.get()) == 0; };
  const auto arrow = [&](const columnar::Field& field, const ArrowArray& array, int64_t from) {
    return make_arrow_object(array_class_.get(), maker.kept, field, array, from, maker.count);
  };
  if (style_ == Style::kArrow && takes_row_) {
    return add(arrow(spec_->input, rows, first)) ? std::move(parts) : PyRef();
  }
  for (size_t i = 0; i < spec_->input.type.children.size(); ++i) {
    const ArrowArray& column = *rows.children[i];
    if (!add(style_ == Style::kArrow ? arrow(spec_->input.type.children[i], column, rows.offset + first)
                                     : columns_[i]->part(maker, column, rows.offset + first, nullptr))) {
      return {};
    }
  }
  return parts;
}

}  // namespace clutch::pyembed
