// The contents of cells in memory, and their form in snapshots.
//
//   version (1 byte, 1) | number of states | for each: name | kind | number of cells | for each: key | namespace |
//   value: item; list: number of items | items; map: number of entries | for each: field | item
//   item: time of its last write (8 bytes, little-endian) | bytes
//
// Numbers, times, and names, keys and bytes are written as coding.h says. States stand in the order of their names,
// cells in that of key and namespace, so equal contents have equal bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "clutch/columnar/result.h"
#include "state/cell_table.h"
#include "state/descriptor.h"

namespace clutch::engine {

// One state of one key group.
struct StateGroup {
  std::string name;
  StateKind kind;
  CellTable cells;
};

// Forget the items that have expired, and the cells of which nothing is left. Returns the number of such cells.
size_t drop_expired(CellTable& cells, const StateTtl& ttl, int64_t now);

std::string encode_contents(std::vector<const StateGroup*> states);

// CLUTCH_ERR_DATA says what is wrong with the bytes, which may come from anywhere.
Result<std::vector<StateGroup>> decode_contents(std::string_view bytes);

}  // namespace clutch::engine
