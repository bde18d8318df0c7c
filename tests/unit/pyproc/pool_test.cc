// A pool with real workers: the plain way of a batch.
#include <gtest/gtest.h>

#include <numeric>

#include "pool_host.h"

namespace clutch::pyproc::testing {
namespace {

std::vector<int64_t> numbers(int64_t count) {
  std::vector<int64_t> out(static_cast<size_t>(count));
  std::iota(out.begin(), out.end(), 0);
  return out;
}

std::vector<int64_t> plus_one(std::vector<int64_t> values) {
  for (int64_t& value : values) ++value;
  return values;
}

class PoolTest : public ::testing::Test {
 protected:
  Function* open(Pool& pool, OpenFunction request) {
    Result<Function*> opened = pool.open(std::move(request), nullptr);
    EXPECT_TRUE(opened.ok()) << opened.status().message();
    return opened.ok() ? *opened : nullptr;
  }

  TestHost host_;
};

TEST_F(PoolTest, RunsABatchOfIntegers) {
  Pool pool(test_options(), test_paths(), host_.table());
  Function* function = open(pool, function_of("inc", "def inc(x):\n    return x + 1\n"));
  ASSERT_NE(function, nullptr);
  Batch batch(int64_batch(numbers(4096)));
  ASSERT_EQ(batch.submit(pool, function), CLUTCH_PENDING) << batch.error().message;
  ASSERT_TRUE(batch.wait(pool, function));
  EXPECT_EQ(batch.context.status, CLUTCH_OK) << batch.error().message;
  EXPECT_EQ(batch.results(), plus_one(numbers(4096)));
  EXPECT_TRUE(pool.close(function).ok());
}

TEST_F(PoolTest, CompletesWithoutALentThread) {
  Pool pool(test_options(), test_paths(), host_.table());
  Function* function = open(pool, function_of("inc", "def inc(x):\n    return x + 1\n"));
  ASSERT_NE(function, nullptr);
  for (int i = 0; i < 20; ++i) {
    Batch batch(int64_batch({i, i + 1}));
    ASSERT_EQ(batch.submit(pool, function), CLUTCH_PENDING);
    ASSERT_TRUE(batch.wait_aside());
    EXPECT_EQ(batch.results(), (std::vector<int64_t>{i + 1, i + 2}));
  }
  EXPECT_TRUE(pool.close(function).ok());
}

TEST_F(PoolTest, GrowsArenasBothWays) {
  Pool pool(test_options(), test_paths(), host_.table());
  Function* function =
      open(pool, function_of("spread", "def spread(x):\n    return [x] * 8\n", CLUTCH_KIND_STREAM_FLAT_MAP));
  ASSERT_NE(function, nullptr);
  for (const int64_t rows : {0, 1, 1000, 100000, 10, 400000}) {
    Batch batch(int64_batch(numbers(rows)));
    ASSERT_EQ(batch.submit(pool, function), CLUTCH_PENDING);
    ASSERT_TRUE(batch.wait(pool, function, 60000));
    ASSERT_EQ(batch.context.status, CLUTCH_OK) << batch.error().message;
    const std::vector<int64_t> results = batch.results();
    ASSERT_EQ(results.size(), static_cast<size_t>(rows) * 8);
    for (size_t i = 0; i < results.size(); ++i) ASSERT_EQ(results[i], static_cast<int64_t>(i / 8));
  }
  EXPECT_TRUE(pool.close(function).ok());
}

TEST_F(PoolTest, TellsWhichRowRaised) {
  Pool pool(test_options(), test_paths(), host_.table());
  Function* function = open(pool, function_of("div", "def div(x):\n    return 10 // (x - 3)\n"));
  ASSERT_NE(function, nullptr);
  Batch batch(int64_batch(numbers(8)));
  ASSERT_EQ(batch.submit(pool, function), CLUTCH_PENDING);
  ASSERT_TRUE(batch.wait(pool, function));
  EXPECT_EQ(batch.context.status, CLUTCH_ERR_USER);
  EXPECT_EQ(batch.error().message, "function \"div\" row 3: ZeroDivisionError: integer division or modulo by zero");
  EXPECT_EQ(batch.error().details.at(CLUTCH_DETAIL_ROW), "3");
  EXPECT_TRUE(batch.context.emitted.empty());
  // The same process goes on.
  const std::vector<int> pids = pool.pids(true);
  Batch next(int64_batch({5}));
  ASSERT_EQ(next.submit(pool, function), CLUTCH_PENDING);
  ASSERT_TRUE(next.wait(pool, function));
  EXPECT_EQ(next.context.status, CLUTCH_OK);
  EXPECT_EQ(pool.pids(true), pids);
  EXPECT_TRUE(pool.close(function).ok());
}

TEST_F(PoolTest, RefusesAFunctionThatDoesNotLoad) {
  Pool pool(test_options(), test_paths(), host_.table());
  const Result<Function*> opened =
      pool.open(function_of("bad", "import no_such_module\ndef bad(x):\n    return x\n"), nullptr);
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.status().code(), CLUTCH_ERR_FUNCTION);
  EXPECT_NE(opened.status().message().find("No module named 'no_such_module'"), std::string_view::npos)
      << opened.status().message();
}

TEST_F(PoolTest, KeepsSeveralBatchesOfSeveralFunctionsApart) {
  Pool pool(test_options({{"python.process.workers", "2"}}), test_paths(), host_.table());
  Function* inc = open(pool, function_of("inc", "def inc(x):\n    return x + 1\n"));
  Function* neg = open(pool, function_of("neg", "def neg(x):\n    return -x\n"));
  ASSERT_NE(inc, nullptr);
  ASSERT_NE(neg, nullptr);
  for (int round = 0; round < 50; ++round) {
    std::vector<std::unique_ptr<Batch>> batches;
    for (int i = 0; i < 8; ++i) {
      batches.push_back(std::make_unique<Batch>(int64_batch(numbers(100 + i))));
      ASSERT_EQ(batches.back()->submit(pool, i % 2 == 0 ? inc : neg), CLUTCH_PENDING);
    }
    for (int i = 0; i < 8; ++i) {
      ASSERT_TRUE(batches[i]->wait(pool, i % 2 == 0 ? inc : neg));
      const std::vector<int64_t> results = batches[i]->results();
      ASSERT_EQ(results.size(), 100u + i);
      for (int64_t row = 0; row < 100 + i; ++row) ASSERT_EQ(results[row], i % 2 == 0 ? row + 1 : -row);
    }
  }
  EXPECT_TRUE(pool.close(inc).ok());
  EXPECT_TRUE(pool.close(neg).ok());
}

}  // namespace
}  // namespace clutch::pyproc::testing
