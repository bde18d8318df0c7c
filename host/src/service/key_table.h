// Cells by key, in memory. A cell stays at its address until it is removed.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "clutch/abi/base.h"
#include "service/hash_index.h"

namespace clutch::host {

inline std::string_view view(const clutch_bytes& bytes) {
  return {reinterpret_cast<const char*>(bytes.data), bytes.data == nullptr ? 0 : bytes.size};
}
// Never with data NULL, which means that there is nothing, not even an empty text.
inline clutch_bytes to_bytes(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data() != nullptr ? text.data() : ""), text.size()};
}

// What every cell begins with.
struct KeyedCell {
  std::string key;
  uint32_t hash = 0;
  uint32_t position = HashIndex::kNone;  // kNone: the place is free.
};

// Cell derives from KeyedCell.
template <typename Cell>
class KeyTable {
 public:
  size_t size() const { return index_.size(); }

  // The cells of many keys, nullptr where there is none. Memory is asked for ahead, so that the waits overlap.
  void find(std::span<const clutch_bytes> keys, std::span<Cell*> ret_cells) {
    hashes_.resize(keys.size());
    for (size_t i = 0; i < keys.size(); ++i) {
      hashes_[i] = HashIndex::hash(view(keys[i]));
      index_.prefetch(hashes_[i]);
    }
    for (size_t i = 0; i < keys.size(); ++i) {
      const uint32_t likely = index_.find(hashes_[i], [](uint32_t) { return true; });
      ret_cells[i] = likely == HashIndex::kNone ? nullptr : &at(likely);
      if (ret_cells[i] != nullptr) __builtin_prefetch(ret_cells[i]);
    }
    for (size_t i = 0; i < keys.size(); ++i) {
      if (ret_cells[i] == nullptr || ret_cells[i]->key == view(keys[i])) continue;
      ret_cells[i] = find(view(keys[i]), hashes_[i]);
    }
  }
  Cell* find(std::string_view key) { return find(key, HashIndex::hash(key)); }

  // There is no such key yet.
  Cell& add(std::string_view key) {
    const uint32_t hash = HashIndex::hash(key);
    const uint32_t position = take_place();
    Cell& cell = at(position);
    try {
      cell.key.assign(key);
      index_.add(hash, position);
    } catch (...) {
      free_.push_back(position);  // has room, see take_place
      throw;
    }
    cell.hash = hash;
    cell.position = position;
    return cell;
  }
  void remove(Cell& cell) {
    const uint32_t position = cell.position;
    index_.remove(cell.hash, position);
    cell = Cell();
    free_.push_back(position);
  }

  // Look at the next `count` places, in turn: cells for which see(cell) is false are removed.
  template <typename See>
  void visit(size_t count, See see) {
    const size_t places = chunks_.size() * kChunk;
    for (size_t i = 0; i < std::min(count, places); ++i) {
      next_visit_ = (next_visit_ + 1) % places;
      Cell& cell = at(static_cast<uint32_t>(next_visit_));
      if (cell.position != HashIndex::kNone && !see(cell)) remove(cell);
    }
  }

 private:
  static constexpr size_t kChunk = 256;

  Cell& at(uint32_t position) { return chunks_[position / kChunk][position % kChunk]; }
  Cell* find(std::string_view key, uint32_t hash) {
    const uint32_t found = index_.find(hash, [&](uint32_t position) { return at(position).key == key; });
    return found == HashIndex::kNone ? nullptr : &at(found);
  }
  uint32_t take_place() {
    if (free_.empty()) {
      const size_t first = chunks_.size() * kChunk;
      free_.reserve(first + kChunk);  // so that giving a place back never fails
      chunks_.push_back(std::make_unique<Cell[]>(kChunk));
      for (size_t i = kChunk; i > 0; --i) free_.push_back(static_cast<uint32_t>(first + i - 1));
    }
    const uint32_t position = free_.back();
    free_.pop_back();
    return position;
  }

  HashIndex index_;
  std::vector<std::unique_ptr<Cell[]>> chunks_;
  std::vector<uint32_t> free_;
  std::vector<uint32_t> hashes_;  // scratch
  size_t next_visit_ = 0;
};

}  // namespace clutch::host
