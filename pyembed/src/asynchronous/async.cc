#include "asynchronous/async.h"

#include <algorithm>
#include <limits>

#include "clutch/columnar/ops.h"
#include "plan/stop.h"

namespace clutch::pyembed {
namespace {

using File = Interpreter::File;

constexpr int kTracebacksPerBatch = 16;  // formatting one takes as long as a thousand calls

std::string input_text(const FunctionSpec& spec, const ArrowArray& rows, int64_t row) {
  std::string text = "[";
  for (size_t i = 0; i < spec.input.type.children.size(); ++i) {
    text += (i == 0 ? "" : ", ") +
            columnar::row_to_string(spec.input.type.children[i], *rows.children[i], rows.offset + row);
  }
  return text + "]";
}

}  // namespace

Result<std::unique_ptr<Executor>> AsyncExecutor::make(const Gil& gil, const Parts& parts) {
  const FunctionSpec& spec = parts.spec;
  CLUTCH_ASSIGN_OR_RETURN(const AsyncLimits limits, AsyncLimits::read(spec.options));
  CLUTCH_ASSIGN_OR_RETURN(Inputs inputs, Inputs::make(spec, parts.interpreter.module()));
  CLUTCH_ASSIGN_OR_RETURN(Outputs outputs, Outputs::make(spec, parts.interpreter.module()));
  std::unique_ptr<AsyncExecutor> executor(
      new AsyncExecutor(parts.interpreter, spec, limits, std::move(inputs), std::move(outputs)));
  CLUTCH_RETURN_IF_ERROR(executor->start(gil, parts.objects.front()->callable()));
  return std::unique_ptr<Executor>(std::move(executor));
}

Status AsyncExecutor::start(const Gil& gil, PyObject* callable) {
  static PyMethodDef begin = {"begin", begin_row, METH_O, nullptr};
  step_ = {callable, Shape::kAsync, vectorcall_of(callable), false};
  rows_ = make_rows(gil);
  begin_ = PyRef::steal(rows_ ? PyCFunction_New(&begin, slot_.object()) : nullptr);
  run_ = begin_ ? PyRef::steal(PyObject_GetAttrString(rows_.get(), "run")) : PyRef();
  return run_ ? Status() : no_loop(gil);
}

PyRef AsyncExecutor::make_rows(const Gil& gil) {
  static PyMethodDef stop = {"poll", poll, METH_NOARGS, nullptr};
  if (slot_.make()) poll_ = PyRef::steal(PyCFunction_New(&stop, slot_.object()));
  timed_out_ = interpreter_->helper(gil, File::kLoop, "TimedOut");
  PyRef type = interpreter_->helper(gil, File::kLoop, "Rows");
  if (!poll_ || !timed_out_ || !type) return {};
  const double timeout =
      limits_.timeout_ms == 0 ? std::numeric_limits<double>::infinity() : static_cast<double>(limits_.timeout_ms) / 1e3;
  return PyRef::steal(
      PyObject_CallFunction(type.get(), "LdLdOO", static_cast<long long>(limits_.concurrent), timeout,
                            static_cast<long long>(limits_.attempts), static_cast<double>(limits_.delay_ms) / 1e3,
                            spec_->on_error == CLUTCH_ON_ERROR_FAIL ? Py_True : Py_False, interpreter_->interrupted()));
}

Status AsyncExecutor::no_loop(const Gil& gil) {
  return to_status(CLUTCH_ERR_UNSUPPORTED, "this interpreter gives no event loop",
                   describe(gil, *interpreter_, take_exception(gil), true));
}

AsyncExecutor::~AsyncExecutor() {
  if (!rows_) return;
  if (!PyRef::steal(PyObject_CallMethod(rows_.get(), "close", nullptr))) PyErr_Clear();
}

std::string AsyncExecutor::what(int64_t row) const {
  return "function \"" + spec_->steps.front().name + "\" row " + std::to_string(row);
}

PyObject* AsyncExecutor::begin_row(PyObject* self, PyObject* row) {
  return call_back<Batch>(self, [row](Batch& batch) -> PyObject* {
    const int64_t at = PyLong_AsLongLong(row);
    store_row(batch.watch.progress, at);
    Fault fault;
    PyObject* awaitable = batch.executor.inputs_.call(batch.executor.step_, at, fault);
    if (fault.reason == Fault::Reason::kRead) batch.unread.emplace_back(at, fault.column);
    return awaitable;
  });
}

PyObject* AsyncExecutor::poll(PyObject* self, PyObject*) {
  return call_back<Batch>(self, [](Batch& batch) -> PyObject* {
    const bool stop = must_stop(batch.host, batch.batch, batch.watch);
    return fresh(stop ? Py_True : Py_False);
  });
}

Status AsyncExecutor::run(const Gil& gil, const Host& host, const clutch_batch& batch, Watch& watch,
                          clutch_error* error) {
  Batch state{host, batch, watch, error, *this};
  Status status;
  if (inputs_.bind(*batch.rows)) {
    outputs_.reserve(batch.rows->length);
    status = run_rows(gil, state);
  } else {
    status = to_status(CLUTCH_ERR_VALUE, "function \"" + spec_->name + "\": reading the batch",
                       describe(gil, *interpreter_, take_exception(gil), true));
  }
  inputs_.unbind();
  if (!PyRef::steal(PyObject_CallMethod(rows_.get(), "clear", nullptr))) PyErr_Clear();
  if (status.ok()) return status;
  outputs_.clear();
  status.with(CLUTCH_DETAIL_FUNCTION, spec_->name).with(CLUTCH_DETAIL_BATCH, std::to_string(batch.sequence));
  return status;
}

Status AsyncExecutor::run_rows(const Gil& gil, Batch& batch) {
  const auto stop = [&] {
    return check_stop(
        batch.host, batch.batch, batch.watch, spec_->name, [&] { return what(0); }, 0);
  };
  CLUTCH_RETURN_IF_ERROR(stop());
  PyRef count = PyRef::steal(PyLong_FromLongLong(batch.batch.rows->length));
  slot_.set(&batch);
  PyRef done =
      count ? PyRef::steal(PyObject_CallFunctionObjArgs(run_.get(), count.get(), begin_.get(), poll_.get(), nullptr))
            : PyRef();
  slot_.set(nullptr);
  if (batch.thrown != nullptr) {
    PyErr_Clear();
    std::rethrow_exception(batch.thrown);
  }
  if (!done) return failed_run(gil, batch);
  tell_abandoned(batch, PyTuple_GetItem(done.get(), 2));
  CLUTCH_RETURN_IF_ERROR(stop());
  return take_results(gil, batch, PyTuple_GetItem(done.get(), 0), PyTuple_GetItem(done.get(), 1));
}

Status AsyncExecutor::failed_run(const Gil& gil, Batch& batch) {
  // What follows runs Python code, which must not be interrupted itself.
  const Cause cause = batch.watch.pause(gil);
  PyRef exception = take_exception(gil);
  PyRef left = PyRef::steal(PyObject_CallMethod(rows_.get(), "settle", nullptr));
  if (left) tell_abandoned(batch, left.get());
  PyErr_Clear();
  Status status;
  if (exception && cause != Cause::kNone && PyObject_IsInstance(exception.get(), interpreter_->interrupted()) == 1) {
    const int64_t row = __atomic_load_n(batch.watch.progress, __ATOMIC_RELAXED);
    status = interrupted(gil, *interpreter_, cause, what(row), exception);
    status.with(CLUTCH_DETAIL_ROW, std::to_string(row));
  } else {
    status = to_status(CLUTCH_ERR_USER, "function \"" + spec_->name + "\": the event loop failed",
                       describe(gil, *interpreter_, exception, true));
  }
  batch.watch.resume(gil);
  return status;
}

void AsyncExecutor::tell_abandoned(const Batch& batch, PyObject* rows) const {
  const Py_ssize_t count = PyList_Size(rows);
  for (Py_ssize_t i = 0; i < count; ++i) {
    const int64_t row = PyLong_AsLongLong(PyList_GetItem(rows, i));
    batch.host.write_log(CLUTCH_LOG_WARN, "python", batch.watch.context,
                         what(row) + " of batch " + std::to_string(batch.batch.sequence) +
                             ": the coroutine went on after it was cancelled; it is abandoned");
  }
}

Status AsyncExecutor::take_results(const Gil& gil, Batch& batch, PyObject* results, PyObject* errors) {
  const int64_t rows = batch.batch.rows->length;
  int described = 0;
  for (int64_t row = 0; row < rows; ++row) {
    PyRef key = PyRef::steal(PyLong_FromLongLong(row));
    PyObject* exception = key ? PyDict_GetItem(errors, key.get()) : nullptr;
    Status status;
    if (exception != nullptr) {
      status = row_error(gil, batch, row, exception, described);
    } else if (outputs_.writer().write(PyList_GetItem(results, static_cast<Py_ssize_t>(row)), outputs_.builder())) {
      continue;
    } else if (PyErr_Occurred() != nullptr) {
      PyRef raised = take_exception(gil);
      status = row_error(gil, batch, row, raised.get(), described);
    } else {
      status = row_mismatch(row);
    }
    CLUTCH_RETURN_IF_ERROR(settle_row(batch, row, std::move(status)));
  }
  return Status();
}

Status AsyncExecutor::settle_row(Batch& batch, int64_t row, Status status) {
  status.with(CLUTCH_DETAIL_FUNCTION, spec_->name).with(CLUTCH_DETAIL_BATCH, std::to_string(batch.batch.sequence));
  status.with(CLUTCH_DETAIL_ROW, std::to_string(row));
  return spec_->on_error == CLUTCH_ON_ERROR_FAIL ? status : drop_row(batch, row, status);
}

Status AsyncExecutor::row_error(const Gil& gil, const Batch& batch, int64_t row, PyObject* exception, int& described) {
  const std::string input = input_text(*spec_, *batch.batch.rows, row);
  Status status;
  const auto unread =
      std::find_if(batch.unread.begin(), batch.unread.end(), [row](const auto& pair) { return pair.first == row; });
  if (PyObject_IsInstance(exception, timed_out_.get()) == 1) {
    status = Status(CLUTCH_ERR_DEADLINE,
                    what(row) + ": Async function call has timed out for input: " + input + "; it took longer than " +
                        limits_.timeout_key + " = " + std::to_string(limits_.timeout_ms) + " ms",
                    CLUTCH_ORIGIN_USER);
  } else if (unread != batch.unread.end()) {
    const std::string& column = spec_->input.type.children[unread->second].name;
    status = to_status(CLUTCH_ERR_VALUE, what(row) + ": input column \"" + column + "\"",
                       describe(gil, *interpreter_, exception, described < kTracebacksPerBatch));
    status.with(CLUTCH_DETAIL_COLUMN, column);
  } else {
    status =
        to_status(CLUTCH_ERR_USER, what(row), describe(gil, *interpreter_, exception, described < kTracebacksPerBatch));
  }
  ++described;
  status.with(CLUTCH_DETAIL_VALUE, input);
  return status;
}

Status AsyncExecutor::row_mismatch(int64_t row) {
  Mismatch mismatch = outputs_.writer().take_mismatch();
  const std::string column = outputs_.column_path(*spec_, mismatch.path);
  const bool plain = mismatch.path.empty();
  mismatch.path.clear();
  Status status(CLUTCH_ERR_VALUE, what(row) + ": " + (plain ? "" : "column \"" + column + "\": ") + mismatch.sentence(),
                CLUTCH_ORIGIN_USER);
  if (!column.empty()) status.with(CLUTCH_DETAIL_COLUMN, column);
  return std::move(status).with(CLUTCH_DETAIL_VALUE, mismatch.value);
}

Status AsyncExecutor::drop_row(Batch& batch, int64_t row, const Status& why) {
  if (spec_->on_error == CLUTCH_ON_ERROR_NULL) {
    if (spec_->steps.front().table) outputs_.append_null_row();  // else a bad row gives no rows
    return Status();
  }
  clutch_error* letter = nullptr;
  if (batch.host.dead_letter->add(batch.batch.context, row, &letter, batch.error) < 0 || letter == nullptr) {
    return Status(CLUTCH_ERR_INTERNAL, what(row) + ": the host did not take the row as a dead letter",
                  CLUTCH_ORIGIN_HOST);
  }
  batch.host.report(why, letter);
  if (spec_->steps.front().table) outputs_.skip_row(row);
  return Status();
}

int32_t AsyncExecutor::emit(const Host& host, const clutch_batch& batch, clutch_error* error) {
  Outputs::Finished finished = outputs_.finish(batch.rows->length);
  if (finished.length == 0) return CLUTCH_OK;
  ArrowArray rows = finished.rows.detach();
  ArrowArray origin = finished.origin.detach();
  return host.host->emit(batch.context, CLUTCH_TAG_MAIN, &rows, &origin, error);
}

}  // namespace clutch::pyembed
