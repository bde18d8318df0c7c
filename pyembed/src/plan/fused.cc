#include "plan/fused.h"

#include <algorithm>

#include "convert/fast.h"
#include "errors/exception.h"
#include "watch/watchdog.h"

namespace clutch::pyembed {
namespace {

Result<PyRef> make_constant(const Gil& gil, Interpreter& interpreter, const FunctionSpec& spec, size_t step, size_t i) {
  const ConstantSpec& constant = spec.steps[step].constants[i];
  PyRef load = interpreter.helper(gil, Interpreter::File::kLoading, "load_constant");
  PyRef text =
      PyRef::steal(PyUnicode_DecodeUTF8(constant.text.data(), static_cast<Py_ssize_t>(constant.text.size()), nullptr));
  PyRef made;
  if (load && text) {
    made = PyRef::steal(
        PyObject_CallFunctionObjArgs(load.get(), text.get(), constant.pickled ? Py_True : Py_False, nullptr));
  }
  if (made) return made;
  return to_status(CLUTCH_ERR_FUNCTION,
                   "function \"" + spec.steps[step].name + "\": constant " + std::to_string(i) + " of step " +
                       std::to_string(step) + " cannot be made",
                   describe(gil, interpreter, take_exception(gil), true));
}

}  // namespace

Result<std::unique_ptr<Fused>> Fused::make(const Gil& gil, Interpreter& interpreter, const FunctionSpec& spec) {
  std::unique_ptr<Fused> fused(new Fused);
  const size_t columns = spec.input.type.children.size();
  fused->owned_ = columns + spec.steps.size();
  fused->values_.resize(fused->owned_);
  fused->outputs_.assign(spec.output.type.children.size(), spec.steps.size() - 1);
  size_t widest = 0;
  fused->line_ = columns == 1;
  bool several = false;
  for (size_t i = 0; i < spec.steps.size(); ++i) {
    const StepSpec& step = spec.steps[i];
    Call call{{}, columns + i};
    for (const Argument& argument : step.arguments) {
      size_t place = argument.index;
      if (argument.from == Argument::From::kStep) place = columns + argument.index;
      if (argument.from == Argument::From::kColumn) {
        if (std::find(fused->columns_.begin(), fused->columns_.end(), place) == fused->columns_.end()) {
          fused->columns_.push_back(place);
        }
      }
      if (argument.from == Argument::From::kConstant) {
        CLUTCH_ASSIGN_OR_RETURN(PyRef constant, make_constant(gil, interpreter, spec, i, argument.index));
        place = fused->values_.size();
        fused->values_.push_back(constant.get());
        fused->constants_.push_back(std::move(constant));
      }
      call.arguments.push_back(place);
    }
    const size_t before = i == 0 ? 0 : columns + i - 1;
    if (call.arguments.size() != 1 || call.arguments.front() != before) fused->line_ = false;
    widest = std::max(widest, call.arguments.size());
    fused->calls_.push_back(std::move(call));
    if (step.output) {
      fused->outputs_[*step.output] = i;
      several = several || i + 1 != spec.steps.size();
    }
  }
  if (several || spec.output.type.children.size() != 1) fused->line_ = false;
  // Several columns of one step's result are a row that the step gives.
  const bool any =
      std::any_of(spec.steps.begin(), spec.steps.end(), [](const StepSpec& s) { return s.output.has_value(); });
  if (!any) fused->outputs_.resize(1);
  fused->stack_.resize(1 + widest);
  return fused;
}

int64_t Fused::run(const Loop& loop, int64_t first, int64_t last) {
  return with_sink(loop.outputs->writer(), loop.outputs->builder(), last - first, [&](auto& sink) {
    if (!line_) return run_calls(loop, sink, first, last);
    return with_source(loop.inputs->reader(0), loop.inputs->array(0),
                       [&](auto& source) { return run_line(loop, source, sink, first, last); });
  });
}

template <typename Source, typename Sink>
int64_t Fused::run_line(const Loop& loop, Source& source, Sink& sink, int64_t first, int64_t last) {
  const PlannedStep* const steps = loop.steps->data();
  const size_t count = loop.steps->size();
  const int64_t shift = loop.inputs->first();
  PyObject* stack[2] = {nullptr, nullptr};
  for (int64_t row = first; row < last; ++row) {
    store_row(loop.progress, row);
    PyObject* const argument = source.read(shift + row);
    if (argument == nullptr) [[unlikely]] {
      loop.fault->reason = Fault::Reason::kRead;
      return row;
    }
    stack[1] = argument;
    PyObject* value = steps[0].call(steps[0].callable, stack + 1, 1 | kArgsOffset, nullptr);
    source.done(argument);
    size_t step = 0;
    while (value != nullptr && ++step < count) {
      stack[1] = value;
      PyObject* const result = steps[step].call(steps[step].callable, stack + 1, 1 | kArgsOffset, nullptr);
      Py_DECREF(value);
      value = result;
    }
    if (value == nullptr) [[unlikely]] {
      loop.fault->reason = Fault::Reason::kRaised;
      loop.fault->step = step;
      return row;
    }
    const bool written = sink.write(value);
    Py_DECREF(value);
    if (!written) [[unlikely]] {
      told(loop);
      return row;
    }
  }
  return last;
}

template <typename Sink>
int64_t Fused::run_calls(const Loop& loop, Sink& sink, int64_t first, int64_t last) {
  for (int64_t row = first; row < last; ++row) {
    store_row(loop.progress, row);
    const bool served = read_columns(loop, row) && call_steps(loop) && write(loop, sink);
    clear();
    if (!served) [[unlikely]]
      return row;
  }
  return last;
}

bool Fused::read_columns(const Loop& loop, int64_t row) {
  Inputs& inputs = *loop.inputs;
  for (const size_t column : columns_) {
    values_[column] = inputs.reader(column).read(inputs.first() + row);
    if (values_[column] != nullptr) continue;
    loop.fault->reason = Fault::Reason::kRead;
    loop.fault->column = column;
    return false;
  }
  return true;
}

bool Fused::call_steps(const Loop& loop) {
  const PlannedStep* const steps = loop.steps->data();
  PyObject** const arguments = stack_.data() + 1;
  for (size_t i = 0; i < calls_.size(); ++i) {
    const Call& call = calls_[i];
    const size_t count = call.arguments.size();
    for (size_t k = 0; k < count; ++k) arguments[k] = values_[call.arguments[k]];
    PyObject* const result = steps[i].call(steps[i].callable, arguments, count | kArgsOffset, nullptr);
    if (result == nullptr) [[unlikely]] {
      loop.fault->reason = Fault::Reason::kRaised;
      loop.fault->step = i;
      return false;
    }
    values_[call.place] = result;
  }
  return true;
}

template <typename Sink>
bool Fused::write(const Loop& loop, Sink& sink) {
  if (outputs_.size() == 1) {
    if (sink.write(values_[calls_[outputs_.front()].place])) [[likely]]
      return true;
  } else {
    PyRef row = PyRef::steal(PyTuple_New(static_cast<Py_ssize_t>(outputs_.size())));
    for (size_t i = 0; row && i < outputs_.size(); ++i) {
      PyObject* const value = values_[calls_[outputs_[i]].place];
      Py_INCREF(value);
      PyTuple_SetItem(row.get(), static_cast<Py_ssize_t>(i), value);
    }
    if (row && sink.write(row.get())) [[likely]]
      return true;
  }
  told(loop);
  return false;
}

// The result was not written: which step gave what does not fit?
void Fused::told(const Loop& loop) {
  Fault& fault = *loop.fault;
  fault.reason = PyErr_Occurred() != nullptr ? Fault::Reason::kRaised : Fault::Reason::kMismatch;
  fault.step = outputs_.front();
  if (outputs_.size() == 1 || fault.reason == Fault::Reason::kRaised) return;
  const std::string& path = loop.outputs->writer().mismatch().path;  // ".column" and what is below it
  const auto& columns = loop.outputs->writer().field().type.children;
  size_t longest = 0;  // a name may begin with another one
  for (size_t i = 0; i < columns.size(); ++i) {
    const std::string& name = columns[i].name;
    if (path.compare(0, name.size() + 1, "." + name) != 0 || name.size() + 1 <= longest) continue;
    longest = name.size() + 1;
    fault.step = outputs_[i];
  }
}

void Fused::clear() {
  for (size_t i = 0; i < owned_; ++i) {
    PyObject* const value = values_[i];
    values_[i] = nullptr;
    Py_XDECREF(value);
  }
}

}  // namespace clutch::pyembed
