#include "windows/windows.h"

#include <algorithm>

namespace clutch::pyembed {
namespace {

constexpr int64_t kStretch = 1024;  // (unit: rows) between two looks at deadline and cancellation

bool folds(const StepSpec& step) {
  return step.kind == CLUTCH_KIND_STREAM_WINDOW_REDUCE || step.kind == CLUTCH_KIND_STREAM_WINDOW_AGGREGATE;
}

bool has_two_inputs(const StepSpec& step) {
  return step.kind == CLUTCH_KIND_STREAM_WINDOW_JOIN || step.kind == CLUTCH_KIND_STREAM_WINDOW_FLAT_JOIN ||
         step.kind == CLUTCH_KIND_STREAM_WINDOW_CO_GROUP;
}

}  // namespace

Result<std::unique_ptr<Executor>> WindowsExecutor::make(const Gil& gil, const Parts& parts) {
  const FunctionSpec& spec = parts.spec;
  const StepSpec& first = spec.steps.front();
  const bool two = has_two_inputs(first);
  CLUTCH_ASSIGN_OR_RETURN(WindowEvents events, WindowEvents::make(spec, two, parts.interpreter.module()));
  std::unique_ptr<WindowsExecutor> made(new WindowsExecutor(parts.interpreter, spec, std::move(events)));
  made->two_ = two;
  if (folds(first)) {
    if (parts.host.state == nullptr) {
      return Status(CLUTCH_ERR_UNSUPPORTED, "this host has no state by key", CLUTCH_ORIGIN_HOST);
    }
    CLUTCH_ASSIGN_OR_RETURN(WindowCells cells, WindowCells::make(gil, parts, made->events_.column(0), made->stored_));
    made->cells_.emplace(std::move(cells));
  }
  const StepSpec* whole = folds(first) && spec.steps.size() == 1 ? nullptr : &spec.steps.back();
  CLUTCH_ASSIGN_OR_RETURN(made->calls_, WindowCalls::make(gil, parts, whole, made->stored_));
  made->stores_ = made->cells_ || (whole != nullptr && whole->kind == CLUTCH_KIND_STREAM_WINDOW_PROCESS);
  if (!made->stored_.make()) {
    PyErr_Clear();
    return Status(CLUTCH_ERR_MEMORY, "there is no memory for its states");
  }
  return std::unique_ptr<Executor>(std::move(made));
}

Status WindowsExecutor::run(const Gil& gil, const Host& host, const clutch_batch& batch, Watch& watch,
                            clutch_error* error) {
  CLUTCH_ASSIGN_OR_RETURN(const KeyedBatch keyed, KeyedBatch::make(*spec_, batch));
  Failures failures(*interpreter_, *spec_, host, batch, watch);
  if (!keyed.has_keys()) {
    return failures.plain(CLUTCH_ERR_DATA, "is keyed, and its batch has no keys; give the key of each row",
                          CLUTCH_ORIGIN_HOST);
  }
  WindowCells::Batch state{keyed, events_, failures, watch, error};
  const auto windows = [&]() -> Status {
    if (!events_.bind(*batch.rows)) return failures.group(gil, "reading the rows", "the batch");
    if (const std::string why = events_.unreadable(keyed.rows()); !why.empty()) {
      return failures.plain(CLUTCH_ERR_DATA, "input: " + why, CLUTCH_ORIGIN_HOST);
    }
    if (stores_) stored_.begin(host, batch.context);
    CLUTCH_RETURN_IF_ERROR(calls_->begin(gil, host, batch, keyed, failures, watch));
    if (cells_) CLUTCH_RETURN_IF_ERROR(cells_->begin(gil, state));
    CLUTCH_RETURN_IF_ERROR(run_events(gil, state));
    // User code that swallowed the interruption, or a row that ended just before it: too late all the same.
    CLUTCH_RETURN_IF_ERROR(failures.poll(keyed.rows()));
    if (cells_) CLUTCH_RETURN_IF_ERROR(cells_->store(gil, state));
    return calls_->store(gil);
  };
  Status status = windows();
  events_.unbind();
  contents_.clear();
  if (cells_) cells_->end();
  calls_->end(status.ok());
  stored_.end();
  return status;
}

int32_t WindowsExecutor::emit(const Host& host, const clutch_batch& batch, clutch_error* error) {
  return calls_->emit(host, batch, error);
}

Status WindowsExecutor::run_events(const Gil& gil, WindowCells::Batch& batch) {
  int64_t polled = 0;
  for (int64_t row = 0; row < batch.keyed.rows();) {
    if (row >= polled) {
      CLUTCH_RETURN_IF_ERROR(batch.failures.poll(row));
      polled = row + kStretch;
    }
    store_row(batch.watch.progress, row);
    if (events_.op(row) == WindowOp::kAdd) {
      CLUTCH_RETURN_IF_ERROR(add(gil, batch, row, row));
    } else {
      CLUTCH_RETURN_IF_ERROR(run_event(gil, batch, row));
      ++row;
    }
  }
  return {};
}

Status WindowsExecutor::add(const Gil& gil, WindowCells::Batch& batch, int64_t row, int64_t& ret_next) {
  if (!cells_) {
    ret_next = row + 1;
    return collect(gil, batch, row);
  }
  const int64_t most = std::min(row + kStretch, batch.keyed.rows());
  int64_t last = row + 1;
  // Declarations stand between the values, and do nothing.
  while (last < most && (events_.op(last) == WindowOp::kAdd || events_.op(last) == WindowOp::kCell)) ++last;
  ret_next = last;
  return cells_->add(gil, batch, row, last);
}

Status WindowsExecutor::run_event(const Gil& gil, WindowCells::Batch& batch, int64_t row) {
  switch (events_.op(row)) {
    case WindowOp::kFire:
      return cells_ ? fire(gil, batch, row) : fire_contents(gil, batch, row);
    case WindowOp::kPurge:
      if (cells_) return cells_->purge(batch, row);
      contents_of(events_.cell(row)) = Contents();
      return {};
    case WindowOp::kMerge:
      return cells_ ? cells_->merge(gil, batch, row) : merge_contents(gil, batch, row);
    case WindowOp::kClear:
      return calls_->clear(gil, row, events_.start(row), events_.end(row));
    case WindowOp::kCell:
    case WindowOp::kAdd:
      break;
  }
  return {};
}

Status WindowsExecutor::fire(const Gil& gil, WindowCells::Batch& batch, int64_t row) {
  PyRef result;
  CLUTCH_RETURN_IF_ERROR(cells_->result(gil, batch, row, result));
  if (!result) return {};  // there is nothing in the window
  if (!calls_->whole()) return calls_->put(gil, row, events_.start(row), events_.end(row), result.get());
  PyRef contents = PyRef::steal(PyList_New(1));
  if (!contents) return batch.failures.group(gil, "making the contents", "a window");
  PyList_SetItem(contents.get(), 0, result.release());
  return calls_->fire(gil, row, events_.start(row), events_.end(row), contents.get(), nullptr);
}

WindowsExecutor::Contents& WindowsExecutor::contents_of(int32_t cell) {
  if (contents_.size() <= static_cast<size_t>(cell)) contents_.resize(static_cast<size_t>(cell) + 1);
  return contents_[static_cast<size_t>(cell)];
}

Status WindowsExecutor::collect(const Gil& gil, WindowCells::Batch& batch, int64_t row) {
  const int input = events_.input(row);
  PyRef value = PyRef::steal(events_.reader(input).read(events_.first() + row));
  if (!value) return batch.failures.reading(gil, row, events_.column(input).name);
  PyRef& list = contents_of(events_.cell(row))[static_cast<size_t>(input)];
  if (!list) list = PyRef::steal(PyList_New(0));
  if (list && PyList_Append(list.get(), value.get()) == 0) return {};
  return batch.failures.group(gil, "keeping the contents", "a window");
}

Status WindowsExecutor::fire_contents(const Gil& gil, WindowCells::Batch& batch, int64_t row) {
  Contents contents = std::exchange(contents_of(events_.cell(row)), Contents());
  for (PyRef& list : contents) {
    if (!list) list = PyRef::steal(PyList_New(0));
    if (!list) return batch.failures.group(gil, "making the contents", "a window");
  }
  return calls_->fire(gil, row, events_.start(row), events_.end(row), contents[0].get(),
                      two_ ? contents[1].get() : nullptr);
}

Status WindowsExecutor::merge_contents(const Gil& gil, WindowCells::Batch& batch, int64_t row) {
  Contents from = std::exchange(contents_of(events_.other(row)), Contents());
  Contents& into = contents_of(events_.cell(row));
  for (size_t i = 0; i < from.size(); ++i) {
    if (!from[i]) continue;
    if (!into[i]) {
      into[i] = std::move(from[i]);
      continue;
    }
    const Py_ssize_t end = PyList_Size(into[i].get());
    if (PyList_SetSlice(into[i].get(), end, end, from[i].get()) != 0) {
      return batch.failures.group(gil, "keeping the contents", "a window");
    }
  }
  return {};
}

}  // namespace clutch::pyembed
