#include "text/value_text.h"

#include <gtest/gtest.h>

#include "connectors.h"

namespace clutch::engine {
namespace {

// The texts of JSON values of a type, one a line.
std::string text_of(std::string_view type, std::string_view values, TextStyle style = TextStyle::kStream) {
  const columnar::Field element = value_field(type);
  const columnar::Array array = array_of(element, values);
  auto text = ValueText::make(element, style);
  if (!text.ok()) return std::string(text.status().message());
  std::string out;
  for (int64_t row = 0; row < array->length; ++row) {
    if (row > 0) out += '\n';
    text->append(*array, row, out);
  }
  return out;
}

TEST(ValueText, WritesScalars) {
  EXPECT_EQ(text_of("bool", "[true, false, null]"), "true\nfalse\nnull");
  EXPECT_EQ(text_of("int8", "[-128, 0]"), "-128\n0");
  EXPECT_EQ(text_of("uint64", "[18446744073709551615]"), "18446744073709551615");
  EXPECT_EQ(text_of("string", R"(["a, \"b\"", "", null])"), "a, \"b\"\n\nnull");
  EXPECT_EQ(text_of("binary", R"(["ZmxpbmsA/w=="])"), "[102, 108, 105, 110, 107, 0, -1]");
  EXPECT_EQ(text_of("fixed_size_binary[2]", R"(["AAE="])"), "[0, 1]");
}

// Java's Float.toString and Double.toString.
TEST(ValueText, WritesFloatsAsJavaDoes) {
  EXPECT_EQ(text_of("float32", "[4.3333335, 2.2, 6.0, 1e10, 1.4e-45, 3.4028235e38, -0.0]"),
            "4.3333335\n2.2\n6.0\n1.0E10\n1.0E-45\n3.4028235E38\n-0.0");
  EXPECT_EQ(text_of("float64", "[0.1, 100, 1234567.5, 9999999, 10000000, 12345678.9, 0.001, 0.00099, 1e21, 5e-324]"),
            "0.1\n100.0\n1234567.5\n9999999.0\n1.0E7\n1.23456789E7\n0.001\n9.9E-4\n1.0E21\n5.0E-324");
  EXPECT_EQ(text_of("float64", R"(["NaN", "Infinity", "-Infinity", 0.0, 1.98932])"),
            "NaN\nInfinity\n-Infinity\n0.0\n1.98932");
}

// BigDecimal.toString.
TEST(ValueText, WritesDecimalsAsJavaDoes) {
  EXPECT_EQ(text_of("decimal128(38, 18)", R"(["1000000000000000000.05", "0", "-0.000001", "0.0000001"])"),
            "1000000000000000000.050000000000000000\n0E-18\n-0.000001000000000000\n1.00000000000E-7");
  EXPECT_EQ(text_of("decimal128(10, 0)", R"(["0", "-12"])"), "0\n-12");
  EXPECT_EQ(text_of("decimal128(4, 2)", R"(["12.5"])"), "12.50");
}

TEST(ValueText, WritesTimesOfStreams) {
  EXPECT_EQ(text_of("date32", R"(["2014-09-13", "0001-01-01"])"), "2014-09-13\n0001-01-01");
  EXPECT_EQ(text_of("time32[ms]", R"(["12:00:00.123", "23:59:59"])"), "12:00:00\n23:59:59");
  EXPECT_EQ(text_of("timestamp[ms]", R"(["2021-01-09T12:00:00.011", "2021-01-09T12:00:00", "1969-12-31T23:59:59.9"])"),
            "2021-01-09 12:00:00.011\n2021-01-09 12:00:00.0\n1969-12-31 23:59:59.9");
  EXPECT_EQ(text_of("timestamp[us, UTC]", R"(["1970-01-01T00:00:00.123Z", "1970-01-01T00:00:00Z"])"),
            "1970-01-01T00:00:00.123Z\n1970-01-01T00:00:00Z");
  EXPECT_EQ(text_of("duration[ms]", "[0, 1500, -1500, 3723004, -500, 7200000]"),
            "PT0S\nPT1.5S\nPT-1.5S\nPT1H2M3.004S\nPT-0.5S\nPT2H");
}

TEST(ValueText, WritesTimesOfTables) {
  const auto table = TextStyle::kTable;
  EXPECT_EQ(text_of("time32[ms]", R"(["12:00:00.123", "12:00:00", "12:00:07"])", table),
            "12:00:00.123\n12:00\n12:00:07");
  EXPECT_EQ(text_of("timestamp[us]",
                    R"(["2018-03-11T03:00:00.123", "2018-03-11T03:00:00", "2018-03-11T03:00:00.0001"])", table),
            "2018-03-11T03:00:00.123\n2018-03-11T03:00\n2018-03-11T03:00:00.000100");
}

TEST(ValueText, WritesRowsListsAndMaps) {
  EXPECT_EQ(text_of("struct<a: string, b: int64>", R"([["a", 0], ["b", null], null])"), "+I[a, 0]\n+I[b, null]\nnull");
  EXPECT_EQ(text_of("struct<r: struct<x: int32, y: int32>, l: list<int64>>", "[[[5, 2], [1, 2, 3]], [null, []]]"),
            "+I[+I[5, 2], [1, 2, 3]]\n+I[null, []]");
  EXPECT_EQ(text_of("map<int32, string>", R"([[[1, "flink"], [2, "pyflink"]], []])"), "{1=flink, 2=pyflink}\n{}");
  EXPECT_EQ(text_of("list<struct<a: bool>>", "[[[true], null]]"), "[+I[true], null]");
  EXPECT_EQ(text_of("fixed_size_list<int8>[2]", "[[1, 2], [3, 4]]"), "[1, 2]\n[3, 4]");
  EXPECT_EQ(text_of("dictionary<int8, string>", R"(["x", "y", null])"), "x\ny\nnull");
}

TEST(ValueText, WritesTuplesWithoutBlanks) {
  const columnar::Field element = value_field("struct<a: string, b: struct<c: int64, d: list<int64>>>");
  const columnar::Array array = array_of(element, R"([["hi", [5, [1, 2]]]])");
  const auto all_tuples = [](const columnar::Type& type) -> std::string_view {
    return type.id == columnar::TypeId::kStruct ? "tuple" : "";
  };
  auto text = ValueText::make(element, TextStyle::kStream, all_tuples);
  ASSERT_TRUE(text.ok());
  std::string out;
  text->append(*array, 0, out);
  EXPECT_EQ(out, "(hi,(5,[1, 2]))");
}

TEST(ValueText, ReadsSlicesWhereTheyAre) {
  const columnar::Field element = value_field("struct<a: list<int64>>");
  const columnar::Array array = array_of(element, "[[[1]], [[2, 3]], [[4]]]");
  ArrowArray middle = *array;
  middle.offset = 1;
  middle.length = 2;
  std::string out;
  ValueText::make(element)->append(middle, 1, out);
  EXPECT_EQ(out, "+I[[4]]");
}

TEST(ValueText, RefusesWhatHasNoText) {
  EXPECT_EQ(text_of("struct<i: day_time_interval>", "[]"),
            "field \"i\" has the type day_time_interval, which has no text; take duration or an interval of months");
  const auto pickled = [](const columnar::Type&) -> std::string_view { return "pickle"; };
  EXPECT_EQ(
      ValueText::make(value_field("binary"), TextStyle::kStream, pickled).status().message(),
      "field \"value\" is a pickled object, which only Python can write as text; map it to text first, or give its "
      "type");
}

}  // namespace
}  // namespace clutch::engine
