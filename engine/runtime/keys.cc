#include "runtime/keys.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <functional>

#include "clutch/columnar/builder.h"
#include "clutch/columnar/view.h"

namespace clutch::engine {
namespace {

constexpr size_t kFewestSlots = 64;
constexpr int32_t kUnknown = -1;

columnar::Field field_of(const char* name, columnar::TypeId id) {
  columnar::Field field{name, {}, false};
  field.type.id = id;
  return field;
}

uint64_t mixed(uint64_t word) {
  word ^= word >> 32;
  word *= 0xd6e8feb86659fd93U;
  word ^= word >> 32;
  word *= 0xd6e8feb86659fd93U;
  return word ^ word >> 32;
}

// Values that are equal exactly when their words are.
int32_t word_width(const columnar::Type& type) {
  if (columnar::layout_of(type) != columnar::Layout::kFixed) return 0;
  const int32_t width = columnar::byte_width(type);
  return width == 1 || width == 2 || width == 4 || width == 8 ? width : 0;
}

}  // namespace

KeyIndexer::KeyIndexer(columnar::Field key, KeyBytes bytes)
    : key_(std::move(key)), bytes_(std::move(bytes)), width_(word_width(key_.type)) {}

Result<KeyIndexer> KeyIndexer::make(columnar::Field key) {
  CLUTCH_ASSIGN_OR_RETURN(KeyBytes bytes, KeyBytes::make(key));
  return KeyIndexer(std::move(key), std::move(bytes));
}

void KeyIndexer::begin(int64_t rows) {
  const size_t wanted = std::bit_ceil(std::max(kFewestSlots, static_cast<size_t>(std::min<int64_t>(rows, 1024)) * 2));
  if (slots_.size() < wanted || ++epoch_ == 0) {
    slots_.assign(std::max(wanted, slots_.size()), Slot());
    epoch_ = 1;
  }
  words_.clear();
  first_row_.clear();
  text_.clear();
  ends_.clear();
  distinct_ = 0;
}

void KeyIndexer::grow() {
  std::vector<Slot> old(slots_.size() * 2);
  old.swap(slots_);
  for (const Slot& slot : old) {
    if (slot.epoch != epoch_) continue;
    size_t at = slot.hash & (slots_.size() - 1);
    while (slots_[at].epoch == epoch_) at = (at + 1) & (slots_.size() - 1);
    slots_[at] = slot;
  }
}

// The place of a key that is known; else kUnknown, and it gets the next place.
template <typename Same>
int32_t KeyIndexer::find(uint64_t hash, Same same) {
  if (distinct_ * 2 >= slots_.size()) grow();
  size_t at = hash & (slots_.size() - 1);
  for (; slots_[at].epoch == epoch_; at = (at + 1) & (slots_.size() - 1)) {
    if (slots_[at].hash == hash && same(static_cast<size_t>(slots_[at].key))) return slots_[at].key;
  }
  slots_[at] = {epoch_, static_cast<int32_t>(distinct_++), hash};
  return kUnknown;
}

std::string_view KeyIndexer::bytes_of(size_t key) const {
  const size_t start = key == 0 ? 0 : ends_[key - 1];
  return std::string_view(text_).substr(start, ends_[key] - start);
}

int32_t KeyIndexer::find_bytes(std::string_view bytes) {
  return find(std::hash<std::string_view>()(bytes), [&](size_t key) { return bytes_of(key) == bytes; });
}

uint64_t KeyIndexer::word_at(const ArrowArray& keys, int64_t row) const {
  uint64_t word = 0;
  const auto* values = static_cast<const uint8_t*>(keys.buffers[1]);
  std::memcpy(&word, values + (keys.offset + row) * width_, static_cast<size_t>(width_));
  return word;
}

Result<IndexedKeys> KeyIndexer::index(const ArrowArray& keys, bool with_shared, std::span<const int8_t> shared_row) {
  const columnar::ArrayView view(keys);
  begin(keys.length);
  columnar::ArrayBuilder index(field_of("index", columnar::TypeId::kInt32));
  index.data().resize(keys.length * 4);
  auto* places = reinterpret_cast<int32_t*>(index.data().data());
  null_place_ = kUnknown;
  bool shared_used = with_shared;
  for (int64_t row = 0; row < keys.length; ++row) {
    if (!shared_row.empty() && shared_row[static_cast<size_t>(row)] != 0) {
      places[row] = kUnknown;
      shared_used = true;
      continue;
    }
    int32_t place = kUnknown;
    if (width_ > 0 && view.is_null(row)) {
      // A place of its own, outside of the table: no word means null.
      if (null_place_ == kUnknown) {
        null_place_ = static_cast<int32_t>(distinct_++);
        words_.push_back(0);
        first_row_.push_back(row);
      }
      place = null_place_;
    } else if (width_ > 0) {
      const uint64_t word = word_at(keys, row);
      const int32_t found = find(
          mixed(word), [&](size_t key) { return words_[key] == word && static_cast<int32_t>(key) != null_place_; });
      if (found == kUnknown) {
        words_.push_back(word);
        first_row_.push_back(row);
      }
      place = found == kUnknown ? static_cast<int32_t>(distinct_ - 1) : found;
    } else {
      const size_t before = text_.size();
      bytes_.append(keys, row, text_);
      place = find_bytes(std::string_view(text_).substr(before));
      if (place == kUnknown) {
        ends_.push_back(text_.size());
        place = static_cast<int32_t>(distinct_ - 1);
      } else {
        text_.resize(before);
      }
    }
    places[row] = place;
  }
  index.advance(keys.length);
  const auto shared_place = static_cast<int32_t>(distinct_);
  if (shared_used) {
    std::replace(places, places + keys.length, kUnknown, shared_place);
  }

  CLUTCH_ASSIGN_OR_RETURN(columnar::Array distinct, distinct_keys(keys, shared_used));
  return IndexedKeys{std::move(distinct), index.finish()};
}

Result<columnar::Array> KeyIndexer::distinct_keys(const ArrowArray& keys, bool with_shared) {
  columnar::ArrayBuilder distinct(field_of("keys", columnar::TypeId::kBinary));
  distinct.reserve(static_cast<int64_t>(distinct_) + 1);
  std::string bytes;
  for (size_t key = 0; key < distinct_; ++key) {
    if (width_ == 0) {
      CLUTCH_RETURN_IF_ERROR(distinct.append_bytes(bytes_of(key)));
      continue;
    }
    const bool null = static_cast<int32_t>(key) == null_place_;
    if (null || bytes.empty()) {
      std::string own;
      bytes_.append(keys, first_row_[key], own);
      CLUTCH_RETURN_IF_ERROR(distinct.append_bytes(own));
      if (!null) bytes = std::move(own);
      continue;
    }
    // Bytes of one type differ in their value alone, which stands last.
    const auto width = static_cast<size_t>(width_);
    std::memcpy(bytes.data() + bytes.size() - width, &words_[key], width);
    CLUTCH_RETURN_IF_ERROR(distinct.append_bytes(bytes));
  }
  if (with_shared) CLUTCH_RETURN_IF_ERROR(distinct.append_bytes({}));
  return distinct.finish();
}

}  // namespace clutch::engine
