#include "events/running.h"

#include <algorithm>

#include "clutch/columnar/view.h"
#include "clutch/ext/timer.h"

namespace clutch::pyembed {
namespace {

constexpr int64_t kStretch = 1024;  // (unit: rows) between two looks at deadline and cancellation

constexpr char kNoKeys[] = "keys, keyed state and timers are there for the rows and timers of keyed functions alone";
constexpr char kBroadcast[] =
    "process_broadcast_element() has no key, so it has no keyed state and no timers; use them in process_element()";
constexpr char kOver[] = "the loop over these rows has ended";

}  // namespace

template <PyObject* (Running::*method)()>
PyObject* Running::ask(PyObject* self, PyObject*) {
  return call_back<Running>(self, [](Running& run) { return (run.*method)(); });
}

template <PyObject* (Running::*method)(PyObject*)>
PyObject* Running::give(PyObject* self, PyObject* argument) {
  return call_back<Running>(self, [argument](Running& run) { return (run.*method)(argument); });
}

bool Running::callbacks(const Slot& slot, PyRef (&out)[kCallbacks]) {
  constexpr int8_t kEvent = CLUTCH_TIMER_EVENT_TIME, kProcessing = CLUTCH_TIMER_PROCESSING_TIME;
  constexpr int8_t kRegister = CLUTCH_TIMER_REGISTER, kDelete = CLUTCH_TIMER_DELETE;
  static PyMethodDef methods[kCallbacks] = {
      {"feed", ask<&Running::feed>, METH_NOARGS, nullptr},
      {"emit", give<&Running::emit>, METH_O, nullptr},
      {"put", give<&Running::put>, METH_O, nullptr},
      {"timestamp", ask<&Running::timestamp>, METH_NOARGS, nullptr},
      {"get_current_key", ask<&Running::current_key>, METH_NOARGS, nullptr},
      {"domain", ask<&Running::domain>, METH_NOARGS, nullptr},
      {"right", ask<&Running::right>, METH_NOARGS, nullptr},
      {"get_left_timestamp", ask<&Running::left_time>, METH_NOARGS, nullptr},
      {"get_right_timestamp", ask<&Running::right_time>, METH_NOARGS, nullptr},
      {"current_processing_time", ask<&Running::processing_time>, METH_NOARGS, nullptr},
      {"current_watermark", ask<&Running::watermark>, METH_NOARGS, nullptr},
      {"register_event_time_timer", give<&Running::change_timer<kEvent, kRegister>>, METH_O, nullptr},
      {"register_processing_time_timer", give<&Running::change_timer<kProcessing, kRegister>>, METH_O, nullptr},
      {"delete_event_time_timer", give<&Running::change_timer<kEvent, kDelete>>, METH_O, nullptr},
      {"delete_processing_time_timer", give<&Running::change_timer<kProcessing, kDelete>>, METH_O, nullptr}};
  for (size_t i = 0; i < kCallbacks; ++i) {
    out[i] = PyRef::steal(PyCFunction_New(&methods[i], slot.object()));
    if (!out[i]) return false;
  }
  return true;
}

void Running::set_key(int32_t group) {
  function_.current.group = function_.kind->keyed ? group : -1;
  function_.current.refusal = kNoKeys;
}

void Running::leave() {
  function_.current.group = -1;
  function_.current.refusal = kOver;
}

PyObject* Running::start_timers() {
  at_ = -1;
  return next_timer();
}

PyObject* Running::start_rows(int64_t row) {
  function_.timers.end_firing();
  at_ = row;
  read_failed_ = false;
  function_.yields.begin_row();
  domain_ = -1;
  skip();
  input_ = at_ < keyed_.rows() ? function_.inputs.input(at_) : 0;
  return next_row();
}

PyObject* Running::feed() {
  if (at_ < 0) return next_timer();
  if (function_.goes_on && function_.states != nullptr && !function_.states->end_row()) return nullptr;
  ++at_;
  skip();
  return next_row();
}

void Running::skip() {
  while (at_ < keyed_.rows() && keyed_.skipped(at_)) ++at_;
}

PyObject* Running::next_timer() {
  if ((fired_++ & (kStretch - 1)) == 0) {
    if (Status status = failures_.poll(0); !status.ok()) {
      stop_ = std::move(status);
      return fresh(function_.end.get());
    }
  }
  const DueTimer* timer = function_.timers.next();
  if (timer == nullptr) return fresh(function_.end.get());
  timer_group_ = timer->group;
  set_key(timer->group);
  domain_ = timer->domain;
  timestamp_ = timer->time_ms;
  origin_ = -1 - timer->place;
  return PyLong_FromLongLong(timer->time_ms);
}

PyObject* Running::next_row() {
  if ((at_ & (kStretch - 1)) == 0 || at_ >= keyed_.rows()) {
    if (Status status = failures_.poll(at_); !status.ok()) {
      stop_ = std::move(status);
      return fresh(function_.end.get());
    }
  }
  if (at_ >= keyed_.rows() || function_.inputs.input(at_) != input_) return fresh(function_.end.get());
  store_row(watch_.progress, at_);
  origin_ = static_cast<int32_t>(at_);
  if (function_.kind->broadcast && input_ == 1) {
    function_.current.group = -1;
    function_.current.refusal = kBroadcast;
  } else {
    set_key(keyed_.group_of(at_));
  }
  if (function_.goes_on) mark_ = {function_.yields.mark(), function_.timers.changes()};
  timestamp_.reset();
  if (batch_.timestamps != nullptr) {
    const columnar::ArrayView times(*batch_.timestamps);
    if (!times.is_null(at_)) timestamp_ = times.values<int64_t>()[at_];
  }
  PyObject* value = function_.inputs.value(at_);
  if (value == nullptr) read_failed_ = true;
  return value;
}

PyObject* Running::timestamp() { return timestamp_ ? PyLong_FromLongLong(*timestamp_) : fresh(Py_None); }

PyObject* Running::current_key() {
  if (!function_.current.check()) return nullptr;
  const int32_t group = function_.current.group;
  if (keys_.empty()) keys_.resize(static_cast<size_t>(keyed_.groups()));
  PyRef& key = keys_[static_cast<size_t>(group)];
  if (!key) key = keyed_.key_object(group, function_.key ? &*function_.key : nullptr);
  return key ? fresh(key.get()) : nullptr;
}

template <int8_t timer_domain, int8_t op>
PyObject* Running::change_timer(PyObject* time) {
  if (!function_.current.check()) return nullptr;
  const long long time_ms = PyLong_AsLongLong(time);
  if (time_ms == -1 && PyErr_Occurred() != nullptr) return nullptr;
  if (host_.timer == nullptr) {
    PyErr_SetString(PyExc_RuntimeError, "this host has no timers");
    return nullptr;
  }
  function_.timers.change(function_.current.group, time_ms, timer_domain, op);
  return fresh(Py_None);
}

std::string Running::where() const {
  if (at_ >= 0) return failures_.name() + " row " + std::to_string(at_);
  return failures_.name() + " on_timer() of " + keyed_.key_text(timer_group_);
}

Status Running::failed(const Gil& gil, bool& ret_fatal) {
  if (stop_) {
    PyErr_Clear();
    ret_fatal = true;
    return *stop_;
  }
  const StepSpec* raising = function_.yields.raising();
  if (function_.yields.misfits()) {
    PyErr_Clear();
    return failures_.told(function_.yields.misfit_status(where()), at_);
  }
  if (read_failed_) return failures_.reading(gil, at_, function_.inputs.column(at_));
  PyRef exception = take_exception(gil);
  if (raising == nullptr && exception && Yields::cannot_be_gone_over(exception)) {
    PyRef text = PyRef::steal(PyObject_Str(exception.get()));
    return failures_.told(Status(CLUTCH_ERR_VALUE,
                                 where() + ": the result cannot be gone over (" + to_text(text) +
                                     "); yield values, or return a list of them or None",
                                 CLUTCH_ORIGIN_USER),
                          at_);
  }
  if (exception) PyErr_SetObject(reinterpret_cast<PyObject*>(Py_TYPE(exception.get())), exception.get());
  failures_.blame(raising);
  ret_fatal = at_ < 0;
  Status status = at_ >= 0 ? failures_.row(gil, at_, "", ret_fatal)
                           : failures_.group(gil, "on_timer()", keyed_.key_text(timer_group_));
  failures_.blame(nullptr);
  return status;
}

Status Running::undo_row(const Gil& gil) {
  function_.yields.truncate(mark_.given);
  function_.timers.truncate(mark_.timers);
  if (function_.states == nullptr || function_.states->undo_row()) return {};
  return failures_.group(gil, "taking back a row", keyed_.key_text(keyed_.group_of(at_)));
}

}  // namespace clutch::pyembed
