#include "convert/fast.h"
#include "plan/loops.h"
#include "watch/watchdog.h"

namespace clutch::pyembed {
namespace {

// Every argument and result is freed before the next row, so the allocator gives the same warm block again.
template <typename Source, typename Sink>
int64_t map_rows(const Loop& loop, Source& source, Sink& sink, int64_t first, int64_t last) {
  const Vectorcall vectorcall = loop.steps->front().call;
  PyObject* const callable = loop.steps->front().callable;
  int64_t* const progress = loop.progress;
  const int64_t shift = loop.inputs->first();
  PyObject* stack[2] = {nullptr, nullptr};
  for (int64_t row = first; row < last; ++row) {
    store_row(progress, row);
    PyObject* argument = source.read(shift + row);
    if (argument == nullptr) [[unlikely]] {
      loop.fault->reason = Fault::Reason::kRead;
      return row;
    }
    stack[1] = argument;
    PyObject* result = vectorcall(callable, stack + 1, 1 | kArgsOffset, nullptr);
    source.done(argument);
    if (result == nullptr) [[unlikely]] {
      loop.fault->reason = Fault::Reason::kRaised;
      return row;
    }
    const bool written = sink.write(result);
    Py_DECREF(result);
    if (!written) [[unlikely]] {
      loop.fault->reason = PyErr_Occurred() != nullptr ? Fault::Reason::kRaised : Fault::Reason::kMismatch;
      return row;
    }
  }
  return last;
}

}  // namespace

int64_t run_map(const Loop& loop, int64_t first, int64_t last) {
  return with_source(loop.inputs->reader(0), loop.inputs->array(0), [&](auto& source) {
    return with_sink(loop.outputs->writer(), loop.outputs->builder(), last - first,
                     [&](auto& sink) { return map_rows(loop, source, sink, first, last); });
  });
}

}  // namespace clutch::pyembed
