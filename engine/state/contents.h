// The contents of cells in memory, and their form in snapshots.
//
//   version (1 byte, 1) | number of states | for each: name | kind | number of cells | for each: key | namespace |
//   value: item; list: number of items | items; map: number of entries | for each: field | item
//   item: time of its last write (8 bytes, little-endian) | bytes
//
// Numbers, times, and names, keys and bytes are written as coding.h says. States stand in the order of their names,
// cells in that of key and namespace, so equal contents have equal bytes.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "clutch/columnar/result.h"
#include "state/descriptor.h"

namespace clutch::engine {

struct StateItem {
  std::string bytes;
  int64_t written;  // processing time of the last write, or of the last read where that counts (unit: milliseconds)
};

using StateList = std::vector<StateItem>;
using StateMap = std::map<std::string, StateItem, std::less<>>;
using StateCell = std::variant<StateItem, StateList, StateMap>;  // by StateKind

// Key and namespace. Cells are found by a view of them, without a copy.
using CellName = std::pair<std::string, std::string>;
using CellNameView = std::pair<std::string_view, std::string_view>;
struct CellNameHash {
  using is_transparent = void;
  size_t operator()(const CellNameView& name) const {
    const std::hash<std::string_view> hash;
    return name.second.empty() ? hash(name.first) : hash(name.first) * 31 + hash(name.second);
  }
  size_t operator()(const CellName& name) const { return (*this)(CellNameView(name)); }
};
struct CellNameEqual {
  using is_transparent = void;
  bool operator()(const CellNameView& a, const CellNameView& b) const { return a == b; }
};
using StateCells = std::unordered_map<CellName, StateCell, CellNameHash, CellNameEqual>;

// One state of one key group.
struct StateContents {
  std::string name;
  StateKind kind;
  StateCells cells;
};

// Forget the items that have expired, and the cells of which nothing is left. Returns the number of such cells.
size_t drop_expired(StateCells& cells, const StateTtl& ttl, int64_t now);

std::string encode_contents(std::vector<const StateContents*> states);

// CLUTCH_ERR_DATA says what is wrong with the bytes, which may come from anywhere.
Result<std::vector<StateContents>> decode_contents(std::string_view bytes);

}  // namespace clutch::engine
