#include "rows/json_rows.h"

#include <gtest/gtest.h>

#include "rows/text.h"

namespace clutch::rows {
namespace {

columnar::Field batch_of(const std::string& type) {
  auto parsed = columnar::parse_type(type);
  EXPECT_TRUE(parsed.ok()) << parsed.status().message();
  return columnar::struct_of({columnar::Field{"x", *parsed, true}});
}

// What a JSON value of a type comes back as.
std::string round_trip(const std::string& type, const std::string& json) {
  const columnar::Field batch = batch_of(type);
  auto rows = batch_from_json_lines("[" + json + "]", batch);
  if (!rows.ok()) return std::string(rows.status().message());
  return row_json_array(batch, **rows, 0)[0].dump();
}

struct Value {
  const char* type;
  const char* json;
};

class SameAfterRoundTrip : public testing::TestWithParam<Value> {};

TEST_P(SameAfterRoundTrip, Value) {
  EXPECT_EQ(round_trip(GetParam().type, GetParam().json), GetParam().json);
  EXPECT_EQ(round_trip(GetParam().type, "null"), "null");
}

INSTANTIATE_TEST_SUITE_P(
    Types, SameAfterRoundTrip,
    testing::Values(
        Value{"bool", "true"}, Value{"int8", "-128"}, Value{"int16", "32767"}, Value{"int32", "-2147483648"},
        Value{"int64", "9223372036854775807"}, Value{"int64", "-9223372036854775808"}, Value{"uint8", "255"},
        Value{"uint16", "65535"}, Value{"uint32", "4294967295"}, Value{"uint64", "18446744073709551615"},
        Value{"float16", "65504.0"}, Value{"float32", "1.5"}, Value{"float64", "0.1"}, Value{"float64", "\"NaN\""},
        Value{"float16", "\"-Infinity\""}, Value{"decimal128(10, 2)", "\"-12.50\""},
        Value{"decimal128(3, 3)", "\"0.001\""},
        Value{"decimal128(38, 0)", "\"99999999999999999999999999999999999999\""}, Value{"string", "\"zażółć\""},
        Value{"large_string", "\"\""}, Value{"binary", "\"AP8=\""}, Value{"large_binary", "\"\""},
        Value{"fixed_size_binary[3]", "\"AQID\""}, Value{"date32", "\"0001-01-01\""}, Value{"date64", "\"1969-12-31\""},
        Value{"time32[s]", "\"23:59:59\""}, Value{"time32[ms]", "\"12:34:56.789\""},
        Value{"time64[us]", "\"00:00:00.000001\""}, Value{"time64[ns]", "\"00:00:00.000000001\""},
        Value{"timestamp[s]", "\"1950-06-01T23:59:59\""}, Value{"timestamp[us]", "\"2018-03-11T03:00:00.123456\""},
        Value{"timestamp[ms, UTC]", "\"2018-03-11T03:00:00.12Z\""}, Value{"duration[ms]", "-5"},
        Value{"list<int64>", "[1,null,3]"}, Value{"large_list<string>", "[]"},
        Value{"fixed_size_list<int32>[2]", "[1,2]"}, Value{"struct<a: int64, b: string>", "{\"a\":1,\"b\":null}"},
        Value{"map<string, int64>", "[[\"k\",1],[\"l\",null]]"}, Value{"dictionary<int8, string>", "\"a\""},
        Value{"list<dictionary<uint64, int64>>", "[3,null,3]"},
        Value{"list<struct<k: string, v: map<string, list<int32>>>>", "[{\"k\":\"a\",\"v\":[[\"m\",[1]]]},null]"}));

TEST(JsonRows, RefusesWhatDoesNotFit) {
  EXPECT_EQ(round_trip("int8", "128"), "line 1: column \"x\": 128 does not fit int8");
  EXPECT_EQ(round_trip("uint64", "-1"), "line 1: column \"x\": -1 does not fit uint64");
  EXPECT_EQ(round_trip("int64", "1.5"), "line 1: column \"x\": 1.5 does not fit int64; write a whole number");
  EXPECT_EQ(round_trip("date32", "\"2019-02-29\""),
            "line 1: column \"x\": \"2019-02-29\" does not fit date32; write \"2018-03-11\"");
  EXPECT_EQ(round_trip("decimal128(4, 2)", "\"123.00\""),
            "line 1: column \"x\": \"123.00\" does not fit decimal128(4, 2); write \"12.50\"");
  EXPECT_EQ(round_trip("fixed_size_list<int32>[2]", "[1]"),
            "line 1: column \"x\": [1] does not fit fixed_size_list<int32>[2]");
  EXPECT_EQ(round_trip("binary", "\"A\""), "line 1: column \"x\": \"A\" does not fit binary; write base64 text");
}

TEST(JsonRows, ADictionaryEndsWithItsIndices) {
  std::string lines;
  for (int i = 0; i < 128; ++i) lines += "[" + std::to_string(i) + "]\n";
  const columnar::Field batch = batch_of("dictionary<int8, int64>");
  EXPECT_TRUE(batch_from_json_lines(lines, batch).ok());
  EXPECT_EQ(batch_from_json_lines(lines + "[1]\n", batch).status().message(),
            "line 129: column \"x\": dictionary<int8, int64> ends at index 127; take a wider type for the indices");
}

TEST(JsonRows, NamesTheLineAndTheColumn) {
  const columnar::Field batch = batch_of("int64");
  EXPECT_EQ(batch_from_json_lines("[1]\n\n{oops}\n", batch).status().message(), "line 3: not JSON: {oops}");
  EXPECT_EQ(batch_from_json_lines("[1, 2]", batch).status().message(),
            "line 1: a row of 2 values where there are 1 columns: struct<x: int64>");
  EXPECT_EQ(batch_from_json_lines(R"({"y": 1})", batch).status().message(),
            "line 1: there is no column \"y\" in struct<x: int64>");
}

TEST(JsonRows, ARowThatFailsLeavesNothingBehind) {
  const columnar::Field batch = columnar::struct_of({columnar::Field{"a", *columnar::parse_type("list<int64>"), true},
                                                     columnar::Field{"b", *columnar::parse_type("int8"), true}});
  columnar::ArrayBuilder builder(batch);
  EXPECT_FALSE(append_json_row(Json::parse("[[1, 2], 1000]"), batch, builder).ok());
  ASSERT_TRUE(append_json_row(Json::parse("[[3], 4]"), batch, builder).ok());
  const columnar::Array rows = builder.finish();
  ASSERT_EQ(rows->length, 1);
  EXPECT_EQ(row_json_array(batch, *rows, 0).dump(), "[[3],4]");
}

TEST(Text, HalvesRoundToNearestEven) {
  EXPECT_EQ(float_to_half(65519.9), 0x7bff);
  EXPECT_EQ(float_to_half(65520.0), 0x7c00);
  EXPECT_EQ(float_to_half(5.9604644775390625e-08), 0x0001);
  EXPECT_EQ(float_to_half(2.98023223876953125e-08), 0x0000);
  EXPECT_EQ(float_to_half(6.103515625e-05), 0x0400);
  EXPECT_EQ(float_to_half(1.0 + 1.0 / 2048), 0x3c00);
  EXPECT_EQ(float_to_half(1.0 + 3.0 / 2048), 0x3c02);
  for (uint32_t half = 0; half < 0x7c00; ++half) {
    ASSERT_EQ(float_to_half(half_to_float(static_cast<uint16_t>(half))), half);
  }
}

TEST(Text, ZonedTimestampsTakeOffsets) {
  EXPECT_EQ(parse_timestamp("1970-01-01T01:00:00+01:00", columnar::TimeUnit::kSecond, true), 0);
  EXPECT_EQ(parse_timestamp("1970-01-01T01:00:00", columnar::TimeUnit::kSecond, true), std::nullopt);
  EXPECT_EQ(parse_timestamp("1970-01-01T01:00:00Z", columnar::TimeUnit::kSecond, false), std::nullopt);
  EXPECT_EQ(parse_timestamp("1970-01-01T00:00:00.5", columnar::TimeUnit::kSecond, false), std::nullopt);
}

TEST(JsonRows, SaysWhereTextStopsBeingJson) {
  EXPECT_EQ(parse_json("{\"a\": 1").status().message(), "not JSON at column 8: {\"a\": 1");
  EXPECT_EQ(parse_json("[1, x]").status().message(), "not JSON at column 5: [1, x]");
}

TEST(JsonRows, IgnoresUnknownMembersIfTold) {
  const columnar::Field field{"s", *columnar::parse_type("struct<x: int64>"), true};
  columnar::ArrayBuilder builder(field);
  const Json value = *parse_json("{\"y\": [1], \"x\": 3}");
  EXPECT_EQ(append_json(value, field, builder).message(), "there is no column \"y\" in struct<x: int64>");
  ASSERT_TRUE(append_json(value, field, builder, UnknownMembers::kIgnore).ok());
  const columnar::Array array = builder.finish();
  EXPECT_EQ(value_json(field, *array, 0).dump(), "{\"x\":3}");
}

TEST(JsonRows, ShowsNothingOfWhatNestsWithoutEnd) {
  const columnar::Field field{"x", *columnar::parse_type("int64"), true};
  columnar::ArrayBuilder builder(field);
  const std::string deep = std::string(100000, '[') + std::string(100000, ']');
  EXPECT_EQ(append_json(*parse_json(deep), field, builder).message(),
            "column \"x\": a value that nests deeper than 64 does not fit int64; write a whole number");
}

}  // namespace
}  // namespace clutch::rows
