// Windows of a keyed stream: assigned, fired and ended here; Python runs for the user's function alone.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "checkpoint/keyed_part.h"
#include "exchange/key_group.h"
#include "operators/rows_operator.h"
#include "runtime/keys.h"
#include "time/clock.h"
#include "window/contents.h"
#include "window/tracker.h"

namespace clutch::engine {

// What the windows are.
struct WindowPlan {
  WindowAssigner assigner;
  Trigger trigger;
  int64_t allowed_lateness = 0;  // (unit: milliseconds)
  std::optional<Evictor> evictor;
  bool folds = false;               // reduce and aggregate: the runtime keeps accumulators
  bool clears = false;              // the function is to know when a window is over
  std::optional<size_t> late_side;  // where late elements go, among the shape's side outputs; nothing: they are dropped
};

// The function gets batches of events (window/event_batch.h) and gives rows for those that fire, which get the last
// timestamp of their window. A batch of elements of which no event comes, as where elements are only kept, does not
// reach the function.
class WindowOperator final : public RowsOperator {
 public:
  // CLUTCH_ERR_UNSUPPORTED for types that cannot be kept.
  static Result<std::unique_ptr<Operator>> make(FunctionDefinition definition, RowsShape shape, WindowPlan plan,
                                                int32_t max_parallelism);

  // The columns that a window function with these inputs gets.
  static columnar::Field function_input(const std::vector<BatchType>& inputs);

  Status open(const OperatorContext& context) override;
  // The windows in flight with their timers, the elements in them, and what the function keeps, by key group; and how
  // far event time has come.
  Result<std::string> snapshot() override;
  bool works_beside_function() const override { return true; }
  std::optional<Deadline> deadline() const override;
  Status on_deadline(Output& output) override { return advance(output); }

 protected:
  bool has_state() const override { return true; }
  std::optional<size_t> count_kept() const override { return tracker_.open_windows(); }
  Result<Submission> prepare(columnar::Array arranged) override;
  Result<std::optional<Submission>> before_signal(const TimeSignal& signal) override;
  Result<std::optional<Submission>> when_idle() override;
  Status deliver(FunctionResult& result, Kept kept, Output& output) override;
  Status deliver_unrun(Kept kept, Output& output) override;

 private:
  WindowOperator(FunctionDefinition definition, RowsShape shape, WindowPlan plan, WindowTracker tracker,
                 KeyIndexer indexer, int32_t max_parallelism);
  // What the actions come to, with the elements that they name.
  Result<Submission> submission_of(const WindowElements* elements);
  void release_unless_held(KeyId id);
  // What the windows are and what is kept in them, in words.
  std::string shape() const;
  Status restore(const KeyedPart& kept);
  // Elements that were late, with their timestamps; empty if there are none or nobody wants them.
  Result<columnar::Array> late_rows(const WindowElements& elements);
  Status emit_late(Kept& kept, Output& output);

  const WindowPlan plan_;
  const int32_t max_parallelism_;
  WallClock clock_;
  WindowTracker tracker_;
  KeyIndexer indexer_;
  KeyTable keys_;
  WindowEventBatch events_{keys_};
  std::optional<KeyGroups> groups_;        // once it is open
  KeyGroupRange range_{0, 0};              // of the subtask, likewise
  std::unique_ptr<StateBackend> backend_;  // of the elements, where the function does not fold
  std::unique_ptr<WindowContents> contents_;
  WindowActions actions_;
  std::vector<KeyId> ids_;  // by place among the distinct keys of a batch
  std::vector<int64_t> times_;
};

}  // namespace clutch::engine
