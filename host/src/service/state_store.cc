#include "service/state_store.h"

#include <iterator>
#include <utility>

#include "clutch/ext/state.h"

namespace clutch::host {

Result<uint32_t> StateStore::declare(const StateInfo& info) {
  if (info.name.empty()) {
    return Status(CLUTCH_ERR_ARGUMENT, "a state is declared without a name; give it one", CLUTCH_ORIGIN_PLUGIN);
  }
  if (info.kind < CLUTCH_STATE_VALUE || info.kind > CLUTCH_STATE_MAP) {
    return Status(CLUTCH_ERR_ARGUMENT,
                  "state \"" + info.name + "\" is declared with kind " + std::to_string(info.kind) +
                      "; there are 0 (value), 1 (list) and 2 (map)",
                  CLUTCH_ORIGIN_PLUGIN);
  }
  if (info.ttl_ms < 0) {
    return Status(CLUTCH_ERR_ARGUMENT,
                  "state \"" + info.name + "\" is declared with a time to live of " + std::to_string(info.ttl_ms) +
                      " ms; it must be positive, or 0 for none",
                  CLUTCH_ORIGIN_PLUGIN);
  }
  for (size_t i = 0; i < states_.size(); ++i) {
    const StateInfo& known = states_[i].info;
    if (known.name != info.name) continue;
    if (known.kind == info.kind && known.ttl_ms == info.ttl_ms) return static_cast<uint32_t>(i);
    return Status(CLUTCH_ERR_ARGUMENT,
                  "state \"" + info.name + "\" is declared twice, with different kinds or times to live",
                  CLUTCH_ORIGIN_USER);
  }
  states_.push_back({info, {}, 0});
  return static_cast<uint32_t>(states_.size() - 1);
}

const StateCell* StateStore::find(uint32_t state, const std::string& key) const {
  const auto found = states_[state].cells.find(key);
  return found == states_[state].cells.end() ? nullptr : &found->second;
}

void StateStore::apply(const StateInfo& info, CellChange& change, int64_t now_ms, StateCell& cell) {
  if (change.cleared) cell = StateCell();
  drop_expired(info, now_ms, cell);
  if (change.value) cell.value = StateEntry{std::move(*change.value), now_ms};
  for (std::string& item : change.appended) cell.list.push_back({std::move(item), now_ms});
  for (auto& [map_key, value] : change.entries) {
    if (value) {
      cell.map.insert_or_assign(map_key, StateEntry{std::move(*value), now_ms});
    } else {
      cell.map.erase(map_key);
    }
  }
}

void StateStore::drop_expired(const StateInfo& info, int64_t now_ms, StateCell& cell) {
  if (info.ttl_ms == 0) return;
  if (cell.value && info.expired(*cell.value, now_ms)) cell.value.reset();
  std::erase_if(cell.list, [&](const StateEntry& entry) { return info.expired(entry, now_ms); });
  std::erase_if(cell.map, [&](const auto& entry) { return info.expired(entry.second, now_ms); });
}

void StateStore::sweep(State& state, int64_t now_ms) {
  for (auto cell = state.cells.begin(); cell != state.cells.end();) {
    drop_expired(state.info, now_ms, cell->second);
    cell = cell->second.empty() ? state.cells.erase(cell) : std::next(cell);
  }
  state.commits_since_sweep = 0;
}

void StateStore::commit(StateChanges& changes, int64_t now_ms) {
  for (size_t i = 0; i < changes.size(); ++i) {
    State& state = states_[i];
    for (auto& [key, change] : changes[i]) {
      StateCell& cell = state.cells[key];
      apply(state.info, change, now_ms, cell);
      cell.version = ++version_;
      if (cell.empty()) state.cells.erase(key);
    }
    // As many commits as keys pay for looking at every key once.
    if (state.info.ttl_ms > 0 && ++state.commits_since_sweep > state.cells.size()) sweep(state, now_ms);
  }
}

}  // namespace clutch::host
