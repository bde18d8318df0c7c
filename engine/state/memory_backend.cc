#include "state/memory_backend.h"

#include <algorithm>
#include <iterator>

namespace clutch::engine {
namespace {

const char* name_of(StateKind kind) {
  switch (kind) {
    case StateKind::kValue:
      return "value";
    case StateKind::kList:
      return "list";
    case StateKind::kMap:
      return "map";
  }
  return "unknown";
}

Status clash(std::string_view name, const std::string& what) {
  return Status(CLUTCH_ERR_ARGUMENT, "the state \"" + std::string(name) + "\" " + what +
                                         "; give the states of one operator different names");
}

Status kind_clash(std::string_view name, StateKind is, StateKind wanted) {
  return clash(name, std::string("is a ") + name_of(is) + " state and cannot be a " + name_of(wanted) + " state, too");
}

}  // namespace

Result<StateId> MemoryBackend::declare(const StateDescriptor& descriptor) {
  if (descriptor.ttl.has_value() && descriptor.ttl->duration <= 0) {
    return Status(CLUTCH_ERR_VALUE, "the state \"" + descriptor.name + "\" cannot live for " +
                                        std::to_string(descriptor.ttl->duration) +
                                        " ms; give a time to live of at least 1 ms");
  }
  State* known = state_named(descriptor.name);
  if (known == nullptr) {
    known = &add_state(descriptor, true);
  } else {
    const StateDescriptor& old = known->descriptor;
    if (old.kind != descriptor.kind) return kind_clash(old.name, old.kind, descriptor.kind);
    if (known->declared && old.ttl != descriptor.ttl) return clash(old.name, "has another time to live already");
    known->descriptor.ttl = descriptor.ttl;
    known->declared = true;
  }
  return static_cast<StateId>(known - states_.data());
}

MemoryBackend::State& MemoryBackend::add_state(StateDescriptor descriptor, bool declared) {
  std::vector<StateGroup> groups(static_cast<size_t>(range_.size()), {descriptor.name, descriptor.kind, {}});
  states_.push_back({std::move(descriptor), declared, std::move(groups)});
  return states_.back();
}

MemoryBackend::State* MemoryBackend::state_named(std::string_view name) {
  for (State& state : states_) {
    if (state.descriptor.name == name) return &state;
  }
  return nullptr;
}

Status MemoryBackend::check_group(int32_t group) const {
  if (range_.contains(group)) return {};
  return Status(CLUTCH_ERR_ARGUMENT, "key group " + std::to_string(group) + " is not held here but " +
                                         std::to_string(range_.first) + " to " + std::to_string(range_.last) +
                                         "; send every key to the subtask of its key group");
}

Result<MemoryBackend::State*> MemoryBackend::find_state(StateId state, std::optional<StateKind> kind) {
  if (state >= states_.size()) {
    return Status(CLUTCH_ERR_ARGUMENT, "there is no state number " + std::to_string(state) + " but " +
                                           std::to_string(states_.size()) + " states; declare it first");
  }
  const StateDescriptor& descriptor = states_[state].descriptor;
  if (kind.has_value() && *kind != descriptor.kind) return kind_clash(descriptor.name, descriptor.kind, *kind);
  return &states_[state];
}

Result<MemoryBackend::Place> MemoryBackend::find(const StateAddress& at, std::optional<StateKind> kind) {
  CLUTCH_ASSIGN_OR_RETURN(State * state, find_state(at.state, kind));
  const uint32_t hash = hash_key(at.key);
  CellTable* cells = table_of(*state, hash);
  if (cells == nullptr) return not_held(hash);
  return Place{state, cells, hash, cells->find(hash, at.key, at.space)};
}

void MemoryBackend::forget(Place& place) {
  place.cells->erase(*place.cell);
  place.cell = nullptr;
}

bool MemoryBackend::look(const State& state, StateItem& item, bool& drop) const {
  const std::optional<StateTtl>& ttl = state.descriptor.ttl;
  drop = false;
  if (!ttl.has_value()) return true;
  const int64_t now = clock_->now();
  if (!ttl->expired(item.written, now)) {
    if (ttl->refresh == StateTtl::Refresh::kOnReadAndWrite) item.written = now;
    return true;
  }
  drop = true;
  return ttl->visibility == StateTtl::Visibility::kExpiredIfNotCleanedUp;
}

Result<std::optional<std::string>> MemoryBackend::value(const StateAddress& at) {
  CLUTCH_ASSIGN_OR_RETURN(Place place, find(at, StateKind::kValue));
  if (place.cell == nullptr) return std::optional<std::string>();
  auto& item = std::get<StateItem>(place.cell->contents);
  bool drop = false;
  std::optional<std::string> seen;
  if (look(*place.state, item, drop)) seen = item.bytes;
  if (drop) forget(place);
  return seen;
}

Status MemoryBackend::set_value(const StateAddress& at, std::string_view bytes) {
  CLUTCH_ASSIGN_OR_RETURN(Place place, find(at, StateKind::kValue));
  auto& item = contents<StateItem>(place, at);
  item.bytes.assign(bytes);
  item.written = clock_->now();
  return {};
}

Result<std::vector<std::string>> MemoryBackend::list(const StateAddress& at) {
  CLUTCH_ASSIGN_OR_RETURN(Place place, find(at, StateKind::kList));
  std::vector<std::string> seen;
  if (place.cell == nullptr) return seen;
  auto& items = std::get<StateList>(place.cell->contents);
  for (auto item = items.begin(); item != items.end();) {
    bool drop = false;
    if (look(*place.state, *item, drop)) seen.push_back(item->bytes);
    item = drop ? items.erase(item) : std::next(item);
  }
  if (items.empty()) forget(place);
  return seen;
}

Status MemoryBackend::append(const StateAddress& at, std::span<const std::string_view> items) {
  CLUTCH_ASSIGN_OR_RETURN(Place place, find(at, StateKind::kList));
  if (items.empty()) return {};
  auto& list = contents<StateList>(place, at);
  const int64_t now = clock_->now();
  for (const std::string_view item : items) list.push_back({std::string(item), now});
  return {};
}

Status MemoryBackend::merge_lists(const StateAddress& at, std::span<const std::string_view> from_spaces) {
  StateList moved;
  for (const std::string_view space : from_spaces) {
    CLUTCH_ASSIGN_OR_RETURN(Place from, find({at.state, at.key, space}, StateKind::kList));
    if (from.cell == nullptr) continue;
    auto& items = std::get<StateList>(from.cell->contents);
    std::move(items.begin(), items.end(), std::back_inserter(moved));
    forget(from);
  }
  CLUTCH_ASSIGN_OR_RETURN(Place to, find(at, StateKind::kList));
  if (moved.empty()) return {};
  auto& list = contents<StateList>(to, at);
  std::move(moved.begin(), moved.end(), std::back_inserter(list));
  return {};
}

Result<std::optional<std::string>> MemoryBackend::entry(const StateAddress& at, std::string_view field) {
  CLUTCH_ASSIGN_OR_RETURN(Place place, find(at, StateKind::kMap));
  std::optional<std::string> seen;
  if (place.cell == nullptr) return seen;
  auto& map = std::get<StateMap>(place.cell->contents);
  const auto found = map.find(field);
  if (found == map.end()) return seen;
  bool drop = false;
  if (look(*place.state, found->second, drop)) seen = found->second.bytes;
  if (drop) map.erase(found);
  if (map.empty()) forget(place);
  return seen;
}

Status MemoryBackend::set_entry(const StateAddress& at, std::string_view field, std::string_view bytes) {
  CLUTCH_ASSIGN_OR_RETURN(Place place, find(at, StateKind::kMap));
  auto& map = contents<StateMap>(place, at);
  const auto found = map.find(field);
  StateItem& item = found != map.end() ? found->second : map[std::string(field)];
  item.bytes.assign(bytes);
  item.written = clock_->now();
  return {};
}

Status MemoryBackend::remove_entry(const StateAddress& at, std::string_view field) {
  CLUTCH_ASSIGN_OR_RETURN(Place place, find(at, StateKind::kMap));
  if (place.cell == nullptr) return {};
  auto& map = std::get<StateMap>(place.cell->contents);
  const auto found = map.find(field);
  if (found != map.end()) map.erase(found);
  if (map.empty()) forget(place);
  return {};
}

Result<StateBackend::Entries> MemoryBackend::entries(const StateAddress& at, std::optional<std::string_view> after,
                                                     size_t limit) {
  CLUTCH_ASSIGN_OR_RETURN(Place place, find(at, StateKind::kMap));
  Entries seen;
  if (place.cell == nullptr) return seen;
  auto& map = std::get<StateMap>(place.cell->contents);
  auto next = after.has_value() ? map.upper_bound(*after) : map.begin();
  while (next != map.end() && seen.size() < limit) {
    bool drop = false;
    if (look(*place.state, next->second, drop)) seen.emplace_back(next->first, next->second.bytes);
    next = drop ? map.erase(next) : std::next(next);
  }
  if (map.empty()) forget(place);
  return seen;
}

Status MemoryBackend::clear(const StateAddress& at) {
  CLUTCH_ASSIGN_OR_RETURN(Place place, find(at, std::nullopt));
  if (place.cell != nullptr) forget(place);
  return {};
}

Result<std::string> MemoryBackend::snapshot(int32_t key_group) {
  CLUTCH_RETURN_IF_ERROR(check_group(key_group));
  const auto group = static_cast<size_t>(key_group - range_.first);
  const int64_t now = clock_->now();
  std::vector<const StateGroup*> contents;
  for (State& state : states_) {
    const std::optional<StateTtl>& ttl = state.descriptor.ttl;
    StateGroup& own = state.groups[group];
    if (ttl.has_value()) drop_expired(own.cells, *ttl, now);
    if (!own.cells.empty()) contents.push_back(&own);
  }
  return encode_contents(std::move(contents));
}

Status MemoryBackend::restore(int32_t key_group, std::string_view snapshot) {
  CLUTCH_RETURN_IF_ERROR(check_group(key_group));
  CLUTCH_ASSIGN_OR_RETURN(std::vector<StateGroup> restored, decode_contents(snapshot));
  for (const StateGroup& contents : restored) {
    const State* known = state_named(contents.name);
    if (known != nullptr && known->descriptor.kind != contents.kind) {
      return kind_clash(contents.name, contents.kind, known->descriptor.kind);
    }
    for (const CellTable::Cell& cell : contents.cells) {
      if (groups_.group_of(cell.key) == key_group) continue;
      return Status(CLUTCH_ERR_DATA, "the snapshot of key group " + std::to_string(key_group) +
                                         " holds a key of group " + std::to_string(groups_.group_of(cell.key)) +
                                         "; restore with the max parallelism it was taken with");
    }
  }
  const auto group = static_cast<size_t>(key_group - range_.first);
  for (State& state : states_) state.groups[group].cells.clear();
  for (StateGroup& contents : restored) {
    State* state = state_named(contents.name);
    if (state == nullptr) state = &add_state({contents.name, contents.kind, std::nullopt}, false);
    state->groups[group] = std::move(contents);
  }
  return {};
}

size_t MemoryBackend::sweep() {
  const int64_t now = clock_->now();
  const size_t group = next_sweep_;
  next_sweep_ = (next_sweep_ + 1) % static_cast<size_t>(range_.size());
  size_t gone = 0;
  for (State& state : states_) {
    const std::optional<StateTtl>& ttl = state.descriptor.ttl;
    if (ttl.has_value()) gone += drop_expired(state.groups[group].cells, *ttl, now);
  }
  return gone;
}

size_t MemoryBackend::cell_count() const {
  size_t count = 0;
  for (const State& state : states_) {
    for (const StateGroup& contents : state.groups) count += contents.cells.size();
  }
  return count;
}

}  // namespace clutch::engine
