#include "columns/columns.h"

#include "columns/capsules.h"
#include "columns/discard.h"
#include "plan/stop.h"

namespace clutch::pyembed {
namespace {

using File = Interpreter::File;

template <typename Column>
PyRef plans_of(const std::vector<std::unique_ptr<Column>>& columns) {
  PyRef plans = PyRef::steal(PyList_New(0));
  for (const std::unique_ptr<Column>& column : columns) {
    PyRef plan = column->plan();
    if (!plans || !plan || PyList_Append(plans.get(), plan.get()) != 0) return {};
  }
  return plans;
}

}  // namespace

Result<std::unique_ptr<Executor>> ColumnsExecutor::make(const Gil& gil, const Parts& parts) {
  CLUTCH_ASSIGN_OR_RETURN(ColumnArguments arguments, ColumnArguments::make(gil, parts.interpreter, parts.spec));
  const Style style = arguments.style();
  std::unique_ptr<ColumnsExecutor> executor(new ColumnsExecutor(parts.interpreter, parts.spec, std::move(arguments)));
  for (const columnar::Field& column : parts.spec.output.type.children) {
    if (style == Style::kArrow) break;
    CLUTCH_ASSIGN_OR_RETURN(std::unique_ptr<ResultColumn> result,
                            ResultColumn::make(column, style, parts.interpreter.module()));
    executor->results_.push_back(std::move(result));
  }
  CLUTCH_RETURN_IF_ERROR(executor->start(gil, parts));
  return std::unique_ptr<Executor>(std::move(executor));
}

Status ColumnsExecutor::start(const Gil& gil, const Parts& parts) {
  const auto helper = [&](File file, const char* name) { return interpreter_->helper(gil, file, name); };
  const auto failed = [&] { return style_failed(gil, *interpreter_, arguments_.style()); };
  unfit_ = helper(File::kColumns, "Unfit");
  PyRef driver = helper(File::kColumns, "Driver");
  PyRef make_results = helper(File::kResults, "make");
  PyRef steps = PyRef::steal(PyList_New(0));
  PyRef plans = plans_of(results_);
  if (!unfit_ || !driver || !make_results || !steps || !plans) return failed();
  for (const std::unique_ptr<UserObject>& object : parts.objects) {
    if (PyList_Append(steps.get(), object->callable()) != 0) return failed();
  }
  PyRef results =
      PyRef::steal(PyObject_CallFunction(make_results.get(), "sOOOO", text_of(arguments_.style()), plans.get(),
                                         arguments_.numpy(), arguments_.pandas(), unfit_.get()));
  if (!results) return failed();
  driver_ = PyRef::steal(PyObject_CallFunctionObjArgs(driver.get(), steps.get(), arguments_.maker(), arguments_.plans(),
                                                      results.get(), nullptr));
  run_ = driver_ ? PyRef::steal(PyObject_GetAttrString(driver_.get(), "run")) : PyRef();
  return run_ ? Status() : failed();
}

std::string ColumnsExecutor::where(int64_t row, int64_t rows) const {
  PyRef step = PyRef::steal(PyObject_GetAttrString(driver_.get(), "step"));
  const long at = step ? PyLong_AsLong(step.get()) : 0;
  const std::string text = "function \"" + spec_->steps[static_cast<size_t>(at)].name + "\" ";
  if (row >= 0) return text + "row " + std::to_string(row);
  return text + (rows == 1 ? "row 0" : "rows 0 to " + std::to_string(rows - 1));
}

Status ColumnsExecutor::run(const Gil& gil, const Host& host, const clutch_batch& batch, Watch& watch,
                            clutch_error* error) {
  const int64_t rows = batch.rows->length;
  finished_.reset();
  empty_discarded(gil);
  store_row(watch.progress, 0);
  const auto stop = [&] {
    return check_stop(
        host, batch, watch, spec_->name, [&] { return where(-1, rows); }, 0);
  };
  CLUTCH_RETURN_IF_ERROR(stop());
  CLUTCH_ASSIGN_OR_RETURN(std::shared_ptr<Kept> kept, Kept::make(host, spec_->input, batch, error));
  Status status;
  PyRef given = call(gil, batch, watch, std::move(kept), status);
  if (status.ok()) status = convert(gil, std::move(given), rows, watch);
  for (const std::unique_ptr<ResultColumn>& result : results_) result->clear();
  if (status.ok()) status = stop();
  if (!status.ok()) {
    finished_.reset();
    status.with(CLUTCH_DETAIL_FUNCTION, spec_->name).with(CLUTCH_DETAIL_BATCH, std::to_string(batch.sequence));
  }
  return status;
}

int32_t ColumnsExecutor::emit(const Host& host, const clutch_batch& batch, clutch_error* error) {
  ArrowArray rows = finished_.detach();
  ArrowArray origin = {};
  return host.host->emit(batch.context, CLUTCH_TAG_MAIN, &rows, &origin, error);
}

PyRef ColumnsExecutor::call(const Gil& gil, const clutch_batch& batch, Watch& watch, std::shared_ptr<Kept> kept,
                            Status& status) {
  PartMaker maker = arguments_.part_maker(kept, batch.rows->length);
  PyRef capsule = PyRef::steal(Kept::make_capsule(std::move(kept)));
  PyRef count = PyRef::steal(PyLong_FromLongLong(maker.count));
  PyRef parts = arguments_.parts(maker, 0);
  PyRef given;
  if (parts && capsule && count) {
    given = PyRef::steal(PyObject_CallFunctionObjArgs(run_.get(), parts.get(), count.get(), capsule.get(), nullptr));
  }
  if (!given) status = failed(gil, watch, maker.count, parts ? nullptr : &maker);
  return given;
}

Status ColumnsExecutor::failed(const Gil& gil, Watch& watch, int64_t rows, const PartMaker* maker) {
  // Telling about it runs Python code, which must not be interrupted itself.
  const Cause cause = watch.pause(gil);
  PyRef exception = take_exception(gil);
  Status status;
  if (exception && PyObject_IsInstance(exception.get(), unfit_.get()) == 1) {
    PyRef text = PyRef::steal(PyObject_Str(exception.get()));
    PyRef at = PyRef::steal(PyObject_GetAttrString(exception.get(), "row"));
    const int64_t row = at ? PyLong_AsLongLong(at.get()) : -1;
    status = Status(CLUTCH_ERR_VALUE, where(row, rows) + ": " + to_text(text), CLUTCH_ORIGIN_USER);
    if (row >= 0) status.with(CLUTCH_DETAIL_ROW, std::to_string(row));
  } else if (exception && cause != Cause::kNone &&
             PyObject_IsInstance(exception.get(), interpreter_->interrupted()) == 1) {
    status = interrupted(gil, *interpreter_, cause, where(-1, rows), exception);
  } else if (maker != nullptr && maker->failed_row >= 0) {
    status =
        to_status(CLUTCH_ERR_VALUE, where(maker->failed_row, rows) + ": input column \"" + maker->failed_column + "\"",
                  describe(gil, *interpreter_, exception, true));
    status.with(CLUTCH_DETAIL_COLUMN, maker->failed_column);
    status.with(CLUTCH_DETAIL_ROW, std::to_string(maker->failed_row));
  } else {
    status = to_status(CLUTCH_ERR_USER, where(-1, rows), describe(gil, *interpreter_, exception, true));
  }
  PyErr_Clear();
  watch.resume(gil);
  return status;
}

Status ColumnsExecutor::unfit(const ResultFault& fault) const {
  Mismatch mismatch = fault.mismatch;
  std::string column = fault.column + mismatch.path;
  const bool plain = results_.size() == 1 && column == spec_->output.type.children.front().name;
  mismatch.path.clear();
  Status status(CLUTCH_ERR_VALUE,
                where(fault.row, 0) + ": " + (plain ? "" : "column \"" + column + "\": ") + mismatch.sentence(),
                CLUTCH_ORIGIN_USER);
  status.with(CLUTCH_DETAIL_COLUMN, column).with(CLUTCH_DETAIL_VALUE, mismatch.value);
  return status.with(CLUTCH_DETAIL_ROW, std::to_string(fault.row));
}

Status ColumnsExecutor::convert_arrow(PyObject* given, int64_t rows) {
  const std::vector<columnar::Field>& columns = spec_->output.type.children;
  const auto count = static_cast<size_t>(PyList_Size(given));
  const std::string prefix = where(-1, rows);
  if (count == 1 && (columns.size() > 1)) {
    columnar::Field all = spec_->output;
    all.nullable = false;
    Result<columnar::Array> array = take_arrow(PyList_GetItem(given, 0), all, rows);
    if (!array.ok()) return std::move(array).status().prefixed(prefix);
    finished_ = *std::move(array);
    return Status();
  }
  if (count != columns.size()) {
    return Status(CLUTCH_ERR_VALUE,
                  prefix + ": result of " + std::to_string(count) + " columns for " + std::to_string(columns.size()) +
                      " result columns; return as many, in their order",
                  CLUTCH_ORIGIN_USER);
  }
  std::vector<columnar::Array> arrays;
  for (size_t i = 0; i < count; ++i) {
    Result<columnar::Array> array = take_arrow(PyList_GetItem(given, static_cast<Py_ssize_t>(i)), columns[i], rows);
    if (!array.ok()) {
      return std::move(array).status().prefixed(prefix + (count > 1 ? ": column \"" + columns[i].name + "\"" : ""));
    }
    arrays.push_back(*std::move(array));
  }
  finished_ = columnar::make_batch(rows, std::move(arrays));
  return Status();
}

Status ColumnsExecutor::convert(const Gil& gil, PyRef given, int64_t rows, Watch& watch) {
  if (arguments_.style() == Style::kArrow) return convert_arrow(given.get(), rows);
  for (size_t i = 0; i < results_.size(); ++i) {
    if (!results_[i]->collect(PyList_GetItem(given.get(), static_cast<Py_ssize_t>(i)))) {
      return failed(gil, watch, rows, nullptr);
    }
  }
  given.reset();  // now nobody has the arrays but the columns, if the function gave them away
  std::vector<columnar::Array> columns(results_.size());
  for (size_t i = 0; i < results_.size(); ++i) {
    ResultFault fault;
    if (results_[i]->finish(rows, columns[i], fault)) continue;
    return fault.raised ? failed(gil, watch, rows, nullptr) : unfit(fault);
  }
  finished_ = columnar::make_batch(rows, std::move(columns));
  return Status();
}

}  // namespace clutch::pyembed
