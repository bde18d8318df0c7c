#include "fold/groups.h"

#include "clutch/columnar/ops.h"

namespace clutch::pyembed {
namespace {

using File = Interpreter::File;
PyRef list_of(const std::vector<int32_t>& numbers) {
  PyRef list = PyRef::steal(PyList_New(static_cast<Py_ssize_t>(numbers.size())));
  for (size_t i = 0; list && i < numbers.size(); ++i) {
    PyObject* number = PyLong_FromLong(numbers[i]);
    if (number == nullptr) return {};
    PyList_SetItem(list.get(), static_cast<Py_ssize_t>(i), number);
  }
  return list;
}

}  // namespace

Result<std::unique_ptr<Executor>> GroupsExecutor::make(const Gil& gil, const Parts& parts) {
  Interpreter& interpreter = parts.interpreter;
  CLUTCH_ASSIGN_OR_RETURN(ColumnArguments arguments, ColumnArguments::make(gil, interpreter, parts.spec));
  CLUTCH_ASSIGN_OR_RETURN(Outputs outputs, Outputs::make(parts.spec, interpreter.module()));
  std::unique_ptr<GroupsExecutor> made(
      new GroupsExecutor(interpreter, parts.spec, std::move(arguments), std::move(outputs)));
  PyRef type = interpreter.helper(gil, File::kGroups, "Groups");
  made->unfit_ = interpreter.helper(gil, File::kColumns, "Unfit");
  PyRef groups;
  if (type && made->unfit_) {
    groups = PyRef::steal(PyObject_CallFunctionObjArgs(type.get(), parts.objects.front()->object(),
                                                       made->arguments_.maker(), made->arguments_.plans(), nullptr));
  }
  if (groups) {
    made->columns_ = PyRef::steal(PyObject_GetAttrString(groups.get(), "columns"));
    made->run_ = PyRef::steal(PyObject_GetAttrString(groups.get(), "run"));
  }
  if (made->columns_ && made->run_) return std::unique_ptr<Executor>(std::move(made));
  return style_failed(gil, interpreter, made->arguments_.style());
}

Status GroupsExecutor::run(const Gil& gil, const Host& host, const clutch_batch& batch, Watch& watch,
                           clutch_error* error) {
  CLUTCH_ASSIGN_OR_RETURN(const KeyedBatch keyed, KeyedBatch::make(*spec_, batch));
  Failures failures(*interpreter_, *spec_, host, batch, watch);
  for (int64_t row = 0; keyed.any_kinds() && row < keyed.rows(); ++row) {
    if (!keyed.retracts(row) || keyed.skipped(row)) continue;
    return failures.plain(CLUTCH_ERR_UNSUPPORTED,
                          "takes whole groups, and row " + std::to_string(row) +
                              " takes back an earlier row; send rows that are only added, or use table.aggregate");
  }
  if (!keyed.merges().empty()) {
    return failures.plain(CLUTCH_ERR_UNSUPPORTED,
                          "takes whole groups and keeps nothing that could be merged; send the rows of both groups as "
                          "one group");
  }
  CLUTCH_RETURN_IF_ERROR(failures.poll(0));
  const Groups groups = sort(keyed);
  CLUTCH_ASSIGN_OR_RETURN(std::shared_ptr<Kept> kept, keep(host, batch, groups, error));
  Status status;
  PyRef made = columns(gil, std::move(kept), groups, failures, status);
  if (status.ok()) status = run_groups(gil, std::move(made), groups, keyed, failures);
  if (status.ok()) status = failures.poll(keyed.rows());
  if (!status.ok()) outputs_.clear();
  return status;
}

int32_t GroupsExecutor::emit(const Host& host, const clutch_batch& batch, clutch_error* error) {
  Outputs::Finished finished = outputs_.finish(batch.rows->length);
  if (finished.length == 0) return CLUTCH_OK;
  ArrowArray rows = finished.rows.detach();
  ArrowArray origin = finished.origin.detach();
  return host.host->emit(batch.context, CLUTCH_TAG_MAIN, &rows, &origin, error);
}

GroupsExecutor::Groups GroupsExecutor::sort(const KeyedBatch& keyed) {
  Groups groups;
  groups.bounds.assign(static_cast<size_t>(keyed.groups()) + 1, 0);
  for (int64_t row = 0; row < keyed.rows(); ++row) {
    if (!keyed.skipped(row)) ++groups.bounds[static_cast<size_t>(keyed.group_of(row)) + 1];
  }
  for (size_t i = 1; i < groups.bounds.size(); ++i) groups.bounds[i] += groups.bounds[i - 1];
  std::vector<int32_t> next(groups.bounds.begin(), groups.bounds.end() - 1);
  groups.order.resize(static_cast<size_t>(groups.bounds.back()));
  groups.in_order = groups.bounds.back() == keyed.rows();
  for (int64_t row = 0; row < keyed.rows(); ++row) {
    if (keyed.skipped(row)) continue;
    const int32_t place = next[static_cast<size_t>(keyed.group_of(row))]++;
    groups.order[static_cast<size_t>(place)] = static_cast<int32_t>(row);
    groups.in_order = groups.in_order && place == row;
  }
  return groups;
}

Result<std::shared_ptr<Kept>> GroupsExecutor::keep(const Host& host, const clutch_batch& batch, const Groups& groups,
                                                   clutch_error* error) const {
  if (groups.in_order) return Kept::make(host, spec_->input, batch, error);
  std::vector<columnar::Array> sorted;
  for (size_t i = 0; i < spec_->input.type.children.size(); ++i) {
    const columnar::Array visible = columnar::slice(*batch.rows->children[i], batch.rows->offset, batch.rows->length);
    CLUTCH_ASSIGN_OR_RETURN(columnar::Array column,
                            columnar::take(spec_->input.type.children[i], *visible, groups.order));
    sorted.push_back(std::move(column));
  }
  return Kept::of(columnar::make_batch(static_cast<int64_t>(groups.order.size()), std::move(sorted)));
}

PyRef GroupsExecutor::columns(const Gil& gil, std::shared_ptr<Kept> kept, const Groups& groups, Failures& failures,
                              Status& status) {
  PartMaker maker = arguments_.part_maker(kept, static_cast<int64_t>(groups.order.size()));
  PyRef count = PyRef::steal(PyLong_FromLongLong(maker.count));
  PyRef capsule = PyRef::steal(Kept::make_capsule(std::move(kept)));
  PyRef parts;
  if (arguments_.style() == Style::kArrow) {
    parts = PyRef::steal(PyList_New(0));
    for (size_t i = 0; parts && i + 1 < groups.bounds.size(); ++i) {
      maker.count = groups.bounds[i + 1] - groups.bounds[i];
      PyRef of_group = arguments_.parts(maker, groups.bounds[i]);
      if (!of_group || PyList_Append(parts.get(), of_group.get()) != 0) parts.reset();
    }
  } else {
    parts = arguments_.parts(maker, 0);
  }
  PyRef made;
  if (parts && count && capsule) {
    made = PyRef::steal(PyObject_CallFunctionObjArgs(columns_.get(), parts.get(), count.get(), capsule.get(), nullptr));
  }
  if (made) return made;
  if (maker.failed_row >= 0) {
    status = failures.reading(gil, groups.order[static_cast<size_t>(maker.failed_row)], maker.failed_column);
    return {};
  }
  PyRef exception = take_exception(gil);
  if (exception && PyObject_IsInstance(exception.get(), unfit_.get()) == 1) {
    PyRef at = PyRef::steal(PyObject_GetAttrString(exception.get(), "row"));
    PyRef text = PyRef::steal(PyObject_Str(exception.get()));
    const long row = at ? PyLong_AsLong(at.get()) : -1;
    PyErr_Clear();
    if (row >= 0) {
      status = failures.unfit(groups.order[static_cast<size_t>(row)], to_text(text));
      return {};
    }
  }
  if (exception) PyErr_SetObject(reinterpret_cast<PyObject*>(Py_TYPE(exception.get())), exception.get());
  status = failures.group(gil, "making the columns", "the batch");
  return {};
}

Status GroupsExecutor::run_groups(const Gil& gil, PyRef columns, const Groups& groups, const KeyedBatch& keyed,
                                  Failures& failures) {
  PyRef bounds = list_of(groups.bounds);
  PyRef given;
  if (bounds) {
    given = PyRef::steal(PyObject_CallFunctionObjArgs(run_.get(), columns.get(), bounds.get(), nullptr));
  }
  columns.reset();
  if (!given) return failures.group(gil, "making the groups", "the batch");
  PyObject* results = PyTuple_GetItem(given.get(), 0);
  const auto count = static_cast<int32_t>(PyList_Size(results));
  for (int32_t group = 0; group < count; ++group) {
    if (outputs_.writer().write(PyList_GetItem(results, group), outputs_.builder())) {
      outputs_.push_origin(group);
      continue;
    }
    if (PyErr_Occurred() != nullptr) return failures.group(gil, "result", keyed.key_text(group));
    return failures.misfit("result", keyed.key_text(group), "result", outputs_.writer().take_mismatch());
  }
  PyObject* exception = PyTuple_GetItem(given.get(), 2);
  if (exception == Py_None) return {};
  PyErr_SetObject(reinterpret_cast<PyObject*>(Py_TYPE(exception)), exception);
  return failures.group(gil, to_text(PyTuple_GetItem(given.get(), 1)), keyed.key_text(count));
}

}  // namespace clutch::pyembed
