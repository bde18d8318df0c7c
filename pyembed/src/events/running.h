// One batch of a function of rows and timers while it runs: what the loops in events.py take and give, and what their
// ctx asks for. Timers come first, then rows; each time start_...() begins with the first and the loop feeds on the
// rest.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "events/event_inputs.h"
#include "events/states.h"
#include "events/timers.h"
#include "events/yields.h"
#include "fold/failure.h"
#include "fold/keyed.h"
#include "plan/callback.h"

namespace clutch::pyembed {

class Running {
 public:
  // What a function keeps over its batches.
  struct Function {
    const FunctionSpec* spec;
    const EventKind* kind;
    EventInputs inputs;
    Yields yields;
    Timers timers;
    CurrentKey current;
    std::unique_ptr<KeyStates> states;  // NULL without keys
    std::optional<Coder> key;           // nothing: keys are text
    PyRef end;                          // what feed() gives after the last row
    bool goes_on = false;               // a row that fails is put aside
  };

  Running(Function& function, const Host& host, const clutch_batch& batch, const KeyedBatch& keyed, Failures& failures,
          Watch& watch)
      : function_(function), host_(host), batch_(batch), keyed_(keyed), failures_(failures), watch_(watch) {}

  // The callbacks in the order of kCallbacks, with `slot` as their self. False with a Python error set.
  enum Callback : size_t {
    kFeed,
    kEmit,
    kPut,
    kTimestamp,
    kCurrentKey,
    kDomain,
    kRight,
    kLeftTime,
    kRightTime,
    kProcessingTime,
    kWatermark,
    kRegisterEvent,
    kRegisterProcessing,
    kDeleteEvent,
    kDeleteProcessing,
    kCallbacks
  };
  static bool callbacks(const Slot& slot, PyRef (&out)[kCallbacks]);

  // The first argument of the loop over timers, or over rows of one input from `row` on: a new reference, function.end
  // if there is none, NULL if failed() has something to tell.
  PyObject* start_timers();
  PyObject* start_rows(int64_t row);

  // The row that runs, or where the loop stopped: behind the last row, or at one of another input.
  int64_t row() const { return at_; }
  int input() const { return input_; }
  // The loop ended early: why, for the current row or timer. `ret_fatal` says that no policy passes over it.
  Status failed(const Gil& gil, bool& ret_fatal);
  // A status for the whole batch stands already.
  bool stopped() const { return stop_.has_value(); }
  // Take back what the current row did.
  Status undo_row(const Gil& gil);
  // Nobody's state is meant any more.
  void leave();

 private:
  // Lengths before a row that may be taken back.
  struct Mark {
    Yields::Mark given;
    size_t timers = 0;
  };

  template <PyObject* (Running::*method)()>
  static PyObject* ask(PyObject* self, PyObject*);
  template <PyObject* (Running::*method)(PyObject*)>
  static PyObject* give(PyObject* self, PyObject* argument);

  PyObject* feed();
  PyObject* emit(PyObject* item) { return function_.yields.take(item, origin_); }
  PyObject* put(PyObject* value) { return function_.yields.put(value, origin_); }
  PyObject* timestamp();
  PyObject* current_key();
  PyObject* domain() { return PyLong_FromLong(domain_); }
  PyObject* right() { return function_.inputs.right(at_); }
  PyObject* left_time() { return PyLong_FromLongLong(function_.inputs.left_time(at_)); }
  PyObject* right_time() { return PyLong_FromLongLong(function_.inputs.right_time(at_)); }
  PyObject* processing_time() { return PyLong_FromLongLong(batch_.processing_time_ms); }
  PyObject* watermark() { return PyLong_FromLongLong(batch_.watermark_ms); }
  template <int8_t timer_domain, int8_t op>
  PyObject* change_timer(PyObject* time);

  PyObject* next_timer();
  PyObject* next_row();
  void skip();
  void set_key(int32_t group);
  std::string where() const;

  Function& function_;
  const Host& host_;
  const clutch_batch& batch_;
  const KeyedBatch& keyed_;
  Failures& failures_;
  Watch& watch_;

  int64_t at_ = -1;  // row; -1 while timers fire
  int32_t origin_ = -1;
  int32_t timer_group_ = -1;
  int input_ = 0;
  int64_t fired_ = 0;
  int8_t domain_ = -1;
  std::optional<int64_t> timestamp_;
  Mark mark_;
  std::vector<PyRef> keys_;  // by group, where asked for
  bool read_failed_ = false;
  std::optional<Status> stop_;

 public:
  std::exception_ptr thrown{};  // of a callback
};

}  // namespace clutch::pyembed
