// One batch of a function of rows and timers while it runs: what the loop in events.py takes and gives, and what its
// ctx asks for. Timers come first, then rows; each time start() begins with the first and the loop feeds on the rest.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "events/sides.h"
#include "events/states.h"
#include "events/timers.h"
#include "fold/failure.h"
#include "fold/keyed.h"
#include "plan/callback.h"
#include "plan/inputs.h"
#include "plan/outputs.h"

namespace clutch::pyembed {

class Running {
 public:
  // What a function keeps over its batches.
  struct Function {
    const FunctionSpec* spec;
    Inputs inputs;
    Outputs outputs;
    SideOutputs sides;
    Timers timers;
    std::unique_ptr<KeyStates> states;  // NULL without keys
    std::optional<Coder> key;           // nothing: keys are text
    PyRef end;                          // what feed() gives after the last row
    std::vector<std::string> dropped;   // tags of rows that nobody wanted, told once each
    bool goes_on = false;               // a row that fails is put aside
  };

  Running(Function& function, const Host& host, const clutch_batch& batch, const KeyedBatch& keyed, Failures& failures,
          Watch& watch)
      : function_(function), host_(host), batch_(batch), keyed_(keyed), failures_(failures), watch_(watch) {}

  // The callbacks in the order of kCallbacks, with `slot` as their self. False with a Python error set.
  enum Callback : size_t {
    kFeed,
    kEmit,
    kTimestamp,
    kCurrentKey,
    kDomain,
    kGroup,
    kProcessingTime,
    kWatermark,
    kRegisterEvent,
    kRegisterProcessing,
    kDeleteEvent,
    kDeleteProcessing,
    kCallbacks
  };
  static bool callbacks(const Slot& slot, PyRef (&out)[kCallbacks]);

  // The first argument of the loop over timers, or over rows from `row` on: a new reference, function.end if there is
  // none, NULL if failed() has something to tell.
  PyObject* start_timers();
  PyObject* start_rows(int64_t row);

  int64_t row() const { return at_; }
  // The loop ended early: why, for the current row or timer. `ret_fatal` says that no policy passes over it.
  Status failed(const Gil& gil, bool& ret_fatal);
  // A status for the whole batch stands already.
  bool stopped() const { return stop_.has_value(); }
  // Take back what the current row did.
  Status undo_row(const Gil& gil);

 private:
  enum class Fault : uint8_t { kNone, kRead, kMismatch };
  // Lengths before a row that may be taken back.
  struct Mark {
    int64_t rows = 0;
    std::vector<int64_t> sides;
    size_t timers = 0;
  };

  template <PyObject* (Running::*method)()>
  static PyObject* ask(PyObject* self, PyObject*);
  template <PyObject* (Running::*method)(PyObject*)>
  static PyObject* give(PyObject* self, PyObject* argument);

  PyObject* feed();
  PyObject* emit(PyObject* item);
  PyObject* timestamp();
  PyObject* current_key();
  PyObject* domain() { return PyLong_FromLong(domain_); }
  PyObject* group();
  PyObject* processing_time() { return PyLong_FromLongLong(batch_.processing_time_ms); }
  PyObject* watermark() { return PyLong_FromLongLong(batch_.watermark_ms); }
  template <int8_t timer_domain, int8_t op>
  PyObject* change_timer(PyObject* time);

  PyObject* next_timer();
  PyObject* next_row();
  PyObject* write(SideOutputs::Side* side, Outputs& outputs, PyObject* value);
  PyObject* drop(std::string_view tag);
  bool keyed_here();
  Status misfit();
  bool is_not_iterable(PyView exception) const;

  Function& function_;
  const Host& host_;
  const clutch_batch& batch_;
  const KeyedBatch& keyed_;
  Failures& failures_;
  Watch& watch_;

  int64_t at_ = -1;  // row; -1 while timers fire
  int64_t fired_ = 0;
  int32_t group_ = -1;
  int8_t domain_ = -1;
  std::optional<int64_t> timestamp_;
  Mark mark_;
  std::vector<PyRef> keys_;  // by group, where asked for
  Fault fault_ = Fault::kNone;
  SideOutputs::Side* misfit_side_ = nullptr;
  std::optional<Status> stop_;

 public:
  std::exception_ptr thrown{};  // of a callback
};

}  // namespace clutch::pyembed
