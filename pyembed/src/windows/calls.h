// The calls of user code for whole windows: what a window gives, and the end of one. The loops, the windows and the ctx
// are in windows.py.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "events/yields.h"
#include "fold/failure.h"
#include "fold/keyed.h"
#include "plan/callback.h"
#include "plan/executor.h"
#include "state/stored.h"

namespace clutch::pyembed {

class WindowCalls {
 public:
  // Of the function's last step, which is called for whole windows, or of none (`step` is NULL): then only put() works.
  // States of windows are kept in `stored`, which outlives this object.
  static Result<std::unique_ptr<WindowCalls>> make(const Gil& gil, const Executor::Parts& parts, const StepSpec* step,
                                                   StoredStates& stored);
  WindowCalls(const WindowCalls&) = delete;
  WindowCalls& operator=(const WindowCalls&) = delete;

  bool whole() const { return fire_.get() != nullptr; }

  Status begin(const Gil& gil, const Host& host, const clutch_batch& batch, const KeyedBatch& keyed, Failures& failures,
               Watch& watch);
  // What `row` says of its window is done with its contents: two lists for functions of two inputs, else one.
  Status fire(const Gil& gil, int64_t row, int64_t start, int64_t end, PyObject* first, PyObject* second);
  // A result without a function of whole windows.
  Status put(const Gil& gil, int64_t row, int64_t start, int64_t end, PyObject* value);
  // The window is over.
  Status clear(const Gil& gil, int64_t row, int64_t start, int64_t end);
  // Stage what changed in the states of windows.
  Status store(const Gil& gil);
  // The batch is over.
  void end(bool good);

  int32_t emit(const Host& host, const clutch_batch& batch, clutch_error* error) {
    return yields_.emit(host, batch, error);
  }

 private:
  // What callbacks find while a batch runs.
  struct Batch {
    const clutch_batch* batch = nullptr;
    const KeyedBatch* keyed = nullptr;
    Failures* failures = nullptr;
    int32_t group = -1;
    int32_t origin = 0;
    std::vector<PyRef> keys;  // by group, where asked for
  };

  explicit WindowCalls(Yields yields) : yields_(std::move(yields)) {}
  Status make_calls(const Gil& gil, const Executor::Parts& parts, const StepSpec& step, StoredStates& stored);
  template <PyObject* (WindowCalls::*method)()>
  static PyObject* ask(PyObject* self, PyObject*);
  static PyObject* take(PyObject* self, PyObject* item);
  PyObject* current_key();
  PyObject* group();
  PyObject* processing_time() { return PyLong_FromLongLong(run_.batch->processing_time_ms); }
  PyObject* watermark() { return PyLong_FromLongLong(run_.batch->watermark_ms); }
  void at(int64_t row);
  Status call(const Gil& gil, PyObject* function, const char* what, int64_t start, int64_t end, PyObject* first,
              PyObject* second);
  Status failed(const Gil& gil, const char* what, int64_t start, int64_t end);

  Yields yields_;
  std::optional<Coder> key_;  // nothing: keys are text
  std::string what_;          // "apply()"
  Slot slot_;
  PyRef fire_, clear_;                 // of windows.py's Calls
  PyRef begin_states_, store_states_;  // empty where there is no ctx with states
  Batch run_;

 public:
  std::exception_ptr thrown{};  // of a callback
};

}  // namespace clutch::pyembed
