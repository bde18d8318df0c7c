#include "fold/fold.h"

#include <algorithm>

#include "clutch/abi/spec.h"

namespace clutch::pyembed {
namespace {

using File = Interpreter::File;

constexpr int64_t kStretch = 1024;  // (unit: rows) between two looks at deadline and cancellation

PyRef call_two(PyObject* function, PyObject* first, PyObject* second) {
  PyObject* stack[3] = {nullptr, first, second};
  return PyRef::steal(slots().vectorcall(function, stack + 1, 2 | kArgsOffset, nullptr));
}

// One row of a result, as for table.table: not an iterable of rows.
bool is_one_row(const Module& module, PyObject* value) {
  return PyTuple_Check(value) || PyDict_Check(value) || PyUnicode_Check(value) || PyBytes_Check(value) ||
         module.is_row(value);
}

}  // namespace

Result<std::unique_ptr<Executor>> FoldExecutor::make(const Gil& gil, const Parts& parts) {
  Interpreter& interpreter = parts.interpreter;
  const FunctionSpec& spec = parts.spec;
  const bool many = spec.steps.front().kind == CLUTCH_KIND_TABLE_TABLE_AGGREGATE;
  const auto raised = [&] {
    return to_status(CLUTCH_ERR_LOAD, "its methods", describe(gil, interpreter, take_exception(gil), true));
  };
  PyRef find = interpreter.helper(gil, File::kFold, "methods");
  PyRef names = PyRef::steal(Py_BuildValue("(sssss)", "create_accumulator", "accumulate", "retract", "merge",
                                           many ? "emit_value" : "get_value"));
  PyRef found;
  if (find && names) {
    found =
        PyRef::steal(PyObject_CallFunctionObjArgs(find.get(), parts.objects.front()->object(), names.get(), nullptr));
  }
  if (!found) return raised();
  const auto method = [&found](Py_ssize_t i) {
    PyObject* of = PyTuple_GetItem(found.get(), i);
    return of == Py_None ? PyRef() : PyRef::share(of);
  };
  CLUTCH_ASSIGN_OR_RETURN(Accumulators accumulators, Accumulators::make(gil, parts, method(0)));
  CLUTCH_ASSIGN_OR_RETURN(Inputs inputs, Inputs::make(spec, interpreter.module()));
  CLUTCH_ASSIGN_OR_RETURN(Outputs outputs, Outputs::make(spec, interpreter.module()));
  std::unique_ptr<FoldExecutor> made(
      new FoldExecutor(interpreter, spec, std::move(inputs), std::move(outputs), std::move(accumulators)));
  made->accumulate_ = method(1);
  made->retract_ = method(2);
  made->merge_ = method(3);
  made->result_ = method(4);
  made->many_ = many;
  // A worker's progress word is a help to find a row that ends the process, which batches by group are not cut for.
  const bool row_deadlines = find_option(spec.options, "python.row-deadline").value_or("0") != "0";
  made->row_by_row_ = spec.on_error != CLUTCH_ON_ERROR_FAIL || (parts.exact_progress && row_deadlines);
  PyRef make_loop = interpreter.helper(gil, File::kFold, "make_fold");
  PyRef width = PyRef::steal(PyLong_FromSize_t(spec.input.type.children.size()));
  if (!make_loop || !width) return raised();
  made->loop_ = PyRef::steal(PyObject_CallFunctionObjArgs(make_loop.get(), width.get(), Py_False, nullptr));
  made->mixed_loop_ = PyRef::steal(PyObject_CallFunctionObjArgs(make_loop.get(), width.get(), Py_True, nullptr));
  if (!made->loop_ || !made->mixed_loop_) return raised();
  return std::unique_ptr<Executor>(std::move(made));
}

Status FoldExecutor::run(const Gil& gil, const Host& host, const clutch_batch& batch, Watch& watch,
                         clutch_error* error) {
  CLUTCH_ASSIGN_OR_RETURN(const KeyedBatch keyed, KeyedBatch::make(*spec_, batch));
  Failures failures(*interpreter_, *spec_, host, batch, watch);
  CLUTCH_RETURN_IF_ERROR(check(keyed, failures));
  Batch state{keyed, failures, watch, error};
  const auto fold = [&]() -> Status {
    CLUTCH_RETURN_IF_ERROR(accumulators_.load(gil, host, batch, keyed, failures));
    CLUTCH_RETURN_IF_ERROR(run_merges(gil, state));
    if (!inputs_.bind(*batch.rows)) return failures.group(gil, "reading the rows", "the batch");
    for (int64_t row = 0; row < keyed.rows(); row += kStretch) {
      CLUTCH_RETURN_IF_ERROR(failures.poll(row));
      const int64_t last = std::min(row + kStretch, keyed.rows());
      CLUTCH_RETURN_IF_ERROR(row_by_row_ ? run_rows(gil, state, row, last) : run_stretch(gil, state, row, last));
    }
    CLUTCH_RETURN_IF_ERROR(run_results(gil, state));
    // User code that swallowed the interruption, or a row that ended just before it: too late all the same.
    CLUTCH_RETURN_IF_ERROR(failures.poll(keyed.rows()));
    return accumulators_.store(gil, host, batch, keyed, failures);
  };
  Status status = fold();
  inputs_.unbind();
  lists_.clear();
  if (status.ok()) {
    accumulators_.end(keyed);
  } else {
    accumulators_.drop();
    outputs_.clear();
  }
  return status;
}

int32_t FoldExecutor::emit(const Host& host, const clutch_batch& batch, clutch_error* error) {
  Outputs::Finished finished = outputs_.finish(batch.rows->length);
  if (finished.length == 0) return CLUTCH_OK;
  ArrowArray rows = finished.rows.detach();
  ArrowArray origin = finished.origin.detach();
  return host.host->emit(batch.context, CLUTCH_TAG_MAIN, &rows, &origin, error);
}

// What the function lacks is said before anything of the batch has an effect.
Status FoldExecutor::check(const KeyedBatch& keyed, const Failures& failures) const {
  if (keyed.any_kinds() && !retract_) {
    for (int64_t row = 0; row < keyed.rows(); ++row) {
      if (!keyed.retracts(row) || keyed.skipped(row)) continue;
      return failures.plain(CLUTCH_ERR_UNSUPPORTED,
                            "has no retract(), and row " + std::to_string(row) +
                                " takes back an earlier row; define retract(accumulator, ...), or send rows that are "
                                "only added");
    }
  }
  if (!keyed.merges().empty() && !merge_) {
    const Merge& merge = keyed.merges().front();
    return failures.plain(CLUTCH_ERR_UNSUPPORTED, "has no merge(), and " + keyed.key_text(merge.from) +
                                                      " is merged into " + keyed.key_text(merge.into) +
                                                      "; define merge(accumulator, accumulators)");
  }
  return {};
}

Status FoldExecutor::run_merges(const Gil& gil, Batch& batch) {
  const std::vector<Merge>& merges = batch.keyed.merges();
  for (size_t i = 0; i < merges.size();) {
    // One call for all that go into the same group one after the other, each once.
    PyRef others = PyRef::steal(PyList_New(0));
    const int32_t into = merges[i].into;
    std::vector<int32_t> gone;
    for (; i < merges.size() && merges[i].into == into; ++i) {
      if (std::find(gone.begin(), gone.end(), merges[i].from) != gone.end()) continue;
      gone.push_back(merges[i].from);
      if (others && PyList_Append(others.get(), accumulators_.at(merges[i].from)) != 0) others.reset();
    }
    accumulators_.touch(into);
    if (!others || !call_two(merge_.get(), accumulators_.at(into), others.get())) {
      return batch.failures.group(gil, "merge()", batch.keyed.key_text(into));
    }
    for (const int32_t from : gone) {
      CLUTCH_RETURN_IF_ERROR(accumulators_.clear(gil, from, batch.keyed, batch.failures));
    }
  }
  return {};
}

Status FoldExecutor::run_rows(const Gil& gil, Batch& batch, int64_t first, int64_t last) {
  const bool goes_on = spec_->on_error != CLUTCH_ON_ERROR_FAIL;
  std::vector<PyObject*> stack(2 + inputs_.count());
  std::vector<PyRef> arguments(inputs_.count());
  for (int64_t row = first; row < last; ++row) {
    if (batch.keyed.skipped(row)) continue;
    store_row(batch.watch.progress, row);
    const int32_t group = batch.keyed.group_of(row);
    if (goes_on) CLUTCH_RETURN_IF_ERROR(accumulators_.remember(gil, group, batch.keyed, batch.failures));
    Status status;
    bool fatal = false;
    stack[1] = accumulators_.at(group);
    for (size_t i = 0; i < arguments.size() && status.ok(); ++i) {
      arguments[i] = PyRef::steal(inputs_.reader(i).read(inputs_.first() + row));
      if (!arguments[i]) status = batch.failures.reading(gil, row, spec_->input.type.children[i].name);
      stack[2 + i] = arguments[i].get();
    }
    if (status.ok()) {
      const PyRef given = PyRef::steal(slots().vectorcall(function_of(batch.keyed, row), stack.data() + 1,
                                                          (1 + arguments.size()) | kArgsOffset, nullptr));
      if (given) {
        accumulators_.touch(group);
        continue;
      }
      status = batch.failures.row(gil, row, batch.keyed.retracts(row) ? " retract()" : "", fatal);
    }
    if (fatal || !goes_on) return status;
    CLUTCH_RETURN_IF_ERROR(accumulators_.bring_back(gil, group, batch.keyed, batch.failures));
    CLUTCH_RETURN_IF_ERROR(batch.failures.drop_row(row, status, batch.error));
  }
  return {};
}

int64_t FoldExecutor::gather(const Batch& batch, int64_t first, int64_t last, size_t& ret_column) {
  called_.clear();
  for (int64_t row = first; row < last; ++row) {
    if (!batch.keyed.skipped(row)) called_.push_back(row);
  }
  const bool all = static_cast<int64_t>(called_.size()) == last - first;
  const auto count = static_cast<Py_ssize_t>(called_.size());
  lists_.clear();
  lists_.resize(2 + inputs_.count());
  read_.resize(static_cast<size_t>(count));
  const auto make_list = [this, count](size_t at) {
    lists_[at] = PyRef::steal(PyList_New(count));
    if (!lists_[at]) throw std::bad_alloc();
    for (Py_ssize_t i = 0; i < count; ++i) PyList_SetItem(lists_[at].get(), i, read_[static_cast<size_t>(i)]);
  };
  for (size_t column = 0; column < inputs_.count(); ++column) {
    Reader& reader = inputs_.reader(column);
    int64_t done = 0;
    if (all) {
      done = reader.read_many(inputs_.first() + first, count, read_.data());
    } else {
      for (; done < count; ++done) {
        PyObject* value = reader.read(inputs_.first() + called_[static_cast<size_t>(done)]);
        if (value == nullptr) break;
        read_[static_cast<size_t>(done)] = value;
      }
    }
    if (done < count) {
      for (int64_t i = 0; i < done; ++i) Py_DECREF(read_[static_cast<size_t>(i)]);
      ret_column = column;
      return called_[static_cast<size_t>(done)];
    }
    make_list(2 + column);
  }
  for (size_t i = 0; i < called_.size(); ++i) {
    const int32_t group = batch.keyed.group_of(called_[i]);
    accumulators_.touch(group);
    read_[i] = fresh(accumulators_.at(group));
  }
  make_list(0);
  bool retracts = false;
  for (const int64_t row : called_) retracts = retracts || batch.keyed.retracts(row);
  if (retracts) {
    for (size_t i = 0; i < called_.size(); ++i) read_[i] = fresh(function_of(batch.keyed, called_[i]));
    make_list(1);
  }
  return last;
}

Status FoldExecutor::run_stretch(const Gil& gil, Batch& batch, int64_t first, int64_t last) {
  store_row(batch.watch.progress, first);
  size_t column = 0;
  if (const int64_t stopped = gather(batch, first, last, column); stopped < last) {
    // The rows before it come first: one of them may fail.
    Status status = batch.failures.reading(gil, stopped, spec_->input.type.children[column].name);
    if (stopped > first) CLUTCH_RETURN_IF_ERROR(run_stretch(gil, batch, first, stopped));
    return status;
  }
  if (called_.empty()) return {};
  const bool mixed = static_cast<bool>(lists_[1]);
  // With several functions they come in the list behind the accumulators, and the place of the one is not used.
  std::vector<PyObject*> arguments{nullptr, mixed ? Py_None : accumulate_.get(), lists_[0].get()};
  if (mixed) arguments.push_back(lists_[1].get());
  for (size_t i = 2; i < lists_.size(); ++i) arguments.push_back(lists_[i].get());
  PyRef failed = PyRef::steal(slots().vectorcall((mixed ? mixed_loop_ : loop_).get(), arguments.data() + 1,
                                                 (arguments.size() - 1) | kArgsOffset, nullptr));
  if (failed && failed.get() == Py_None) return {};
  int64_t row = first;
  if (failed) {
    const long at = PyLong_AsLong(PyTuple_GetItem(failed.get(), 0));
    if (at >= 0 && static_cast<size_t>(at) < called_.size()) row = called_[static_cast<size_t>(at)];
    PyObject* exception = PyTuple_GetItem(failed.get(), 1);
    PyErr_Clear();
    PyErr_SetObject(reinterpret_cast<PyObject*>(Py_TYPE(exception)), exception);
  }
  bool fatal = false;
  return batch.failures.row(gil, row, batch.keyed.retracts(row) ? " retract()" : "", fatal);
}

Status FoldExecutor::run_results(const Gil& gil, Batch& batch) {
  for (int32_t group = 0; group < accumulators_.groups(); ++group) {
    if ((group & 1023) == 1023) CLUTCH_RETURN_IF_ERROR(batch.failures.poll(batch.keyed.rows()));
    if (accumulators_.merged_away(group)) continue;
    PyObject* stack[2] = {nullptr, accumulators_.at(group)};
    const PyRef result = PyRef::steal(slots().vectorcall(result_.get(), stack + 1, 1 | kArgsOffset, nullptr));
    if (!result) {
      return batch.failures.group(gil, many_ ? "emit_value()" : "get_value()", batch.keyed.key_text(group));
    }
    CLUTCH_RETURN_IF_ERROR(many_ ? write_rows(gil, batch, group, result.get())
                                 : write_result(gil, batch, group, result.get()));
  }
  return {};
}

Status FoldExecutor::write_result(const Gil& gil, Batch& batch, int32_t group, PyObject* result) {
  if (outputs_.writer().write(result, outputs_.builder())) {
    outputs_.push_origin(group);
    return {};
  }
  const char* what = many_ ? "emit_value()" : "get_value()";
  if (PyErr_Occurred() != nullptr) return batch.failures.group(gil, what, batch.keyed.key_text(group));
  return batch.failures.misfit(what, batch.keyed.key_text(group), "result", outputs_.writer().take_mismatch());
}

Status FoldExecutor::write_rows(const Gil& gil, Batch& batch, int32_t group, PyObject* result) {
  if (result == Py_None) return {};
  if (is_one_row(interpreter_->module(), result)) return write_result(gil, batch, group, result);
  PyRef rows = PyRef::steal(PyObject_GetIter(result));
  while (rows) {
    PyRef row = PyRef::steal(PyIter_Next(rows.get()));
    if (!row) {
      if (PyErr_Occurred() == nullptr) return {};
      break;
    }
    CLUTCH_RETURN_IF_ERROR(write_result(gil, batch, group, row.get()));
  }
  return batch.failures.group(gil, "emit_value()", batch.keyed.key_text(group));
}

}  // namespace clutch::pyembed
