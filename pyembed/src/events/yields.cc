#include "events/yields.h"

#include <algorithm>

#include "plan/callback.h"

namespace clutch::pyembed {

Result<Yields> Yields::make(const Gil& gil, const Executor::Parts& parts, size_t tail) {
  CLUTCH_ASSIGN_OR_RETURN(Outputs main, Outputs::make(parts.spec, parts.interpreter.module()));
  CLUTCH_ASSIGN_OR_RETURN(SideOutputs sides, SideOutputs::make(gil, parts));
  Yields made(parts.spec, std::move(main), std::move(sides));
  for (size_t i = tail; i < parts.spec.steps.size(); ++i) {
    PyObject* callable = parts.objects[i]->callable();
    made.tail_.push_back({callable, parts.spec.steps[i].shape, vectorcall_of(callable), false});
    made.tail_specs_.push_back(&parts.spec.steps[i]);
  }
  return made;
}

void Yields::begin(const Host& host, clutch_function_context* context) {
  host_ = &host;
  context_ = context;
  fault_ = Fault::kNone;
}

PyObject* Yields::take(PyObject* item, int32_t origin) {
  if (PyTuple_CheckExact(item) && PyTuple_Size(item) == 2) {
    PyObject* first = PyTuple_GetItem(item, 0);
    // Most pairs are values; what a tag cannot be is not asked for its name.
    if (!PyLong_CheckExact(first) && !PyUnicode_CheckExact(first) && !PyFloat_CheckExact(first) && first != Py_None) {
      PyRef tag = PyRef::steal(PyObject_GetAttrString(first, "tag_id"));
      if (tag) return take_tagged(tag.get(), PyTuple_GetItem(item, 1), origin);
      if (PyErr_ExceptionMatches(PyExc_AttributeError) == 0) return nullptr;
      PyErr_Clear();
    }
  }
  return put(item, origin);
}

PyObject* Yields::put(PyObject* value, int32_t origin) { return through(0, value, origin) ? fresh(Py_None) : nullptr; }

PyObject* Yields::take_tagged(PyObject* tag, PyObject* value, int32_t origin) {
  const std::string name = to_text(tag);
  SideOutputs::Side* side = sides_.find(name);
  if (side == nullptr) {
    drop(name);
    return fresh(Py_None);
  }
  return write(side, side->outputs, value, origin) ? fresh(Py_None) : nullptr;
}

bool Yields::write(SideOutputs::Side* side, Outputs& outputs, PyObject* value, int32_t origin) {
  if (outputs.writer().write(value, outputs.builder())) [[likely]] {
    outputs.push_origin(origin);
    return true;
  }
  if (PyErr_Occurred() == nullptr) {
    fault_ = Fault::kMismatch;
    misfit_side_ = side;
    PyErr_SetNone(PyExc_StopIteration);  // ends the loop in Python
  }
  return false;
}

bool Yields::raised(size_t step) {
  if (fault_ == Fault::kNone) {
    fault_ = Fault::kTail;
    failed_ = step;
  }
  return false;
}

bool Yields::through(size_t step, PyObject* value, int32_t origin) {
  if (step == tail_.size()) return write(nullptr, main_, value, origin);
  const PyRef given = PyRef::steal(call_one(tail_[step], value));
  if (!given) return raised(step);
  switch (tail_[step].shape) {
    case Shape::kFilter: {
      const int keep = truth(given.get());
      if (keep < 0) return raised(step);
      return keep == 0 || through(step + 1, value, origin);
    }
    case Shape::kRow:
      return through(step + 1, given.get(), origin);
    default:
      return given.get() == Py_None || each(step, given.get(), origin);
  }
}

bool Yields::each(size_t step, PyObject* given, int32_t origin) {
  PyRef iterator = PyRef::steal(PyObject_GetIter(given));
  while (iterator) {
    PyRef item = PyRef::steal(PyIter_Next(iterator.get()));
    if (!item) return PyErr_Occurred() == nullptr || raised(step);
    if (!through(step + 1, item.get(), origin)) return false;
  }
  return raised(step);
}

// The frame of the loop is the only one of the traceback then.
bool Yields::cannot_be_gone_over(PyView exception) {
  if (PyErr_GivenExceptionMatches(exception.get(), PyExc_TypeError) == 0) return false;
  PyRef traceback = PyRef::steal(PyException_GetTraceback(exception.get()));
  PyRef next = traceback ? PyRef::steal(PyObject_GetAttrString(traceback.get(), "tb_next")) : PyRef();
  PyErr_Clear();
  PyRef text = PyRef::steal(PyObject_Str(exception.get()));
  PyErr_Clear();
  return next && next.get() == Py_None && text && to_text(text).ends_with("object is not iterable");
}

void Yields::drop(const std::string& tag) {
  if (std::find(dropped_.begin(), dropped_.end(), tag) != dropped_.end()) return;
  dropped_.push_back(tag);
  host_->write_log(CLUTCH_LOG_INFO, "python", context_,
                   "function \"" + spec_->name + "\" gives rows for side output \"" + tag +
                       "\", which nobody reads; they are dropped");
}

Status Yields::misfit_status(const std::string& where) {
  Outputs& outputs = misfit_side_ != nullptr ? misfit_side_->outputs : main_;
  const FunctionSpec& spec = misfit_side_ != nullptr ? misfit_side_->spec : *spec_;
  Mismatch mismatch = outputs.writer().take_mismatch();
  const std::string column = outputs.column_path(spec, mismatch.path);
  const bool whole = mismatch.path.empty();
  mismatch.path.clear();  // the sentence names the column instead
  std::string text = where + ": ";
  if (misfit_side_ != nullptr) text += "side output \"" + misfit_side_->name + "\": ";
  if (!whole) text += "column \"" + column + "\": ";
  Status status(CLUTCH_ERR_VALUE, text + mismatch.sentence(), CLUTCH_ORIGIN_USER);
  if (!column.empty()) status.with(CLUTCH_DETAIL_COLUMN, column);
  return status.with(CLUTCH_DETAIL_VALUE, mismatch.value);
}

void Yields::truncate(const Mark& mark) {
  main_.truncate_rows(mark.rows);
  sides_.truncate(mark.sides);
}

void Yields::clear() {
  main_.clear();
  sides_.clear();
}

int32_t Yields::emit(const Host& host, const clutch_batch& batch, clutch_error* error) {
  Outputs::Finished finished = main_.finish(batch.rows->length);
  if (finished.length > 0) {
    ArrowArray rows = finished.rows.detach();
    ArrowArray origin = finished.origin.detach();
    const int32_t code = host.host->emit(batch.context, CLUTCH_TAG_MAIN, &rows, &origin, error);
    if (code < 0) {
      sides_.clear();
      return code;
    }
  }
  return sides_.emit(host, batch, error);
}

}  // namespace clutch::pyembed
