#include "protocol/arena.h"

#include <bit>
#include <cstring>

namespace clutch::pyproc {
namespace {

using columnar::Field;
using columnar::Type;
using columnar::TypeId;

Field field_of(std::string name, TypeId id, bool nullable) {
  Field field;
  field.name = std::move(name);
  field.type.id = id;
  field.nullable = nullable;
  return field;
}

// ---- what a type's buffers are ----

enum class Shape { kNull, kBits, kFixed, kBytes32, kBytes64, kList32, kList64, kFixedList, kStruct };

Shape shape_of(const Type& type) {
  switch (type.id) {
    case TypeId::kNull:
      return Shape::kNull;
    case TypeId::kBool:
      return Shape::kBits;
    case TypeId::kUtf8:
    case TypeId::kBinary:
      return Shape::kBytes32;
    case TypeId::kLargeUtf8:
    case TypeId::kLargeBinary:
      return Shape::kBytes64;
    case TypeId::kList:
    case TypeId::kMap:
      return Shape::kList32;
    case TypeId::kLargeList:
      return Shape::kList64;
    case TypeId::kFixedSizeList:
      return Shape::kFixedList;
    case TypeId::kStruct:
      return Shape::kStruct;
    default:
      return Shape::kFixed;
  }
}

int64_t width_of(const Type& type) {
  if (type.id != TypeId::kDictionary) return columnar::byte_width(type);
  Type index;
  index.id = type.index;
  return columnar::byte_width(index);
}

int64_t bitmap_bytes(int64_t bits) { return (bits + 7) / 8; }

uint64_t aligned(int64_t bytes) {
  return (static_cast<uint64_t>(bytes) + kArenaAlign - 1) & ~static_cast<uint64_t>(kArenaAlign - 1);
}

// First and one past the last item that rows [at, at + length) of a list or binary array take.
template <typename Offset>
std::pair<int64_t, int64_t> span_of(const ArrowArray& array, int64_t at, int64_t length) {
  const auto* offsets = static_cast<const Offset*>(array.buffers[1]);
  if (length == 0 || offsets == nullptr) return {0, 0};
  return {offsets[at], offsets[at + length]};
}

bool may_have_nulls(const ArrowArray& array) {
  return array.n_buffers > 0 && array.null_count != 0 && array.buffers[0] != nullptr;
}

// Bits [from, from + length) of `bits` to the front of `out`, slack zeroed.
void copy_bits(uint8_t* out, const uint8_t* bits, int64_t from, int64_t length) {
  const int64_t bytes = bitmap_bytes(length);
  const uint8_t* start = bits + from / 8;
  const int shift = static_cast<int>(from % 8);
  if (shift == 0) {
    std::memcpy(out, start, static_cast<size_t>(bytes));
  } else {
    const int64_t last = bitmap_bytes(shift + length) - 1;  // of the input: never read beyond
    for (int64_t i = 0; i < bytes; ++i) {
      const unsigned high = i < last ? start[i + 1] : 0u;
      out[i] = static_cast<uint8_t>((start[i] >> shift) | (high << (8 - shift)));
    }
  }
  if (length % 8 != 0) out[bytes - 1] = static_cast<uint8_t>(out[bytes - 1] & ((1u << (length % 8)) - 1));
}

int64_t count_ones(const uint8_t* bits, int64_t bytes) {
  int64_t ones = 0;
  int64_t i = 0;
  for (; i + 8 <= bytes; i += 8) {
    uint64_t word;
    std::memcpy(&word, bits + i, sizeof(word));
    ones += std::popcount(word);
  }
  for (; i < bytes; ++i) ones += std::popcount(bits[i]);
  return ones;
}

template <typename Offset>
void copy_offsets(uint8_t* out, const ArrowArray& array, int64_t at, int64_t length) {
  const auto* offsets = static_cast<const Offset*>(array.buffers[1]);
  auto* to = reinterpret_cast<Offset*>(out);
  if (length == 0 || offsets == nullptr) {
    to[0] = 0;
    return;
  }
  const Offset first = offsets[at];
  if (first == 0) {
    std::memcpy(to, offsets + at, static_cast<size_t>(length + 1) * sizeof(Offset));
    return;
  }
  for (int64_t i = 0; i <= length; ++i) to[i] = static_cast<Offset>(offsets[at + i] - first);
}

constexpr uint64_t kPerBuffer = sizeof(BufferEntry) + kArenaAlign;

uint64_t bound(const Field& field, const ArrowArray& array, int64_t start, int64_t length) {
  const int64_t at = array.offset + start;
  uint64_t bytes = sizeof(NodeEntry);
  const Shape shape = shape_of(field.type);
  if (shape == Shape::kNull) return bytes;
  bytes += kPerBuffer + (may_have_nulls(array) ? aligned(bitmap_bytes(length)) : 0);
  const auto& types = field.type.children;
  switch (shape) {
    case Shape::kNull:
      break;
    case Shape::kBits:
      bytes += kPerBuffer + aligned(bitmap_bytes(length));
      break;
    case Shape::kFixed:
      bytes += kPerBuffer + aligned(length * width_of(field.type));
      break;
    case Shape::kBytes32:
    case Shape::kBytes64: {
      const bool large = shape == Shape::kBytes64;
      const auto [first, last] = large ? span_of<int64_t>(array, at, length) : span_of<int32_t>(array, at, length);
      bytes += 2 * kPerBuffer + aligned((length + 1) * (large ? 8 : 4)) + aligned(last - first);
      break;
    }
    case Shape::kList32:
    case Shape::kList64: {
      const bool large = shape == Shape::kList64;
      const auto [first, last] = large ? span_of<int64_t>(array, at, length) : span_of<int32_t>(array, at, length);
      bytes += kPerBuffer + aligned((length + 1) * (large ? 8 : 4));
      bytes += bound(types[0], *array.children[0], first, last - first);
      break;
    }
    case Shape::kFixedList:
      bytes += bound(types[0], *array.children[0], at * field.type.width, length * field.type.width);
      break;
    case Shape::kStruct:
      for (size_t i = 0; i < types.size(); ++i) bytes += bound(types[i], *array.children[i], at, length);
      break;
  }
  if (array.dictionary != nullptr) bytes += bound(types[0], *array.dictionary, 0, array.dictionary->length);
  return bytes;
}

}  // namespace

const Field& timestamps_field() {
  static const Field kField = field_of("timestamps", TypeId::kInt64, true);
  return kField;
}
const Field& row_kinds_field() {
  static const Field kField = field_of("row_kinds", TypeId::kInt8, false);
  return kField;
}
const Field& keys_field() {
  static const Field kField = field_of("keys", TypeId::kBinary, false);
  return kField;
}
const Field& key_index_field() {
  static const Field kField = field_of("key_index", TypeId::kInt32, false);
  return kField;
}
const Field& timers_field() {
  static const Field kField =
      columnar::struct_of({field_of("key_index", TypeId::kInt32, false), field_of("time_ms", TypeId::kInt64, false),
                           field_of("domain", TypeId::kInt8, false)});
  return kField;
}
const Field& row_flags_field() {
  static const Field kField = field_of("row_flags", TypeId::kInt8, false);
  return kField;
}
const Field& merges_field() {
  static const Field kField =
      columnar::struct_of({field_of("into", TypeId::kInt32, false), field_of("from", TypeId::kInt32, false)});
  return kField;
}
const Field& state_values_field() {
  static const Field kField =
      columnar::struct_of({field_of("value", TypeId::kBinary, true), field_of("version", TypeId::kInt64, false)});
  return kField;
}
const Field& state_entries_field() {
  static const Field kField =
      columnar::struct_of({field_of("key", TypeId::kInt32, false), field_of("map_key", TypeId::kBinary, true),
                           field_of("value", TypeId::kBinary, false), field_of("next", TypeId::kBinary, true)});
  return kField;
}
const Field& state_page_field() {
  static const Field kField =
      columnar::struct_of({field_of("map_key", TypeId::kBinary, true), field_of("value", TypeId::kBinary, false)});
  return kField;
}
const Field& state_cursor_field() {
  static const Field kField = field_of("cursor", TypeId::kBinary, false);
  return kField;
}
const Field& state_found_field() {
  static const Field kField = columnar::struct_of({field_of("value", TypeId::kBinary, true)});
  return kField;
}
const Field& state_names_field() {
  static const Field kField =
      columnar::struct_of({field_of("key", TypeId::kInt32, false), field_of("name", TypeId::kBinary, false)});
  return kField;
}
const Field& origin_field() {
  static const Field kField = field_of("origin", TypeId::kInt32, false);
  return kField;
}
const Field& state_changes_field() {
  static const Field kField =
      columnar::struct_of({field_of("key", TypeId::kInt32, false), field_of("op", TypeId::kInt8, false),
                           field_of("map_key", TypeId::kBinary, true), field_of("value", TypeId::kBinary, true)});
  return kField;
}
const Field& timer_changes_field() {
  static const Field kField =
      columnar::struct_of({field_of("key", TypeId::kInt32, false), field_of("time_ms", TypeId::kInt64, false),
                           field_of("domain", TypeId::kInt8, false), field_of("op", TypeId::kInt8, false)});
  return kField;
}

void ArenaWriter::start(std::span<uint8_t> arena) {
  arena_ = arena;
  data_end_ = kEmptyBytes;
  sections_.clear();
  nodes_.clear();
  buffers_.clear();
}

uint64_t ArenaWriter::bytes_for(const Field& field, const ArrowArray& array) {
  return sizeof(SectionEntry) + bound(field, array, 0, array.length);
}

uint64_t ArenaWriter::used() const {
  return data_end_ + sections_.size() * sizeof(SectionEntry) + nodes_.size() * sizeof(NodeEntry) +
         buffers_.size() * sizeof(BufferEntry);
}

uint8_t* ArenaWriter::open_buffer(int64_t size) {
  if (size == 0) {
    buffers_.push_back({0, 0});
    return nullptr;
  }
  uint8_t* out = arena_.data() + data_end_;
  buffers_.push_back({data_end_, static_cast<uint64_t>(size)});
  const uint64_t whole = aligned(size);
  // What the peer can see beyond the data must never be what was there before.
  std::memset(out + size, 0, whole - static_cast<uint64_t>(size));
  data_end_ += whole;
  return out;
}

void ArenaWriter::put_array(const Field& field, const ArrowArray& array, int64_t start, int64_t length) {
  const int64_t at = array.offset + start;
  const size_t node = nodes_.size();
  const Shape shape = shape_of(field.type);
  nodes_.push_back({length, shape == Shape::kNull ? length : 0});
  if (shape == Shape::kNull) return;
  if (may_have_nulls(array) && length > 0) {
    uint8_t* out = open_buffer(bitmap_bytes(length));
    copy_bits(out, static_cast<const uint8_t*>(array.buffers[0]), at, length);
    nodes_[node].null_count = length - count_ones(out, bitmap_bytes(length));
  } else {
    open_buffer(0);
  }
  const auto& types = field.type.children;
  switch (shape) {
    case Shape::kNull:
      break;
    case Shape::kBits:
      if (uint8_t* out = open_buffer(bitmap_bytes(length))) {
        copy_bits(out, static_cast<const uint8_t*>(array.buffers[1]), at, length);
      }
      break;
    case Shape::kFixed: {
      const int64_t width = width_of(field.type);
      if (uint8_t* out = open_buffer(length * width)) {
        std::memcpy(out, static_cast<const uint8_t*>(array.buffers[1]) + at * width,
                    static_cast<size_t>(length * width));
      }
      break;
    }
    case Shape::kBytes32:
    case Shape::kBytes64: {
      const bool large = shape == Shape::kBytes64;
      const auto [first, last] = large ? span_of<int64_t>(array, at, length) : span_of<int32_t>(array, at, length);
      uint8_t* offsets = open_buffer((length + 1) * (large ? 8 : 4));
      large ? copy_offsets<int64_t>(offsets, array, at, length) : copy_offsets<int32_t>(offsets, array, at, length);
      if (uint8_t* out = open_buffer(last - first)) {
        std::memcpy(out, static_cast<const uint8_t*>(array.buffers[2]) + first, static_cast<size_t>(last - first));
      }
      break;
    }
    case Shape::kList32:
    case Shape::kList64: {
      const bool large = shape == Shape::kList64;
      const auto [first, last] = large ? span_of<int64_t>(array, at, length) : span_of<int32_t>(array, at, length);
      uint8_t* offsets = open_buffer((length + 1) * (large ? 8 : 4));
      large ? copy_offsets<int64_t>(offsets, array, at, length) : copy_offsets<int32_t>(offsets, array, at, length);
      put_array(types[0], *array.children[0], first, last - first);
      break;
    }
    case Shape::kFixedList:
      put_array(types[0], *array.children[0], at * field.type.width, length * field.type.width);
      break;
    case Shape::kStruct:
      for (size_t i = 0; i < types.size(); ++i) put_array(types[i], *array.children[i], at, length);
      break;
  }
  if (array.dictionary != nullptr) put_array(types[0], *array.dictionary, 0, array.dictionary->length);
}

void ArenaWriter::add(SectionKind kind, uint32_t id, const Field& field, const ArrowArray& array) {
  const size_t nodes = nodes_.size();
  const size_t buffers = buffers_.size();
  put_array(field, array, 0, array.length);
  sections_.push_back(
      {kind, id, 0, static_cast<uint32_t>(nodes_.size() - nodes), static_cast<uint32_t>(buffers_.size() - buffers), 0});
}

void ArenaWriter::add_implied(SectionKind kind, uint32_t id) {
  sections_.push_back({kind, id, kSectionImplied, 0, 0, 0});
}

uint64_t ArenaWriter::finish() {
  ArenaHeader header{kArenaMagic,
                     static_cast<uint32_t>(sections_.size()),
                     static_cast<uint32_t>(nodes_.size()),
                     static_cast<uint32_t>(buffers_.size()),
                     data_end_,
                     used()};
  uint8_t* out = arena_.data() + data_end_;
  const auto put = [&out](const void* from, size_t size) {
    if (size > 0) std::memcpy(out, from, size);
    out += size;
  };
  put(sections_.data(), sections_.size() * sizeof(SectionEntry));
  put(nodes_.data(), nodes_.size() * sizeof(NodeEntry));
  put(buffers_.data(), buffers_.size() * sizeof(BufferEntry));
  std::memset(arena_.data(), 0, kEmptyBytes);
  std::memcpy(arena_.data(), &header, sizeof(header));
  return header.bytes;
}

void ArenaWriter::move_to(std::span<uint8_t> larger) {
  std::memcpy(larger.data(), arena_.data(), data_end_);
  arena_ = larger;
}

}  // namespace clutch::pyproc
