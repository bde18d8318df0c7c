#include "state/values.h"

#include <algorithm>

#include "clutch/columnar/view.h"

namespace clutch::pyembed {
namespace {

using columnar::ArrayView;

struct ValueObject {
  PyObject_HEAD ValueCells* cells;  // NULL once the function is closed
};

// The body of a method, which must not throw through the interpreter.
template <typename Body>
PyObject* guarded(PyObject* self, Body&& body) {
  ValueCells* cells = reinterpret_cast<ValueObject*>(self)->cells;
  if (cells == nullptr) [[unlikely]] {
    PyErr_SetString(PyExc_RuntimeError, "this state belongs to a function that is closed");
    return nullptr;
  }
  try {
    return body(*cells);
  } catch (const std::exception&) {
    return PyErr_NoMemory();
  }
}

PyObject* get_value(PyObject* self, PyObject*) {
  return guarded(self, [](ValueCells& cells) { return cells.value(); });
}

PyObject* set_value(PyObject* self, PyObject* value) {
  return guarded(self, [value](ValueCells& cells) { return cells.update(value); });
}

PyObject* clear_value(PyObject* self, PyObject*) {
  return guarded(self, [](ValueCells& cells) { return cells.update(Py_None); });
}

void free_object(PyObject* self) {
  PyTypeObject* type = Py_TYPE(self);
  reinterpret_cast<freefunc>(PyType_GetSlot(type, Py_tp_free))(self);
  Py_DECREF(reinterpret_cast<PyObject*>(type));
}

PyMethodDef kMethods[] = {{"value", get_value, METH_NOARGS, "The value of the current key; None if there is none."},
                          {"update", set_value, METH_O, "Set the value; None removes it."},
                          {"clear", clear_value, METH_NOARGS, "Remove the value."},
                          {nullptr, nullptr, 0, nullptr}};

PyType_Slot kSlots[] = {{Py_tp_methods, kMethods},
                        {Py_tp_dealloc, reinterpret_cast<void*>(&free_object)},
                        {Py_tp_doc, const_cast<char*>("One value for each key.")},
                        {0, nullptr}};

PyType_Spec kSpec = {"clutch.ValueState", sizeof(ValueObject), 0, Py_TPFLAGS_DEFAULT, kSlots};

}  // namespace

PyObject* ValueCells::make_type() { return PyType_FromSpec(&kSpec); }

bool ValueCells::make(PyObject* type) {
  object_ = PyRef::steal(PyType_GenericAlloc(reinterpret_cast<PyTypeObject*>(type), 0));
  if (!object_) return false;
  reinterpret_cast<ValueObject*>(object_.get())->cells = this;
  return true;
}

ValueCells::~ValueCells() {
  if (object_) reinterpret_cast<ValueObject*>(object_.get())->cells = nullptr;
}

void ValueCells::begin(int32_t groups) {
  end();
  cells_.resize(static_cast<size_t>(groups));
}

void ValueCells::end() {
  cells_.clear();
  touched_.clear();
  settled_.clear();
  read_.clear();
  found_.reset();
  failed_at_ = -1;
}

std::optional<std::string_view> ValueCells::stored_bytes(int32_t group) const {
  const Cell& cell = cells_[static_cast<size_t>(group)];
  if (cell.settled) return cell.bytes;
  const ArrayView values(*found_->children[0]);
  const int64_t at = found_->offset + group;
  if (values.is_null(at)) return std::nullopt;
  return values.bytes_at<int32_t>(at);
}

bool ValueCells::read() {
  if (!stored_.read_values(state_, found_)) return false;
  if (found_->length != static_cast<int64_t>(cells_.size())) {
    PyErr_SetString(PyExc_RuntimeError,
                    ("the host gave values of another number of keys for " + stored_.label(state_)).c_str());
    found_.reset();
    return false;
  }
  Coder& coder = stored_.coder(state_, 0);
  if (!coder.typed()) return true;  // unpickled one by one, as they are asked for
  std::vector<int32_t> groups;
  std::vector<std::string_view> bytes;
  for (int32_t group = 0; group < static_cast<int32_t>(cells_.size()); ++group) {
    if (cells_[static_cast<size_t>(group)].object) continue;  // given before it was read
    const auto stored = stored_bytes(group);
    if (!stored) continue;
    groups.push_back(group);
    bytes.push_back(*stored);
  }
  std::vector<PyRef> values;
  if (coder.decode_many(bytes, stored_.label(state_), values) < bytes.size()) return false;
  for (size_t i = 0; i < values.size(); ++i) cells_[static_cast<size_t>(groups[i])].object = std::move(values[i]);
  return true;
}

bool ValueCells::load(Cell& cell, int32_t group) {
  if (found_.empty()) {
    if (!read()) return false;
    if (cell.object) return true;
  }
  const auto bytes = stored_bytes(group);
  cell.object =
      bytes ? PyRef::steal(stored_.coder(state_, 0).decode(*bytes, stored_.label(state_))) : PyRef::share(Py_None);
  return static_cast<bool>(cell.object);
}

PyObject* ValueCells::value() {
  if (!key_.check()) return nullptr;
  Cell& cell = cells_[static_cast<size_t>(key_.group)];
  if (!cell.object && !load(cell, key_.group)) [[unlikely]]
    return nullptr;
  if (touches_ && !cell.read) {
    cell.read = true;
    read_.push_back(key_.group);
  }
  return fresh(cell.object.get());
}

PyObject* ValueCells::update(PyObject* value) {
  if (!key_.check()) return nullptr;
  Cell& cell = cells_[static_cast<size_t>(key_.group)];
  cell.object = PyRef::share(value);
  if (!cell.touched) {
    cell.touched = true;
    touched_.push_back(key_.group);
  }
  return fresh(Py_None);
}

bool ValueCells::settle() {
  if (touched_.empty()) return true;
  if (found_.empty() && !read()) return false;
  if (!std::is_sorted(touched_.begin(), touched_.end())) std::sort(touched_.begin(), touched_.end());
  values_.clear();
  for (const int32_t group : touched_) {
    PyObject* object = cells_[static_cast<size_t>(group)].object.get();
    if (object != Py_None) values_.push_back(object);
  }
  const size_t done = stored_.coder(state_, 0).encode_many(values_, stored_.label(state_), bytes_, ends_);
  size_t at = 0;
  for (const int32_t group : touched_) {
    Cell& cell = cells_[static_cast<size_t>(group)];
    std::optional<std::string_view> bytes;
    if (cell.object.get() != Py_None) {
      if (at == done) {
        failed_at_ = group;
        return false;
      }
      const size_t begin = at == 0 ? 0 : ends_[at - 1];
      bytes = std::string_view(bytes_).substr(begin, ends_[at] - begin);
      ++at;
    }
    cell.touched = false;
    if (bytes == stored_bytes(group) && !(expires_ && bytes)) continue;
    if (!cell.settled) settled_.push_back(group);
    cell.settled = true;
    cell.bytes = bytes;
  }
  touched_.clear();
  return true;
}

void ValueCells::forget() {
  // An object may have been changed in place, and is read from its bytes again.
  for (const int32_t group : touched_) {
    Cell& cell = cells_[static_cast<size_t>(group)];
    cell.touched = false;
    cell.object.reset();
  }
  touched_.clear();
  if (key_.group >= 0) cells_[static_cast<size_t>(key_.group)].object.reset();
}

bool ValueCells::flush() {
  if (!settle()) return false;
  if (settled_.empty() && read_.empty()) return true;
  columnar::ArrayBuilder changes = StoredStates::changes_builder(read_.size() + settled_.size());
  // What was not there when it was read needs no touch, and what was written begins its time anyway.
  for (const int32_t group : read_) {
    if (cells_[static_cast<size_t>(group)].settled || found_.empty() || !stored_bytes(group)) continue;
    StoredStates::add_change(changes, group, CLUTCH_STATE_OP_TOUCH, std::nullopt, std::nullopt);
  }
  if (settled_.empty() && changes.length() == 0) return true;
  for (const int32_t group : settled_) {
    const Cell& cell = cells_[static_cast<size_t>(group)];
    StoredStates::add_change(changes, group, cell.bytes ? CLUTCH_STATE_OP_PUT : CLUTCH_STATE_OP_CLEAR, std::nullopt,
                             cell.bytes);
  }
  return stored_.apply(state_, changes);
}

}  // namespace clutch::pyembed
