#include "clutch/columnar/row_codec.h"

#include <gtest/gtest.h>

#include "clutch/columnar/ops.h"
#include "samples.h"

namespace clutch::columnar {
namespace {

constexpr int64_t kRows = 40;

bool has_dictionary(const std::string& type) { return type.find("dictionary") != std::string::npos; }

std::vector<std::string> storable_types() {
  std::vector<std::string> out;
  for (const std::string& type : all_types()) {
    if (!has_dictionary(type)) out.push_back(type);
  }
  for (const char* type : {"struct<a: list<struct<k: string, v: decimal128(20, 3)>>, m: map<string, list<int8>>>",
                           "list<fixed_size_list<timestamp[ns, UTC]>[2]>", "map<date32, struct<x: bool, y: null>>"}) {
    out.emplace_back(type);
  }
  return out;
}

class RowCodecTest : public testing::TestWithParam<std::string> {
 protected:
  Field field_ = field_of(GetParam());
  RowCodec codec_ = *RowCodec::make(field_);

  std::string bytes(const ArrowArray& array, int64_t row) {
    std::string out;
    codec_.encode(array, row, out);
    return out;
  }
};

TEST_P(RowCodecTest, GivesBackEveryRow) {
  const Array array = sample(field_, kRows, true);
  ArrayBuilder builder(field_);
  for (int64_t row = 0; row < kRows; ++row) {
    const Status status = codec_.decode(bytes(*array, row), builder);
    ASSERT_TRUE(status.ok()) << status.message();
  }
  const Array back = builder.finish();
  EXPECT_TRUE(validate(field_, *back, Depth::kFull).ok());
  EXPECT_TRUE(equal(field_, *array, *back));
}

TEST_P(RowCodecTest, ReadsRowsOfASlice) {
  const Array array = sample(field_, kRows, true);
  const Array part = slice(*array, 7, 11);
  for (int64_t row = 0; row < 11; ++row) EXPECT_EQ(bytes(*part, row), bytes(*array, 7 + row));
}

TEST_P(RowCodecTest, RefusesEveryCutAndLeavesTheBuilderAsItWas) {
  const Array array = sample(field_, 3, false);
  const std::string whole = bytes(*array, 2);
  ArrayBuilder builder(field_);
  ASSERT_TRUE(codec_.decode(whole, builder).ok());
  for (size_t size = 0; size < whole.size(); ++size) {
    const Status status = codec_.decode(std::string_view(whole).substr(0, size), builder);
    EXPECT_EQ(status.code(), CLUTCH_ERR_DATA) << "cut to " << size;
    EXPECT_EQ(builder.length(), 1);
  }
  EXPECT_FALSE(codec_.decode(whole + "x", builder).ok());
  ASSERT_TRUE(codec_.decode(whole, builder).ok());
  const Array back = builder.finish();
  EXPECT_TRUE(validate(field_, *back, Depth::kFull).ok());
  EXPECT_EQ(row_to_string(field_, *back, 0), row_to_string(field_, *back, 1));
}

INSTANTIATE_TEST_SUITE_P(Types, RowCodecTest, testing::ValuesIn(storable_types()));

std::string refusal(const char* type, std::string_view bytes) {
  const RowCodec codec = *RowCodec::make(field_of(type));
  ArrayBuilder builder(codec.field());
  return std::string(codec.decode(bytes, builder).message());
}

std::string header_of(const char* type) {
  const Field field = field_of(type);
  ArrayBuilder builder(field);
  builder.append_null();
  const Array array = builder.finish();
  std::string out;
  RowCodec::make(field)->encode(*array, 0, out);
  return out.substr(0, 3);
}

TEST(RowCodec, SaysWhatIsWrong) {
  EXPECT_EQ(refusal("int64", "\x01"), "these bytes are no int64: they end inside their header (at byte 1)");
  EXPECT_EQ(refusal("int64", "\x02zz\x01"), "these bytes are no int64: their version is not 1 (at byte 0)");
  EXPECT_EQ(refusal("int64", header_of("float64") + std::string("\x01\0\0\0\0\0\0\0\0", 9)),
            "these bytes are no int64: they were made for another type (at byte 1)");
  const std::string text = header_of("string");
  EXPECT_EQ(refusal("string", text + "\x07"),
            "these bytes are no string: a value begins with neither 0 nor 1 (at byte 4)");
  EXPECT_EQ(refusal("string", text + "\x01\x05" + "abc"),
            "these bytes are no string: a length is more than what follows (at byte 5)");
  EXPECT_EQ(refusal("string", text + std::string("\x01\x83\x00", 3) + "abc"),
            "these bytes are no string: a number is written longer than it needs to be (at byte 6)");
  const std::string list = header_of("list<bool>");
  EXPECT_EQ(refusal("list<bool>", list + "\x01\x01\x01\x07"),
            "these bytes are no list<bool>: a bool is neither 0 nor 1 (at byte 7)");
  const std::string row = header_of("struct<a: int8 not null>");
  EXPECT_EQ(refusal("struct<a: int8 not null>", row + std::string("\x01\0", 2)),
            "these bytes are no struct<a: int8 not null>: a value is null that cannot be (at byte 5)");
}

TEST(RowCodec, RefusesDictionaries) {
  const Result<RowCodec> codec = RowCodec::make(field_of("list<dictionary<int32, string>>"));
  ASSERT_FALSE(codec.ok());
  EXPECT_EQ(codec.status().code(), CLUTCH_ERR_UNSUPPORTED);
  EXPECT_EQ(codec.status().message(),
            "a value of type list<dictionary<int32, string>> cannot be kept by itself; use the type of the "
            "dictionary's values");
}

}  // namespace
}  // namespace clutch::columnar
