#include "samples.h"

#include <gtest/gtest.h>

#include <bit>
#include <cstring>

namespace clutch::columnar {
namespace {

void fill(uint8_t* bytes, int32_t width, int64_t seed) {
  for (int32_t i = 0; i < width; ++i) bytes[i] = static_cast<uint8_t>(seed * 7 + i);
}

std::string text_of(int64_t seed) {
  constexpr const char* kParts[] = {
      "", "a", "b\xC3\xA9", "\xE2\x82\xAC uro", "long enough to leave one word", "\xF0\x9F\x8E\x89"};
  return std::string(kParts[seed % 6]) + (seed % 4 == 0 ? "" : std::to_string(seed));
}

void append_fixed_sample(ArrayBuilder& builder, int64_t seed) {
  const Type& type = builder.field().type;
  std::vector<uint8_t> bytes(static_cast<size_t>(byte_width(type)));
  int64_t number = seed * 3 - 40;
  if (type.id == TypeId::kTime32 || type.id == TypeId::kTime64) number = seed * 1001;
  if (type.id == TypeId::kDate64) number = seed * 86400000;
  if (type.id == TypeId::kDecimal128) number = seed % 2 == 0 ? seed : -seed;
  if (type.id == TypeId::kDictionary) number = seed % 5;
  if (type.id == TypeId::kFloat16) number = 0x3C00 + seed;
  if (type.id == TypeId::kFloat32) number = std::bit_cast<int32_t>(static_cast<float>(seed) / 2);
  if (type.id == TypeId::kFloat64) number = std::bit_cast<int64_t>(static_cast<double>(seed) / 2);
  if (type.id == TypeId::kFixedSizeBinary) {
    fill(bytes.data(), static_cast<int32_t>(bytes.size()), seed);
  } else {
    std::memset(bytes.data(), number < 0 ? 0xFF : 0, bytes.size());
    std::memcpy(bytes.data(), &number, std::min(bytes.size(), sizeof number));
  }
  builder.append_fixed(bytes.data());
}

void append_items(ArrayBuilder& items, int64_t count, int64_t seed) {
  for (int64_t i = 0; i < count; ++i) {
    if (items.field().nullable && (seed + i) % 4 == 3) {
      items.append_null();
    } else {
      append_sample(items, seed * 2 + i);
    }
  }
}

}  // namespace

const std::vector<std::string>& all_types() {
  static const std::vector<std::string> kTypes = {
      "null",
      "bool",
      "int8",
      "int16",
      "int32",
      "int64",
      "uint8",
      "uint16",
      "uint32",
      "uint64",
      "float16",
      "float32",
      "float64",
      "decimal128(38, 10)",
      "decimal128(4, 0)",
      "decimal128(6, -2)",
      "string",
      "large_string",
      "binary",
      "large_binary",
      "fixed_size_binary[5]",
      "fixed_size_binary[0]",
      "date32",
      "date64",
      "time32[s]",
      "time32[ms]",
      "time64[us]",
      "time64[ns]",
      "timestamp[s]",
      "timestamp[ms, UTC]",
      "timestamp[us, Europe/Berlin]",
      "timestamp[ns]",
      "duration[s]",
      "duration[ms]",
      "duration[us]",
      "duration[ns]",
      "month_interval",
      "day_time_interval",
      "month_day_nano_interval",
      "list<int64>",
      "list<string not null>",
      "list<bool>",
      "large_list<string>",
      "fixed_size_list<int16>[3]",
      "fixed_size_list<string>[2]",
      "fixed_size_list<int8>[0]",
      "struct<a: int64, b: string, c: bool>",
      "struct<>",
      "pickle",
      "tuple<f0: int64, f1: string>",
      "tuple<>",
      "list<tuple<f0: pickle, f1: map<string, pickle not null>>>",
      "dictionary<int32, pickle>",
      "struct<`a b`: int8 not null, `x``y`: list<struct<z: bool>>>",
      "map<string, int64>",
      "map<int32, list<string> not null>",
      "map<string, null, keys_sorted>",
      "dictionary<int32, string>",
      "dictionary<uint8, int64, ordered>",
      "dictionary<uint64, list<int8>>",
      "dictionary<int16, dictionary<int8, string>>",
      "list<list<list<decimal128(5, 2)>>>",
      "list<dictionary<int8, string>>",
      "struct<s: struct<t: struct<u: string>>, m: map<string, map<string, bool>>>"};
  return kTypes;
}

Field field_of(std::string_view text) {
  Result<Type> type = parse_type(text);
  EXPECT_TRUE(type.ok()) << type.status().message();
  return Field{"c", type.ok() ? *type : Type(), true};
}

void append_sample(ArrayBuilder& builder, int64_t seed) {
  const Type& type = builder.field().type;
  switch (layout_of(type)) {
    case Layout::kNull:
      builder.append_null();
      return;
    case Layout::kBits:
      builder.append_bool(seed % 3 == 0);
      return;
    case Layout::kFixed:
      if (type.id == TypeId::kDictionary) {
        while (builder.child(0).length() < 5) append_sample(builder.child(0), builder.child(0).length() + 1);
      }
      append_fixed_sample(builder, seed);
      return;
    case Layout::kBytes:
    case Layout::kLargeBytes:
      EXPECT_TRUE(builder.append_bytes(text_of(seed)).ok());
      return;
    case Layout::kFixedList:
      append_items(builder.child(0), type.width, seed);
      EXPECT_TRUE(builder.append_list().ok());
      return;
    case Layout::kList:
    case Layout::kLargeList:
      append_items(builder.child(0), seed % 4, seed);
      EXPECT_TRUE(builder.append_list().ok());
      return;
    case Layout::kStruct:
      for (size_t i = 0; i < builder.child_count(); ++i)
        append_items(builder.child(i), 1, seed + static_cast<int64_t>(i));
      builder.append_struct();
      return;
  }
}

Array sample(const Field& field, int64_t rows, bool nulls) {
  ArrayBuilder builder(field);
  for (int64_t i = 0; i < rows; ++i) {
    if (nulls && i % 3 == 1) {
      builder.append_null();
    } else {
      append_sample(builder, i);
    }
  }
  return builder.finish();
}

std::vector<Extent> extents_of(const Field& field, const ArrowArray& array) {
  const Layout layout = layout_of(field.type);
  const int64_t end = array.offset + array.length;
  const int64_t bits = (end + 7) / 8;
  const auto at = [&](int64_t i) { return static_cast<const uint8_t*>(array.buffers[i]); };
  const auto offset_bytes = [&](int64_t width) { return at(1) == nullptr ? 0 : (end + 1) * width; };
  std::vector<Extent> out;
  if (layout != Layout::kNull) out.push_back({at(0), at(0) == nullptr ? 0 : bits});
  if (layout == Layout::kBits) out.push_back({at(1), bits});
  if (layout == Layout::kFixed) out.push_back({at(1), end * byte_width(field.type)});
  if (layout == Layout::kBytes || layout == Layout::kList) out.push_back({at(1), offset_bytes(4)});
  if (layout == Layout::kLargeBytes || layout == Layout::kLargeList) out.push_back({at(1), offset_bytes(8)});
  if (layout == Layout::kBytes) out.push_back({at(2), reinterpret_cast<const int32_t*>(at(1))[end]});
  if (layout == Layout::kLargeBytes) out.push_back({at(2), reinterpret_cast<const int64_t*>(at(1))[end]});
  for (size_t i = 0; i < child_count(field.type); ++i) {
    const auto child = extents_of(field.type.children[i], *array.children[i]);
    out.insert(out.end(), child.begin(), child.end());
  }
  if (field.type.id == TypeId::kDictionary) {
    const auto values = extents_of(field.type.children[0], *array.dictionary);
    out.insert(out.end(), values.begin(), values.end());
  }
  return out;
}

}  // namespace clutch::columnar
