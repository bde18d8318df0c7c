#include <gtest/gtest.h>

#include <functional>

#include "clutch/columnar/ops.h"
#include "samples.h"

namespace clutch::columnar {
namespace {

struct Break {
  const char* type;
  std::function<void(ArrowArray&, std::vector<Extent>&)> change;
  const char* message;
  int32_t code = CLUTCH_ERR_DATA;
  int64_t rows = 10;
};

TEST(Untrusted, RefusalsBySentence) {
  const auto size = [](size_t extent, int64_t bytes) {
    return [=](ArrowArray&, std::vector<Extent>& extents) { extents[extent].size = bytes; };
  };
  const Break kBreaks[] = {
      {"int64", size(1, 79), "column \"c\": buffer 1 has 79 bytes; it needs 80"},
      {"int64", size(1, 0), "column \"c\": buffer 1 has 0 bytes; it needs 80"},
      {"int64", size(0, 1), "column \"c\": buffer 0 has 1 byte; it needs 2"},
      {"int64", size(1, -1), "column \"c\": buffer 1 has size -1"},
      {"bool", size(1, 1), "column \"c\": buffer 1 has 1 byte; it needs 2"},
      {"string", size(1, 43), "column \"c\": buffer 1 has 43 bytes; it needs 44"},
      {"large_string", size(1, 87), "column \"c\": buffer 1 has 87 bytes; it needs 88"},
      {"string", size(2, 20), "column \"c\": the last offset, 29, is over the 20 bytes there are"},
      {"list<int8>", size(3, 5), "column \"c[]\": buffer 1 has 5 bytes; it needs 9"},
      {"int64", [](ArrowArray& array, std::vector<Extent>&) { array.null_count = -1; },
       "column \"c\": null_count -1 does not fit 10 rows"},
      {"int64", [](ArrowArray&, std::vector<Extent>& extents) { extents[1].data -= 8; },
       "column \"c\": buffer 1 is not where its extent says"},
      {"int64", [](ArrowArray&, std::vector<Extent>& extents) { extents.pop_back(); },
       "the array has more buffers than the 1 extent given", CLUTCH_ERR_ARGUMENT},
      {"int64",
       [](ArrowArray&, std::vector<Extent>& extents) {
         extents.push_back({nullptr, 0});
       },
       "3 extents given for 2 buffers", CLUTCH_ERR_ARGUMENT},
      {"null", [](ArrowArray& array, std::vector<Extent>&) { array.length = array.null_count = int64_t{1} << 40; },
       "column \"c\": 1099511627776 rows without bytes; at most 16777216 are accepted"},
      {"struct<>", [](ArrowArray& array, std::vector<Extent>&) { array.offset = int64_t{1} << 40; },
       "column \"c\": 1099511627786 rows without bytes; at most 16777216 are accepted"},
  };
  for (const Break& broken : kBreaks) {
    SCOPED_TRACE(broken.message);
    const Field field = field_of(broken.type);
    Array array = sample(field, broken.rows, true);
    std::vector<Extent> extents = extents_of(field, *array);
    ASSERT_TRUE(validate_untrusted(field, *array, extents).ok());
    const ArrowArray before = *array;
    broken.change(*array, extents);
    const Status status = validate_untrusted(field, *array, extents);
    EXPECT_EQ(status.message(), broken.message);
    EXPECT_EQ(status.code(), broken.code);
    *array = before;
  }
}

TEST(Untrusted, AlwaysLooksAtValues) {
  const Field field = field_of("string");
  ArrayBuilder builder(field);
  ASSERT_TRUE(builder.append_bytes("\x80").ok());
  Array array = builder.finish();
  EXPECT_EQ(validate_untrusted(field, *array, extents_of(field, *array)).message(),
            "column \"c\" row 0: b'\\x80' is not UTF-8; use binary for bytes that are no text");
}

TEST(Untrusted, ExtentsOfADictionaryComeAfterTheChildren) {
  const Field field = struct_of(
      {Field{"d", field_of("dictionary<int8, string>").type, true}, Field{"n", field_of("int64").type, true}});
  std::vector<Array> columns;
  columns.push_back(sample(field.type.children[0], 4, true));
  columns.push_back(sample(field.type.children[1], 4, true));
  Array batch = make_batch(4, std::move(columns));
  std::vector<Extent> extents = extents_of(field, *batch);
  ASSERT_EQ(extents.size(), 8U);  // batch 1, indices 2, values 3, n 2
  EXPECT_TRUE(validate_untrusted(field, *batch, extents).ok());
  EXPECT_EQ(extents[5].data, batch->children[0]->dictionary->buffers[2]);
  --extents[5].size;
  const Status status = validate_untrusted(field, *batch, extents);
  EXPECT_NE(status.message().find("column \"d(dictionary)\": the last offset"), std::string::npos) << status.message();
}

TEST(Untrusted, NullPointersOfEmptyBuffersAreFine) {
  const Field field = field_of("string");
  ArrayBuilder builder(field);
  ASSERT_TRUE(builder.append_bytes("").ok());
  Array array = builder.finish();
  EXPECT_EQ(array->buffers[2], nullptr);
  EXPECT_TRUE(validate_untrusted(field, *array, extents_of(field, *array)).ok());
  // A place for no bytes is as good as none.
  std::vector<Extent> extents = extents_of(field, *array);
  const uint8_t place = 0;
  array->buffers[2] = &place;
  EXPECT_TRUE(validate_untrusted(field, *array, extents).ok());
}

TEST(Untrusted, MoreBytesThanNeededAreFine) {
  const Field field = field_of("list<string>");
  Array array = sample(field, 10, true);
  std::vector<Extent> extents = extents_of(field, *array);
  for (Extent& extent : extents) extent.size = (extent.size + 63) / 64 * 64;
  EXPECT_TRUE(validate_untrusted(field, *array, extents).ok());
}

}  // namespace
}  // namespace clutch::columnar
