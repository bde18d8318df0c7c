#include <gtest/gtest.h>

#include "clutch/columnar/type.h"
#include "samples.h"

namespace clutch::columnar {
namespace {

TEST(TypeText, EveryTypeSurvivesTextAndBack) {
  for (const std::string& text : all_types()) {
    const Result<Type> type = parse_type(text);
    ASSERT_TRUE(type.ok()) << type.status().message();
    EXPECT_EQ(to_string(*type), text);
    EXPECT_EQ(*parse_type(to_string(*type)), *type);
  }
}

TEST(TypeText, SqlAndForeignNames) {
  const std::pair<const char*, const char*> kNames[] = {
      {"TINYINT", "int8"},
      {"smallint", "int16"},
      {"INT", "int32"},
      {"Integer", "int32"},
      {"BIGINT NOT NULL", "int64"},
      {"BIGINT NULL", "int64"},
      {"FLOAT", "float32"},
      {"DOUBLE", "float64"},
      {"DOUBLE PRECISION", "float64"},
      {"double", "float64"},
      {"BOOLEAN", "bool"},
      {"STRING", "string"},
      {"VARCHAR(2147483647)", "string"},
      {"CHAR(3)", "string"},
      {"BYTES", "binary"},
      {"VARBINARY(10)", "binary"},
      {"BINARY(16)", "fixed_size_binary[16]"},
      {"DECIMAL(10, 2)", "decimal128(10, 2)"},
      {"DECIMAL(5)", "decimal128(5, 0)"},
      {"DECIMAL", "decimal128(10, 0)"},
      {"NUMERIC(38,18)", "decimal128(38, 18)"},
      {"DATE", "date32"},
      {"TIME", "time32[s]"},
      {"TIME(3)", "time32[ms]"},
      {"TIME(6)", "time64[us]"},
      {"TIMESTAMP", "timestamp[us]"},
      {"TIMESTAMP(0)", "timestamp[s]"},
      {"TIMESTAMP(3)", "timestamp[ms]"},
      {"TIMESTAMP(9) WITHOUT TIME ZONE", "timestamp[ns]"},
      {"TIMESTAMP(6) WITH LOCAL TIME ZONE", "timestamp[us, UTC]"},
      {"TIMESTAMP_LTZ(3)", "timestamp[ms, UTC]"},
      {"INTERVAL YEAR TO MONTH", "month_interval"},
      {"INTERVAL DAY(2) TO SECOND(3)", "duration[ms]"},
      {"ARRAY<BIGINT>", "list<int64>"},
      {"ARRAY<BIGINT NOT NULL>", "list<int64 not null>"},
      {"MAP<STRING, INT>", "map<string, int32>"},
      {"MULTISET<STRING>", "map<string, int32 not null>"},
      {"ROW<a INT, b STRING>", "struct<a: int32, b: string>"},
      {"ROW(a INT NOT NULL 'it''s a comment', `b c` ROW<d DATE>)",
       "struct<a: int32 not null, `b c`: struct<d: date32>>"},
      {"struct<int: int, `list`: string>", "struct<int: int32, list: string>"},
      {"list<item: int64>", "list<int64>"},
      {"PICKLE NOT NULL", "pickle"},
      {"Tuple<a BIGINT, b ROW<c PICKLE>>", "tuple<a: int64, b: struct<c: pickle>>"},
      {"list< element : int64 not null >", "list<int64 not null>"},
      {"fixed_size_list<item: float>[3]", "fixed_size_list<float32>[3]"},
      {"timestamp[us, tz=Asia/Tokyo]", "timestamp[us, Asia/Tokyo]"},
      {"timestamp[s, +01:00]", "timestamp[s, +01:00]"},
      {"date32[day]", "date32"},
      {"date64[ms]", "date64"},
      {"halffloat", "float16"},
      {"dictionary<values=string, indices=int32, ordered=0>", "dictionary<int32, string>"},
      {"dictionary<values=string, indices=int8, ordered=1>", "dictionary<int8, string, ordered>"},
      {"  int64\n", "int64"},
      {"struct<\"a\"\"b\": int8>", "struct<`a\"b`: int8>"},
  };
  for (const auto& [text, canonical] : kNames) {
    const Result<Type> type = parse_type(text);
    ASSERT_TRUE(type.ok()) << type.status().message();
    EXPECT_EQ(to_string(*type), canonical) << text;
  }
}

TEST(TypeText, ErrorsNameTheColumnAndWhatWasExpected) {
  const std::pair<const char*, const char*> kErrors[] = {
      {"", "type \"\", column 1: expected a type, found the end"},
      {"in64", "type \"in64\", column 1: expected the name of a type, found \"in64\""},
      {"list<foo>", "type \"list<foo>\", column 6: expected the name of a type, found \"foo\""},
      {"list<int8", "type \"list<int8\", column 10: expected '>', found the end"},
      {"int8 int8", "type \"int8 int8\", column 6: expected the end of the type, found \"int8\""},
      {"int8)", "type \"int8)\", column 5: expected the end of the type, found \")\""},
      {"int8 not", "type \"int8 not\", column 9: expected \"null\", found the end"},
      {"decimal(39, 2)", "type \"decimal(39, 2)\", column 9: expected a precision from 1 to 38, found \"39\""},
      {"decimal(5, 99)", "type \"decimal(5, 99)\", column 12: expected a scale from -38 to 38, found \"99\""},
      {"timestamp[h]", "type \"timestamp[h]\", column 11: expected a unit (s, ms, us, ns), found \"h\""},
      {"timestamp[s, ]", "type \"timestamp[s, ]\", column 14: expected a time zone, found \"]\""},
      {"timestamp[s, UTC", "type \"timestamp[s, UTC\", column 14: expected a time zone and ']', found \"UTC\""},
      {"time32[us]", "type \"time32[us]\", column 8: expected a unit (s, ms), found \"us\""},
      {"time64[s]", "type \"time64[s]\", column 8: expected a unit (us, ns), found \"s\""},
      {"timestamp(10)", "type \"timestamp(10)\", column 11: expected a precision from 0 to 9, found \"10\""},
      {"timestamp with time zone", "type \"timestamp with time zone\", column 16: expected \"local\", found \"time\""},
      {"date32[ms]", "type \"date32[ms]\", column 8: expected \"day\", found \"ms\""},
      {"fixed_size_binary", "type \"fixed_size_binary\", column 18: expected '[', found the end"},
      {"fixed_size_binary[-1]",
       "type \"fixed_size_binary[-1]\", column 19: expected a number of bytes from 0 to 2147483647, found \"-\""},
      {"fixed_size_list<int8>", "type \"fixed_size_list<int8>\", column 22: expected '[', found the end"},
      {"varchar(0)", "type \"varchar(0)\", column 9: expected a length from 1 to 2147483647, found \"0\""},
      {"row<a int b int>", "type \"row<a int b int>\", column 11: expected ',' or '>', found \"b\""},
      {"tuple<int64>", "type \"tuple<int64>\", column 12: expected a type, found \">\""},
      {"row<a>", "type \"row<a>\", column 6: expected a type, found \">\""},
      {"row<`a int>", "type \"row<`a int>\", column 5: expected a name that ends with `, found \"`\""},
      {"row<a int 'x>", "type \"row<a int 'x>\", column 11: expected a comment that ends with ', found \"'\""},
      {"struct<>>", "type \"struct<>>\", column 9: expected the end of the type, found \">\""},
      {"map<string>", "type \"map<string>\", column 11: expected ',', found \">\""},
      {"map<string, int8, sorted>",
       "type \"map<string, int8, sorted>\", column 19: expected \"keys_sorted\", found \"sorted\""},
      {"dictionary<string, int8>",
       "type \"dictionary<string, int8>\", column 12: expected an integer type, found \"string\""},
      {"interval week",
       "type \"interval week\", column 10: expected year, month, day, hour, minute or second, found \"week\""},
      {"interval year to second", "type \"interval year to second\", column 18: expected month, found \"second\""},
      {"list<\xE2\x82\xAC>", "type \"list<\xE2\x82\xAC>\", column 6: expected a type, found \"\xE2\x82\xAC\""},
      {"timestamp[s, tz=tz=UTC]", "type \"timestamp[s, tz=tz=UTC]\", column 17: expected a time zone, found \"tz\""},
      {"\xFF", "the text of a type is not UTF-8"},
  };
  for (const auto& [text, message] : kErrors) {
    const Result<Type> type = parse_type(text);
    ASSERT_FALSE(type.ok()) << text;
    EXPECT_EQ(type.status().message(), message);
    EXPECT_EQ(type.status().code(), CLUTCH_ERR_ARGUMENT);
  }
}

TEST(TypeText, NulIsRefused) {
  EXPECT_EQ(parse_type(std::string_view("struct<`a\0`: int8>", 19)).status().message(),
            "the text of a type contains a NUL character");
}

TEST(TypeText, DeepNestingIsRefused) {
  const auto nested = [](int levels) {
    std::string text;
    for (int i = 0; i < levels; ++i) text += "list<";
    text += "int8";
    return text + std::string(static_cast<size_t>(levels), '>');
  };
  EXPECT_TRUE(parse_type(nested(kMaxNesting)).ok());
  const std::string text = nested(kMaxNesting + 1);
  EXPECT_EQ(parse_type(text).status().message(),
            "type \"" + text + "\", column 326: expected at most 64 levels of nesting, found \"int8\"");
}

TEST(TypeText, FieldsShowNameAndNullability) {
  Field field = field_of("int64");
  EXPECT_EQ(to_string(field), "c: int64");
  field.nullable = false;
  field.name = "two words";
  EXPECT_EQ(to_string(field), "`two words`: int64 not null");
}

}  // namespace
}  // namespace clutch::columnar
