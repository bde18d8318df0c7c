// Keyed state of one function, in memory: what the last committed batch left, and what the running batch changed.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "clutch/columnar/result.h"

namespace clutch::host {

// A value with the time of its last write, for expiry. (unit: ms, processing time)
struct StateEntry {
  std::string bytes;
  int64_t written_ms = 0;
};

struct StateInfo {
  std::string name;
  int32_t kind = 0;    // CLUTCH_STATE_*
  int64_t ttl_ms = 0;  // 0: never expires.

  bool expired(const StateEntry& entry, int64_t now_ms) const {
    return ttl_ms > 0 && now_ms - entry.written_ms >= ttl_ms;
  }
};

// The state of one key.
struct StateCell {
  std::optional<StateEntry> value;
  std::vector<StateEntry> list;
  std::map<std::string, StateEntry, std::less<>> map;
  int64_t version = 0;

  bool empty() const { return !value.has_value() && list.empty() && map.empty(); }
};

// What one batch did to one key: laid over the committed cell when reading, applied to it when the batch commits.
struct CellChange {
  bool cleared = false;  // What the cell had is gone.
  std::optional<std::string> value;
  std::vector<std::string> appended;
  std::map<std::string, std::optional<std::string>, std::less<>> entries;  // No value: removed.

  // Drop what the cell had, and what was changed so far.
  void clear() {
    cleared = true;
    value.reset();
    appended.clear();
    entries.clear();
  }
};

// By state, by key.
using StateChanges = std::vector<std::unordered_map<std::string, CellChange>>;

// Used by the one batch with keys that is in flight, and by its commit; needs no lock.
class StateStore {
 public:
  // While the function opens. A second declaration of a name must be equal.
  Result<uint32_t> declare(const StateInfo& info);
  size_t size() const { return states_.size(); }
  const StateInfo& info(uint32_t state) const { return states_[state].info; }

  // The committed cell of a key, nullptr if it has none.
  const StateCell* find(uint32_t state, const std::string& key) const;

  // Make a batch's changes the state. Every changed key gets a version no value of it had before.
  void commit(StateChanges& changes, int64_t now_ms);

  // Keys that hold something; expired ones count until they are swept.
  size_t key_count(uint32_t state) const { return states_[state].cells.size(); }

 private:
  struct State {
    StateInfo info;
    std::unordered_map<std::string, StateCell> cells;
    size_t commits_since_sweep = 0;
  };

  static void apply(const StateInfo& info, CellChange& change, int64_t now_ms, StateCell& cell);
  static void drop_expired(const StateInfo& info, int64_t now_ms, StateCell& cell);
  static void sweep(State& state, int64_t now_ms);

  std::vector<State> states_;
  int64_t version_ = 0;  // One counter for all keys: a key that was cleared and set again has a new version.
};

}  // namespace clutch::host
