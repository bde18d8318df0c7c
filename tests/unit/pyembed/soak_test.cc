// What a long life costs: nothing. Bounded to a few seconds; the counts are taken after a warm-up.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <malloc.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>

#include "batches.h"
#include "session.h"

namespace clutch::pyembed::testing {
namespace {

struct Usage {
  int64_t resident = 0;  // (unit: bytes)
  int64_t blocks = 0;    // of Python's allocator
  int64_t threads = 0;
  int64_t descriptors = 0;
};

int64_t entries(const char* folder) {
  int64_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) count += entry.exists() ? 1 : 0;
  return count;
}

class Soak : public ::testing::Test {
 protected:
  Usage now() {
    Usage usage;
    Outcome outcome = count_.submit(ints({0}));
    EXPECT_EQ(outcome.status, CLUTCH_OK) << outcome.error.message;
    std::sscanf(outcome.rows.at(0).c_str(), "{'y': %ld}", &usage.blocks);
    malloc_trim(0);
    long size = 0, resident = 0;
    std::FILE* file = std::fopen("/proc/self/statm", "r");
    EXPECT_EQ(std::fscanf(file, "%ld %ld", &size, &resident), 2);
    std::fclose(file);
    usage.resident = resident * sysconf(_SC_PAGESIZE);
    usage.threads = entries("/proc/self/task");
    usage.descriptors = entries("/proc/self/fd");
    return usage;
  }

  // Python's caches swing by a thousand blocks now and then; what leaks leaves one at least each time, in each round.
  template <typename Work>
  void stays_flat(int64_t times, Work work) {
    Usage before = now();
    work();
    Usage after = now();
    for (int round = 1; round < 4 && after.blocks - before.blocks >= times / 2; ++round) {
      before = after;
      work();
      after = now();
    }
    expect_flat(before, after, times);
  }
  static void expect_flat(const Usage& before, const Usage& after, int64_t times) {
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // They keep what was freed, and more.
    EXPECT_LT(after.resident - before.resident, 1 << 20);
#endif
    EXPECT_LT(after.blocks - before.blocks, times / 2);
    EXPECT_EQ(after.threads, before.threads);
    EXPECT_EQ(after.descriptors, before.descriptors);
  }

  Session session_;
  OpenFunction count_ = session_.open(source("table.scalar",
                                             "import gc, sys\n"
                                             "def f(x):\n"
                                             "    gc.collect()\n"
                                             "    return sys.getallocatedblocks()\n"));
};

TEST_F(Soak, FunctionsOpenAndCloseTwoThousandTimes) {
  const auto open_many = [this](int count) {
    for (int i = 0; i < count; ++i) {
      const bool many = i % 2 == 0;
      OpenFunction f = session_.open(
          source(many ? "stream.flat_map" : "table.scalar",
                 many ? "class F:\n"
                        "    def open(self, context): self.count = context.get_metric_group().counter('rows')\n"
                        "    def flat_map(self, x):\n        self.count.inc()\n        yield x\n        yield x\n"
                        "    def close(self): del self.count\n"
                      : "def f(x):\n    if x == 13: raise ValueError(x)\n    return x + 1\n"));
      f.submit(ints(std::vector<int64_t>(i % 4 == 3 ? 100 : 20, i % 8 == 5 ? 13 : 1000 + i)));
    }
  };
  open_many(4000);  // Why so many: the caches of 3.8 are full only then.
  stays_flat(2000, [&] { open_many(2000); });
}

TEST_F(Soak, TwentyThousandSmallBatches) {
  OpenFunction map = session_.open(source("table.scalar", "def f(x):\n    return x + 1\n"));
  OpenFunction text = session_.open(source("table.scalar", "def f(s):\n    return s.upper()\n", "string", "string"));
  OpenFunction tokens =
      session_.open(source("stream.flat_map", "def f(s):\n    for t in s.split(): yield t\n", "string", "string"));
  OpenFunction rows =
      session_.open(source("table.scalar", "def f(x):\n    return [x, None]\n", "int64", "list<int64>"));
  SpecText filter = source("stream.filter", "def f(x):\n    return x % 2\n");
  filter.output = filter.input;
  OpenFunction odd = session_.open(filter);
  const auto submit_many = [&](int64_t count) {
    for (int64_t i = 0; i < count; i += 5) {
      const auto size = static_cast<size_t>(i % 50 + 1);
      ASSERT_EQ(map.submit(ints(std::vector<int64_t>(size, i << 20))).status, CLUTCH_OK);
      ASSERT_EQ(text.submit(texts(std::vector<std::string>(size, "row" + std::to_string(i)))).status, CLUTCH_OK);
      ASSERT_EQ(tokens.submit(texts(std::vector<std::string>(size, "a b " + std::to_string(i)))).status, CLUTCH_OK);
      ASSERT_EQ(rows.submit(ints(std::vector<int64_t>(size, i))).status, CLUTCH_OK);
      ASSERT_EQ(odd.submit(ints(std::vector<int64_t>(size, i))).status, CLUTCH_OK);
    }
  };
  submit_many(2000);
  stays_flat(2000, [&] { submit_many(20000); });
}

}  // namespace
}  // namespace clutch::pyembed::testing
