// Finds the position of a key by its hash: open addressing in one flat array, which a batch of keys can prefetch. The
// keys lie with the caller, by position.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

namespace clutch::host {

class HashIndex {
 public:
  static constexpr uint32_t kNone = UINT32_MAX;

  static uint32_t hash(std::string_view key) {
    const uint64_t wide = std::hash<std::string_view>()(key);
    return static_cast<uint32_t>(wide ^ wide >> 32);
  }

  size_t size() const { return size_; }
  void prefetch(uint32_t hash) const { __builtin_prefetch(&slots_[hash & mask()]); }

  // The position with this hash for which same(position) holds, or kNone.
  template <typename Same>
  uint32_t find(uint32_t hash, Same same) const {
    for (size_t at = hash & mask();; at = (at + 1) & mask()) {
      const Slot& slot = slots_[at];
      if (slot.position == kNone || (slot.hash == hash && same(slot.position))) return slot.position;
    }
  }

  void reserve(size_t keys) {
    const size_t wanted = std::bit_ceil(keys * 2 + kSmallest);
    if (wanted > slots_.size()) rehash(wanted);
  }

  // `position` must not be there.
  void add(uint32_t hash, uint32_t position) {
    if ((size_ + 1) * 4 > slots_.size() * 3) rehash(slots_.size() * 2);
    place({hash, position});
    ++size_;
  }

  // `position` must be there.
  void remove(uint32_t hash, uint32_t position) {
    size_t hole = hash & mask();
    while (slots_[hole].position != position) hole = (hole + 1) & mask();
    // What was pushed past the hole moves back into it, so that no search ends too early.
    for (size_t at = (hole + 1) & mask(); slots_[at].position != kNone; at = (at + 1) & mask()) {
      const size_t home = slots_[at].hash & mask();
      if (((at - home) & mask()) < ((at - hole) & mask())) continue;
      slots_[hole] = slots_[at];
      hole = at;
    }
    slots_[hole] = Slot();
    --size_;
  }

 private:
  static constexpr size_t kSmallest = 16;
  struct Slot {
    uint32_t hash = 0;
    uint32_t position = kNone;
  };

  size_t mask() const { return slots_.size() - 1; }
  void place(Slot slot) {
    size_t at = slot.hash & mask();
    while (slots_[at].position != kNone) at = (at + 1) & mask();
    slots_[at] = slot;
  }
  void rehash(size_t slots) {
    std::vector<Slot> old(slots);
    old.swap(slots_);
    for (const Slot& slot : old) {
      if (slot.position != kNone) place(slot);
    }
  }

  std::vector<Slot> slots_ = std::vector<Slot>(kSmallest);
  size_t size_ = 0;
};

}  // namespace clutch::host
