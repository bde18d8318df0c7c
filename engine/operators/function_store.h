// Where the state and the timers of an operator's function lie: with the operator, by key group.
#pragma once

#include "clutch/columnar/result.h"
#include "exchange/key_group.h"
#include "state/function_state.h"
#include "state/memory_backend.h"
#include "time/clock.h"

namespace clutch::engine {

// It must outlive the function.
class FunctionStore {
 public:
  FunctionStore(KeyGroups groups, int32_t subtask)
      : backend_(groups, subtask, clock_), state_(backend_, groups, subtask, clock_) {}

  const clutch_app_state_store* table() const { return state_.store(); }
  size_t cell_count() const { return backend_.cell_count() + state_.own_cell_count(); }

 private:
  WallClock clock_;
  MemoryBackend backend_;
  FunctionState state_;
};

}  // namespace clutch::engine
