// The steps of a chain, run on one input row after another; the results go into a sink of convert/fast.h.
#pragma once

#include <string>

#include "convert/fast.h"
#include "interpreter/ref.h"
#include "plan/loops.h"
#include "watch/watchdog.h"

namespace clutch::pyembed {

// The sink of a chain of filters: what passes is the input row.
class PassedSink {
 public:
  bool write(PyObject*) { return true; }
  void flush() {}
};

inline std::string type_name(PyObject* value) {
  PyRef name = PyRef::steal(PyObject_GetAttrString(reinterpret_cast<PyObject*>(Py_TYPE(value)), "__name__"));
  Py_ssize_t size = 0;
  const char* text = name ? slots().utf8_and_size(name.get(), &size) : nullptr;
  if (text == nullptr) {
    PyErr_Clear();
    return "?";
  }
  return std::string(text, static_cast<size_t>(size));
}

// With kOrigin it is noted which input row each result row came from.
template <typename Sink, bool kOrigin>
class Chain {
 public:
  Chain(const Loop& loop, Sink& sink)
      : loop_(loop), steps_(loop.steps->data()), count_(loop.steps->size()), sink_(sink) {}

  // For loops that call the first step themselves: what comes next belongs to this row,
  void begin(int64_t row) {
    row_ = row;
    if constexpr (kOrigin) before_ = loop_.outputs->origin_count();
  }
  // is one result row (borrowed) of the only step,
  bool emit(PyObject* item) { return put(item); }
  // is all that the first step gave (borrowed),
  bool give(PyObject* result) {
    Py_INCREF(result);
    return give(0, result);
  }
  // or is to be taken back.
  void drop() {
    sink_.flush();
    if constexpr (kOrigin) loop_.outputs->truncate_rows(before_);
  }

  int64_t run(int64_t first, int64_t last) {
    // These go on with the value that they are called with.
    const bool value_first = steps_[0].shape == Shape::kFilter || steps_[0].shape == Shape::kKey;
    Inputs& inputs = *loop_.inputs;
    for (int64_t row = first; row < last; ++row) {
      store_row(loop_.progress, row);
      begin(row);
      bool served;
      if (value_first) {
        PyObject* value = inputs.reader(0).read(inputs.first() + row);
        if (value == nullptr) loop_.fault->reason = Fault::Reason::kRead;
        served = value != nullptr && feed(0, value);
      } else {
        PyObject* result = inputs.call(steps_[0], row, *loop_.fault);
        served = result != nullptr && give(0, result);
      }
      if (!served) [[unlikely]] {
        drop();
        return row;
      }
    }
    return last;
  }

 private:
  bool raised(size_t step) {
    loop_.fault->reason = Fault::Reason::kRaised;
    loop_.fault->step = step;
    return false;
  }

  // Run `value` (stolen) through the steps from `step` on.
  bool feed(size_t step, PyObject* value) {
    if (step == count_) return write(value);
    PyObject* result = call_one(steps_[step], value);
    if (steps_[step].shape == Shape::kFilter) {
      const int keep = result == nullptr ? -1 : truth(result);
      Py_XDECREF(result);
      if (keep == 1) return feed(step + 1, value);
      Py_DECREF(value);
      return keep == 0 || raised(step);
    }
    if (steps_[step].shape == Shape::kKey) {
      const bool served = result == nullptr ? raised(step) : write_pair(value, result);
      Py_DECREF(value);
      return served;
    }
    Py_DECREF(value);
    return result == nullptr ? raised(step) : give(step, result);
  }

  // The end of a chain with stream.key_by; `key` is stolen.
  bool write_pair(PyObject* value, PyObject* key) {
    if (loop_.outputs->only_keys()) return write(key);
    PyObject* pair = PyTuple_Pack(2, value, key);
    Py_DECREF(key);
    return pair == nullptr ? raised(count_ - 1) : write(pair);
  }

  // Pass on what a step that is no filter gave (stolen).
  bool give(size_t step, PyObject* result) {
    if (steps_[step].shape == Shape::kRow) return feed(step + 1, result);
    if (result == Py_None) {
      Py_DECREF(result);
      return true;
    }
    const bool served = give_each(step, result);
    Py_DECREF(result);
    return served;
  }

  bool give_each(size_t step, PyObject* result) {
    if (Py_TYPE(result) == loop_.module->generator_type()) return give_items(step, result);
    if (steps_[step].table_rows && is_one_row(result)) {
      Py_INCREF(result);
      return feed(step + 1, result);
    }
    if (PyList_CheckExact(result)) {
      for (Py_ssize_t i = 0; i < PyList_Size(result); ++i) {  // the size anew: user code may change the list
        PyObject* item = PyList_GetItem(result, i);
        Py_INCREF(item);
        if (!feed(step + 1, item)) return false;
      }
      return true;
    }
    PyRef iterator = PyRef::steal(PyObject_GetIter(result));
    if (!iterator) {
      if (PyErr_ExceptionMatches(PyExc_TypeError) == 0) return raised(step);
      PyErr_Clear();
      if (steps_[step].table_rows) {
        Py_INCREF(result);
        return feed(step + 1, result);
      }
      loop_.fault->reason = Fault::Reason::kNotIterable;
      loop_.fault->step = step;
      loop_.fault->culprit = type_name(result);
      return false;
    }
    return give_items(step, iterator.get());
  }

  bool give_items(size_t step, PyObject* iterator) {
    while (PyObject* item = PyIter_Next(iterator)) {
      if (!feed(step + 1, item)) return false;
    }
    return PyErr_Occurred() == nullptr || raised(step);
  }

  // Of a table function: values that Python can iterate, but that stand for one row or one value.
  bool is_one_row(PyObject* value) {
    return PyTuple_Check(value) || PyUnicode_Check(value) || PyBytes_Check(value) || PyDict_Check(value) ||
           PyByteArray_Check(value) || loop_.module->is_row(value);
  }

  bool write(PyObject* value) {
    const bool written = put(value);
    Py_DECREF(value);
    return written;
  }

  bool put(PyObject* value) {
    if (!sink_.write(value)) [[unlikely]] {
      loop_.fault->reason = PyErr_Occurred() != nullptr ? Fault::Reason::kRaised : Fault::Reason::kMismatch;
      loop_.fault->step = count_ - 1;
      return false;
    }
    if constexpr (kOrigin) loop_.outputs->push_origin(row_);
    return true;
  }

  const Loop& loop_;
  const PlannedStep* steps_;
  size_t count_;
  Sink& sink_;
  int64_t row_ = 0;
  int64_t before_ = 0;  // result rows when row_ began
};

}  // namespace clutch::pyembed
