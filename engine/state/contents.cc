#include "state/contents.h"

#include <algorithm>
#include <tuple>

#include "exchange/key_group.h"
#include "state/coding.h"

namespace clutch::engine {
namespace {

constexpr char kVersion = 1;

void put_item(const StateItem& item, std::string& out) {
  put_time(item.written, out);
  put_bytes(item.bytes, out);
}

void put_cell(const StateContents& cell, std::string& out) {
  if (const auto* item = std::get_if<StateItem>(&cell)) {
    put_item(*item, out);
  } else if (const auto* list = std::get_if<StateList>(&cell)) {
    put_number(list->size(), out);
    for (const StateItem& one : *list) put_item(one, out);
  } else {
    const StateMap& map = std::get<StateMap>(cell);
    put_number(map.size(), out);
    for (const auto& [field, one] : map) {
      put_bytes(field, out);
      put_item(one, out);
    }
  }
}

StateItem read_item(SnapshotReader& in) {
  const int64_t written = in.time();
  return {in.bytes(), written};
}

StateContents read_cell(StateKind kind, SnapshotReader& in) {
  if (kind == StateKind::kValue) return read_item(in);
  const uint64_t count = in.number();
  StateList list;
  StateMap map;
  // The count is not believed: the loop ends with the bytes.
  for (uint64_t i = 0; i < count && !in.failed(); ++i) {
    if (kind == StateKind::kList) {
      list.push_back(read_item(in));
    } else {
      std::string field = in.bytes();
      map.insert_or_assign(std::move(field), read_item(in));
    }
  }
  if (count == 0) in.fail("a cell is empty");
  if (kind == StateKind::kList) return list;
  return map;
}

StateGroup read_state(SnapshotReader& in) {
  StateGroup state{in.bytes(), StateKind::kValue, {}};
  const uint8_t kind = in.byte();
  if (kind > static_cast<uint8_t>(StateKind::kMap)) in.fail("there is no such kind of state");
  state.kind = static_cast<StateKind>(kind);
  const uint64_t cells = in.number();
  for (uint64_t i = 0; i < cells && !in.failed(); ++i) {
    std::string key = in.bytes();
    std::string space = in.bytes();
    StateContents cell = read_cell(state.kind, in);
    if (in.failed()) break;
    const uint32_t hash = hash_key(key);
    if (state.cells.find(hash, key, space) != nullptr) {
      in.fail("a cell is there twice");
    } else {
      state.cells.add(hash, key, space, std::move(cell));
    }
  }
  return state;
}

// Forget the items that have expired; true if that were all.
bool nothing_left(StateContents& cell, const StateTtl& ttl, int64_t now) {
  const auto expired = [&](const StateItem& item) { return ttl.expired(item.written, now); };
  if (const auto* item = std::get_if<StateItem>(&cell)) return expired(*item);
  if (auto* list = std::get_if<StateList>(&cell)) {
    std::erase_if(*list, expired);
    return list->empty();
  }
  auto& map = std::get<StateMap>(cell);
  std::erase_if(map, [&](const auto& entry) { return expired(entry.second); });
  return map.empty();
}

}  // namespace

size_t drop_expired(CellTable& cells, const StateTtl& ttl, int64_t now) {
  return cells.erase_if([&](StateContents& cell) { return nothing_left(cell, ttl, now); });
}

std::string encode_contents(std::vector<const StateGroup*> states) {
  std::sort(states.begin(), states.end(), [](const auto* a, const auto* b) { return a->name < b->name; });
  std::string out(1, kVersion);
  put_number(states.size(), out);
  for (const StateGroup* state : states) {
    put_bytes(state->name, out);
    out.push_back(static_cast<char>(state->kind));
    put_number(state->cells.size(), out);
    std::vector<const CellTable::Cell*> cells;
    for (const CellTable::Cell& cell : state->cells) cells.push_back(&cell);
    std::sort(cells.begin(), cells.end(),
              [](const auto* a, const auto* b) { return std::tie(a->key, a->space) < std::tie(b->key, b->space); });
    for (const CellTable::Cell* cell : cells) {
      put_bytes(cell->key, out);
      put_bytes(cell->space, out);
      put_cell(cell->contents, out);
    }
  }
  return out;
}

Result<std::vector<StateGroup>> decode_contents(std::string_view bytes) {
  SnapshotReader in(bytes);
  if (in.byte() != kVersion) in.fail("its version is not 1");
  const uint64_t count = in.failed() ? 0 : in.number();
  std::vector<StateGroup> out;
  for (uint64_t i = 0; i < count && !in.failed(); ++i) {
    out.push_back(read_state(in));
    for (size_t j = 0; j + 1 < out.size(); ++j) {
      if (out[j].name == out.back().name) in.fail("a state is there twice");
    }
  }
  if (!in.failed() && !in.at_end()) in.fail("something follows its end");
  if (in.failed()) return in.status();
  return out;
}

}  // namespace clutch::engine
