#include "fold/groups.h"

#include "clutch/columnar/ops.h"
#include "clutch/columnar/view.h"

namespace clutch::pyembed {
namespace {

using File = Interpreter::File;
using columnar::TypeId;

bool is_number(TypeId id) {
  return (id >= TypeId::kInt8 && id <= TypeId::kUint64) || id == TypeId::kFloat32 || id == TypeId::kFloat64;
}

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
  const FunctionSpec& spec = parts.spec;
  const auto style = find_option(spec.steps.front().options, "style").value_or("pandas");
  CLUTCH_ASSIGN_OR_RETURN(Outputs outputs, Outputs::make(spec, interpreter.module()));
  std::unique_ptr<GroupsExecutor> made(new GroupsExecutor(interpreter, spec, std::move(outputs)));
  PyRef names = PyRef::steal(PyList_New(0));
  for (const columnar::Field& column : spec.input.type.children) {
    CLUTCH_ASSIGN_OR_RETURN(std::unique_ptr<Reader> reader, Reader::make(column, interpreter.module()));
    made->readers_.push_back(std::move(reader));
    PyRef name =
        PyRef::steal(PyUnicode_FromStringAndSize(column.name.data(), static_cast<Py_ssize_t>(column.name.size())));
    if (!names || !name || PyList_Append(names.get(), name.get()) != 0) names.reset();
  }
  PyRef type = interpreter.helper(gil, File::kGroups, "Groups");
  PyRef text = PyRef::steal(PyUnicode_FromStringAndSize(style.data(), static_cast<Py_ssize_t>(style.size())));
  PyRef groups;
  if (type && text && names) {
    groups = PyRef::steal(
        PyObject_CallFunctionObjArgs(type.get(), parts.objects.front()->object(), text.get(), names.get(), nullptr));
  }
  if (groups) {
    made->numbers_ = PyRef::steal(PyObject_GetAttrString(groups.get(), "numbers"));
    made->objects_ = PyRef::steal(PyObject_GetAttrString(groups.get(), "objects"));
    made->run_ = PyRef::steal(PyObject_GetAttrString(groups.get(), "run"));
  }
  if (made->numbers_ && made->objects_ && made->run_) return std::unique_ptr<Executor>(std::move(made));
  return to_status(CLUTCH_ERR_UNSUPPORTED, "whole groups", describe(gil, interpreter, take_exception(gil), false));
}

Status GroupsExecutor::run(const Gil& gil, const Host& host, const clutch_batch& batch, Watch& watch, clutch_error*) {
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
  Status status = run_groups(gil, *batch.rows, keyed, failures);
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

std::vector<int32_t> GroupsExecutor::sort(const KeyedBatch& keyed, std::vector<int32_t>& ret_bounds) {
  ret_bounds.assign(static_cast<size_t>(keyed.groups()) + 1, 0);
  for (int64_t row = 0; row < keyed.rows(); ++row) {
    if (!keyed.skipped(row)) ++ret_bounds[static_cast<size_t>(keyed.group_of(row)) + 1];
  }
  for (size_t i = 1; i < ret_bounds.size(); ++i) ret_bounds[i] += ret_bounds[i - 1];
  std::vector<int32_t> next(ret_bounds.begin(), ret_bounds.end() - 1);
  std::vector<int32_t> order(static_cast<size_t>(ret_bounds.back()));
  for (int64_t row = 0; row < keyed.rows(); ++row) {
    if (keyed.skipped(row)) continue;
    order[static_cast<size_t>(next[static_cast<size_t>(keyed.group_of(row))]++)] = static_cast<int32_t>(row);
  }
  return order;
}

PyRef GroupsExecutor::column(size_t i, const ArrowArray& array) {
  const columnar::Type& type = spec_->input.type.children[i].type;
  if (is_number(type.id)) {
    const columnar::ArrayView view(array);
    const int64_t width = columnar::byte_width(type);
    PyRef kind = PyRef::steal(PyUnicode_FromString(columnar::to_string(type).c_str()));
    PyRef data = PyRef::steal(PyBytes_FromStringAndSize(
        array.length == 0 ? "" : reinterpret_cast<const char*>(view.fixed_at(0, static_cast<int32_t>(width))),
        array.length * width));
    PyRef valid = PyRef::share(Py_None);
    if (!view.no_nulls()) {
      std::string flags(static_cast<size_t>(array.length), '\1');
      for (int64_t row = 0; row < array.length; ++row) {
        if (view.is_null(row)) flags[static_cast<size_t>(row)] = '\0';
      }
      valid = PyRef::steal(PyBytes_FromStringAndSize(flags.data(), static_cast<Py_ssize_t>(flags.size())));
    }
    if (!kind || !data || !valid) return {};
    return PyRef::steal(PyObject_CallFunctionObjArgs(numbers_.get(), kind.get(), data.get(), valid.get(), nullptr));
  }
  PyRef list = PyRef::steal(PyList_New(array.length));
  Reader& reader = *readers_[i];
  bool good = list && reader.bind(array);
  for (int64_t row = 0; good && row < array.length; ++row) {
    PyObject* value = reader.read(row);
    good = value != nullptr && PyList_SetItem(list.get(), row, value) == 0;
  }
  reader.unbind();
  return good ? PyRef::steal(PyObject_CallFunctionObjArgs(objects_.get(), list.get(), nullptr)) : PyRef();
}

Status GroupsExecutor::run_groups(const Gil& gil, const ArrowArray& rows, const KeyedBatch& keyed, Failures& failures) {
  std::vector<int32_t> bounds;
  const std::vector<int32_t> order = sort(keyed, bounds);
  PyRef columns = PyRef::steal(PyList_New(0));
  for (size_t i = 0; columns && i < readers_.size(); ++i) {
    const columnar::Field& field = spec_->input.type.children[i];
    const columnar::Array visible = columnar::slice(*rows.children[i], rows.offset, rows.length);
    CLUTCH_ASSIGN_OR_RETURN(const columnar::Array sorted, columnar::take(field, *visible, order));
    PyRef made = column(i, *sorted);
    if (!made) return failures.group(gil, "input column \"" + field.name + "\"", "the batch");
    if (PyList_Append(columns.get(), made.get()) != 0) columns.reset();
  }
  PyRef ends = list_of(bounds);
  PyRef given;
  if (columns && ends) {
    given = PyRef::steal(PyObject_CallFunctionObjArgs(run_.get(), columns.get(), ends.get(), nullptr));
  }
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
