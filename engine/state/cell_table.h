// The cells of one state of one key group in memory, by key and namespace.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace clutch::engine {

struct StateItem {
  std::string bytes;
  int64_t written;  // processing time of the last write, or of the last read where that counts (unit: milliseconds)
};

using StateList = std::vector<StateItem>;
using StateMap = std::map<std::string, StateItem, std::less<>>;
using StateContents = std::variant<StateItem, StateList, StateMap>;  // by StateKind

// A hash table with open addressing over cells that lie one behind the other. Batches of keys are looked up without
// waiting for memory each time: fetch() for all of them, then fetch_cell() some ahead of find(). `hash` is always
// hash_key() of the key, which decides the key group and is computed once.
class CellTable {
 public:
  struct Cell {
    std::string key;
    std::string space;
    uint32_t hash;  // of both
    StateContents contents;
  };

  size_t size() const { return cells_.size(); }
  bool empty() const { return cells_.empty(); }
  void clear();
  auto begin() const { return cells_.begin(); }
  auto end() const { return cells_.end(); }

  // Ask for the memory that find() looks at first, and next.
  void fetch(uint32_t hash) const {
    if (!slots_.empty()) __builtin_prefetch(&slots_[mixed(hash, {}) >> shift_]);
  }
  void fetch_cell(uint32_t hash) const {
    if (slots_.empty()) return;
    const Slot& slot = slots_[mixed(hash, {}) >> shift_];
    if (slot.place == kFree) return;
    const auto* cell = reinterpret_cast<const char*>(&cells_[slot.place]);
    __builtin_prefetch(cell);
    __builtin_prefetch(cell + 64);
  }

  // nullptr: there is none. Valid until a cell is added or erased.
  Cell* find(uint32_t hash, std::string_view key, std::string_view space);
  // One that is not there yet.
  Cell& add(uint32_t hash, std::string_view key, std::string_view space, StateContents contents);
  void erase(const Cell& cell) { erase_at(static_cast<size_t>(&cell - cells_.data())); }
  // Those of which `gone(contents)` is true, which may change them. Returns how many.
  template <typename Gone>
  size_t erase_if(Gone gone) {
    const size_t before = cells_.size();
    for (size_t place = 0; place < cells_.size();) {
      if (gone(cells_[place].contents)) {
        erase_at(place);  // another one stands here now
      } else {
        ++place;
      }
    }
    return before - cells_.size();
  }

 private:
  struct Slot {
    uint32_t hash;
    uint32_t place;  // in cells_
  };
  static constexpr uint32_t kFree = UINT32_MAX;

  // The keys of a group agree in some low bits of their hashes; the high ones of this are as good as any.
  static uint32_t mixed(uint32_t hash, std::string_view space);
  void grow();
  void insert(uint32_t hash, uint32_t place);
  size_t slot_of(uint32_t hash, uint32_t place) const;
  void erase_at(size_t place);

  std::vector<Cell> cells_;
  std::vector<Slot> slots_;  // none, or a power of two
  uint32_t shift_ = 32;      // of a hash, to its first slot
};

}  // namespace clutch::engine
