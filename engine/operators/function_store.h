// Where the state and the timers of an operator's function lie: with the operator, by key group.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "checkpoint/snapshot.h"
#include "clutch/columnar/result.h"
#include "exchange/key_group.h"
#include "state/coding.h"
#include "state/function_state.h"
#include "state/memory_backend.h"
#include "time/clock.h"

namespace clutch::engine {

// It must outlive the function.
class FunctionStore {
 public:
  FunctionStore(KeyGroups groups, int32_t subtask)
      : range_(groups.range_of(subtask)),
        backend_(groups, subtask, clock_),
        state_(backend_, groups, subtask, clock_) {}

  const clutch_app_state_store* table() const { return state_.store(); }
  size_t cell_count() const { return backend_.cell_count() + state_.own_cell_count(); }

  // Every key group with its state and timers, what is kept under the empty key, and how far event time has come.
  Result<std::string> snapshot(std::optional<int64_t> event_time);
  // Before the function opens: the groups of this subtask from what the subtasks before had, however many they were.
  Status restore(std::span<const SnapshotPart* const> parts);
  // How far event time had come in all parts that were restored; nothing: not everywhere, or none was.
  std::optional<int64_t> event_time() const { return event_time_; }

 private:
  Status restore_groups(SnapshotReader& in);

  const KeyGroupRange range_;
  WallClock clock_;
  MemoryBackend backend_;
  FunctionState state_;
  std::optional<int64_t> event_time_;
};

}  // namespace clutch::engine
