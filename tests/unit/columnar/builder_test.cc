#include "clutch/columnar/builder.h"

#include <gtest/gtest.h>

#include <thread>

#include "clutch/columnar/ops.h"
#include "clutch/columnar/view.h"
#include "samples.h"

namespace clutch::columnar {
namespace {

std::string whole(const Field& field, const ArrowArray& array) {
  std::string out;
  for (int64_t i = 0; i < array.length; ++i) out += (i > 0 ? " " : "") + row_to_string(field, array, i);
  return out;
}

TEST(Builder, FixedWidthWithoutNullsHasNoValidity) {
  ArrayBuilder builder(field_of("int64"));
  builder.reserve(3);
  for (int64_t i = 0; i < 3; ++i) builder.append<int64_t>(i * 10);
  Array array = builder.finish();
  EXPECT_EQ(array->buffers[0], nullptr);
  EXPECT_EQ(array->null_count, 0);
  const ArrayView view(*array);
  EXPECT_TRUE(view.no_nulls());
  EXPECT_EQ(view.values<int64_t>()[2], 20);
}

TEST(Builder, ValidityStartsAtTheFirstNullWithOnesBefore) {
  for (int64_t before : {0, 1, 7, 8, 9, 63, 64, 65}) {
    ArrayBuilder builder(field_of("int32"));
    for (int64_t i = 0; i < before; ++i) builder.append<int32_t>(1);
    builder.append_null();
    builder.append<int32_t>(2);
    Array array = builder.finish();
    const ArrayView view(*array);
    for (int64_t i = 0; i < array->length; ++i) EXPECT_EQ(view.is_null(i), i == before) << before;
    EXPECT_EQ(array->null_count, 1);
  }
}

TEST(Builder, BoolsAreBits) {
  ArrayBuilder builder(field_of("bool"));
  for (int i = 0; i < 20; ++i) {
    if (i == 9) {
      builder.append_null();
    } else {
      builder.append_bool(i % 3 == 0);
    }
  }
  Array array = builder.finish();
  const ArrayView view(*array);
  for (int i = 0; i < 20; ++i) {
    if (i == 9) continue;
    EXPECT_EQ(view.bool_at(i), i % 3 == 0);
  }
  EXPECT_TRUE(view.is_null(9));
}

TEST(Builder, StringsAndLargeStrings) {
  for (const char* type : {"string", "large_string"}) {
    ArrayBuilder builder(field_of(type));
    ASSERT_TRUE(builder.append_bytes("ab").ok());
    ASSERT_TRUE(builder.append_bytes("").ok());
    builder.append_null();
    ASSERT_TRUE(builder.append_bytes("xyz").ok());
    Array array = builder.finish();
    const ArrayView view(*array);
    if (std::string_view(type) == "string") {
      EXPECT_EQ(view.bytes_at<int32_t>(3), "xyz");
    } else {
      EXPECT_EQ(view.bytes_at<int64_t>(3), "xyz");
    }
    EXPECT_EQ(whole(field_of(type), *array), "'ab' '' null 'xyz'");
  }
}

TEST(Builder, FullOffsetsAreRefusedBySentence) {
  ArrayBuilder builder(field_of("string"));
  ASSERT_TRUE(builder.append_bytes("ab").ok());
  // Refused before anything is read, so there need not be so many bytes.
  const Status status = builder.append_bytes(std::string_view("c", INT32_MAX - 1));
  EXPECT_EQ(status.code(), CLUTCH_ERR_VALUE);
  EXPECT_EQ(
      status.message(),
      "a column of string cannot hold more than 2147483647 bytes in one batch, and another 2147483646 do not fit; "
      "use smaller batches or the large form of the type");
  EXPECT_EQ(builder.length(), 1);

  ArrayBuilder list(field_of("list<null>"));
  list.child(0).advance(int64_t{INT32_MAX} + 1);
  EXPECT_EQ(list.append_list().message(),
            "a column of list<null> cannot hold more than 2147483647 items in one batch, and another 2147483648 do not "
            "fit; use smaller batches or the large form of the type");
  EXPECT_EQ(list.length(), 0);
}

TEST(Builder, FixedSizeListWantsItsNumberOfItems) {
  ArrayBuilder builder(field_of("fixed_size_list<int8>[3]"));
  builder.child(0).append<int8_t>(1);
  const Status status = builder.append_list();
  EXPECT_EQ(status.code(), CLUTCH_ERR_VALUE);
  EXPECT_EQ(status.message(), "a value of fixed_size_list<int8>[3] has 3 items, not 1");
  builder.truncate(0);
  for (int8_t i = 0; i < 3; ++i) builder.child(0).append<int8_t>(i);
  ASSERT_TRUE(builder.append_list().ok());
  Array array = builder.finish();
  EXPECT_EQ(whole(field_of("fixed_size_list<int8>[3]"), *array), "[0, 1, 2]");
}

TEST(Builder, NullsOfNestedTypesFillTheirChildren) {
  const Field field = field_of("struct<a: int64, b: fixed_size_list<string>[2]>");
  ArrayBuilder builder(field);
  builder.append_null();
  Array array = builder.finish();
  EXPECT_EQ(array->children[0]->length, 1);
  EXPECT_EQ(array->children[1]->children[0]->length, 2);
  EXPECT_TRUE(validate(field, *array, Depth::kFull).ok());
}

TEST(Builder, TruncateUndoesARowThatFailedHalfway) {
  for (const std::string& text : all_types()) {
    SCOPED_TRACE(text);
    const Field field = field_of(text);
    for (int64_t keep : {0, 1, 2, 7, 8, 9, 17}) {
      ArrayBuilder builder(field);
      for (int64_t i = 0; i < 20; ++i) {
        if (i % 3 == 1) {
          builder.append_null();
        } else {
          append_sample(builder, i);
        }
      }
      if (field.type.id != TypeId::kDictionary && builder.child_count() > 0) append_sample(builder.child(0), 5);
      builder.truncate(keep);
      for (int64_t i = keep; i < 20; ++i) {
        if (i % 3 == 1) {
          builder.append_null();
        } else {
          append_sample(builder, i);
        }
      }
      Array array = builder.finish();
      EXPECT_TRUE(equal(field, *array, *sample(field, 20, true)));
      const Status status = validate(field, *array, Depth::kFull);
      EXPECT_TRUE(status.ok()) << status.message();
    }
  }
}

TEST(Builder, TruncateForgetsNulls) {
  ArrayBuilder builder(field_of("int8"));
  builder.append<int8_t>(1);
  builder.append_null();
  builder.truncate(1);
  EXPECT_EQ(builder.null_count(), 0);
  Array array = builder.finish();
  EXPECT_EQ(array->buffers[0], nullptr);
}

TEST(Builder, IsEmptyAndUsableAfterFinish) {
  for (const std::string& text : all_types()) {
    SCOPED_TRACE(text);
    const Field field = field_of(text);
    ArrayBuilder builder(field);
    for (int round = 0; round < 3; ++round) {
      for (int64_t i = 0; i < 10; ++i) append_sample(builder, i);
      Array array = builder.finish();
      EXPECT_EQ(builder.length(), 0);
      EXPECT_TRUE(equal(field, *array, *sample(field, 10, false)));
    }
  }
}

TEST(Builder, RawPartsAndAdvance) {
  ArrayBuilder numbers(field_of("int32"));
  numbers.append_null();
  numbers.data().resize(4 + 40);
  for (int32_t i = 0; i < 10; ++i) std::memcpy(numbers.data().data() + 4 + i * 4, &i, 4);
  numbers.advance(10);
  Array array = numbers.finish();
  EXPECT_EQ(array->length, 11);
  EXPECT_EQ(array->null_count, 1);
  EXPECT_EQ(whole(field_of("int32"), *array), "null 0 1 2 3 4 5 6 7 8 9");

  ArrayBuilder texts(field_of("string"));
  texts.data().append("abc", 3);
  texts.offsets().push<int32_t>(1);
  texts.offsets().push<int32_t>(3);
  texts.advance(2);
  array = texts.finish();
  EXPECT_EQ(whole(field_of("string"), *array), "'a' 'bc'");
}

TEST(Builder, BuffersAreAlignedAndTheirSlackIsZero) {
  Array array = sample(field_of("large_string"), 11, true);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(reinterpret_cast<uintptr_t>(array->buffers[i]) % 64, 0U);
  const auto* validity = static_cast<const uint8_t*>(array->buffers[0]);
  EXPECT_EQ(validity[1] >> 3, 0);
  for (int i = 2; i < 64; ++i) EXPECT_EQ(validity[i], 0);
}

TEST(Builder, MakeArrayAndBatchOwnWhatTheyGet) {
  std::vector<Buffer> buffers(2);
  buffers[1].push<int64_t>(42);
  std::vector<Array> columns;
  columns.push_back(make_array(1, 0, std::move(buffers), {}));
  columns.push_back(sample(field_of("string"), 1, false));
  Array batch = make_batch(1, std::move(columns));
  const Field field = struct_of({Field{"a", field_of("int64").type, true}, Field{"b", field_of("string").type, true}});
  ASSERT_TRUE(validate(field, *batch, Depth::kFull).ok());
  EXPECT_EQ(row_to_string(field, *batch, 0), "{'a': 42, 'b': ''}");
  EXPECT_EQ(batch->children[0]->buffers[0], nullptr);

  // A consumer may move a child out and release its parent first.
  ArrowArray moved = *batch->children[1];
  batch->children[1]->release = nullptr;
  batch.reset();
  EXPECT_EQ(row_to_string(field_of("string"), moved, 0), "''");
  moved.release(&moved);
  EXPECT_EQ(moved.release, nullptr);
}

TEST(Builder, MakeArrayTakesADictionary) {
  const Field field = field_of("dictionary<int8, string>");
  std::vector<Buffer> buffers(2);
  buffers[1].push<int8_t>(1);
  Array array = make_array(1, 0, std::move(buffers), {}, sample(field_of("string"), 2, false));
  EXPECT_TRUE(validate(field, *array, Depth::kFull).ok());
  EXPECT_EQ(row_to_string(field, *array, 0), "'a1'");
}

TEST(Builder, ArraysAreReleasedFromAnyThread) {
  Array array = sample(field_of("struct<a: list<string>, b: int64>"), 100, true);
  std::thread([moved = std::move(array)]() mutable { moved.reset(); }).join();
}

}  // namespace
}  // namespace clutch::columnar
