#include "clutch/columnar/row_codec.h"

#include <cstring>

#include "access.h"

namespace clutch::columnar {
namespace {

constexpr uint8_t kVersion = 1;
constexpr size_t kHeader = 3;  // (unit: bytes)
constexpr char kNull = 0;
constexpr char kValue = 1;

bool has_dictionary(const Type& type) {
  if (type.id == TypeId::kDictionary) return true;
  for (const Field& child : type.children) {
    if (has_dictionary(child.type)) return true;
  }
  return false;
}

// FNV-1a of the type's text, folded to 16 bits: bytes of another type are told apart but for one time in 65536, and
// what gets through is still read within bounds.
uint16_t mark_of(const Type& type) {
  uint32_t hash = 2166136261u;
  for (const char letter : to_string(type)) hash = (hash ^ static_cast<uint8_t>(letter)) * 16777619u;
  return static_cast<uint16_t>(hash ^ (hash >> 16));
}

void put_number(uint64_t number, std::string& out) {
  for (; number >= 0x80; number >>= 7) out.push_back(static_cast<char>(number | 0x80));
  out.push_back(static_cast<char>(number));
}

void put(const Field& field, const ArrowArray& array, int64_t row, std::string& out) {
  const Layout layout = layout_of(field.type);
  if (!valid_at(array, row)) {
    out.push_back(kNull);
    return;
  }
  out.push_back(kValue);
  const int64_t at = array.offset + row;
  switch (layout) {
    case Layout::kNull:
      break;  // never valid
    case Layout::kBits:
      out.push_back(bit_at(static_cast<const uint8_t*>(array.buffers[1]), at) ? 1 : 0);
      break;
    case Layout::kFixed: {
      const auto width = static_cast<size_t>(byte_width(field.type));
      if (width > 0) out.append(static_cast<const char*>(array.buffers[1]) + static_cast<size_t>(at) * width, width);
      break;
    }
    case Layout::kBytes:
    case Layout::kLargeBytes: {
      const int64_t start = load_offset(array.buffers[1], wide_offsets(layout), at);
      const int64_t size = load_offset(array.buffers[1], wide_offsets(layout), at + 1) - start;
      put_number(static_cast<uint64_t>(size), out);
      if (size > 0) out.append(static_cast<const char*>(array.buffers[2]) + start, static_cast<size_t>(size));
      break;
    }
    case Layout::kList:
    case Layout::kLargeList: {
      const int64_t start = load_offset(array.buffers[1], wide_offsets(layout), at);
      const int64_t end = load_offset(array.buffers[1], wide_offsets(layout), at + 1);
      put_number(static_cast<uint64_t>(end - start), out);
      for (int64_t i = start; i < end; ++i) put(field.type.children[0], *array.children[0], i, out);
      break;
    }
    case Layout::kFixedList:
      for (int64_t i = 0; i < field.type.width; ++i) {
        put(field.type.children[0], *array.children[0], at * field.type.width + i, out);
      }
      break;
    case Layout::kStruct:
      for (size_t i = 0; i < field.type.children.size(); ++i) {
        put(field.type.children[i], *array.children[i], at, out);
      }
      break;
  }
}

// Reads one value. On failure `why` is set, and `out` may hold half a value.
struct Input {
  const char* start;
  const char* at;
  const char* end;
  const char* why = nullptr;

  size_t left() const { return static_cast<size_t>(end - at); }
  bool fail(const char* reason) {
    why = reason;
    return false;
  }

  // A length or count, of things that take a byte each at least.
  bool get_number(size_t& ret_number) {
    uint64_t number = 0;
    for (int shift = 0; shift < 63; shift += 7) {
      if (at == end) return fail("they end inside a number");
      const auto byte = static_cast<uint8_t>(*at++);
      number |= static_cast<uint64_t>(byte & 0x7F) << shift;
      if (byte >= 0x80) continue;
      if (byte == 0 && shift > 0) return fail("a number is written longer than it needs to be");
      if (number > left()) return fail("a length is more than what follows");
      ret_number = static_cast<size_t>(number);
      return true;
    }
    return fail("a number has more than 63 bits");
  }

  bool get_bytes(size_t size, const char*& ret_bytes) {
    if (size > left()) return fail("they end inside a value");
    ret_bytes = at;
    at += size;
    return true;
  }

  bool get(const Field& field, ArrayBuilder& out) {
    if (at == end) return fail("they end before a value");
    const char tag = *at++;
    if (tag == kNull) {
      if (!field.nullable) return fail("a value is null that cannot be");
      out.append_null();
      return true;
    }
    if (tag != kValue) return fail("a value begins with neither 0 nor 1");
    const char* bytes = nullptr;
    switch (layout_of(field.type)) {
      case Layout::kNull:
        return fail("a value of type null is not null");
      case Layout::kBits:
        if (!get_bytes(1, bytes)) return false;
        if (*bytes != 0 && *bytes != 1) return fail("a bool is neither 0 nor 1");
        out.append_bool(*bytes == 1);
        return true;
      case Layout::kFixed:
        if (!get_bytes(static_cast<size_t>(byte_width(field.type)), bytes)) return false;
        out.append_fixed(bytes);
        return true;
      case Layout::kBytes:
      case Layout::kLargeBytes: {
        size_t size = 0;
        if (!get_number(size) || !get_bytes(size, bytes)) return false;
        return out.append_bytes({bytes, size}).ok() || fail("there is no room for a text in this array");
      }
      case Layout::kList:
      case Layout::kLargeList: {
        size_t count = 0;
        if (!get_number(count)) return false;
        return get_items(field.type.children[0], count, out);
      }
      case Layout::kFixedList:
        return get_items(field.type.children[0], static_cast<size_t>(field.type.width), out);
      case Layout::kStruct:
        for (size_t i = 0; i < field.type.children.size(); ++i) {
          if (!get(field.type.children[i], out.child(i))) return false;
        }
        out.append_struct();
        return true;
    }
    return fail("the type has no layout");
  }

  bool get_items(const Field& item, size_t count, ArrayBuilder& out) {
    if (count > left()) return fail("they end inside a list");
    for (size_t i = 0; i < count; ++i) {
      if (!get(item, out.child(0))) return false;
    }
    return out.append_list().ok() || fail("there is no room for a list in this array");
  }
};

}  // namespace

RowCodec::RowCodec(Field field) : field_(std::move(field)), mark_(mark_of(field_.type)) {
  if (layout_of(field_.type) != Layout::kFixed) return;
  const auto width = static_cast<size_t>(byte_width(field_.type));
  if (width <= sizeof(int64_t)) word_ = width;
}

Result<RowCodec> RowCodec::make(Field field) {
  if (has_dictionary(field.type)) {
    return Status(CLUTCH_ERR_UNSUPPORTED, "a value of type " + to_string(field.type) +
                                              " cannot be kept by itself; use the type of the dictionary's values");
  }
  return RowCodec(std::move(field));
}

void RowCodec::encode(const ArrowArray& array, int64_t row, std::string& out) const {
  char bytes[kHeader + 1 + sizeof(int64_t)] = {static_cast<char>(kVersion), static_cast<char>(mark_ & 0xFF),
                                               static_cast<char>(mark_ >> 8), kValue};
  // Numbers are written in one piece.
  if (word_ > 0 && valid_at(array, row)) {
    const auto* values = static_cast<const char*>(array.buffers[1]);
    std::memcpy(bytes + kHeader + 1, values + static_cast<size_t>(array.offset + row) * word_, word_);
    out.append(bytes, kHeader + 1 + word_);
    return;
  }
  out.append(bytes, kHeader);
  put(field_, array, row, out);
}

Status RowCodec::decode(std::string_view bytes, ArrayBuilder& out) const {
  if (bytes.size() < kHeader) return refuse("they end inside their header", bytes.size());
  if (static_cast<uint8_t>(bytes[0]) != kVersion) return refuse("their version is not 1", 0);
  const auto mark = static_cast<uint16_t>(static_cast<uint8_t>(bytes[1]) | static_cast<uint8_t>(bytes[2]) << 8);
  if (mark != mark_) return refuse("they were made for another type", 1);
  const int64_t before = out.length();
  Input input{bytes.data(), bytes.data() + kHeader, bytes.data() + bytes.size()};
  bool good = input.get(field_, out);
  if (good && input.at != input.end) good = input.fail("something follows the value");
  if (good) return {};
  out.truncate(before);
  return refuse(input.why, static_cast<size_t>(input.at - input.start));
}

Status RowCodec::refuse(const char* why, size_t at) const {
  return {CLUTCH_ERR_DATA,
          "these bytes are no " + to_string(field_.type) + ": " + why + " (at byte " + std::to_string(at) + ")"};
}

}  // namespace clutch::columnar
