#include "clutch/columnar/validate.h"

#include <gtest/gtest.h>

#include <functional>
#include <limits>

#include "clutch/columnar/ops.h"
#include "samples.h"

namespace clutch::columnar {
namespace {

// Write `value` over item `i` of a buffer.
template <typename T>
void poke(ArrowArray& array, int64_t buffer, int64_t i, T value) {
  std::memcpy(static_cast<uint8_t*>(const_cast<void*>(array.buffers[buffer])) + i * static_cast<int64_t>(sizeof(T)),
              &value, sizeof(T));
}

struct Break {
  const char* type;
  std::function<void(ArrowArray&)> change;
  const char* message;
  bool structure = true;  // noticed at kStructure already
  bool nulls = false;     // start with nulls in the array
};

// Ten rows of the type, one thing broken, and the sentence that says so.
void expect_refusals(std::span<const Break> breaks) {
  for (const Break& broken : breaks) {
    SCOPED_TRACE(broken.message);
    const Field field = field_of(broken.type);
    Array array = sample(field, 10, broken.nulls);
    ASSERT_TRUE(validate(field, *array, Depth::kFull).ok());
    const ArrowArray before = *array;
    broken.change(*array);
    const Status full = validate(field, *array, Depth::kFull);
    EXPECT_EQ(full.message(), broken.message);
    EXPECT_EQ(full.code(), CLUTCH_ERR_DATA);
    EXPECT_FALSE(full.detail(CLUTCH_DETAIL_COLUMN).empty());
    EXPECT_EQ(validate(field, *array, Depth::kStructure).ok(), !broken.structure);
    *array = before;
  }
}

TEST(Validate, CountsAndPointers) {
  const Break kBreaks[] = {
      {"int64", [](ArrowArray& a) { a.length = -1; }, "column \"c\": length -1 is negative"},
      {"int64", [](ArrowArray& a) { a.offset = -2; }, "column \"c\": offset -2 is negative"},
      {"int64", [](ArrowArray& a) { a.offset = INT64_MAX; },
       "column \"c\": offset 9223372036854775807 and length 10 overflow"},
      {"int64", [](ArrowArray& a) { a.length = INT64_MAX; },
       "column \"c\": 9223372036854775807 items of 8 bytes are more than memory can hold"},
      {"string", [](ArrowArray& a) { a.length = INT64_MAX; }, "column \"c\": offset and length overflow"},
      {"fixed_size_list<int8>[3]", [](ArrowArray& a) { a.length = INT64_MAX; },
       "column \"c\": 9223372036854775807 rows of 3 items are more than memory can hold"},
      {"int64", [](ArrowArray& a) { a.n_buffers = 3; }, "column \"c\": has 3 buffers; int64 has 2"},
      {"int64", [](ArrowArray& a) { a.n_buffers = 1; }, "column \"c\": has 1 buffer; int64 has 2"},
      {"int64", [](ArrowArray& a) { a.buffers = nullptr; }, "column \"c\": the buffers are a NULL pointer"},
      {"int64", [](ArrowArray& a) { a.buffers[1] = nullptr; },
       "column \"c\": buffer 1 is a NULL pointer; it needs 80 bytes"},
      {"bool", [](ArrowArray& a) { a.buffers[1] = nullptr; },
       "column \"c\": buffer 1 is a NULL pointer; it needs 2 bytes"},
      {"string", [](ArrowArray& a) { a.buffers[1] = nullptr; },
       "column \"c\": buffer 1 is a NULL pointer; it needs 44 bytes"},
      {"string", [](ArrowArray& a) { a.buffers[2] = nullptr; },
       "column \"c\": the last offset, 62, is over the 0 bytes there are"},
      {"int64", [](ArrowArray& a) { a.buffers[1] = static_cast<const uint8_t*>(a.buffers[1]) + 4; },
       "column \"c\": buffer 1 starts at an address that is not a multiple of 8; copy it to aligned memory"},
      {"struct<a: int8>", [](ArrowArray& a) { a.n_children = 0; },
       "column \"c\": has 0 children; struct<a: int8> has 1"},
      {"int8", [](ArrowArray& a) { a.n_children = 1; }, "column \"c\": has 1 child; int8 has 0"},
      {"dictionary<int8, int8>", [](ArrowArray& a) { a.dictionary = nullptr; },
       "column \"c\": the dictionary is a NULL pointer"},
  };
  expect_refusals(kBreaks);

  const Field field = field_of("struct<a: int8>");
  Array array = sample(field, 3, false);
  ArrowArray* child = array->children[0];
  array->children[0] = nullptr;
  EXPECT_EQ(validate(field, *array, Depth::kStructure).message(), "column \"c\": child 0 is a NULL pointer");
  array->children[0] = child;
  ArrowArray** children = array->children;
  array->children = nullptr;
  EXPECT_EQ(validate(field, *array, Depth::kStructure).message(), "column \"c\": the children are a NULL pointer");
  array->children = children;

  Array plain = sample(field_of("int8"), 3, false);
  plain->dictionary = array->children[0];
  EXPECT_EQ(validate(field_of("int8"), *plain, Depth::kStructure).message(),
            "column \"c\": is dictionary encoded; the agreed type is int8");
  plain->dictionary = nullptr;
}

TEST(Validate, NullCounts) {
  const Break kBreaks[] = {
      {"int64", [](ArrowArray& a) { a.null_count = -2; }, "column \"c\": null_count -2 does not fit 10 rows"},
      {"int64", [](ArrowArray& a) { a.null_count = 11; }, "column \"c\": null_count 11 does not fit 10 rows"},
      {"int64", [](ArrowArray& a) { a.null_count = 1; },
       "column \"c\": null_count is 1, but there is no validity bitmap"},
      {"null", [](ArrowArray& a) { a.null_count = 9; },
       "column \"c\": null_count 9 of a null column with 10 rows; all of them are null"},
      {"int64", [](ArrowArray& a) { a.null_count = 2; },
       "column \"c\": null_count is 2, but the validity bitmap has 3 nulls", false, true},
      {"int64", [](ArrowArray& a) { a.null_count = 0; },
       "column \"c\": null_count is 0, but the validity bitmap has 3 nulls", false, true},
      {"struct<a: int64>", [](ArrowArray& a) { a.children[0]->null_count = 5; },
       "column \"c.a\": null_count is 5, but the validity bitmap has 4 nulls", false, true},
  };
  expect_refusals(kBreaks);
}

TEST(Validate, Offsets) {
  const Break kBreaks[] = {
      {"string", [](ArrowArray& a) { poke<int32_t>(a, 1, 0, -1); }, "column \"c\" row 0: offset -1 is negative"},
      {"large_string", [](ArrowArray& a) { poke<int64_t>(a, 1, 0, INT64_MIN); },
       "column \"c\" row 0: offset -9223372036854775808 is negative"},
      {"string", [](ArrowArray& a) { poke<int32_t>(a, 1, 4, 1); },
       "column \"c\" row 3: offset 1 is smaller than the one before it, 6", false},
      {"large_binary", [](ArrowArray& a) { poke<int64_t>(a, 1, 4, 1); },
       "column \"c\" row 3: offset 1 is smaller than the one before it, 6", false},
      {"list<int8>", [](ArrowArray& a) { poke<int32_t>(a, 1, 2, -5); },
       "column \"c\" row 1: offset -5 is smaller than the one before it, 0", false},
      {"list<int8>", [](ArrowArray& a) { poke<int32_t>(a, 1, 10, 99); },
       "column \"c\": the last offset, 99, is over the 13 items there are"},
      {"large_list<int8>", [](ArrowArray& a) { poke<int64_t>(a, 1, 10, INT64_MAX); },
       "column \"c\": the last offset, 9223372036854775807, is over the 13 items there are"},
      {"map<string, int8>", [](ArrowArray& a) { a.children[0]->length = 12; },
       "column \"c\": the last offset, 13, is over the 12 items there are"},
      {"list<int8>", [](ArrowArray& a) { a.children[0]->length = -1; },
       "column \"c\": the last offset, 13, is over the -1 items there are"},
  };
  expect_refusals(kBreaks);

  Array array = sample(field_of("string"), 10, false);
  poke<int32_t>(*array, 1, 0, 1000);
  EXPECT_EQ(validate(field_of("string"), *array, Depth::kStructure).message(),
            "column \"c\": the last offset, 62, is smaller than the first, 1000");
}

TEST(Validate, ChildLengths) {
  const Break kBreaks[] = {
      {"struct<a: int8, b: int8>", [](ArrowArray& a) { a.children[1]->length = 9; },
       "column \"c.b\": has 9 rows; it needs 10"},
      {"struct<a: int8>", [](ArrowArray& a) { a.offset = 1; }, "column \"c.a\": has 10 rows; it needs 11"},
      {"fixed_size_list<int8>[3]", [](ArrowArray& a) { a.children[0]->length = 29; },
       "column \"c[]\": has 29 rows; it needs 30"},
      {"fixed_size_list<int8>[3]", [](ArrowArray& a) { a.offset = 1; }, "column \"c[]\": has 30 rows; it needs 33"},
      {"struct<a: struct<b: int8>>", [](ArrowArray& a) { a.children[0]->children[0]->length = 1; },
       "column \"c.a.b\": has 1 row; it needs 10"},
      {"list<struct<b: int8>>", [](ArrowArray& a) { a.children[0]->children[0]->length = 1; },
       "column \"c[].b\": has 1 row; it needs 13"},
  };
  expect_refusals(kBreaks);
}

TEST(Validate, Values) {
  const Break kBreaks[] = {
      {"time32[s]", [](ArrowArray& a) { poke<int32_t>(a, 1, 3, 86400); },
       "column \"c\" row 3: 86400 is not a time of day; time32[s] goes from 0 to 86399", false},
      {"time32[ms]", [](ArrowArray& a) { poke<int32_t>(a, 1, 3, -1); },
       "column \"c\" row 3: -1 is not a time of day; time32[ms] goes from 0 to 86399999", false},
      {"time64[us]", [](ArrowArray& a) { poke<int64_t>(a, 1, 9, 86400000000); },
       "column \"c\" row 9: 86400000000 is not a time of day; time64[us] goes from 0 to 86399999999", false},
      {"time64[ns]", [](ArrowArray& a) { poke<int64_t>(a, 1, 0, INT64_MIN); },
       "column \"c\" row 0: -9223372036854775808 is not a time of day; time64[ns] goes from 0 to 86399999999999",
       false},
      {"date64", [](ArrowArray& a) { poke<int64_t>(a, 1, 2, 86400001); },
       "column \"c\" row 2: 86400001 ms is not a whole day; a date64 is a multiple of 86400000", false},
      {"decimal128(4, 0)", [](ArrowArray& a) { poke<int64_t>(a, 1, 4, 10000); },
       "column \"c\" row 2: 10000 has more digits than decimal128(4, 0) allows", false},
  };
  expect_refusals(kBreaks);
  const Break kIndices[] = {
      {"dictionary<int32, string>", [](ArrowArray& a) { poke<int32_t>(a, 1, 3, 5); },
       "column \"c\" row 3: index 5 is outside the dictionary, which has 5 values", false},
      {"dictionary<int32, string>", [](ArrowArray& a) { poke<int32_t>(a, 1, 3, -1); },
       "column \"c\" row 3: index -1 is outside the dictionary, which has 5 values", false},
      {"dictionary<uint64, list<int8>>", [](ArrowArray& a) { poke<uint64_t>(a, 1, 0, UINT64_MAX); },
       "column \"c\" row 0: index 18446744073709551615 is outside the dictionary, which has 5 values", false},
      {"list<dictionary<int8, string>>", [](ArrowArray& a) { poke<int8_t>(*a.children[0], 1, 0, 7); },
       "column \"c[]\" row 0: index 7 is outside the dictionary, which has 5 values", false},
      {"dictionary<int16, dictionary<int8, string>>", [](ArrowArray& a) { poke<int8_t>(*a.dictionary, 1, 1, 9); },
       "column \"c(dictionary)\" row 1: index 9 is outside the dictionary, which has 5 values", false},
  };
  expect_refusals(kIndices);
}

TEST(Validate, DecimalOf38DigitsIsTheLargest) {
  __extension__ typedef __int128 Int128;
  Int128 limit = 1;
  for (int i = 0; i < 38; ++i) limit *= 10;
  const Field field = field_of("decimal128(38, 0)");
  for (const Int128 value : {limit, -limit}) {
    ArrayBuilder builder(field);
    builder.append<Int128>(value > 0 ? value - 1 : value + 1);
    EXPECT_TRUE(validate(field, *builder.finish(), Depth::kFull).ok());
    builder.append<Int128>(value);
    const Status status = validate(field, *builder.finish(), Depth::kFull);
    EXPECT_EQ(status.message(), "column \"c\" row 0: " + std::string(value < 0 ? "-" : "") + "1" +
                                    std::string(38, '0') + " has more digits than decimal128(38, 0) allows");
    EXPECT_EQ(status.detail(CLUTCH_DETAIL_ROW), "0");
  }
}

TEST(Validate, Utf8) {
  for (const char* type : {"string", "large_string"}) {
    const Field field = field_of(type);
    ArrayBuilder builder(field);
    ASSERT_TRUE(builder.append_bytes("plain text that is longer than a word").ok());
    ASSERT_TRUE(builder.append_bytes("a\xFF'").ok());
    Array array = builder.finish();
    const Status status = validate(field, *array, Depth::kFull);
    EXPECT_EQ(status.message(), "column \"c\" row 1: b'a\\xff\\'' is not UTF-8; use binary for bytes that are no text");
    EXPECT_EQ(status.detail(CLUTCH_DETAIL_VALUE), "b'a\\xff\\''");
    EXPECT_TRUE(validate(field, *array, Depth::kStructure).ok());
    EXPECT_TRUE(validate(field, *slice(*array, 0, 1), Depth::kFull).ok());
  }
}

TEST(Validate, ACharacterSplitOverTwoRowsIsNotUtf8) {
  const Field field = field_of("string");
  ArrayBuilder builder(field);
  ASSERT_TRUE(builder.append_bytes("\xC3").ok());
  ASSERT_TRUE(builder.append_bytes("\xA9").ok());
  EXPECT_EQ(validate(field, *builder.finish(), Depth::kFull).message(),
            "column \"c\" row 0: b'\\xc3' is not UTF-8; use binary for bytes that are no text");
}

TEST(Validate, NullRowsMayHoldAnything) {
  const Field strings = field_of("string");
  Array array = sample(strings, 10, true);
  Array twice = slice(*array, 0, 10);
  // Row 1 is null; give it the bytes of row 2, of which it then shows a part.
  poke<int32_t>(*array, 1, 2, 1);
  EXPECT_TRUE(validate(strings, *array, Depth::kFull).ok());

  for (const char* type : {"time32[s]", "time64[us]", "date64", "decimal128(4, 0)", "dictionary<int32, string>"}) {
    const Field field = field_of(type);
    Array values = sample(field, 10, true);
    const int32_t width = byte_width(field.type);
    auto* data = static_cast<uint8_t*>(const_cast<void*>(values->buffers[1]));
    std::memset(data + width * 4, 0x7F, static_cast<size_t>(width));
    const Status status = validate(field, *values, Depth::kFull);
    EXPECT_TRUE(status.ok()) << status.message();
  }
}

TEST(Validate, NotNullIsKept) {
  Field field = field_of("int64");
  field.nullable = false;
  Array array = sample(field, 10, true);
  const Status status = validate(field, *array, Depth::kFull);
  EXPECT_EQ(status.message(), "column \"c\" row 1: is null, but the column is declared not null");
  EXPECT_TRUE(validate(field, *array, Depth::kStructure).ok());

  const Field columns = struct_of({Field{"n", field_of("int64").type, false}});
  std::vector<Array> children;
  children.push_back(sample(field, 10, true));
  Array batch = make_batch(10, std::move(children));
  EXPECT_EQ(validate(columns, *batch, Depth::kFull).message(),
            "column \"n\" row 1: is null, but the column is declared not null");
  EXPECT_EQ(validate(columns, *slice(*batch, 3, 4), Depth::kFull).message(),
            "column \"n\" row 1: is null, but the column is declared not null");

  const Field list = field_of("list<string not null>");
  ArrayBuilder builder(list);
  ASSERT_TRUE(builder.child(0).append_bytes("a").ok());
  builder.child(0).append_null();
  ASSERT_TRUE(builder.append_list().ok());
  EXPECT_EQ(validate(list, *builder.finish(), Depth::kFull).message(),
            "column \"c[]\" row 1: is null, but the column is declared not null");

  const Field map = field_of("map<string, int8>");
  ArrayBuilder entries(map);
  entries.child(0).child(0).append_null();
  entries.child(0).child(1).append<int8_t>(1);
  entries.child(0).append_struct();
  ASSERT_TRUE(entries.append_list().ok());
  EXPECT_EQ(validate(map, *entries.finish(), Depth::kFull).message(),
            "column \"c[].key\" row 0: is null, but the column is declared not null");
}

TEST(Validate, ANullParentMayHoldNullsInRequiredFields) {
  const Field field = field_of("struct<a: int64 not null, b: fixed_size_list<int8 not null>[2]>");
  ArrayBuilder builder(field);
  builder.append_null();
  EXPECT_TRUE(validate(field, *builder.finish(), Depth::kFull).ok());
}

TEST(Validate, RowsOfColumnsAreRowsOfTheBatch) {
  const Field field = struct_of({Field{"t", field_of("time32[s]").type, true}});
  std::vector<Array> columns;
  columns.push_back(sample(field_of("time32[s]"), 10, false));
  Array batch = make_batch(10, std::move(columns));
  poke<int32_t>(*batch->children[0], 1, 7, -1);
  const Status status = validate(field, *slice(*batch, 5, 5), Depth::kFull);
  EXPECT_EQ(status.message(), "column \"t\" row 2: -1 is not a time of day; time32[s] goes from 0 to 86399");
  EXPECT_EQ(status.detail(CLUTCH_DETAIL_ROW), "2");
  EXPECT_EQ(status.detail(CLUTCH_DETAIL_COLUMN), "t");
  EXPECT_EQ(status.detail(CLUTCH_DETAIL_VALUE), "-1");
}

TEST(Validate, EmptyArraysNeedNoBuffers) {
  for (const std::string& text : all_types()) {
    SCOPED_TRACE(text);
    const Field field = field_of(text);
    Array array = sample(field, 0, false);
    if (array->n_buffers > 1) array->buffers[1] = nullptr;
    const Status status = validate(field, *array, Depth::kFull);
    EXPECT_TRUE(status.ok()) << status.message();
  }
}

TEST(Validate, DeepNestingIsRefused) {
  Field field = field_of("int8");
  for (int i = 0; i <= kMaxNesting; ++i) {
    Field outer = struct_of({std::move(field)});
    outer.name = "c";
    field = std::move(outer);
  }
  ArrayBuilder builder(field);
  Array array = builder.finish();
  const Status status = validate(field, *array, Depth::kStructure);
  EXPECT_NE(status.message().find("nests deeper than 64 levels"), std::string::npos) << status.message();
}

}  // namespace
}  // namespace clutch::columnar
