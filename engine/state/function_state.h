// State and timers of one function that the engine opens at libclutch, for one subtask: the function's
// clutch_app_spec.state_store, over a backend and key groups, with snapshots.
//
// A snapshot of a key group: version (1 byte, 2) | the backend's snapshot, as bytes | the group's timers (timers.h).
// Version 1 is the backend's snapshot alone, as operators without timers write it; it is read, too.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "clutch/clutch.h"
#include "clutch/columnar/result.h"
#include "exchange/key_group.h"
#include "state/backend.h"
#include "state/memory_backend.h"
#include "state/timers.h"
#include "time/timestamp.h"

namespace clutch::engine {

// Not thread-safe: used by the batch that runs, and between batches by the subtask. The backend and the clock outlive
// it, and it outlives the function.
class FunctionState {
 public:
  // `backend` must be that of this subtask.
  FunctionState(StateBackend& backend, KeyGroups groups, int32_t subtask, const Clock& clock);
  FunctionState(const FunctionState&) = delete;
  FunctionState& operator=(const FunctionState&) = delete;

  // For clutch_app_spec.state_store.
  const clutch_app_state_store* store() const { return &table_; }

  // State and timers of a key group. CLUTCH_ERR_ARGUMENT for one that this subtask does not hold.
  Result<std::string> snapshot(int32_t key_group);
  // Before the function opens. Refuses as StateBackend::restore does; nothing has changed then.
  Status restore(int32_t key_group, std::string_view snapshot);

  // The state under the empty key, which is the subtask's own and in no key group (broadcast state). When the number of
  // subtasks changes, each takes the snapshot of any of those before: they are equal, as all see the same elements.
  Result<std::string> snapshot_own();
  Status restore_own(std::string_view snapshot);
  // Event time had come so far: what is due by then waits for the next watermark, as it did before.
  void resume_at(int64_t event_time) { fired_until_ = event_time; }

  std::optional<int64_t> next_timer(TimerDomain domain) const;
  size_t own_cell_count() const { return own_.cell_count(); }
  size_t timer_count() const { return timers_.size() + own_timers_.size(); }

 private:
  struct Table;  // the functions behind table_

  // The same state in the backend, and under the empty key.
  struct Ids {
    StateId keyed;
    StateId own;
  };

  Status declare(uint32_t state, const clutch_state_declaration& declaration);
  Result<Ids> ids(uint32_t state) const;
  Status read(uint32_t state, std::span<const clutch_bytes> keys, int64_t now, clutch_app_state_value* ret_values);
  Status read_page(const clutch_app_page_request& request, clutch_app_page& ret_page);
  Status look_up(uint32_t state, std::span<const clutch_app_entry_name> names, int64_t now,
                 clutch_app_state_value* ret_values);
  Status commit(const clutch_app_commit& commit);
  Status check_timers(std::span<const clutch_app_timer> timers) const;
  Status due(int64_t event_time, int64_t processing_time);
  TimerGroups& timers_of(std::string_view key) { return key.empty() ? own_timers_ : timers_; }

  StateBackend& backend_;
  KeyGroups groups_;
  KeyGroupRange range_;
  MemoryBackend own_;  // of one key group, which has the empty key alone
  TimerGroups timers_;
  TimerGroups own_timers_;
  // Event time stands still between watermarks: a timer that is registered behind the watermark fires with the next
  // one, wherever batches begin and end.
  int64_t fired_until_ = kNoTimestamp;
  std::vector<std::optional<Ids>> states_;  // by the host's number
  clutch_app_state_store table_{};

  // Scratch, and what was lent out last.
  std::vector<std::string_view> keys_;
  std::vector<std::string_view> fields_;
  std::vector<StateBackend::View> values_;
  std::vector<StateChange> keyed_changes_;
  std::vector<StateChange> own_changes_;
  StatePage page_;
  std::vector<clutch_app_state_entry> entries_;
  std::vector<clutch_app_timer> due_;
};

}  // namespace clutch::engine
