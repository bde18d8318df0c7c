// Rows that run too long, and batches the host wants no more.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <ctime>
#include <thread>

#include "batches.h"
#include "session.h"

namespace clutch::pyembed::testing {
namespace {

using ::testing::AnyOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr int64_t kMillisecond = 1'000'000;

int64_t monotonic() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1'000'000'000 + now.tv_nsec;
}

constexpr char kLoop[] =
    "def f(x):\n"
    "    while x == 1:\n"
    "        pass\n"
    "    return x\n";

TEST(Deadline, ARunawayRowIsInterrupted) {
  Session session;
  OpenFunction f = session.open(source("table.scalar", kLoop));
  const int64_t start = monotonic();
  Outcome outcome = f.submit(ints({0, 1, 2}), start + 100 * kMillisecond);
  EXPECT_LT(monotonic() - start, 3000 * kMillisecond);
  EXPECT_EQ(outcome.status, CLUTCH_ERR_DEADLINE);
  EXPECT_EQ(outcome.error.message,
            "function \"f\" row 1: interrupted because the batch was not done by its deadline; send smaller batches or "
            "allow more time");
  EXPECT_EQ(outcome.error.details["stage"], "interrupt");
  EXPECT_EQ(outcome.error.details["row"], "1");
  EXPECT_THAT(outcome.error.details["frames"], StartsWith("clutch-source:f:"));
  EXPECT_TRUE(outcome.context->emitted.empty());
  EXPECT_THAT(f.submit(ints({5})).rows, ElementsAre("{'y': 5}"));
}

TEST(Deadline, ARunawayRowAmongManyIsInterrupted) {
  Session session;
  OpenFunction f = session.open(source("table.scalar", kLoop));
  std::vector<int64_t> values(3000, 5);
  values[2000] = 1;
  Outcome outcome = f.submit(ints(values), monotonic() + 100 * kMillisecond);
  EXPECT_EQ(outcome.status, CLUTCH_ERR_DEADLINE);
  EXPECT_EQ(outcome.error.details["row"], "2000");
  values[2000] = 6;
  EXPECT_EQ(f.submit(ints(values)).status, CLUTCH_OK);
}

TEST(Deadline, ManySmallRowsAreStoppedBetweenTwo) {
  Session session;
  OpenFunction f =
      session.open(source("table.scalar", "import time\ndef f(x):\n    time.sleep(0.0002)\n    return x\n"));
  Outcome outcome = f.submit(ints(std::vector<int64_t>(100000, 1)), monotonic() + 30 * kMillisecond);
  EXPECT_EQ(outcome.status, CLUTCH_ERR_DEADLINE);
  EXPECT_THAT(f.submit(ints({5})).rows, ElementsAre("{'y': 5}"));
}

TEST(Deadline, CodeThatSwallowsTheInterruptionIsTooLateAllTheSame) {
  Session session;
  OpenFunction f = session.open(source("table.scalar",
                                       "from time import monotonic\n"
                                       "def f(x):\n"
                                       "    end = monotonic() + 0.2\n"
                                       "    while x == 1 and monotonic() < end:\n"
                                       "        try:\n"
                                       "            while monotonic() < end: pass\n"
                                       "        except BaseException:\n"
                                       "            pass\n"
                                       "    return x\n"));
  Outcome outcome = f.submit(ints({1}), monotonic() + 50 * kMillisecond);
  EXPECT_EQ(outcome.status, CLUTCH_ERR_DEADLINE);
  // A second interruption may hit outside of the try.
  EXPECT_THAT(outcome.error.details["stage"], AnyOf("row", "interrupt"));
  EXPECT_EQ(f.submit(ints({1})).status, CLUTCH_OK);
}

TEST(Deadline, ADeadlineThatIsKeptChangesNothing) {
  Session session;
  OpenFunction f = session.open(source("table.scalar", kLoop));
  for (int i = 0; i < 200; ++i) {
    EXPECT_EQ(f.submit(ints({0, 2}), monotonic() + 10'000 * kMillisecond).status, CLUTCH_OK);
  }
}

TEST(Deadline, ARowDeadlineStopsTheRow) {
  Session session({{"python.row-deadline", "60 ms"}});
  OpenFunction f = session.open(source("stream.map", kLoop));
  Outcome outcome = f.submit(ints({0, 1, 2}));
  EXPECT_EQ(outcome.status, CLUTCH_ERR_DEADLINE);
  EXPECT_EQ(outcome.error.message,
            "function \"f\" row 1: interrupted because it ran longer than python.row-deadline; make it faster or raise "
            "the limit");
  EXPECT_EQ(outcome.error.details["stage"], "interrupt");
  EXPECT_EQ(f.submit(ints({0, 2})).status, CLUTCH_OK);
}

TEST(Deadline, ARowDeadlineCanMakeADeadLetter) {
  Session session({{"python.row-deadline", "60"}});
  SpecText spec = source("stream.map", kLoop);
  spec.on_error = CLUTCH_ON_ERROR_DEAD_LETTER;
  OpenFunction f = session.open(spec);
  Outcome outcome = f.submit(ints({0, 1, 2, 1, 3}));
  ASSERT_EQ(outcome.status, CLUTCH_OK) << outcome.error.message;
  EXPECT_THAT(outcome.origin, ElementsAre(0, 2, 4));
  ASSERT_EQ(outcome.context->dead_letters.size(), 2u);
  EXPECT_EQ(outcome.context->dead_letters[3]->code, CLUTCH_ERR_DEADLINE);
}

TEST(Deadline, ALongBatchOfShortRowsKeepsTheRowDeadline) {
  Session session({{"python.row-deadline", "100 ms"}});
  OpenFunction f = session.open(source("stream.map", "import time\ndef f(x):\n    time.sleep(0.01)\n    return x\n"));
  EXPECT_EQ(f.submit(ints(std::vector<int64_t>(40, 1))).status, CLUTCH_OK);
}

TEST(Deadline, CancellingInterruptsARunawayRow) {
  Session session;
  OpenFunction f = session.open(source("table.scalar", kLoop));
  const uint64_t sequence = f.next_sequence();
  std::thread other([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    f.cancel(sequence);
  });
  Outcome outcome = f.submit(ints({1}));
  other.join();
  EXPECT_EQ(outcome.status, CLUTCH_ERR_CANCELLED);
  EXPECT_THAT(outcome.error.message, HasSubstr("the batch was cancelled by the host"));
  EXPECT_EQ(f.submit(ints({2})).status, CLUTCH_OK);
}

TEST(Deadline, CancellingWhatIsOverDoesNothing) {
  Session session;
  OpenFunction f = session.open(source("table.scalar", kLoop));
  EXPECT_EQ(f.submit(ints({2})).status, CLUTCH_OK);
  f.cancel(1);
  f.cancel(0);
  EXPECT_EQ(f.submit(ints({2})).status, CLUTCH_OK);
}

TEST(Deadline, TheHostsFlagIsSeenBetweenRows) {
  Session session;
  OpenFunction f = session.open(source("table.scalar", kLoop));
  auto context = std::make_unique<clutch_batch_context>();
  context->cancelled = true;
  Outcome outcome = f.submit(ints({2}), std::move(context), 0);
  EXPECT_EQ(outcome.status, CLUTCH_ERR_CANCELLED);
  EXPECT_EQ(outcome.error.message, "function \"f\" row 0: the batch was cancelled by the host");
}

TEST(Deadline, ProgressTellsTheRow) {
  int64_t row = -7;
  Session session({{"python.embed.progress", std::to_string(reinterpret_cast<uintptr_t>(&row))}});
  OpenFunction f = session.open(source("table.scalar", "def f(x):\n    return 1 // x\n"));
  EXPECT_EQ(f.submit(ints({1, 1, 1, 0, 1})).status, CLUTCH_ERR_USER);
  EXPECT_EQ(row, 3);
}

}  // namespace
}  // namespace clutch::pyembed::testing
