// Row by row: for filters and functions that give many rows.
#include "plan/driver.h"

#include "plan/callback.h"
#include "plan/chain.h"
#include "plan/given.h"
#include "plan/group_driver.h"

namespace clutch::pyembed {
namespace {

constexpr int64_t kFewRows = 8;        // are done sooner by the loop in C
constexpr long kGeneratorFlag = 0x20;  // of a code object

bool is_generator(PyObject* function) {
  PyRef code = PyRef::steal(PyObject_GetAttrString(function, "__code__"));
  PyRef flags = code ? PyRef::steal(PyObject_GetAttrString(code.get(), "co_flags")) : PyRef();
  const long value = flags ? PyLong_AsLong(flags.get()) : 0;
  PyErr_Clear();
  return (value & kGeneratorFlag) != 0;
}

// One call of the loop in Python.
template <typename Row, typename Source>
struct Running {
  Row* row;
  Source* source;
  const Loop* loop;
  PyObject* end;
  int64_t at;
  int64_t last;
  int64_t shift;
  PyObject* argument = nullptr;  // a reference of our own to what the loop has
  std::exception_ptr thrown{};

  static PyObject* feed(PyObject* self, PyObject* result) {
    return call_back<Running>(self, [result](Running& run) { return run.take(result); });
  }
  static PyObject* emit(PyObject* self, PyObject* item) {
    return call_back<Running>(self, [item](Running& run) -> PyObject* {
      if (run.row->emit(item)) [[likely]]
        return fresh(Py_None);
      if (PyErr_Occurred() == nullptr) PyErr_SetNone(PyExc_StopIteration);  // ends the loop; `fault` has the reason
      return nullptr;
    });
  }

  PyObject* take(PyObject* result) {
    if (!row->give(result)) [[unlikely]]
      return PyErr_Occurred() != nullptr ? nullptr : fresh(end);
    done();
    return ++at < last ? next() : fresh(end);
  }
  // A new reference for the loop, or NULL with a Python error set.
  PyObject* next() {
    store_row(loop->progress, at);
    row->begin(at);
    argument = source->read(shift + at);
    if (argument != nullptr) [[likely]]
      return fresh(argument);
    loop->fault->reason = Fault::Reason::kRead;
    return nullptr;
  }
  void done() {
    if (argument != nullptr) source->done(std::exchange(argument, nullptr));
  }
};

class RowDriver : public Driver {
 public:
  RowDriver(Shape shape, PyRef drive, PyRef end, Slot slot)
      : drive_(std::move(drive)), end_(std::move(end)), slot_(std::move(slot)), shape_(shape) {}

  int64_t run(const Loop& loop, int64_t first, int64_t last) override {
    if (last - first < kFewRows) return run_chain(loop, first, last);
    constexpr Py_ssize_t kHeld = 2;  // by Running and by the loop's local variable
    return with_source(loop.inputs->reader(0), loop.inputs->array(0), kHeld, [&](auto& source) {
      if (shape_ == Shape::kFilter) {
        FilteredRow row(loop);
        return drive(row, loop, source, first, last);
      }
      return with_sink(loop.outputs->writer(), loop.outputs->builder(), last - first, [&](auto& sink) {
        Chain<std::remove_reference_t<decltype(sink)>, true> row(loop, sink);
        return drive(row, loop, source, first, last);
      });
    });
  }

 private:
  template <typename Row, typename Source>
  int64_t drive(Row& row, const Loop& loop, Source& source, int64_t first, int64_t last) {
    using Run = Running<Row, Source>;
    static PyMethodDef feed = {"feed", Run::feed, METH_O, nullptr};
    static PyMethodDef emit = {"emit", Run::emit, METH_O, nullptr};
    if (!feed_) feed_ = PyRef::steal(PyCFunction_New(&feed, slot_.object()));  // the types are the same for every batch
    if (!emit_) emit_ = PyRef::steal(PyCFunction_New(&emit, slot_.object()));
    Run run{&row, &source, &loop, end_.get(), first, last, loop.inputs->first()};
    PyRef finished;
    if (PyRef argument = PyRef::steal(feed_ && emit_ ? run.next() : nullptr); argument) {
      slot_.set(&run);
      PyObject* stack[6] = {nullptr,    loop.steps->front().callable, argument.get(), end_.get(), feed_.get(),
                            emit_.get()};
      finished = PyRef::steal(loop.slots->vectorcall(drive_.get(), stack + 1, 5 | kArgsOffset, nullptr));
      slot_.set(nullptr);
    }
    run.done();
    if (run.thrown != nullptr) {
      PyErr_Clear();
      std::rethrow_exception(run.thrown);
    }
    const Fault::Reason reason = loop.fault->reason;
    if (finished && reason == Fault::Reason::kNone) return last;
    row.drop();
    if (reason == Fault::Reason::kNone) loop.fault->reason = Fault::Reason::kRaised;
    if (reason == Fault::Reason::kMismatch || reason == Fault::Reason::kNotIterable) PyErr_Clear();
    return run.at;
  }

  PyRef drive_;
  PyRef end_;  // what feed gives after the last row
  Slot slot_;
  PyRef feed_;
  PyRef emit_;
  Shape shape_;
};

}  // namespace

std::unique_ptr<Driver> Driver::make(const Gil& gil, Interpreter& interpreter, const PlannedStep& step,
                                     const Composite* composite, Outputs& outputs, bool exact) {
  // In 3.11 the way to Python and back costs more than one call saves.
  const int oldest = composite != nullptr ? 11 : 12;
  if (minor_version(interpreter.version()) < oldest || !is_python_function(step.callable)) return nullptr;
  std::unique_ptr<Driver> driver;
  if (step.shape == Shape::kRow) {
    // What a list or a dict means is only certain before the function is called again.
    if (!exact && outputs.writer().fast() != Fast::kGeneric) driver = make_group_driver(gil, interpreter, composite);
  } else {
    const bool generator = step.shape == Shape::kRows && is_generator(step.callable);
    PyRef make = interpreter.helper(gil, Interpreter::File::kDrivers, generator ? "make_generator" : "make_one");
    PyRef drive = make ? PyRef::steal(PyObject_CallObject(make.get(), nullptr)) : PyRef();
    PyRef end = PyRef::steal(PyObject_CallObject(reinterpret_cast<PyObject*>(&PyBaseObject_Type), nullptr));
    Slot slot;
    if (drive && end && slot.make()) {
      driver = std::make_unique<RowDriver>(step.shape, std::move(drive), std::move(end), std::move(slot));
    }
  }
  if (driver == nullptr) PyErr_Clear();  // the loops in C serve without it
  return driver;
}

}  // namespace clutch::pyembed
