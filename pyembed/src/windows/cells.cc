#include "windows/cells.h"

#include <algorithm>
#include <tuple>

#include "clutch/columnar/view.h"
#include "errors/exception.h"
#include "interpreter/slots.h"
#include "plan/callback.h"

namespace clutch::pyembed {
namespace {

using File = Interpreter::File;
using columnar::ArrayView;

constexpr int64_t kFew = 8;  // (unit: rows) fewer are called from here and not from the loop in Python
constexpr char kLabel[] = "the window";

columnar::Field simple(const char* name, columnar::TypeId id) {
  columnar::Field field;
  field.name = name;
  field.type.id = id;
  field.nullable = false;
  return field;
}

// Objects that no code can change in place.
bool is_scalar(PyObject* object) {
  return object == Py_None || PyLong_CheckExact(object) || PyFloat_CheckExact(object) || PyUnicode_CheckExact(object) ||
         PyBool_Check(object) || PyBytes_CheckExact(object);
}

}  // namespace

WindowName window_name(int64_t start, int64_t end) {
  WindowName name;
  size_t at = 0;
  for (const int64_t part : {start, end}) {
    for (int shift = 56; shift >= 0; shift -= 8) {
      name[at++] = static_cast<char>((static_cast<uint64_t>(part) >> shift) & 0xff);
    }
  }
  return name;
}

Result<WindowCells> WindowCells::make(const Gil& gil, const Executor::Parts& parts, const columnar::Field& element,
                                      StoredStates& stored) {
  const FunctionSpec& spec = parts.spec;
  const Module& module = parts.interpreter.module();
  WindowCells made(stored);
  made.reduces_ = spec.steps.front().kind == CLUTCH_KIND_STREAM_WINDOW_REDUCE;
  made.goes_on_ = spec.on_error != CLUTCH_ON_ERROR_FAIL;
  const bool row_deadlines = find_option(spec.options, "python.row-deadline").value_or("0") != "0";
  made.row_by_row_ = made.goes_on_ || (parts.exact_progress && row_deadlines);
  const auto type = find_option(spec.steps.front().options, "accumulator");
  columnar::Field accumulator = element;
  accumulator.name = "accumulator";
  const bool typed = type && !type->empty();
  Result<Coder> coder =
      made.reduces_ ? Coder::make(std::move(accumulator), module)
                    : Coder::make("accumulator", typed ? std::optional<std::string>(*type) : std::nullopt, module);
  if (!coder.ok()) return std::move(coder).status().prefixed(made.reduces_ ? "column value" : "option accumulator");
  const clutch_state_declaration declaration{sizeof(declaration), CLUTCH_STATE_MAP, to_str("window-contents"), 0, 0, 0};
  CLUTCH_ASSIGN_OR_RETURN(made.state_, stored.add(parts.host, parts.context, declaration, kLabel, *std::move(coder)));
  PyRef methods = parts.interpreter.helper(gil, File::kFold, "methods");
  PyRef make_loop = parts.interpreter.helper(gil, File::kWindows, "make_fold");
  PyRef names = PyRef::steal(Py_BuildValue("(sss)", "create_accumulator", "get_result", "merge"));
  PyRef found;
  if (methods && make_loop && names) {
    found = PyRef::steal(
        PyObject_CallFunctionObjArgs(methods.get(), parts.objects.front()->object(), names.get(), nullptr));
  }
  if (found)
    made.loop_ =
        PyRef::steal(PyObject_CallFunctionObjArgs(make_loop.get(), made.reduces_ ? Py_True : Py_False, nullptr));
  made.absent_ = PyRef::steal(PyObject_CallObject(reinterpret_cast<PyObject*>(&PyBaseObject_Type), nullptr));
  if (!found || !made.loop_ || !made.absent_) {
    return to_status(CLUTCH_ERR_LOAD, "its methods", describe(gil, parts.interpreter, take_exception(gil), true));
  }
  const auto method = [&found](Py_ssize_t i) {
    PyObject* of = PyTuple_GetItem(found.get(), i);
    return of == Py_None ? PyRef() : PyRef::share(of);
  };
  made.add_ = PyRef::share(parts.objects.front()->callable());
  if (made.reduces_) {
    made.merge_ = PyRef::share(made.add_);
  } else {
    made.create_ = method(0);
    made.result_ = method(1);
    made.merge_ = method(2);
  }
  return made;
}

Status WindowCells::begin(const Gil& gil, Batch& batch) {
  CLUTCH_RETURN_IF_ERROR(declare(batch));
  contents_ = PyRef::steal(PyList_New(static_cast<Py_ssize_t>(cells_.size())));
  if (!contents_) return batch.failures.group(gil, "making cells", "the batch");
  for (size_t i = 0; i < cells_.size(); ++i) put(static_cast<int32_t>(i), PyRef::share(absent_));
  return load(gil, batch);
}

Status WindowCells::declare(Batch& batch) {
  cells_.clear();
  std::vector<int32_t> declared;
  for (int64_t row = 0; row < batch.keyed.rows(); ++row) {
    if (batch.events.op(row) != WindowOp::kCell) continue;
    const int32_t number = batch.events.cell(row);
    if (static_cast<size_t>(number) >= cells_.size()) cells_.resize(static_cast<size_t>(number) + 1);
    Cell& cell = cells_[static_cast<size_t>(number)];
    if (cell.group >= 0) {
      return batch.failures.plain(
          CLUTCH_ERR_DATA,
          "input: row " + std::to_string(row) + " declares cell " + std::to_string(number) + " for a second time",
          CLUTCH_ORIGIN_HOST);
    }
    cell.group = batch.keyed.group_of(row);
    cell.start = batch.events.start(row);
    cell.end = batch.events.end(row);
    declared.push_back(number);
  }
  // Two cells of one name would overwrite each other.
  const auto name = [this](int32_t number) {
    const Cell& cell = cells_[static_cast<size_t>(number)];
    return std::tuple(cell.group, cell.start, cell.end);
  };
  std::sort(declared.begin(), declared.end(), [&](int32_t a, int32_t b) { return name(a) < name(b); });
  const auto twice =
      std::adjacent_find(declared.begin(), declared.end(), [&](int32_t a, int32_t b) { return name(a) == name(b); });
  if (twice == declared.end()) return {};
  return batch.failures.plain(CLUTCH_ERR_DATA,
                              "input: " + where(batch, cells_[static_cast<size_t>(*twice)]) + " has two cells",
                              CLUTCH_ORIGIN_HOST);
}

Status WindowCells::load(const Gil& gil, Batch& batch) {
  columnar::ArrayBuilder asked(
      columnar::struct_of({simple("key", columnar::TypeId::kInt32), simple("map_key", columnar::TypeId::kBinary)}));
  int64_t rows = 0;
  std::vector<int32_t> numbers;
  for (size_t i = 0; i < cells_.size(); ++i) {
    Cell& cell = cells_[i];
    if (cell.group < 0) continue;
    cell.asked = rows++;
    numbers.push_back(static_cast<int32_t>(i));
    asked.child(0).append<int32_t>(cell.group);
    CLUTCH_RETURN_IF_ERROR(asked.child(1).append_bytes(text_of(window_name(cell.start, cell.end))));
    asked.append_struct();
  }
  if (rows == 0) return {};
  const columnar::Array keys = asked.finish();
  if (!stored_->look_up(state_, *keys, found_)) return batch.failures.group(gil, "reading its windows", "the batch");
  if (found_->length != rows) {
    return batch.failures.plain(CLUTCH_ERR_DATA, "got windows in another number than it asked for", CLUTCH_ORIGIN_HOST);
  }
  const ArrayView values(*found_->children[0]);
  std::vector<int32_t> there;
  std::vector<std::string_view> bytes;
  for (int64_t row = 0; row < rows; ++row) {
    if (values.is_null(found_->offset + row)) continue;
    there.push_back(numbers[static_cast<size_t>(row)]);
    bytes.push_back(values.bytes_at<int32_t>(found_->offset + row));
  }
  std::vector<PyRef> objects;
  const size_t done = stored_->coder(state_, 0).decode_many(bytes, kLabel, objects);
  if (done < bytes.size()) {
    return batch.failures.group(gil, "reading the accumulator", where(batch, cells_[static_cast<size_t>(there[done])]));
  }
  for (size_t i = 0; i < done; ++i) put(there[i], std::move(objects[i]));
  return {};
}

WindowCells::Cell* WindowCells::cell(const Batch& batch, int64_t row, int32_t number, Status& ret_status) {
  if (static_cast<size_t>(number) < cells_.size()) [[likely]] {
    Cell& cell = cells_[static_cast<size_t>(number)];
    if (cell.group == batch.keyed.group_of(row)) [[likely]]
      return &cell;
  }
  ret_status =
      batch.failures.plain(CLUTCH_ERR_DATA,
                           "input: row " + std::to_string(row) + " is about cell " + std::to_string(number) +
                               ", which was not declared for " + batch.keyed.key_text(batch.keyed.group_of(row)),
                           CLUTCH_ORIGIN_HOST);
  return nullptr;
}

PyRef WindowCells::call_add(PyObject* accumulator, PyObject* value) const {
  PyObject* stack[3] = {nullptr, reduces_ ? accumulator : value, reduces_ ? value : accumulator};
  return PyRef::steal(slots().vectorcall(add_.get(), stack + 1, 2 | kArgsOffset, nullptr));
}

Status WindowCells::create(const Gil& gil, Batch& batch, const Cell& cell, int32_t number) {
  PyRef made = PyRef::steal(PyObject_CallObject(create_.get(), nullptr));
  if (!made) return batch.failures.group(gil, "create_accumulator()", where(batch, cell));
  put(number, std::move(made));
  return {};
}

Status WindowCells::add(const Gil& gil, Batch& batch, int64_t first, int64_t last) {
  store_row(batch.watch.progress, first);
  if (!row_by_row_ && last - first >= kFew) return add_many(gil, batch, first, last);
  for (int64_t row = first; row < last; ++row) {
    if (batch.events.op(row) != WindowOp::kAdd) continue;
    store_row(batch.watch.progress, row);
    CLUTCH_RETURN_IF_ERROR(goes_on_ ? add_careful(gil, batch, row) : add_one(gil, batch, row));
  }
  return {};
}

Status WindowCells::add_one(const Gil& gil, Batch& batch, int64_t row) {
  Status status;
  const int32_t number = batch.events.cell(row);
  Cell* of = cell(batch, row, number, status);
  if (of == nullptr) return status;
  PyRef value = PyRef::steal(batch.events.reader(0).read(batch.events.first() + row));
  if (!value) return batch.failures.reading(gil, row, batch.events.column(0).name);
  if (contents(number) == absent_.get()) {
    if (reduces_) {
      put(number, std::move(value));
      of->touched = true;
      return {};
    }
    CLUTCH_RETURN_IF_ERROR(create(gil, batch, *of, number));
  }
  // Held: user code can reach it by no other way, but the list gives it up when it is replaced.
  const PyRef before = PyRef::share(contents(number));
  PyRef after = call_add(before.get(), value.get());
  if (!after) return batch.failures.row(gil, row, "", fatal_);
  put(number, std::move(after));
  of->touched = true;
  return {};
}

Status WindowCells::add_careful(const Gil& gil, Batch& batch, int64_t row) {
  Status status;
  const int32_t number = batch.events.cell(row);
  Cell* of = cell(batch, row, number, status);
  if (of == nullptr) return status;
  fatal_ = false;
  const bool touched = of->touched;
  const PyRef before = PyRef::share(contents(number));
  Coder& coder = stored_->coder(state_, 0);
  PyRef copy;  // as bytes, where the object may be changed in place
  if (before.get() != absent_.get() && !is_scalar(before.get())) {
    copy = PyRef::steal(coder.encode(before.get(), kLabel));
    if (!copy) return batch.failures.group(gil, "copying the accumulator", where(batch, *of));
  }
  status = add_one(gil, batch, row);
  if (status.ok() && contents(number) != before.get() && !is_scalar(contents(number))) {
    // What cannot be stored is the row's fault, and not the batch's.
    if (!PyRef::steal(coder.encode(contents(number), kLabel))) status = batch.failures.row(gil, row, "", fatal_);
  }
  if (status.ok() || fatal_) return status;
  of->touched = touched;
  PyRef again = PyRef::share(before);
  if (copy) {
    char* data = nullptr;
    Py_ssize_t size = 0;
    PyBytes_AsStringAndSize(copy.get(), &data, &size);
    again = PyRef::steal(coder.decode({data, static_cast<size_t>(size)}, kLabel));
    if (!again) return batch.failures.group(gil, "copying the accumulator", where(batch, *of));
  }
  put(number, std::move(again));
  return batch.failures.drop_row(row, status, batch.error);
}

Status WindowCells::add_many(const Gil& gil, Batch& batch, int64_t first, int64_t last) {
  const auto count = static_cast<size_t>(last - first);
  Status status;
  read_.resize(count);
  const int64_t done = batch.events.reader(0).read_many(batch.events.first() + first, last - first, read_.data());
  std::vector<PyRef> values;
  values.reserve(count);
  for (int64_t i = 0; i < done; ++i) values.push_back(PyRef::steal(read_[static_cast<size_t>(i)]));
  if (done < last - first) {
    // The rows before it come first: one of them may fail.
    status = batch.failures.reading(gil, first + done, batch.events.column(0).name);
    if (done > 0) CLUTCH_RETURN_IF_ERROR(add(gil, batch, first, first + done));
    return status;
  }
  // Cells and values of the rows that are called, and which those are.
  std::vector<int64_t> called;
  called.reserve(count);
  for (int64_t row = first; row < last; ++row) {
    if (batch.events.op(row) != WindowOp::kAdd) continue;
    const int32_t number = batch.events.cell(row);
    Cell* of = cell(batch, row, number, status);
    if (of == nullptr) return status;
    of->touched = true;
    if (contents(number) == absent_.get()) {
      if (reduces_) {
        put(number, std::move(values[static_cast<size_t>(row - first)]));
        continue;
      }
      CLUTCH_RETURN_IF_ERROR(create(gil, batch, *of, number));
    }
    if (!of->number) of->number = PyRef::steal(PyLong_FromLong(number));
    called.push_back(row);
  }
  const auto length = static_cast<Py_ssize_t>(called.size());
  PyRef order = PyRef::steal(PyList_New(length));
  PyRef given = PyRef::steal(PyList_New(length));
  if (!order || !given) return batch.failures.group(gil, "making cells", "the batch");
  for (Py_ssize_t i = 0; i < length; ++i) {
    const int64_t row = called[static_cast<size_t>(i)];
    PyList_SetItem(order.get(), i, fresh(cells_[static_cast<size_t>(batch.events.cell(row))].number.get()));
    PyList_SetItem(given.get(), i, values[static_cast<size_t>(row - first)].release());
  }
  PyObject* stack[5] = {nullptr, add_.get(), contents_.get(), order.get(), given.get()};
  PyRef failed = PyRef::steal(slots().vectorcall(loop_.get(), stack + 1, 4 | kArgsOffset, nullptr));
  if (failed && failed.get() == Py_None) return {};
  int64_t row = first;
  if (failed) {
    const long at = PyLong_AsLong(PyTuple_GetItem(failed.get(), 0));
    if (at >= 0 && static_cast<size_t>(at) < called.size()) row = called[static_cast<size_t>(at)];
    PyObject* exception = PyTuple_GetItem(failed.get(), 1);
    PyErr_Clear();
    PyErr_SetObject(reinterpret_cast<PyObject*>(Py_TYPE(exception)), exception);
  }
  bool fatal = false;
  return batch.failures.row(gil, row, "", fatal);
}

Status WindowCells::result(const Gil& gil, Batch& batch, int64_t row, PyRef& ret_result) {
  Status status;
  const int32_t number = batch.events.cell(row);
  const Cell* of = cell(batch, row, number, status);
  if (of == nullptr) return status;
  const PyRef accumulator = PyRef::share(contents(number));
  if (accumulator.get() == absent_.get()) return {};
  if (reduces_) {
    ret_result = PyRef::share(accumulator);
    return {};
  }
  PyObject* stack[2] = {nullptr, accumulator.get()};
  ret_result = PyRef::steal(slots().vectorcall(result_.get(), stack + 1, 1 | kArgsOffset, nullptr));
  return ret_result ? Status() : batch.failures.group(gil, "get_result()", where(batch, *of));
}

Status WindowCells::purge(Batch& batch, int64_t row) {
  Status status;
  const int32_t number = batch.events.cell(row);
  Cell* of = cell(batch, row, number, status);
  if (of == nullptr) return status;
  put(number, PyRef::share(absent_));
  of->touched = true;
  return {};
}

Status WindowCells::merge(const Gil& gil, Batch& batch, int64_t row) {
  Status status;
  const int32_t into = batch.events.cell(row), from = batch.events.other(row);
  Cell* target = cell(batch, row, into, status);
  Cell* source = target == nullptr ? nullptr : cell(batch, row, from, status);
  if (source == nullptr) return status;
  PyRef other = PyRef::share(contents(from));
  put(from, PyRef::share(absent_));
  source->touched = true;
  if (other.get() == absent_.get()) return {};
  target->touched = true;
  PyRef before = PyRef::share(contents(into));
  if (before.get() == absent_.get()) {
    put(into, std::move(other));
    return {};
  }
  if (!merge_) {
    return batch.failures.plain(CLUTCH_ERR_UNSUPPORTED, "has no merge(), and " + where(batch, *source) +
                                                            " is merged into " + where(batch, *target) +
                                                            "; define merge(accumulator_a, accumulator_b)");
  }
  PyObject* stack[3] = {nullptr, before.get(), other.get()};
  PyRef merged = PyRef::steal(slots().vectorcall(merge_.get(), stack + 1, 2 | kArgsOffset, nullptr));
  if (!merged) return batch.failures.group(gil, reduces_ ? "merging" : "merge()", where(batch, *target));
  put(into, std::move(merged));
  return {};
}

Status WindowCells::store(const Gil& gil, Batch& batch) {
  if (found_.empty()) return {};  // there are no cells
  std::vector<PyObject*> objects;
  std::vector<int32_t> written;
  columnar::ArrayBuilder changes = StoredStates::changes_builder();
  const ArrayView stored(*found_->children[0]);
  for (size_t i = 0; i < cells_.size(); ++i) {
    const Cell& cell = cells_[i];
    if (!cell.touched) continue;
    PyObject* object = contents(static_cast<int32_t>(i));
    if (object != absent_.get()) {
      objects.push_back(object);
      written.push_back(static_cast<int32_t>(i));
    } else if (!stored.is_null(found_->offset + cell.asked)) {
      StoredStates::add_change(changes, cell.group, CLUTCH_STATE_OP_REMOVE, text_of(window_name(cell.start, cell.end)),
                               std::nullopt);
    }
  }
  std::string bytes;
  std::vector<size_t> ends;
  const size_t done = stored_->coder(state_, 0).encode_many(objects, kLabel, bytes, ends);
  if (done < objects.size()) {
    return batch.failures.group(gil, "storing the accumulator",
                                where(batch, cells_[static_cast<size_t>(written[done])]));
  }
  for (size_t i = 0; i < done; ++i) {
    const Cell& cell = cells_[static_cast<size_t>(written[i])];
    const size_t begin = i == 0 ? 0 : ends[i - 1];
    const std::string_view encoded = std::string_view(bytes).substr(begin, ends[i] - begin);
    const int64_t at = found_->offset + cell.asked;
    if (!stored.is_null(at) && stored.bytes_at<int32_t>(at) == encoded) continue;
    StoredStates::add_change(changes, cell.group, CLUTCH_STATE_OP_PUT, text_of(window_name(cell.start, cell.end)),
                             encoded);
  }
  if (stored_->apply(state_, changes)) return {};
  return batch.failures.group(gil, "storing its windows", "the batch");
}

void WindowCells::end() {
  cells_.clear();
  contents_.reset();
  found_.reset();
}

}  // namespace clutch::pyembed
