#include "plan/group_driver.h"

#include <array>
#include <optional>

#include "convert/fast.h"
#include "errors/exception.h"
#include "plan/callback.h"
#include "plan/given.h"
#include "watch/watchdog.h"

namespace clutch::pyembed {
namespace {

constexpr size_t kWidth = 16;
constexpr int64_t kGroup = kWidth;
// Of a function's life, in C: they show whether its results are plain values.
constexpr int64_t kProof = 64;
constexpr int kFastCall = 0x0080;  // METH_FASTCALL; in the stable interface since 3.10, older ones have no driver

using FastFunction = PyObject* (*)(PyObject* self, PyObject* const* arguments, Py_ssize_t count);

// One call of the loop in Python.
template <typename Row, typename Source>
struct Running {
  // Each place of the group reads for itself, so that each has arguments of its own to fill again.
  using Sources = std::array<std::optional<Source>, kWidth>;
  Row* row;
  Sources* sources;
  const Loop* loop;
  PyObject* list;  // the arguments
  int64_t at;      // first row of the group
  int64_t last;
  int64_t shift;
  std::array<PyObject*, kWidth> arguments{};  // references of our own to what is in the list
  std::exception_ptr thrown{};

  static PyObject* feed(PyObject* self, PyObject* const* results, Py_ssize_t count) {
    return call_back<Running>(self, [results, count](Running& run) -> PyObject* {
      if (!run.take(results, count)) [[unlikely]]
        return PyErr_Occurred() != nullptr ? nullptr : fresh(Py_False);
      if (run.at == run.last) return fresh(Py_False);
      return fresh(run.next() ? Py_True : Py_False);
    });
  }

  // False: row `at` failed, the ones before are written.
  bool take(PyObject* const* results, Py_ssize_t count) {
    for (Py_ssize_t i = 0; i < count; ++i, ++at) {
      if (!row->give(results[i])) [[unlikely]]
        return false;
    }
    return true;
  }
  // Fill the list. False if a row cannot be read, of which the loop in C will tell after the rows before it.
  bool next() {
    store_row(loop->progress, at);
    for (size_t i = 0; i < kWidth; ++i) {
      PyObject* const before = arguments[i];
      if (before != nullptr) (*sources)[i]->done(std::exchange(arguments[i], nullptr));
      PyObject* object = (*sources)[i]->read(shift + at + static_cast<int64_t>(i));
      arguments[i] = object;
      if (object == before && object != nullptr) continue;
      if (object == nullptr || PyList_SetItem(list, static_cast<Py_ssize_t>(i), fresh(object)) != 0) [[unlikely]] {
        PyErr_Clear();
        return false;
      }
    }
    return true;
  }
  ~Running() {
    for (size_t i = 0; i < kWidth; ++i) {
      if (arguments[i] != nullptr) (*sources)[i]->done(std::exchange(arguments[i], nullptr));
    }
  }
};

class GroupDriver : public Driver {
 public:
  GroupDriver(PyRef drive, PyRef finished, PyRef list, Slot slot, long lines)
      : drive_(std::move(drive)),
        finished_(std::move(finished)),
        list_(std::move(list)),
        slot_(std::move(slot)),
        lines_(lines) {}

  int64_t run(const Loop& loop, int64_t first, int64_t last) override {
    while (first < last) {
      const int64_t end = first + rows_together(loop, last - first);
      const bool grouped = (end - first) % kGroup == 0 && is_proven(loop);
      const int64_t row = grouped ? run_groups(loop, first, end) : run_map(loop, first, end);
      proven_ += row - first;
      first = row;
      if (row != end && loop.fault->reason != Fault::Reason::kNone) return row;
      if (row == end) continue;
      first = run_map(loop, row, row + kGroup);  // one of these cannot be read
      if (first != row + kGroup) return first;
    }
    return last;
  }

 private:
  // An object that has to be asked for its number must be asked before the function can change it.
  bool is_proven(const Loop& loop) const { return proven_ >= kProof && !loop.outputs->writer().met_other_type(); }
  int64_t rows_together(const Loop& loop, int64_t rows) const {
    if (is_proven(loop)) return rows < kGroup ? rows : rows / kGroup * kGroup;
    return proven_ < kProof ? std::min(rows, kProof) : rows;
  }

  int64_t run_groups(const Loop& loop, int64_t first, int64_t last) {
    constexpr Py_ssize_t kHeld = 3;  // by Running, the list, and the loop's local variable
    Reader& reader = loop.inputs->reader(0);
    const ArrowArray& array = loop.inputs->array(0);
    return with_source(reader, array, [&](auto& model) {
      using Source = std::remove_reference_t<decltype(model)>;
      std::array<std::optional<Source>, kWidth> sources;
      for (auto& source : sources) source.emplace(reader.module(), reader, array, kHeld);
      return with_sink(loop.outputs->writer(), loop.outputs->builder(), last - first, [&](auto& sink) {
        MappedRow<std::remove_reference_t<decltype(sink)>> row(loop, sink);
        return drive(row, loop, sources, first, last);
      });
    });
  }

  template <typename Row, typename Source>
  int64_t drive(Row& row, const Loop& loop, std::array<std::optional<Source>, kWidth>& sources, int64_t first,
                int64_t last) {
    using Run = Running<Row, Source>;
    static PyMethodDef feed = {
        "feed", reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(static_cast<FastFunction>(Run::feed))),
        kFastCall, nullptr};
    if (!feed_) feed_ = PyRef::steal(PyCFunction_New(&feed, slot_.object()));  // the types are the same for every batch
    Run run{&row, &sources, &loop, list_.get(), first, last, loop.inputs->first()};
    if (feed_ && run.next()) {
      slot_.set(&run);
      PyObject* stack[4] = {nullptr, loop.steps->front().callable, list_.get(), feed_.get()};
      PyRef::steal(loop.slots->vectorcall(drive_.get(), stack + 1, 3 | kArgsOffset, nullptr));
      slot_.set(nullptr);
    }
    if (run.thrown == nullptr && PyErr_Occurred() != nullptr && loop.fault->reason == Fault::Reason::kNone) raised(run);
    clear();
    if (run.thrown != nullptr) {
      PyErr_Clear();
      std::rethrow_exception(run.thrown);
    }
    return run.at;
  }

  // A row of the group raised. Those before it in the group come first: one of them may not fit.
  template <typename Run>
  void raised(Run& run) {
    Gil gil;  // nested
    PyRef exception = take_exception(gil);
    if (!exception) return;
    PyRef results = PyRef::steal(PyObject_CallFunction(finished_.get(), "OOl", drive_.get(), exception.get(), lines_));
    PyErr_Clear();
    const Py_ssize_t count = results ? PyList_Size(results.get()) : 0;
    for (Py_ssize_t i = 0; i < count; ++i) {
      PyObject* result = PyList_GetItem(results.get(), i);
      if (!run.take(&result, 1)) return;
    }
    PyObject* type = fresh(reinterpret_cast<PyObject*>(Py_TYPE(exception.get())));
    PyObject* traceback = PyException_GetTraceback(exception.get());
    PyErr_Restore(type, exception.release(), traceback);
    run.loop->fault->reason = Fault::Reason::kRaised;
  }

  // Let go of the arguments.
  void clear() {
    PyObject *type = nullptr, *value = nullptr, *traceback = nullptr;
    PyErr_Fetch(&type, &value, &traceback);
    for (Py_ssize_t i = 0; i < static_cast<Py_ssize_t>(kWidth); ++i) PyList_SetItem(list_.get(), i, fresh(Py_None));
    PyErr_Restore(type, value, traceback);
  }

  PyRef drive_;
  PyRef finished_;
  PyRef list_;
  Slot slot_;
  PyRef feed_;
  long lines_;          // of a row in the text of drive_
  int64_t proven_ = 0;  // rows of the function's life so far
};

}  // namespace

std::unique_ptr<Driver> make_group_driver(const Gil& gil, Interpreter& interpreter, const Composite* composite) {
  PyRef make = interpreter.helper(gil, Interpreter::File::kDrivers, "make_group");
  PyRef finished = interpreter.helper(gil, Interpreter::File::kDrivers, "finished");
  PyRef width = PyRef::steal(PyLong_FromSize_t(kWidth));
  PyRef drive;
  if (make && width) {
    // After the width the lines of a row, if there are several.
    drive = PyRef::steal(PyObject_CallFunctionObjArgs(make.get(), width.get(),
                                                      composite != nullptr ? composite->lines() : nullptr,
                                                      composite != nullptr ? composite->names() : nullptr,
                                                      composite != nullptr ? composite->sources() : nullptr, nullptr));
  }
  PyRef list = PyRef::steal(PyList_New(kWidth));
  Slot slot;
  if (!drive || !finished || !list || !slot.make()) return nullptr;
  const auto lines = static_cast<long>(composite != nullptr ? PyList_Size(composite->lines()) : 1);
  for (size_t i = 0; i < kWidth; ++i) PyList_SetItem(list.get(), static_cast<Py_ssize_t>(i), fresh(Py_None));
  return std::make_unique<GroupDriver>(std::move(drive), std::move(finished), std::move(list), std::move(slot), lines);
}

}  // namespace clutch::pyembed
