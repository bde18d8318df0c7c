#include "events/running.h"

#include <algorithm>

#include "clutch/columnar/view.h"
#include "clutch/ext/timer.h"

namespace clutch::pyembed {
namespace {

constexpr int64_t kStretch = 1024;  // (unit: rows) between two looks at deadline and cancellation

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
      {"timestamp", ask<&Running::timestamp>, METH_NOARGS, nullptr},
      {"get_current_key", ask<&Running::current_key>, METH_NOARGS, nullptr},
      {"domain", ask<&Running::domain>, METH_NOARGS, nullptr},
      {"group", ask<&Running::group>, METH_NOARGS, nullptr},
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

PyObject* Running::start_timers() {
  at_ = -1;
  return next_timer();
}

PyObject* Running::start_rows(int64_t row) {
  at_ = row;
  fault_ = Fault::kNone;
  domain_ = -1;
  return next_row();
}

PyObject* Running::feed() {
  if (at_ < 0) return next_timer();
  if (function_.goes_on && function_.states != nullptr && !function_.states->end_row()) return nullptr;
  ++at_;
  return next_row();
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
  group_ = timer->group;
  domain_ = timer->domain;
  timestamp_ = timer->time_ms;
  return PyLong_FromLongLong(timer->time_ms);
}

PyObject* Running::next_row() {
  while (at_ < keyed_.rows() && keyed_.skipped(at_)) ++at_;
  if ((at_ & (kStretch - 1)) == 0 || at_ >= keyed_.rows()) {
    if (Status status = failures_.poll(at_); !status.ok()) {
      stop_ = std::move(status);
      return fresh(function_.end.get());
    }
  }
  if (at_ >= keyed_.rows()) return fresh(function_.end.get());
  store_row(watch_.progress, at_);
  group_ = keyed_.group_of(at_);
  if (function_.goes_on) {
    mark_ = {function_.outputs.origin_count(), function_.sides.counts(), function_.timers.changes()};
  }
  timestamp_.reset();
  if (batch_.timestamps != nullptr) {
    const columnar::ArrayView times(*batch_.timestamps);
    const int64_t at = batch_.timestamps->offset + at_;
    if (!times.is_null(at)) timestamp_ = times.values<int64_t>()[at];
  }
  PyObject* value = function_.inputs.reader(0).read(function_.inputs.first() + at_);
  if (value == nullptr) fault_ = Fault::kRead;
  return value;
}

PyObject* Running::emit(PyObject* item) {
  if (PyTuple_CheckExact(item) && PyTuple_Size(item) == 2) {
    PyObject* first = PyTuple_GetItem(item, 0);
    // Most pairs are values; what a tag cannot be is not asked for its name.
    if (!PyLong_CheckExact(first) && !PyUnicode_CheckExact(first) && !PyFloat_CheckExact(first) && first != Py_None) {
      PyRef tag = PyRef::steal(PyObject_GetAttrString(first, "tag_id"));
      if (tag) {
        const std::string name = to_text(tag);
        SideOutputs::Side* side = function_.sides.find(name);
        return side == nullptr ? drop(name) : write(side, side->outputs, PyTuple_GetItem(item, 1));
      }
      if (PyErr_ExceptionMatches(PyExc_AttributeError) == 0) return nullptr;
      PyErr_Clear();
    }
  }
  return write(nullptr, function_.outputs, item);
}

PyObject* Running::write(SideOutputs::Side* side, Outputs& outputs, PyObject* value) {
  if (outputs.writer().write(value, outputs.builder())) [[likely]] {
    outputs.push_origin(at_);
    return fresh(Py_None);
  }
  if (PyErr_Occurred() == nullptr) {
    fault_ = Fault::kMismatch;
    misfit_side_ = side;
    PyErr_SetNone(PyExc_StopIteration);  // ends the loop
  }
  return nullptr;
}

PyObject* Running::drop(std::string_view tag) {
  std::vector<std::string>& dropped = function_.dropped;
  if (std::find(dropped.begin(), dropped.end(), tag) == dropped.end()) {
    dropped.emplace_back(tag);
    host_.write_log(CLUTCH_LOG_INFO, "python", watch_.context,
                    "function \"" + function_.spec->name + "\" gives rows for side output \"" + std::string(tag) +
                        "\", which nobody reads; they are dropped");
  }
  return fresh(Py_None);
}

PyObject* Running::timestamp() { return timestamp_ ? PyLong_FromLongLong(*timestamp_) : fresh(Py_None); }

bool Running::keyed_here() {
  if (function_.states != nullptr && group_ >= 0) return true;
  PyErr_SetString(PyExc_RuntimeError,
                  "keys, keyed state and timers are there for the rows and timers of a stream.keyed_process alone");
  return false;
}

PyObject* Running::group() { return keyed_here() ? PyLong_FromLong(group_) : nullptr; }

PyObject* Running::current_key() {
  if (!keyed_here()) return nullptr;
  if (keys_.empty()) keys_.resize(static_cast<size_t>(keyed_.groups()));
  PyRef& key = keys_[static_cast<size_t>(group_)];
  if (!key) {
    const std::string bytes = keyed_.key(group_);
    if (function_.key) {
      key = PyRef::steal(function_.key->decode(bytes, "the key"));
    } else {
      key = PyRef::steal(PyUnicode_DecodeUTF8(bytes.data(), static_cast<Py_ssize_t>(bytes.size()), nullptr));
      if (!key) {
        PyErr_SetString(
            PyExc_ValueError,
            (keyed_.key_text(group_) + " is no text; name the type of the keys by the step's option key_type").c_str());
      }
    }
  }
  return key ? fresh(key.get()) : nullptr;
}

template <int8_t timer_domain, int8_t op>
PyObject* Running::change_timer(PyObject* time) {
  if (!keyed_here()) return nullptr;
  const long long time_ms = PyLong_AsLongLong(time);
  if (time_ms == -1 && PyErr_Occurred() != nullptr) return nullptr;
  if (host_.timer == nullptr) {
    PyErr_SetString(PyExc_RuntimeError, "this host has no timers");
    return nullptr;
  }
  function_.timers.change(group_, time_ms, timer_domain, op);
  return fresh(Py_None);
}

Status Running::misfit() {
  Outputs& outputs = misfit_side_ != nullptr ? misfit_side_->outputs : function_.outputs;
  const FunctionSpec& spec = misfit_side_ != nullptr ? misfit_side_->spec : *function_.spec;
  Mismatch mismatch = outputs.writer().take_mismatch();
  const std::string column = outputs.column_path(spec, mismatch.path);
  const bool whole = mismatch.path.empty();
  mismatch.path.clear();  // the sentence names the column instead
  std::string why = misfit_side_ != nullptr ? "side output \"" + misfit_side_->name + "\": " : "";
  if (!whole) why += "column \"" + column + "\": ";
  why += mismatch.sentence();
  Status status = at_ >= 0 ? failures_.unfit(at_, why)
                           : failures_.plain(CLUTCH_ERR_VALUE, "on_timer() of " + keyed_.key_text(group_) + ": " + why);
  if (!column.empty()) status.with(CLUTCH_DETAIL_COLUMN, column);
  return status.with(CLUTCH_DETAIL_VALUE, mismatch.value);
}

// The loop itself raised when it went over what the function gave: its frame is the only one of the traceback.
bool Running::is_not_iterable(PyView exception) const {
  if (PyErr_GivenExceptionMatches(exception.get(), PyExc_TypeError) == 0) return false;
  PyRef traceback = PyRef::steal(PyException_GetTraceback(exception.get()));
  PyRef next = traceback ? PyRef::steal(PyObject_GetAttrString(traceback.get(), "tb_next")) : PyRef();
  PyErr_Clear();
  PyRef text = PyRef::steal(PyObject_Str(exception.get()));
  PyErr_Clear();
  return next && next.get() == Py_None && text && to_text(text).ends_with("object is not iterable");
}

Status Running::failed(const Gil& gil, bool& ret_fatal) {
  if (stop_) {
    PyErr_Clear();
    ret_fatal = true;
    return *stop_;
  }
  if (fault_ == Fault::kMismatch) {
    PyErr_Clear();
    return misfit();
  }
  if (fault_ == Fault::kRead) return failures_.reading(gil, at_, function_.spec->input.type.children.front().name);
  PyRef exception = take_exception(gil);
  if (exception && is_not_iterable(exception)) {
    PyRef text = PyRef::steal(PyObject_Str(exception.get()));
    const std::string why =
        "the result cannot be gone over (" + to_text(text) + "); yield values, or return a list of them or None";
    return at_ >= 0 ? failures_.unfit(at_, why)
                    : failures_.plain(CLUTCH_ERR_VALUE, "on_timer() of " + keyed_.key_text(group_) + ": " + why);
  }
  if (exception) PyErr_SetObject(reinterpret_cast<PyObject*>(Py_TYPE(exception.get())), exception.get());
  if (at_ >= 0) return failures_.row(gil, at_, "", ret_fatal);
  ret_fatal = true;
  return failures_.group(gil, "on_timer()", keyed_.key_text(group_));
}

Status Running::undo_row(const Gil& gil) {
  function_.outputs.truncate_rows(mark_.rows);
  function_.sides.truncate(mark_.sides);
  function_.timers.truncate(mark_.timers);
  if (function_.states == nullptr || function_.states->undo_row()) return {};
  return failures_.group(gil, "taking back a row", keyed_.key_text(group_));
}

}  // namespace clutch::pyembed
