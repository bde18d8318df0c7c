#include <gtest/gtest.h>

#include "exchange/batches.h"
#include "join/row_shelf.h"

namespace clutch::engine {
namespace {

TEST(RowShelf, GivesRowsOfSeveralBatchesInTheOrderAskedFor) {
  RowShelf shelf(batch_field());
  const uint32_t a = shelf.add(batch_of(0, 4));
  const uint32_t b = shelf.add(batch_of(100, 4));
  const std::vector<RowShelf::Row> wanted = {{b, 3}, {a, 0}, {a, 2}, {b, 0}, {b, 0}};
  Result<columnar::Array> rows = shelf.rows(wanted);
  ASSERT_TRUE(rows.ok()) << rows.status().message();
  EXPECT_EQ(rows_of(**rows), (std::vector<int64_t>{103, 0, 2, 100, 100}));
  rows = shelf.rows({});
  ASSERT_TRUE(rows.ok());
  EXPECT_EQ((*rows)->length, 0);
}

TEST(RowShelf, FreesABatchWithItsLastRow) {
  RowShelf shelf(batch_field());
  const uint32_t a = shelf.add(batch_of(0, 4));
  const uint32_t b = shelf.add(batch_of(4, 4));
  shelf.keep(a);
  shelf.keep(a);
  shelf.settle();
  EXPECT_EQ(shelf.batches(), 1U) << "nothing of b was kept";
  shelf.release({a, 1});
  shelf.settle();
  EXPECT_EQ(shelf.batches(), 1U);
  shelf.release({a, 3});
  EXPECT_EQ(rows_of(shelf.batch(a)).size(), 4U) << "good until the next settle()";
  shelf.settle();
  EXPECT_EQ(shelf.batches(), 0U);
  const uint32_t c = shelf.add(batch_of(8, 1));
  EXPECT_TRUE(c == a || c == b) << "numbers are used again";
  EXPECT_EQ(rows_of(shelf.batch(c)), (std::vector<int64_t>{8}));
}

}  // namespace
}  // namespace clutch::engine
