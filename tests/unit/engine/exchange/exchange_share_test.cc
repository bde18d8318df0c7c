#include <gtest/gtest.h>

#include <thread>

#include "batches.h"
#include "exchange/share.h"

namespace clutch::engine {
namespace {

TEST(Shared, ViewsKeepTheArrayAlive) {
  columnar::Array view;
  columnar::Array slice;
  std::vector<columnar::Array> columns;
  {
    const Shared shared(batch_of(10, 20));
    view = shared.view();
    slice = shared.slice(5, 3);
    columns = shared.columns();
  }
  EXPECT_TRUE(columnar::equal(batch_field(), *view, *batch_of(10, 20)));
  view.reset();
  EXPECT_EQ(rows_of(*slice), (std::vector<int64_t>{15, 16, 17}));
  slice.reset();
  ASSERT_EQ(columns.size(), 2U);
  columns.erase(columns.begin());
  EXPECT_EQ(columnar::ArrayView(*columns[0]).values<int64_t>()[19], 29);
}

TEST(Shared, ColumnsOfASliceHaveItsRows) {
  // Keys are null where the number is a multiple of 7: the counts of nulls are not those of the slice.
  const Shared shared(batch_of(0, 50, 7));
  std::vector<columnar::Array> columns = take_columns(shared.slice(8, 4));
  const columnar::Array again = columnar::make_batch(4, std::move(columns));
  EXPECT_TRUE(columnar::equal(batch_field(), *again, *batch_of(8, 4, 7)));
}

TEST(Shared, AThreadMayBeTheLastToLetGo) {
  Shared shared(batch_of(0, 1000));
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([view = shared.view()]() mutable {
      EXPECT_EQ(rows_of(*view).back(), 999);
      view.reset();
    });
  }
  shared = Shared();
  for (std::thread& thread : threads) thread.join();
}

TEST(TakeColumns, MovesThemWithTheirRows) {
  const columnar::Array whole = batch_of(3, 9, 4);
  std::vector<columnar::Array> columns = take_columns(columnar::slice(*whole, 2, 5));
  EXPECT_EQ(columns[1]->length, 5);
  const columnar::Array again = columnar::make_batch(5, std::move(columns));
  EXPECT_TRUE(columnar::equal(batch_field(), *again, *batch_of(5, 5, 4)));
}

}  // namespace
}  // namespace clutch::engine
