// Much work in one pool leaves what it holds as it was.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdio>
#include <string>

#include "holdings.h"
#include "pool_host.h"
#include "supervisor/clock.h"

namespace clutch::pyproc::testing {
namespace {

// In all, for noise of the allocators: what is lost once a round is far above. (unit: KiB)
constexpr int64_t kGrowth = 512;

// A machine that is busy with other things does fewer rounds, but these.
constexpr int64_t kLongest = 15000 * kMillisecond;
constexpr int kFewest = 1000;

struct Sizes {
  Holdings host;
  Holdings worker;
  int64_t host_memory = 0;
  int64_t worker_memory = 0;
};

class Soak : public ::testing::Test {
 protected:
  Soak() : pool_(test_options({{"python.process.spares", "0"}}), test_paths(), host_.table()) {}
  void TearDown() override { EXPECT_EQ(worker_, pool_.pids(false).front()) << "the worker was replaced"; }

  Function* open() {
    const Result<Function*> opened = pool_.open(function_of("f", "def f(x):\n    return x + 1\n"), nullptr);
    EXPECT_TRUE(opened.ok()) << opened.status().message();
    if (worker_ == 0) worker_ = pool_.pids(true).front();
    return opened.ok() ? *opened : nullptr;
  }
  static bool enough(int done, int wanted, int64_t begin) {
    return done == wanted || (done >= kFewest && now_ns() - begin > kLongest);
  }
  void batches(Function* function, int wanted) {
    const int64_t begin = now_ns();
    for (rounds_ = 0; !enough(rounds_, wanted, begin); ++rounds_) {
      Batch batch(int64_batch({1, 2, 3}));
      ASSERT_EQ(batch.submit(pool_, function), CLUTCH_PENDING) << batch.error().message;
      ASSERT_TRUE(batch.wait(pool_, function));
      ASSERT_EQ(batch.results(), (std::vector<int64_t>{2, 3, 4}));
    }
  }
  void open_and_close(int wanted) {
    const int64_t begin = now_ns();
    for (rounds_ = 0; !enough(rounds_, wanted, begin); ++rounds_) {
      Function* function = open();
      ASSERT_NE(function, nullptr);
      ASSERT_TRUE(pool_.close(function).ok());
    }
  }
  Sizes sizes() { return {holdings(), holdings(worker_), own_memory(), own_memory(worker_)}; }
  void expect_flat(const Sizes& before, const Sizes& after) const {
    std::printf("%d rounds: host %+ld KiB, worker %+ld KiB\n", rounds_,
                static_cast<long>(after.host_memory - before.host_memory),
                static_cast<long>(after.worker_memory - before.worker_memory));
    EXPECT_EQ(after.host, before.host);
    EXPECT_EQ(after.worker, before.worker);
    EXPECT_GT(before.worker_memory, 0);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // They keep what was freed, and more.
    EXPECT_LT(after.host_memory - before.host_memory, kGrowth);
#endif
    EXPECT_LT(after.worker_memory - before.worker_memory, kGrowth);
  }

  TestHost host_;
  Pool pool_;
  int worker_ = 0;
  int rounds_ = 0;
};

TEST_F(Soak, TenThousandFunctionsLeaveNothing) {
  ASSERT_NO_FATAL_FAILURE(open_and_close(1000));
  const Sizes before = sizes();
  ASSERT_NO_FATAL_FAILURE(open_and_close(9000));
  expect_flat(before, sizes());
}

TEST_F(Soak, TwentyThousandBatchesLeaveNothing) {
  Function* function = open();
  ASSERT_NO_FATAL_FAILURE(batches(function, 2000));
  const Sizes before = sizes();
  ASSERT_NO_FATAL_FAILURE(batches(function, 18000));
  expect_flat(before, sizes());
  EXPECT_TRUE(pool_.close(function).ok());
}

}  // namespace
}  // namespace clutch::pyproc::testing
