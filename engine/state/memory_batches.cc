// MemoryBackend, many cells at once: what the functions of libclutch look at and change with a batch.
#include <algorithm>

#include "state/memory_backend.h"

namespace clutch::engine {
namespace {

using Ttl = std::optional<StateTtl>;

constexpr size_t kAhead = 8;  // cells whose memory is asked for before it is looked at

bool expired(const Ttl& ttl, const StateItem& item, int64_t now) {
  return ttl.has_value() && ttl->expired(item.written, now);
}

bool seen(const Ttl& ttl, const StateItem& item, int64_t now) {
  return !expired(ttl, item, now) || ttl->visibility == StateTtl::Visibility::kExpiredIfNotCleanedUp;
}

// An item that was read: true if it is to go.
bool touch(const Ttl& ttl, StateItem& item, int64_t now) {
  if (!ttl.has_value()) return false;
  if (expired(ttl, item, now)) return true;
  if (ttl->refresh == StateTtl::Refresh::kOnReadAndWrite) item.written = now;
  return false;
}

// The same for all of a cell; true if nothing is left.
bool touch_all(const Ttl& ttl, StateContents& cell, int64_t now) {
  if (auto* item = std::get_if<StateItem>(&cell)) return touch(ttl, *item, now);
  if (auto* list = std::get_if<StateList>(&cell)) {
    for (auto one = list->begin(); one != list->end();) one = touch(ttl, *one, now) ? list->erase(one) : std::next(one);
    return list->empty();
  }
  auto& map = std::get<StateMap>(cell);
  for (auto entry = map.begin(); entry != map.end();) {
    entry = touch(ttl, entry->second, now) ? map.erase(entry) : std::next(entry);
  }
  return map.empty();
}

Status cannot(const StateDescriptor& state, const char* what) {
  return Status(CLUTCH_ERR_ARGUMENT,
                "the state \"" + state.name + "\" cannot be changed by " + what + "; its kind does not have that");
}

}  // namespace

Status MemoryBackend::fetch(State& state, std::span<const std::string_view> keys) {
  hashes_.resize(keys.size());
  tables_.resize(keys.size());
  for (size_t i = 0; i < keys.size(); ++i) {
    hashes_[i] = hash_key(keys[i]);
    tables_[i] = table_of(state, hashes_[i]);
    if (tables_[i] == nullptr) return not_held(hashes_[i]);
    tables_[i]->fetch(hashes_[i]);
  }
  return {};
}

void MemoryBackend::fetch_ahead(size_t i) const {
  if (i + kAhead < hashes_.size()) tables_[i + kAhead]->fetch_cell(hashes_[i + kAhead]);
}

Status MemoryBackend::look(StateId state, std::span<const std::string_view> keys, int64_t now,
                           std::span<View> ret_values) {
  CLUTCH_ASSIGN_OR_RETURN(State * found, find_state(state, StateKind::kValue));
  CLUTCH_RETURN_IF_ERROR(fetch(*found, keys));
  for (size_t i = 0; i < keys.size(); ++i) {
    fetch_ahead(i);
    const CellTable::Cell* cell = tables_[i]->find(hashes_[i], keys[i], {});
    ret_values[i].reset();
    if (cell == nullptr) continue;
    const auto& item = std::get<StateItem>(cell->contents);
    if (seen(found->descriptor.ttl, item, now)) ret_values[i] = item.bytes;
  }
  return {};
}

Status MemoryBackend::look_fields(StateId state, std::span<const std::string_view> keys,
                                  std::span<const std::string_view> fields, int64_t now, std::span<View> ret_values) {
  CLUTCH_ASSIGN_OR_RETURN(State * found, find_state(state, StateKind::kMap));
  CLUTCH_RETURN_IF_ERROR(fetch(*found, keys));
  for (size_t i = 0; i < keys.size(); ++i) {
    fetch_ahead(i);
    const CellTable::Cell* cell = tables_[i]->find(hashes_[i], keys[i], {});
    ret_values[i].reset();
    if (cell == nullptr) continue;
    const auto& map = std::get<StateMap>(cell->contents);
    const auto entry = map.find(fields[i]);
    if (entry != map.end() && seen(found->descriptor.ttl, entry->second, now)) ret_values[i] = entry->second.bytes;
  }
  return {};
}

Status MemoryBackend::look_page(const StatePageRequest& request, int64_t now, StatePage& ret_page) {
  CLUTCH_ASSIGN_OR_RETURN(const Place place, find(request.at, std::nullopt));
  const StateDescriptor& descriptor = place.state->descriptor;
  if (descriptor.kind == StateKind::kValue) return cannot(descriptor, "pages");
  ret_page.entries.clear();
  ret_page.more = false;
  if (place.cell == nullptr) return {};
  uint64_t bytes = 0;
  // False: the page is full, and there is more.
  const auto give = [&](std::string_view field, const StateItem& item) {
    ret_page.more = !ret_page.entries.empty() && bytes >= request.max_bytes;
    if (ret_page.more) return false;
    ret_page.entries.emplace_back(field, item.bytes);
    bytes += field.size() + item.bytes.size();
    return true;
  };
  if (const auto* list = std::get_if<StateList>(&place.cell->contents)) {
    uint64_t skip = request.first;
    // Where all items are seen the first one is found at once.
    size_t at = descriptor.ttl.has_value() ? 0 : static_cast<size_t>(std::min<uint64_t>(skip, list->size()));
    skip -= at;
    for (; at < list->size(); ++at) {
      if (!seen(descriptor.ttl, (*list)[at], now)) continue;
      if (skip > 0) {
        --skip;
      } else if (!give({}, (*list)[at])) {
        break;
      }
    }
    return {};
  }
  const auto& map = std::get<StateMap>(place.cell->contents);
  for (auto at = request.after ? map.upper_bound(*request.after) : map.begin(); at != map.end(); ++at) {
    if (seen(descriptor.ttl, at->second, now) && !give(at->first, at->second)) break;
  }
  return {};
}

bool MemoryBackend::fits(const StateChange& change) const {
  using Op = StateChange::Op;
  if (change.at.state >= states_.size()) return false;
  const StateKind kind = states_[change.at.state].descriptor.kind;
  const bool map = kind == StateKind::kMap;
  switch (change.op) {
    case Op::kSet:
      return kind != StateKind::kList && map == change.field.has_value();
    case Op::kAppend:
      return kind == StateKind::kList;
    case Op::kRemove:
      return map && change.field.has_value();
    case Op::kTouch:
      return map || !change.field.has_value();
    case Op::kClear:
      return true;
  }
  return false;
}

Status MemoryBackend::misfit(const StateChange& change) {
  using Op = StateChange::Op;
  CLUTCH_ASSIGN_OR_RETURN(const State* state, find_state(change.at.state, std::nullopt));
  const StateDescriptor& descriptor = state->descriptor;
  if (change.op == Op::kAppend) return cannot(descriptor, "appending");
  if (change.op == Op::kRemove) return cannot(descriptor, "removing an entry");
  if (change.op == Op::kSet) return cannot(descriptor, change.field ? "setting an entry" : "setting a value");
  return cannot(descriptor, "touching an entry");
}

void MemoryBackend::apply(const StateChange& change, int64_t now, Place& place) {
  using Op = StateChange::Op;
  const bool there = place.cell != nullptr;
  const Ttl& ttl = place.state->descriptor.ttl;
  bool empty = false;
  switch (change.op) {
    case Op::kSet: {
      StateItem* item = nullptr;
      if (change.field) {
        auto& map = contents<StateMap>(place, change.at);
        const auto found = map.lower_bound(*change.field);
        const bool known = found != map.end() && found->first == *change.field;
        item = &(known ? found : map.emplace_hint(found, std::string(*change.field), StateItem()))->second;
      } else {
        item = &contents<StateItem>(place, change.at);
      }
      item->bytes.assign(change.bytes);
      item->written = now;
      break;
    }
    case Op::kAppend:
      contents<StateList>(place, change.at).push_back({std::string(change.bytes), now});
      break;
    case Op::kClear:
      empty = there;
      break;
    case Op::kRemove:
    case Op::kTouch:
      if (!there) break;
      if (!change.field) {
        empty = touch_all(ttl, place.cell->contents, now);
      } else {
        auto& map = std::get<StateMap>(place.cell->contents);
        const auto found = map.find(*change.field);
        if (found == map.end()) break;
        if (change.op == Op::kRemove || touch(ttl, found->second, now)) map.erase(found);
        empty = map.empty();
      }
  }
  if (empty) forget(place);
}

Status MemoryBackend::check(std::span<const StateChange> changes) {
  hashes_.resize(changes.size());
  tables_.resize(changes.size());
  for (size_t i = 0; i < changes.size(); ++i) {
    if (!fits(changes[i])) return misfit(changes[i]);
    hashes_[i] = hash_key(changes[i].at.key);
    tables_[i] = table_of(states_[changes[i].at.state], hashes_[i]);
    if (tables_[i] == nullptr) return not_held(hashes_[i]);
    tables_[i]->fetch(hashes_[i]);
  }
  return {};
}

Status MemoryBackend::apply(std::span<const StateChange> changes, int64_t now) {
  CLUTCH_RETURN_IF_ERROR(check(changes));
  const StateChange* last = nullptr;
  Place place{};
  for (size_t i = 0; i < changes.size(); ++i) {
    fetch_ahead(i);
    const StateAddress& at = changes[i].at;
    // Changes of one cell mostly stand together.
    if (last == nullptr || last->at.state != at.state || last->at.key != at.key || last->at.space != at.space) {
      place = {&states_[at.state], tables_[i], hashes_[i], tables_[i]->find(hashes_[i], at.key, at.space)};
    }
    apply(changes[i], now, place);
    last = &changes[i];
  }
  return {};
}

}  // namespace clutch::engine
