#include "state/cell_table.h"

#include <functional>

namespace clutch::engine {
namespace {

constexpr uint32_t kFewestBits = 3;

}  // namespace

uint32_t CellTable::mixed(uint32_t hash, std::string_view space) {
  constexpr uint32_t kGolden = 0x9e3779b1;
  uint32_t out = hash * kGolden;
  if (!space.empty()) out ^= static_cast<uint32_t>(std::hash<std::string_view>()(space)) * kGolden;
  return out;
}

void CellTable::clear() {
  cells_.clear();
  slots_.clear();
  shift_ = 32;
}

CellTable::Cell* CellTable::find(uint32_t key_hash, std::string_view key, std::string_view space) {
  if (slots_.empty()) return nullptr;
  const uint32_t hash = mixed(key_hash, space);
  const size_t mask = slots_.size() - 1;
  for (size_t at = hash >> shift_; slots_[at].place != kFree; at = (at + 1) & mask) {
    if (slots_[at].hash != hash) continue;
    Cell& cell = cells_[slots_[at].place];
    if (cell.key == key && cell.space == space) return &cell;
  }
  return nullptr;
}

CellTable::Cell& CellTable::add(uint32_t key_hash, std::string_view key, std::string_view space,
                                StateContents contents) {
  if (cells_.size() * 4 >= slots_.size() * 3) grow();
  const uint32_t hash = mixed(key_hash, space);
  cells_.push_back({std::string(key), std::string(space), hash, std::move(contents)});
  insert(hash, static_cast<uint32_t>(cells_.size() - 1));
  return cells_.back();
}

void CellTable::insert(uint32_t hash, uint32_t place) {
  const size_t mask = slots_.size() - 1;
  size_t at = hash >> shift_;
  while (slots_[at].place != kFree) at = (at + 1) & mask;
  slots_[at] = {hash, place};
}

void CellTable::grow() {
  const uint32_t bits = slots_.empty() ? kFewestBits : 32 - shift_ + 1;
  slots_.assign(size_t{1} << bits, {0, kFree});
  shift_ = 32 - bits;
  for (size_t place = 0; place < cells_.size(); ++place) insert(cells_[place].hash, static_cast<uint32_t>(place));
}

size_t CellTable::slot_of(uint32_t hash, uint32_t place) const {
  size_t at = hash >> shift_;
  while (slots_[at].place != place) at = (at + 1) & (slots_.size() - 1);
  return at;
}

void CellTable::erase_at(size_t place) {
  const size_t mask = slots_.size() - 1;
  size_t hole = slot_of(cells_[place].hash, static_cast<uint32_t>(place));
  // What probed past the hole moves back into it.
  for (size_t at = (hole + 1) & mask; slots_[at].place != kFree; at = (at + 1) & mask) {
    const size_t wanted = slots_[at].hash >> shift_;
    if (((at - wanted) & mask) < ((at - hole) & mask)) continue;
    slots_[hole] = slots_[at];
    hole = at;
  }
  slots_[hole].place = kFree;
  if (place + 1 < cells_.size()) {
    const auto last = static_cast<uint32_t>(cells_.size() - 1);
    slots_[slot_of(cells_[last].hash, last)].place = static_cast<uint32_t>(place);
    cells_[place] = std::move(cells_[last]);
  }
  cells_.pop_back();
}

}  // namespace clutch::engine
