// Distinct keys of a batch, against a map.
#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "clutch/columnar/builder.h"
#include "clutch/columnar/ops.h"
#include "clutch/columnar/row_codec.h"
#include "clutch/columnar/view.h"
#include "runtime/keys.h"

namespace clutch::engine {
namespace {

columnar::Field key_field(const char* type) { return {"key", *columnar::parse_type(type), true}; }

// Numbers from [0, keys), -1 meaning null.
std::vector<int> random_numbers(std::mt19937& random, size_t rows, int keys) {
  std::vector<int> out(rows);
  for (int& number : out) number = static_cast<int>(random() % static_cast<unsigned>(keys + 1)) - 1;
  return out;
}

columnar::Array keys_of(const columnar::Field& field, const std::vector<int>& numbers) {
  columnar::ArrayBuilder builder(field);
  for (const int number : numbers) {
    if (number < 0) {
      builder.append_null();
    } else if (field.type.id == columnar::TypeId::kUtf8) {
      EXPECT_TRUE(
          builder.append_bytes(std::string(static_cast<size_t>(number % 5), 'k') + std::to_string(number)).ok());
    } else if (field.type.id == columnar::TypeId::kInt64) {
      builder.append<int64_t>(number * int64_t{1'000'000'007});
    } else if (field.type.id == columnar::TypeId::kInt16) {
      builder.append<int16_t>(static_cast<int16_t>(number));
    } else {
      builder.append_bool(number % 2 == 1);
    }
  }
  return builder.finish();
}

TEST(KeyIndexer, IsTheModel) {
  std::mt19937 random(5);
  for (const char* type : {"int64", "int16", "string", "bool"}) {
    const columnar::Field field = key_field(type);
    KeyIndexer indexer = *KeyIndexer::make(field);
    const columnar::RowCodec codec = *columnar::RowCodec::make(field);
    for (const auto& [rows, keys] : {std::pair(0, 3), std::pair(1, 1), std::pair(100, 3), std::pair(5000, 3000),
                                     std::pair(20, 30000), std::pair(3000, 2)}) {
      const columnar::Array whole = keys_of(field, random_numbers(random, static_cast<size_t>(rows) + 2, keys));
      const columnar::Array batch = columnar::slice(*whole, 1, rows);
      IndexedKeys found = *indexer.index(*batch);
      const columnar::ArrayView distinct(*found.keys);
      const auto* index = columnar::ArrayView(*found.index).values<int32_t>();
      std::map<std::string, int32_t> model;
      for (int64_t row = 0; row < rows; ++row) {
        std::string bytes;
        codec.encode(*batch, row, bytes);
        const auto at = model.emplace(bytes, static_cast<int32_t>(model.size())).first;
        ASSERT_EQ(index[row], at->second) << type << " row " << row;
        ASSERT_EQ(distinct.bytes_at<int32_t>(index[row]), bytes);
      }
      EXPECT_EQ(found.keys->length, static_cast<int64_t>(model.size()));
      EXPECT_EQ(found.index->length, rows);
    }
  }
}

TEST(KeyIndexer, SharedKeyIsTheLast) {
  const columnar::Field field = key_field("int64");
  KeyIndexer indexer = *KeyIndexer::make(field);
  const columnar::Array batch = keys_of(field, {4, -1, 4, -1, 7});
  IndexedKeys found = *indexer.index(*batch, true, std::vector<int8_t>{0, 1, 0, 0, 0});
  const columnar::ArrayView distinct(*found.keys);
  ASSERT_EQ(found.keys->length, 4);
  EXPECT_EQ(distinct.bytes_at<int32_t>(3), "");
  const auto* index = columnar::ArrayView(*found.index).values<int32_t>();
  EXPECT_EQ(std::vector<int32_t>(index, index + 5), (std::vector<int32_t>{0, 3, 0, 1, 2}));
  const columnar::Array none = keys_of(field, {});
  found = *indexer.index(*none, true);
  EXPECT_EQ(found.keys->length, 1);
  EXPECT_EQ(found.index->length, 0);
}

TEST(KeyIndexer, RefusesDictionaries) {
  EXPECT_EQ(KeyIndexer::make(key_field("dictionary<int32, string>")).status().code(), CLUTCH_ERR_UNSUPPORTED);
}

}  // namespace
}  // namespace clutch::engine
