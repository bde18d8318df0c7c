// What the running batch did to state and timers: laid over what the store has when reading, given to it when the batch
// commits. Keys are positions in the batch; bytes are borrowed from the arrays they came in, which are kept.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "clutch/clutch.h"
#include "clutch/columnar/owned.h"

namespace clutch::host {

// One change, read from a plugin's array and checked.
struct StateChange {
  int32_t key;
  int8_t op;  // CLUTCH_STATE_OP_*
  std::optional<std::string_view> map_key;
  std::optional<std::string_view> value;
};

struct ValueChange {
  enum class What : uint8_t { kNothing, kPut, kClear };
  std::string_view bytes;
  What what = What::kNothing;
  bool touched = false;

  bool any() const { return what != What::kNothing || touched; }
};

// What became of one entry of a map.
struct EntryChange {
  std::string_view map_key;
  std::optional<std::string_view> value;  // None: removed.
};

// Changes of the list or the map of one key.
struct EntryChanges {
  bool cleared = false;  // What the store has is gone.
  bool touched = false;  // All of it.
  std::vector<std::string_view> touched_keys;
  std::vector<std::string_view> appended;

  // By map key, each once. Sorted when asked for.
  const std::vector<EntryChange>& entries();
  void put(std::string_view map_key, std::optional<std::string_view> value) { entries_.push_back({map_key, value}); }
  // Drop what the key had, and what was changed so far.
  void clear();

 private:
  std::vector<EntryChange> entries_;
  size_t sorted_ = 0;  // So many in front are in order.
};

// What one batch did to one state.
class StagedState {
 public:
  StagedState(int32_t kind, int64_t keys) : kind_(kind), keys_(keys) {}

  void apply(const StateChange& change);
  // Of a value state.
  const ValueChange& value(int64_t key) const;
  // Of a list or map state; nullptr if the key was not changed.
  EntryChanges* entries(int64_t key);
  // The changes as a store takes them, those of a key together.
  void collect(uint32_t state, std::span<const clutch_bytes> keys, std::vector<clutch_app_state_change>& out);

 private:
  EntryChanges& entries_of(int64_t key);

  int32_t kind_;
  int64_t keys_;
  std::vector<ValueChange> values_;  // By key; empty until the first change.
  std::vector<int32_t> places_;      // By key: the place in entries_, -1: none; empty until the first change.
  std::deque<EntryChanges> entries_;
};

struct StagedStates {
  std::vector<clutch_bytes> keys;  // Of the batch, in its input.
  std::vector<StagedState> states;
  std::vector<clutch_app_timer> timers;  // Those that fired as deletions, then the changes of the batch.
  // Those that were due, then those that were registered and fired in the batch: their places are what origins name.
  std::vector<clutch_app_timer> fired;
  std::vector<columnar::Array> kept;

  // Fill `out` with the changes of all states.
  void collect(std::vector<clutch_app_state_change>& out);
};

}  // namespace clutch::host
