#include "service/memory_store.h"

#include <utility>

#include "clutch/ext/state.h"
#include "clutch/ext/timer.h"

namespace clutch::host {
namespace {

bool expired(const StateInfo& info, int64_t written_ms, int64_t now_ms) {
  return info.ttl_ms > 0 && now_ms - written_ms >= info.ttl_ms;
}

// Whether a read gives what was written then.
bool seen(const StateInfo& info, int64_t written_ms, int64_t now_ms) {
  return info.ttl_visibility == CLUTCH_STATE_TTL_RETURN_EXPIRED || !expired(info, written_ms, now_ms);
}

}  // namespace

Status MemoryStore::add(const StateInfo&) {
  tables_.emplace_back();
  return {};
}

Status MemoryStore::read(uint32_t state, std::span<const clutch_bytes> keys, int64_t now_ms,
                         std::span<clutch_app_state_value> ret_values) {
  const StateInfo& info = this->info(state);
  cells_.resize(keys.size());
  tables_[state].find(keys, cells_);
  for (size_t i = 0; i < keys.size(); ++i) {
    const Cell* cell = cells_[i];
    ret_values[i] = {nullptr, 0, cell == nullptr ? 0 : cell->version};
    if (cell == nullptr || !cell->has_value || !seen(info, cell->value.written_ms, now_ms)) continue;
    const clutch_bytes bytes = to_bytes(cell->value.bytes);
    ret_values[i].data = bytes.data;
    ret_values[i].size = bytes.size;
  }
  return {};
}

Status MemoryStore::read_page(const clutch_app_page_request& request, clutch_app_page& ret_page) {
  const StateInfo& info = this->info(request.state);
  page_.clear();
  const Cell* cell = tables_[request.state].find(view(request.key));
  uint64_t bytes = 0;
  bool more = false;
  // False: the page is full, and there is more.
  const auto give = [&](std::string_view map_key, const Item& item) {
    more = !page_.empty() && bytes >= request.max_bytes;
    if (more) return false;
    page_.push_back({to_bytes(map_key), to_bytes(item.bytes)});
    bytes += map_key.size() + item.bytes.size();
    return true;
  };
  if (cell != nullptr && cell->entries != nullptr && info.kind == CLUTCH_STATE_LIST) {
    const std::vector<Item>& list = cell->entries->list;
    // Without expiry all items are seen, and the first one is found at once.
    uint64_t skip = request.first;
    size_t at = info.ttl_ms == 0 ? std::min<size_t>(static_cast<size_t>(std::exchange(skip, 0)), list.size()) : 0;
    for (; at < list.size(); ++at) {
      if (!seen(info, list[at].written_ms, request.now_ms)) continue;
      if (skip > 0) {
        --skip;
      } else if (!give({}, list[at])) {
        break;
      }
    }
  } else if (cell != nullptr && cell->entries != nullptr) {
    const auto& map = cell->entries->map;
    for (auto at = request.after.data == nullptr ? map.begin() : map.upper_bound(view(request.after)); at != map.end();
         ++at) {
      if (seen(info, at->second.written_ms, request.now_ms) && !give(at->first, at->second)) break;
    }
  }
  ret_page.entries = page_.data();
  ret_page.n_entries = page_.size();
  ret_page.more = more ? 1 : 0;
  return {};
}

Status MemoryStore::look_up(uint32_t state, std::span<const clutch_app_entry_name> names, int64_t now_ms,
                            std::span<clutch_app_state_value> ret_values) {
  const StateInfo& info = this->info(state);
  for (size_t i = 0; i < names.size(); ++i) {
    const Cell* cell = tables_[state].find(view(names[i].key));
    ret_values[i] = {nullptr, 0, cell == nullptr ? 0 : cell->version};
    if (cell == nullptr || cell->entries == nullptr) continue;
    const auto found = cell->entries->map.find(view(names[i].map_key));
    if (found == cell->entries->map.end() || !seen(info, found->second.written_ms, now_ms)) continue;
    const clutch_bytes bytes = to_bytes(found->second.bytes);
    ret_values[i].data = bytes.data;
    ret_values[i].size = bytes.size;
  }
  return {};
}

void MemoryStore::drop_expired(const StateInfo& info, int64_t now_ms, Cell& cell) {
  if (info.ttl_ms == 0) return;
  if (cell.has_value && expired(info, cell.value.written_ms, now_ms)) {
    cell.has_value = false;
    cell.value = Item();
  }
  if (cell.entries == nullptr) return;
  std::erase_if(cell.entries->list, [&](const Item& item) { return expired(info, item.written_ms, now_ms); });
  std::erase_if(cell.entries->map, [&](const auto& entry) { return expired(info, entry.second.written_ms, now_ms); });
}

void MemoryStore::touch(const StateInfo& info, const clutch_bytes& map_key, int64_t now_ms, Cell& cell) {
  if (info.ttl_ms == 0) return;
  const bool refresh = info.ttl_update == CLUTCH_STATE_TTL_ON_READ_AND_WRITE;
  if (map_key.data != nullptr) {
    if (cell.entries == nullptr) return;
    const auto found = cell.entries->map.find(view(map_key));
    if (found == cell.entries->map.end()) return;
    if (expired(info, found->second.written_ms, now_ms)) {
      cell.entries->map.erase(found);
    } else if (refresh) {
      found->second.written_ms = now_ms;
    }
    return;
  }
  drop_expired(info, now_ms, cell);
  if (!refresh) return;
  cell.value.written_ms = now_ms;
  if (cell.entries == nullptr) return;
  for (Item& item : cell.entries->list) item.written_ms = now_ms;
  for (auto& [name, item] : cell.entries->map) item.written_ms = now_ms;
}

void MemoryStore::apply(const StateInfo& info, Changes changes, int64_t now_ms, Cell& cell) {
  if (info.kind != CLUTCH_STATE_VALUE && cell.entries == nullptr) cell.entries = std::make_unique<Entries>();
  for (const clutch_app_state_change& change : changes) {
    switch (change.op) {
      case CLUTCH_STATE_OP_CLEAR:
        cell.has_value = false;
        cell.value = Item();
        if (cell.entries != nullptr) *cell.entries = Entries();
        break;
      case CLUTCH_STATE_OP_TOUCH:
        touch(info, change.map_key, now_ms, cell);
        break;
      case CLUTCH_STATE_OP_APPEND:
        cell.entries->list.push_back({std::string(view(change.value)), now_ms});
        break;
      case CLUTCH_STATE_OP_REMOVE: {
        const auto found = cell.entries->map.find(view(change.map_key));
        if (found != cell.entries->map.end()) cell.entries->map.erase(found);
        break;
      }
      default: {
        Item* item = &cell.value;
        if (info.kind == CLUTCH_STATE_MAP) {
          const auto found = cell.entries->map.lower_bound(view(change.map_key));
          const bool there = found != cell.entries->map.end() && found->first == view(change.map_key);
          item = &(there ? found : cell.entries->map.emplace_hint(found, std::string(view(change.map_key)), Item()))
                      ->second;
        } else {
          cell.has_value = true;
        }
        item->bytes.assign(view(change.value));
        item->written_ms = now_ms;
      }
    }
  }
}

Status MemoryStore::commit(const clutch_app_commit& commit) {
  const Changes all(commit.changes, commit.n_changes);
  for (size_t first = 0; first < all.size();) {
    // The changes of one state, key by key.
    const uint32_t state = all[first].state;
    keys_.clear();
    groups_.clear();
    for (; first < all.size() && all[first].state == state;) {
      size_t last = first + 1;
      while (last < all.size() && all[last].state == state && view(all[last].key) == view(all[first].key)) ++last;
      keys_.push_back(all[first].key);
      groups_.push_back(all.subspan(first, last - first));
      first = last;
    }
    const StateInfo& info = this->info(state);
    KeyTable<Cell>& table = tables_[state];
    cells_.resize(keys_.size());
    table.find(keys_, cells_);
    for (size_t i = 0; i < keys_.size(); ++i) {
      Cell& cell = cells_[i] != nullptr ? *cells_[i] : table.add(view(keys_[i]));
      apply(info, groups_[i], commit.now_ms, cell);
      cell.version = ++version_;
      if (cell.empty()) table.remove(cell);
    }
    if (info.ttl_ms == 0) continue;
    // A few more looks than changes: what expires goes as fast as new things come, and no batch pays for all of it.
    table.visit(2 * keys_.size() + 1, [&](Cell& cell) {
      drop_expired(info, commit.now_ms, cell);
      return !cell.empty();
    });
  }
  for (uint64_t i = 0; i < commit.n_timers; ++i) timers_.change(commit.timers[i]);
  return {};
}

Result<std::span<const clutch_app_timer>> MemoryStore::due(int64_t event_ms, int64_t processing_ms) {
  due_.clear();
  timers_.due(event_ms, processing_ms, due_);
  return std::span<const clutch_app_timer>(due_);
}

}  // namespace clutch::host
