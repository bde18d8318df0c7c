#include "plan/driver.h"

#include "convert/fast.h"
#include "watch/watchdog.h"

namespace clutch::pyembed {
namespace {

// Where a list keeps its items, if a real one looks as every known version lays it out; else the API is asked.
bool knows_lists() {
  PyRef size = PyRef::steal(PyObject_GetAttrString(reinterpret_cast<PyObject*>(&PyList_Type), "__basicsize__"));
  PyRef list = PyRef::steal(PyList_New(2));
  if (!size || !list || PyLong_AsLong(size.get()) != 40) {
    PyErr_Clear();
    return false;
  }
  for (Py_ssize_t i = 0; i < 2; ++i) {
    PyObject* item = i == 0 ? Py_None : Py_True;
    Py_INCREF(item);
    if (PyList_SetItem(list.get(), i, item) != 0) return false;
  }
  const auto* words = reinterpret_cast<const uint64_t*>(list.get());
  if (words[2] != 2) return false;
  auto* const* items = reinterpret_cast<PyObject* const*>(words[3]);
  return items != nullptr && items[0] == Py_None && items[1] == Py_True;
}

PyObject* const* items_of(PyObject* list) {
  return reinterpret_cast<PyObject* const*>(reinterpret_cast<const uint64_t*>(list)[3]);
}

int minor_version(const std::string& version) { return version.starts_with("3.") ? std::atoi(version.c_str() + 2) : 0; }

}  // namespace

std::unique_ptr<Driver> Driver::make(const Gil& gil, Interpreter& interpreter, PyObject* callable) {
  if (minor_version(interpreter.version()) < 12 || !is_python_function(callable)) return nullptr;
  std::unique_ptr<Driver> driver(new Driver);
  PyRef make = interpreter.helper(gil, Interpreter::File::kDrivers, "make_map");
  if (make) driver->drive_ = PyRef::steal(PyObject_CallFunctionObjArgs(make.get(), nullptr));
  driver->list_ = PyRef::steal(PyList_New(kRows));
  if (!driver->drive_ || !driver->list_) {
    PyErr_Clear();
    return nullptr;
  }
  driver->items_.resize(kRows);
  driver->spare_.resize(kRows);
  driver->list_layout_ = interpreter.module().layout().knows_ints() && knows_lists();
  driver->filled_ = true;
  driver->clear();
  return driver;
}

void Driver::clear() {
  if (!filled_) return;
  filled_ = false;
  for (int64_t i = 0; i < kRows; ++i) {
    const auto at = static_cast<size_t>(i);
    if (spare_[at] != 0 && ObjectLayout::is_ours_alone(items_[at])) continue;  // serves the next batch
    if (items_[at] == Py_None) continue;
    Py_INCREF(Py_None);
    put(i, Py_None);
  }
}

bool Driver::put(int64_t i, PyObject* object) {
  if (object == nullptr) return false;
  const auto at = static_cast<size_t>(i);
  items_[at] = object;
  spare_[at] = 0;
  return PyList_SetItem(list_.get(), i, object) == 0;  // takes the object, frees the one before
}

int64_t Driver::run(const Loop& loop, int64_t first, int64_t last) {
  while (last - first >= kRows) {
    const int64_t row = run_chunk(loop, first);
    if (row != first + kRows) return row;
    first = row;
  }
  return first == last ? last : run_map(loop, first, last);
}

int64_t Driver::run_chunk(const Loop& loop, int64_t first) {
  store_row(loop.progress, first);
  filled_ = true;
  int64_t done = fill(loop, first);
  if (done < kRows) {
    loop.fault->reason = Fault::Reason::kRead;
    return first + done;
  }
  PyRef iterator = PyRef::steal(PyObject_GetIter(list_.get()));
  if (!iterator) {
    loop.fault->reason = Fault::Reason::kRaised;
    return first;
  }
  PyObject* stack[3] = {nullptr, loop.steps->front().callable, iterator.get()};
  PyRef results = PyRef::steal(loop.slots->vectorcall(drive_.get(), stack + 1, 2 | kArgsOffset, nullptr));
  if (!results) {
    loop.fault->reason = Fault::Reason::kRaised;
    return first + rows_done(iterator.get());
  }
  return write(loop, results.get(), first);
}

// With a Python error set that must stay: the row the iterator has given last.
int64_t Driver::rows_done(PyObject* iterator) {
  PyObject *type = nullptr, *value = nullptr, *traceback = nullptr;
  PyErr_Fetch(&type, &value, &traceback);
  PyRef left = PyRef::steal(PyObject_CallMethod(iterator, "__length_hint__", nullptr));
  const Py_ssize_t rows = left ? PyLong_AsSsize_t(left.get()) : 0;
  PyErr_Restore(type, value, traceback);
  const int64_t given = kRows - rows;
  return given > 0 ? given - 1 : 0;
}

template <typename T>
int64_t Driver::fill_ints(const Loop& loop, int64_t first) {
  const ObjectLayout layout = loop.module->layout();
  const columnar::ArrayView view(loop.inputs->array(0));
  const T* values = view.values<T>();
  const int64_t shift = loop.inputs->first() + first;
  for (int64_t i = 0; i < kRows; ++i) {
    if (view.is_null(shift + i)) {
      Py_INCREF(Py_None);
      if (!put(i, Py_None)) return i;
      continue;
    }
    const int64_t value = values[shift + i];
    if (!ObjectLayout::fits_spare(value)) {
      if (!put(i, PyLong_FromLong(static_cast<long>(value)))) return i;
      continue;
    }
    const auto at = static_cast<size_t>(i);
    // An int that only the list refers to is nobody's: it becomes the next row's.
    if (spare_[at] == 0 || !ObjectLayout::is_ours_alone(items_[at])) {
      if (!put(i, ObjectLayout::new_spare())) return i;
      spare_[at] = 1;
    }
    layout.write_int(items_[at], value);
  }
  return kRows;
}

int64_t Driver::fill_texts(const Loop& loop, int64_t first) {
  const ObjectLayout layout = loop.module->layout();
  const columnar::ArrayView view(loop.inputs->array(0));
  const int64_t shift = loop.inputs->first() + first;
  for (int64_t i = 0; i < kRows; ++i) {
    if (view.is_null(shift + i)) {
      Py_INCREF(Py_None);
      if (!put(i, Py_None)) return i;
      continue;
    }
    const std::string_view text = view.bytes_at<int32_t>(shift + i);
    const bool plain = text.size() >= 2 && text.size() <= kLongestSpare && ObjectLayout::is_ascii(text);
    const auto at = static_cast<size_t>(i);
    // A string that only the list refers to, of the same length: it becomes the next row's.
    if (plain && spare_[at] == text.size() && layout.is_spare_text(items_[at])) {
      layout.write_text(items_[at], text);
      continue;
    }
    if (!put(i, layout.make_text(text))) return i;
    spare_[at] = plain ? static_cast<uint8_t>(text.size()) : 0;
  }
  return kRows;
}

int64_t Driver::fill(const Loop& loop, int64_t first) {
  Reader& reader = loop.inputs->reader(0);
  const ObjectLayout& layout = loop.module->layout();
  if (layout.knows_ints() && reader.fast() == Fast::kInt64) return fill_ints<int64_t>(loop, first);
  if (layout.knows_ints() && reader.fast() == Fast::kInt32) return fill_ints<int32_t>(loop, first);
  if (layout.knows_text_state() && reader.fast() == Fast::kUtf8) return fill_texts(loop, first);
  const int64_t shift = loop.inputs->first() + first;
  return with_source(reader, loop.inputs->array(0), [&](auto& source) {
    for (int64_t i = 0; i < kRows; ++i) {
      if (!put(i, source.read(shift + i))) return i;
    }
    return kRows;
  });
}

int64_t Driver::write(const Loop& loop, PyObject* results, int64_t first) {
  PyObject* const* items = list_layout_ ? items_of(results) : nullptr;
  return with_sink(loop.outputs->writer(), loop.outputs->builder(), kRows, [&](auto& sink) {
    for (int64_t i = 0; i < kRows; ++i) {
      if (sink.write(items != nullptr ? items[i] : PyList_GetItem(results, i))) [[likely]]
        continue;
      loop.fault->reason = PyErr_Occurred() != nullptr ? Fault::Reason::kRaised : Fault::Reason::kMismatch;
      return first + i;
    }
    return first + kRows;
  });
}

}  // namespace clutch::pyembed
