#include "asynchronous/stream_async.h"

#include <algorithm>
#include <charconv>

#include "watch/watchdog.h"

namespace clutch::pyembed {
namespace {

using File = Interpreter::File;

constexpr char kTimeout[] = "timeout_ms";
constexpr char kCapacity[] = "capacity";
constexpr char kOrdered[] = "ordered";
constexpr char kBatchSize[] = "batch_size";
constexpr char kBatchTimeout[] = "batch_timeout_ms";
constexpr int64_t kDefaultCapacity = 100;
constexpr int64_t kMostRows = 1'000'000;
constexpr int64_t kLongest = int64_t{1} << 53;  // (unit: ms)

Status refuse(std::string_view key, std::string_view value, const std::string& wanted) {
  return Status(CLUTCH_ERR_CONFIG,
                "option " + std::string(key) + " = \"" + std::string(value) + "\" of stream.async is " + wanted,
                CLUTCH_ORIGIN_CONFIG);
}

Result<int64_t> read_number(const Options& options, std::string_view key, int64_t least, int64_t most,
                            int64_t otherwise) {
  const std::optional<std::string_view> text = find_option(options, key);
  if (!text) return otherwise;
  int64_t number = 0;
  const char* end = text->data() + text->size();
  const auto [stop, error] = std::from_chars(text->data(), end, number);
  if (error == std::errc() && stop == end && number >= least && number <= most) return number;
  return refuse(key, *text,
                "no number for it; write a whole number from " + std::to_string(least) + " to " + std::to_string(most));
}

}  // namespace

Result<StreamAsyncExecutor::Calls> StreamAsyncExecutor::read_options(const Options& options, bool of_batches,
                                                                     AsyncLimits& ret_limits) {
  Calls calls;
  ret_limits.timeout_key = kTimeout;
  CLUTCH_ASSIGN_OR_RETURN(ret_limits.timeout_ms, read_number(options, kTimeout, 0, kLongest, 0));
  CLUTCH_ASSIGN_OR_RETURN(ret_limits.concurrent, read_number(options, kCapacity, 1, kMostRows, kDefaultCapacity));
  // The rows of a batch are there at once, so none has to wait for others: the engine that makes the batches waits.
  CLUTCH_RETURN_IF_ERROR(read_number(options, kBatchTimeout, 0, kLongest, 0).status());
  const std::string_view ordered = find_option(options, kOrdered).value_or("true");
  if (ordered != "true" && ordered != "false") return refuse(kOrdered, ordered, "neither true nor false");
  calls.ordered = ordered == "true";
  if (of_batches) {
    CLUTCH_ASSIGN_OR_RETURN(calls.elements, read_number(options, kBatchSize, 1, kMostRows, kDefaultCapacity));
    ret_limits.concurrent = std::max<int64_t>(1, ret_limits.concurrent / calls.elements);
  } else if (const auto size = find_option(options, kBatchSize)) {
    return refuse(kBatchSize, *size, "of no use, because the function has no async_invoke_batch(); leave it out");
  }
  return calls;
}

Result<std::unique_ptr<Executor>> StreamAsyncExecutor::make(const Gil& gil, const Parts& parts) {
  const FunctionSpec& spec = parts.spec;
  const UserObject& user = *parts.objects.front();
  PyRef single = PyRef::steal(PyObject_GetAttrString(user.object(), "async_invoke"));
  PyErr_Clear();
  PyRef several = PyRef::steal(PyObject_GetAttrString(user.object(), "async_invoke_batch"));
  PyErr_Clear();
  AsyncLimits limits;
  CLUTCH_ASSIGN_OR_RETURN(const Calls calls, read_options(spec.steps.front().options, several && !single, limits));
  CLUTCH_ASSIGN_OR_RETURN(Inputs inputs, Inputs::make(spec, parts.interpreter.module()));
  CLUTCH_ASSIGN_OR_RETURN(Outputs outputs, Outputs::make(spec, parts.interpreter.module()));
  std::unique_ptr<StreamAsyncExecutor> executor(
      new StreamAsyncExecutor(parts.interpreter, spec, limits, std::move(inputs), std::move(outputs)));
  CLUTCH_RETURN_IF_ERROR(executor->start_calls(gil, user, calls));
  return std::unique_ptr<Executor>(std::move(executor));
}

Status StreamAsyncExecutor::start_calls(const Gil& gil, const UserObject& user, const Calls& calls) {
  static PyMethodDef read = {"read", read_row, METH_O, nullptr};
  PyRef loop = make_rows(gil);
  PyRef type = interpreter_->helper(gil, File::kInvoke, "Invocations");
  if (loop && type) {
    rows_ = PyRef::steal(PyObject_CallFunction(type.get(), "OOOLOO", user.object(), user.callable(), loop.get(),
                                               static_cast<long long>(calls.elements),
                                               calls.ordered ? Py_True : Py_False, timed_out_.get()));
  }
  begin_ = PyRef::steal(rows_ ? PyCFunction_New(&read, slot_.object()) : nullptr);
  run_ = begin_ ? PyRef::steal(PyObject_GetAttrString(rows_.get(), "run")) : PyRef();
  return run_ ? Status() : no_loop(gil);
}

PyObject* StreamAsyncExecutor::read_row(PyObject* self, PyObject* row) {
  return call_back<Batch>(self, [row](Batch& batch) -> PyObject* {
    const int64_t at = PyLong_AsLongLong(row);
    store_row(batch.watch.progress, at);
    auto& executor = static_cast<StreamAsyncExecutor&>(batch.executor);
    PyObject* value = executor.inputs_.reader(0).read(executor.inputs_.first() + at);
    if (value == nullptr) batch.unread.emplace_back(at, size_t{0});
    return value;
  });
}

Status StreamAsyncExecutor::take_results(const Gil& gil, Batch& batch, PyObject* pairs, PyObject* errors) {
  int described = 0;
  CLUTCH_RETURN_IF_ERROR(take_errors(gil, batch, errors, described));
  const Py_ssize_t count = PyList_Size(pairs);
  for (Py_ssize_t i = 0; i < count; ++i) {
    CLUTCH_RETURN_IF_ERROR(take_row(gil, batch, PyList_GetItem(pairs, i), described));
  }
  return Status();
}

// In the order of the rows, so that the first bad one is told.
Status StreamAsyncExecutor::take_errors(const Gil& gil, Batch& batch, PyObject* errors, int& described) {
  if (PyDict_Size(errors) == 0) return Status();
  for (int64_t row = 0; row < batch.batch.rows->length; ++row) {
    PyRef key = PyRef::steal(PyLong_FromLongLong(row));
    PyRef exception = PyRef::share(key ? PyDict_GetItemWithError(errors, key.get()) : nullptr);
    if (!exception) continue;
    CLUTCH_RETURN_IF_ERROR(settle_row(batch, row, row_error(gil, batch, row, exception.get(), described)));
  }
  return Status();
}

// A row and the list of its results.
Status StreamAsyncExecutor::take_row(const Gil& gil, Batch& batch, PyObject* pair, int& described) {
  const int64_t row = PyLong_AsLongLong(PyTuple_GetItem(pair, 0));
  PyObject* results = PyTuple_GetItem(pair, 1);
  const int64_t before = outputs_.origin_count();
  for (Py_ssize_t i = 0; i < PyList_Size(results); ++i) {  // the size anew: user code may change the list
    PyRef result = PyRef::share(PyList_GetItem(results, i));
    if (outputs_.writer().write(result.get(), outputs_.builder())) {
      outputs_.push_origin(row);
      continue;
    }
    PyRef raised = PyErr_Occurred() != nullptr ? take_exception(gil) : PyRef();
    outputs_.truncate_rows(before);
    return settle_row(batch, row, raised ? row_error(gil, batch, row, raised.get(), described) : row_mismatch(row));
  }
  return Status();
}

}  // namespace clutch::pyembed
