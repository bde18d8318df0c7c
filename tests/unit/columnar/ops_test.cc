#include "clutch/columnar/ops.h"

#include <gtest/gtest.h>

#include "clutch/columnar/view.h"
#include "samples.h"

namespace clutch::columnar {
namespace {

constexpr int64_t kRows = 70;

std::vector<std::string> rows_of(const Field& field, const ArrowArray& array) {
  std::vector<std::string> out;
  for (int64_t i = 0; i < array.length; ++i) out.push_back(row_to_string(field, array, i));
  return out;
}

void expect_valid(const Field& field, const ArrowArray& array) {
  const Status status = validate(field, array, Depth::kFull);
  EXPECT_TRUE(status.ok()) << status.message();
}

// Every operation over every type, with and without nulls.
class EveryType : public testing::TestWithParam<std::tuple<std::string, bool>> {
 protected:
  Field field_ = field_of(std::get<0>(GetParam()));
  Array array_ = sample(field_, kRows, std::get<1>(GetParam()));
};

TEST_P(EveryType, BuildsWhatValidates) {
  expect_valid(field_, *array_);
  const std::vector<Extent> extents = extents_of(field_, *array_);
  const Status status = validate_untrusted(field_, *array_, extents);
  EXPECT_TRUE(status.ok()) << status.message();
}

TEST_P(EveryType, SlicesShowTheRowsOfTheWhole) {
  const std::vector<std::string> all = rows_of(field_, *array_);
  for (const auto& [start, length] : {std::pair{0L, kRows}, {0L, 0L}, {kRows, 0L}, {1L, 9L}, {8L, 8L}, {13L, 40L}}) {
    Array part = slice(*array_, start, length);
    expect_valid(field_, *part);
    EXPECT_EQ(rows_of(field_, *part), std::vector<std::string>(all.begin() + start, all.begin() + start + length));
    Array inner = slice(*part, length / 3, length / 2);
    expect_valid(field_, *inner);
    part.reset();  // A slice of a slice leans on the array alone.
    EXPECT_EQ(rows_of(field_, *inner), std::vector<std::string>(all.begin() + start + length / 3,
                                                                all.begin() + start + length / 3 + length / 2));
  }
}

TEST_P(EveryType, CopyOfASliceHasOffsetZeroAndTheSameRows) {
  Array part = slice(*array_, 5, 41);
  Result<Array> copied = copy(field_, *part);
  ASSERT_TRUE(copied.ok());
  EXPECT_EQ((*copied)->offset, 0);
  EXPECT_EQ((*copied)->length, 41);
  EXPECT_EQ((*copied)->null_count, part->null_count);
  expect_valid(field_, **copied);
  EXPECT_TRUE(equal(field_, *part, **copied));
  EXPECT_EQ(rows_of(field_, *part), rows_of(field_, **copied));
}

TEST_P(EveryType, TakeGivesRowsInAnyOrder) {
  const std::vector<std::string> all = rows_of(field_, *array_);
  const std::vector<int32_t> rows = {69, 0, 3, 3, 1, 2, 64, 4, 7, 8, 31};
  std::vector<std::string> expected;
  for (const int32_t row : rows) expected.push_back(all[static_cast<size_t>(row)]);
  Result<Array> taken = take(field_, *array_, rows);
  ASSERT_TRUE(taken.ok());
  expect_valid(field_, **taken);
  EXPECT_EQ(rows_of(field_, **taken), expected);

  Array part = slice(*array_, 10, 20);
  const std::vector<int32_t> of_part = {19, 0, 0, 5};
  taken = take(field_, *part, of_part);
  ASSERT_TRUE(taken.ok());
  EXPECT_EQ(rows_of(field_, **taken), (std::vector<std::string>{all[29], all[10], all[10], all[15]}));
  taken = take(field_, *array_, {});
  ASSERT_TRUE(taken.ok());
  EXPECT_EQ((*taken)->length, 0);
}

TEST_P(EveryType, GatherGivesRowsOfSeveralArraysInAnyOrder) {
  const std::vector<std::string> all = rows_of(field_, *array_);
  Array part = slice(*array_, 10, 20);
  const ArrowArray* arrays[] = {array_.get(), part.get()};
  const std::vector<RowAt> wanted = {{1, 19}, {0, 69}, {0, 3}, {0, 3}, {1, 0}, {0, 1}, {1, 5}, {1, 6}};
  Result<Array> gathered = gather(field_, arrays, wanted);
  ASSERT_TRUE(gathered.ok()) << gathered.status().message();
  expect_valid(field_, **gathered);
  EXPECT_EQ(rows_of(field_, **gathered),
            (std::vector<std::string>{all[29], all[69], all[3], all[3], all[10], all[1], all[15], all[16]}));
  gathered = gather(field_, arrays, {});
  ASSERT_TRUE(gathered.ok());
  EXPECT_EQ((*gathered)->length, 0);
}

TEST_P(EveryType, ConcatenateOfSlicesIsTheWhole) {
  Array a = slice(*array_, 0, 7);
  Array b = slice(*array_, 7, 0);
  Array c = slice(*array_, 7, 50);
  Array d = slice(*array_, 57, kRows - 57);
  const ArrowArray* parts[] = {a.get(), b.get(), c.get(), d.get()};
  Result<Array> whole = concatenate(field_, parts);
  ASSERT_TRUE(whole.ok()) << whole.status().message();
  expect_valid(field_, **whole);
  EXPECT_TRUE(equal(field_, *array_, **whole));
  EXPECT_EQ((*whole)->null_count, array_->null_count);
  whole = concatenate(field_, {});
  ASSERT_TRUE(whole.ok());
  EXPECT_EQ((*whole)->length, 0);
  expect_valid(field_, **whole);
}

TEST_P(EveryType, EqualSeesEachDifference) {
  EXPECT_TRUE(equal(field_, *array_, *array_));
  EXPECT_FALSE(equal(field_, *array_, *slice(*array_, 0, kRows - 1)));
  const std::vector<std::string> all = rows_of(field_, *array_);
  for (int64_t i = 0; i < 12; ++i) {
    for (int64_t j = 0; j < 12; ++j) {
      const bool same = all[static_cast<size_t>(i)] == all[static_cast<size_t>(j)];
      EXPECT_EQ(equal(field_, *slice(*array_, i, 1), *slice(*array_, j, 1)), same) << i << " " << j;
    }
  }
}

TEST_P(EveryType, UnknownNullCountIsCounted) {
  Array part = slice(*array_, 0, kRows);
  part->null_count = -1;
  expect_valid(field_, *part);
  EXPECT_TRUE(equal(field_, *array_, *part));
  EXPECT_EQ(slice(*part, 0, kRows)->null_count, array_->null_count);
  Result<Array> copied = copy(field_, *part);
  ASSERT_TRUE(copied.ok());
  EXPECT_EQ((*copied)->null_count, array_->null_count);
}

INSTANTIATE_TEST_SUITE_P(Types, EveryType, testing::Combine(testing::ValuesIn(all_types()), testing::Bool()));

TEST(Slice, ChildMovedOutOutlivesTheSlice) {
  const Field field = field_of("struct<a: list<struct<b: int64>>>");
  Array array = sample(field, 10, true);
  Array part = slice(*array, 2, 5);
  ArrowArray child = *part->children[0];
  part->children[0]->release = nullptr;
  part.reset();
  EXPECT_TRUE(equal(field.type.children[0], child, *array->children[0]));
  child.release(&child);
}

TEST(Slice, ReleaseLeavesTheArrayAlone) {
  Array array = sample(field_of("list<string>"), 10, true);
  slice(*array, 1, 3).reset();
  expect_valid(field_of("list<string>"), *array);
}

TEST(Equal, FloatsAreComparedBitByBit) {
  const Field field = field_of("float64");
  ArrayBuilder builder(field);
  builder.append<double>(0.0);
  builder.append<double>(-0.0);
  builder.append<uint64_t>(0x7FF8000000000000);
  builder.append<uint64_t>(0x7FF8000000000001);
  Array array = builder.finish();
  EXPECT_FALSE(equal(field, *slice(*array, 0, 1), *slice(*array, 1, 1)));
  EXPECT_TRUE(equal(field, *slice(*array, 2, 1), *slice(*array, 2, 1)));
  EXPECT_FALSE(equal(field, *slice(*array, 2, 1), *slice(*array, 3, 1)));
}

Array dictionary_array(const Field& field, const std::vector<std::string>& values, const std::vector<int8_t>& indices) {
  ArrayBuilder builder(field);
  for (const std::string& value : values) EXPECT_TRUE(builder.child(0).append_bytes(value).ok());
  for (const int8_t index : indices) {
    if (index < 0) {
      builder.append_null();
    } else {
      builder.append<int8_t>(index);
    }
  }
  return builder.finish();
}

TEST(Dictionary, ConcatenateOfDifferentDictionariesShiftsIndices) {
  const Field field = field_of("dictionary<int8, string>");
  Array a = dictionary_array(field, {"x", "y"}, {1, 0, -1});
  Array b = dictionary_array(field, {"y", "z"}, {1, -1, 0});
  const ArrowArray* parts[] = {a.get(), b.get(), b.get(), a.get()};
  Result<Array> all = concatenate(field, parts);
  ASSERT_TRUE(all.ok());
  expect_valid(field, **all);
  EXPECT_EQ(rows_of(field, **all), (std::vector<std::string>{"'y'", "'x'", "null", "'z'", "null", "'y'", "'z'", "null",
                                                             "'y'", "'y'", "'x'", "null"}));
  EXPECT_EQ((*all)->dictionary->length, 6);
  const ArrowArray* same[] = {a.get(), a.get()};
  EXPECT_EQ((*concatenate(field, same))->dictionary->length, 2);
}

TEST(Dictionary, TooManyValuesForTheIndexAreRefused) {
  const Field field = field_of("dictionary<int8, string>");
  std::vector<std::string> many(100, "v");
  Array a = dictionary_array(field, many, {0});
  many[0] = "w";
  Array b = dictionary_array(field, many, {0});
  const ArrowArray* parts[] = {a.get(), b.get()};
  const Result<Array> all = concatenate(field, parts);
  EXPECT_EQ(all.status().code(), CLUTCH_ERR_VALUE);
  EXPECT_EQ(all.status().message(),
            "the dictionaries together have 200 values, and the indices of dictionary<int8, string> end at 127; use a "
            "wider type of index");
}

TEST(Dictionary, EqualComparesValuesNotIndices) {
  const Field field = field_of("dictionary<int8, string>");
  Array a = dictionary_array(field, {"x", "y"}, {1, 0});
  Array b = dictionary_array(field, {"y", "x"}, {0, 1});
  Array c = dictionary_array(field, {"y", "x"}, {1, 0});
  EXPECT_TRUE(equal(field, *a, *b));
  EXPECT_FALSE(equal(field, *a, *c));
}

TEST(View, NullTypeIsNullEverywhere) {
  Array array = sample(field_of("null"), 3, false);
  const ArrayView view(*array);
  EXPECT_FALSE(view.no_nulls());
  EXPECT_TRUE(view.is_null(2));
}

TEST(View, ReadsThroughOffsets) {
  const Field field = field_of("struct<a: int64, b: list<string>, c: fixed_size_binary[5]>");
  Array array = sample(field, 20, false);
  Array part = slice(*array->children[1], 6, 10);
  const ArrayView list(*part);
  const auto [first, last] = list.range_at<int32_t>(2);  // row 8 of the array
  EXPECT_EQ(last - first, 2);
  EXPECT_EQ(row_to_string(field.type.children[1], *part, 2),
            row_to_string(field.type.children[1], *array->children[1], 8));
  const ArrayView items(list.child(0));
  EXPECT_EQ(items.length(), array->children[1]->children[0]->length);
  Array binary = slice(*array->children[2], 3, 2);
  EXPECT_EQ(ArrayView(*binary).fixed_at(0, 5), static_cast<const uint8_t*>(array->children[2]->buffers[1]) + 15);
}

}  // namespace
}  // namespace clutch::columnar
