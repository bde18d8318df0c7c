// Timestamps of results, elements as blobs, watermarks of an operator.
#include <gtest/gtest.h>

#include "clutch/columnar/builder.h"
#include "clutch/columnar/ops.h"
#include "operators/timestamps.h"
#include "runtime/batch.h"
#include "source/packed.h"

namespace clutch::engine {
namespace {

columnar::Array times(const std::vector<int64_t>& values) {
  columnar::ArrayBuilder builder(timestamp_field());
  for (const int64_t value : values) {
    if (value < 0) {
      builder.append_null();
    } else {
      builder.append(value);
    }
  }
  return builder.finish();
}

std::string text(const columnar::Array& array) {
  std::string out;
  for (int64_t row = 0; row < array->length; ++row) {
    out += (row > 0 ? " " : "") + columnar::row_to_string(timestamp_field(), *array, row);
  }
  return out;
}

TEST(Timestamps, AreThoseOfTheOrigin) {
  const std::vector<int32_t> origin = {-1, 0, 0, 2, 1, -1};
  EXPECT_EQ(text(timestamps_of_rows(times({10, -1, 30}), origin.data(), 6)), "null 10 10 30 null null");
  EXPECT_EQ(text(timestamps_of_rows(times({10, -1, 30}), nullptr, 3)), "10 null 30");
}

TEST(PackedElements, ComeBackInPieces) {
  const columnar::Field field{"value", *columnar::parse_type("struct<a: int64, b: list<string>>"), true};
  columnar::ArrayBuilder builder(field);
  for (int64_t i = 0; i < 10; ++i) {
    if (i == 3) {
      builder.append_null();
      continue;
    }
    builder.child(0).append(i);
    for (int64_t n = 0; n < i % 4; ++n) ASSERT_TRUE(builder.child(1).child(0).append_bytes(std::to_string(n)).ok());
    ASSERT_TRUE(builder.child(1).append_list().ok());
    builder.append_struct();
  }
  const columnar::Array whole = builder.finish();
  std::string blob;
  ASSERT_TRUE(pack_elements(field, *whole, blob).ok());
  size_t at = 0;
  int64_t read = 0;
  while (at < blob.size()) {
    const columnar::Array piece = *unpack_elements(field, blob, 3, at);
    ASSERT_LE(piece->length, 3);
    const columnar::Array expected = columnar::slice(*whole, read, piece->length);
    EXPECT_TRUE(columnar::equal(field, *expected, *piece));
    read += piece->length;
  }
  EXPECT_EQ(read, 10);
}

TEST(PackedElements, RefusesWhatIsCut) {
  const columnar::Field field{"value", *columnar::parse_type("string"), true};
  columnar::ArrayBuilder builder(field);
  ASSERT_TRUE(builder.append_bytes("word").ok());
  const columnar::Array whole = builder.finish();
  std::string blob;
  ASSERT_TRUE(pack_elements(field, *whole, blob).ok());
  for (size_t size = 1; size < blob.size(); ++size) {
    size_t at = 0;
    const Result<columnar::Array> read = unpack_elements(field, std::string_view(blob).substr(0, size), 9, at);
    ASSERT_FALSE(read.ok()) << size;
    EXPECT_EQ(read.status().message(), size < 4 ? "byte 0: the blob ends inside the size of an element"
                                                : "byte 0: the blob ends inside an element");
    EXPECT_EQ(at, 0U);
  }
  std::string bad = blob;
  bad[blob.size() - 1] = '\xff';  // no UTF-8
  size_t at = 0;
  EXPECT_EQ(unpack_elements(field, bad, 9, at).status().code(), CLUTCH_ERR_DATA);
}

}  // namespace
}  // namespace clutch::engine
