#include <gtest/gtest.h>

#include <cmath>

#include "clutch/columnar/ops.h"
#include "samples.h"

namespace clutch::columnar {
namespace {

template <typename T>
std::string text(const char* type, T value) {
  const Field field = field_of(type);
  ArrayBuilder builder(field);
  builder.append<T>(value);
  Array array = builder.finish();
  return row_to_string(field, *array, 0);
}

std::string bytes_text(const char* type, std::string_view value) {
  const Field field = field_of(type);
  ArrayBuilder builder(field);
  EXPECT_TRUE(builder.append_bytes(value).ok());
  Array array = builder.finish();
  return row_to_string(field, *array, 0);
}

TEST(RowToString, Numbers) {
  EXPECT_EQ(text<int8_t>("int8", -128), "-128");
  EXPECT_EQ(text<uint8_t>("uint8", 255), "255");
  EXPECT_EQ(text<uint64_t>("uint64", UINT64_MAX), "18446744073709551615");
  EXPECT_EQ(text<int64_t>("int64", INT64_MIN), "-9223372036854775808");
  EXPECT_EQ(text<double>("float64", 1), "1.0");
  EXPECT_EQ(text<double>("float64", 0.1), "0.1");
  EXPECT_EQ(text<double>("float64", 1e300), "1e+300");
  EXPECT_EQ(text<double>("float64", -HUGE_VAL), "-inf");
  EXPECT_EQ(text<double>("float64", std::nan("")), "nan");
  EXPECT_EQ(text<float>("float32", 0.1F), "0.1");
  EXPECT_EQ(text<uint16_t>("float16", 0x3C00), "1.0");
  EXPECT_EQ(text<uint16_t>("float16", 0xC100), "-2.5");
  EXPECT_EQ(text<uint16_t>("float16", 0x7C00), "inf");
  EXPECT_EQ(text<uint16_t>("float16", 0x0001), "5.9604645e-08");
}

TEST(RowToString, Decimals) {
  __extension__ typedef __int128 Int128;
  EXPECT_EQ(text<Int128>("decimal128(10, 2)", 12345), "123.45");
  EXPECT_EQ(text<Int128>("decimal128(10, 2)", -5), "-0.05");
  EXPECT_EQ(text<Int128>("decimal128(10, 0)", 0), "0");
  EXPECT_EQ(text<Int128>("decimal128(10, -3)", 7), "7000");
  Int128 most = 1;
  for (int i = 0; i < 38; ++i) most *= 10;
  EXPECT_EQ(text<Int128>("decimal128(38, 0)", most - 1), std::string(38, '9'));
}

TEST(RowToString, Times) {
  EXPECT_EQ(text<int32_t>("date32", 0), "1970-01-01");
  EXPECT_EQ(text<int32_t>("date32", -1), "1969-12-31");
  EXPECT_EQ(text<int32_t>("date32", 19782), "2024-02-29");
  EXPECT_EQ(text<int32_t>("date32", -719162), "0001-01-01");
  EXPECT_EQ(text<int32_t>("date32", 2932896), "9999-12-31");
  EXPECT_EQ(text<int64_t>("date64", 86400000), "1970-01-02");
  EXPECT_EQ(text<int32_t>("time32[s]", 86399), "23:59:59");
  EXPECT_EQ(text<int32_t>("time32[ms]", 1001), "00:00:01.001");
  EXPECT_EQ(text<int64_t>("time64[ns]", 5), "00:00:00.000000005");
  EXPECT_EQ(text<int64_t>("timestamp[us]", -1), "1969-12-31 23:59:59.999999");
  EXPECT_EQ(text<int64_t>("timestamp[s, UTC]", 0), "1970-01-01 00:00:00Z");
  EXPECT_EQ(text<int64_t>("timestamp[ms, Europe/Berlin]", 0), "1970-01-01 00:00:00.000Z[Europe/Berlin]");
  EXPECT_EQ(text<int64_t>("duration[ms]", -3), "-3 ms");
  EXPECT_EQ(text<int32_t>("month_interval", 14), "14 months");
  EXPECT_EQ(text<int64_t>("day_time_interval", (int64_t{5} << 32) + 2), "2 days 5 ms");
}

TEST(RowToString, TextAndBytes) {
  EXPECT_EQ(bytes_text("string", "a'b\\c\n\x01"), "'a\\'b\\\\c\\n\\x01'");
  EXPECT_EQ(bytes_text("string", "\xE2\x82\xAC"), "'\xE2\x82\xAC'");
  EXPECT_EQ(bytes_text("binary", "a\xE2"), "b'a\\xe2'");
}

TEST(RowToString, Nested) {
  const Field field = field_of("struct<a: list<int64>, m: map<string, bool>>");
  ArrayBuilder builder(field);
  builder.child(0).child(0).append<int64_t>(1);
  builder.child(0).child(0).append_null();
  ASSERT_TRUE(builder.child(0).append_list().ok());
  ArrayBuilder& entries = builder.child(1).child(0);
  ASSERT_TRUE(entries.child(0).append_bytes("k").ok());
  entries.child(1).append_bool(true);
  entries.append_struct();
  ASSERT_TRUE(builder.child(1).append_list().ok());
  builder.append_struct();
  Array array = builder.finish();
  EXPECT_EQ(row_to_string(field, *array, 0), "{'a': [1, null], 'm': {'k': true}}");
}

TEST(RowToString, IsCutTo200CharactersBetweenCharacters) {
  std::string long_text;
  for (int i = 0; i < 300; ++i) long_text += "\xC3\xA9";
  const std::string cut = bytes_text("string", long_text);
  EXPECT_LE(cut.size(), 200U);
  EXPECT_EQ(cut.substr(cut.size() - 3), "...");
  EXPECT_TRUE(valid_utf8(reinterpret_cast<const uint8_t*>(cut.data()), static_cast<int64_t>(cut.size())));
  EXPECT_EQ(bytes_text("string", std::string(198, 'x')).size(), 200U);
  EXPECT_EQ(bytes_text("string", std::string(199, 'x')).size(), 200U);
}

TEST(RowToString, NullTypeAndNulls) {
  EXPECT_EQ(row_to_string(field_of("null"), *sample(field_of("null"), 2, false), 1), "null");
  EXPECT_EQ(row_to_string(field_of("int8"), *sample(field_of("int8"), 2, true), 1), "null");
}

}  // namespace
}  // namespace clutch::columnar
