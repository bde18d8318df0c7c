// Windows: the engine decides which there are, when they fire and when they are over, and sends one batch of events
// (windows/events.h); this executor does what user code has to say about it.
//
// stream.window.reduce and .aggregate fold elements into accumulators, which are the host's state (windows/cells.h),
// and give what they hold, or what a second step makes of it. The other kinds keep nothing: the elements that come
// before a firing of their cell are the window's contents.
#pragma once

#include <array>
#include <memory>
#include <vector>

#include "plan/executor.h"
#include "windows/calls.h"
#include "windows/cells.h"

namespace clutch::pyembed {

class WindowsExecutor : public Executor {
 public:
  static Result<std::unique_ptr<Executor>> make(const Gil& gil, const Parts& parts);

  Status run(const Gil& gil, const Host& host, const clutch_batch& batch, Watch& watch, clutch_error* error) override;
  int32_t emit(const Host& host, const clutch_batch& batch, clutch_error* error) override;

 private:
  // Elements of a cell by input; empty: none.
  using Contents = std::array<PyRef, 2>;

  WindowsExecutor(Interpreter& interpreter, const FunctionSpec& spec, WindowEvents events)
      : interpreter_(&interpreter), spec_(&spec), events_(std::move(events)) {}
  Status run_events(const Gil& gil, WindowCells::Batch& batch);
  // The rows from `row` on that are kAdd; gives the row behind them.
  Status add(const Gil& gil, WindowCells::Batch& batch, int64_t row, int64_t& ret_next);
  Status run_event(const Gil& gil, WindowCells::Batch& batch, int64_t row);
  Status fire(const Gil& gil, WindowCells::Batch& batch, int64_t row);
  // Of the kinds that keep nothing.
  Status collect(const Gil& gil, WindowCells::Batch& batch, int64_t row);
  Status fire_contents(const Gil& gil, WindowCells::Batch& batch, int64_t row);
  Status merge_contents(const Gil& gil, WindowCells::Batch& batch, int64_t row);
  Contents& contents_of(int32_t cell);

  Interpreter* interpreter_;
  const FunctionSpec* spec_;
  WindowEvents events_;
  StoredStates stored_;
  std::optional<WindowCells> cells_;  // nothing: the kind keeps nothing
  std::unique_ptr<WindowCalls> calls_;
  bool two_ = false;
  bool stores_ = false;  // there are states
  std::vector<Contents> contents_;
};

}  // namespace clutch::pyembed
