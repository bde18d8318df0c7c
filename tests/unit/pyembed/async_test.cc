// Async functions: order, bounds, timeouts, retries, and coroutines that do not end.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "batches.h"
#include "session.h"

namespace clutch::pyembed::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const std::string kPrefix = "table.exec.async-scalar.";

SpecText async_source(const std::string& text, std::vector<std::pair<std::string, std::string>> options = {}) {
  SpecText spec = source("table.scalar.async", "import asyncio\n" + text);
  for (auto& [key, value] : options) spec.options.add(kPrefix + key, value);
  return spec;
}

int64_t now_ns() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

std::vector<int64_t> range(int64_t count) {
  std::vector<int64_t> values;
  for (int64_t i = 0; i < count; ++i) values.push_back(i);
  return values;
}

TEST(Async, ResultsStandInTheOrderOfTheRows) {
  Session session;
  OpenFunction f =
      session.open(async_source("async def f(x):\n"
                                "    await asyncio.sleep((5 - x) * 0.004)\n"
                                "    return x * 10\n"));
  EXPECT_THAT(f.submit(ints({1, 2, 3})).rows, ElementsAre("{'y': 10}", "{'y': 20}", "{'y': 30}"));
  EXPECT_THAT(f.submit(ints({4})).rows, ElementsAre("{'y': 40}"));
  EXPECT_THAT(f.submit(ints({})).rows, IsEmpty());
}

TEST(Async, NoMoreRowsRunThanAllowed) {
  Session session;
  OpenFunction f =
      session.open(async_source("running = most = 0\n"
                                "class F:\n"
                                "    async def eval(self, x):\n"
                                "        global running, most\n"
                                "        running += 1\n"
                                "        most = max(most, running)\n"
                                "        await asyncio.sleep(0.001)\n"
                                "        running -= 1\n"
                                "        return most\n",
                                {{"max-concurrent-operations", "7"}}));
  EXPECT_EQ(f.submit(ints(range(50))).rows.back(), "{'y': 7}");
}

TEST(Async, TheFirstBadRowIsTheOneThatIsTold) {
  Session session;
  OpenFunction f =
      session.open(async_source("async def f(x):\n"
                                "    await asyncio.sleep(0.02 if x == 1 else 0)\n"
                                "    if x in (1, 3): raise ValueError('bad %d' % x)\n"
                                "    return x\n"));
  Outcome outcome = f.submit(ints(range(6)));
  EXPECT_EQ(outcome.status, CLUTCH_ERR_USER);
  EXPECT_EQ(outcome.error.message, "function \"f\" row 1: ValueError: bad 1");
  EXPECT_EQ(outcome.error.details["row"], "1");
  EXPECT_THAT(outcome.error.details["frames"], ::testing::EndsWith(":4:f"));
  EXPECT_THAT(outcome.rows, IsEmpty());
  EXPECT_THAT(f.submit(ints({0})).rows, ElementsAre("{'y': 0}"));
}

TEST(Async, ResultsThatDoNotFitAreErrorsOfTheirRow) {
  Session session;
  OpenFunction f = session.open(async_source("async def f(x): return str(x) if x else x\n"));
  EXPECT_EQ(
      f.submit(ints({0, 1})).error.message,
      "function \"f\" row 1: result of type str does not fit int64: '1'; return an int or change the result type");
}

TEST(Async, BadRowsBecomeNullsOrDeadLetters) {
  const std::string text =
      "async def f(x):\n"
      "    if x == 1: raise SystemExit(3)\n"
      "    if x == 2: return 'two'\n"
      "    if x == 3: raise asyncio.CancelledError()\n"
      "    return x\n";
  for (const int32_t policy : {CLUTCH_ON_ERROR_NULL, CLUTCH_ON_ERROR_DEAD_LETTER}) {
    Session session;
    SpecText spec = async_source(text);
    spec.on_error = policy;
    OpenFunction f = session.open(spec);
    Outcome outcome = f.submit(ints(range(5)));
    EXPECT_EQ(outcome.status, CLUTCH_OK) << outcome.error.message;
    if (policy == CLUTCH_ON_ERROR_NULL) {
      EXPECT_THAT(outcome.rows, ElementsAre("{'y': 0}", "{'y': null}", "{'y': null}", "{'y': null}", "{'y': 4}"));
    } else {
      EXPECT_THAT(outcome.rows, ElementsAre("{'y': 0}", "{'y': 4}"));
      EXPECT_THAT(outcome.origin, ElementsAre(0, 4));
      ASSERT_THAT(outcome.context->dead_letters, SizeIs(3));
      EXPECT_EQ(outcome.context->dead_letters[1]->message, "function \"f\" row 1: SystemExit: 3");
      EXPECT_THAT(outcome.context->dead_letters[3]->message, HasSubstr("CancelledError"));
    }
  }
}

TEST(Async, ATimeoutNamesItsInput) {
  Session session;
  OpenFunction f =
      session.open(async_source("async def f(x):\n"
                                "    if x == 2: await asyncio.sleep(60)\n"
                                "    return x\n",
                                {{"timeout", "40 ms"}}));
  const int64_t start = now_ns();
  Outcome outcome = f.submit(ints({1, 2, 3}));
  EXPECT_EQ(outcome.status, CLUTCH_ERR_DEADLINE);
  EXPECT_EQ(outcome.error.message,
            "function \"f\" row 1: Async function call has timed out for input: [2]; it took longer than "
            "table.exec.async-scalar.timeout = 40 ms");
  EXPECT_LT(now_ns() - start, 30'000'000'000);
  EXPECT_THAT(f.submit(ints({1})).rows, ElementsAre("{'y': 1}"));
}

TEST(Async, ACoroutineThatSwallowsItsCancellationIsAbandoned) {
  Session session;
  SpecText spec = async_source(
      "async def f(x):\n"
      "    while x == 1:\n"
      "        try: await asyncio.sleep(60)\n"
      "        except asyncio.CancelledError: pass\n"
      "    return x\n",
      {{"timeout", "30 ms"}});
  spec.on_error = CLUTCH_ON_ERROR_NULL;
  OpenFunction f = session.open(spec);
  EXPECT_THAT(f.submit(ints({0, 1, 2})).rows, ElementsAre("{'y': 0}", "{'y': null}", "{'y': 2}"));
  const auto lines = session.host().lines();
  ASSERT_THAT(lines, SizeIs(1));
  EXPECT_EQ(lines[0].text,
            "function \"f\" row 1 of batch 1: the coroutine went on after it was cancelled; it is abandoned");
  EXPECT_EQ(lines[0].level, CLUTCH_LOG_WARN);
  EXPECT_THAT(f.submit(ints({5})).rows, ElementsAre("{'y': 5}"));
  EXPECT_EQ(f.close().status, CLUTCH_OK);
}

TEST(Async, RetriesWaitAndEnd) {
  const std::string text =
      "calls = 0\n"
      "async def f(x):\n"
      "    global calls\n"
      "    calls += 1\n"
      "    if calls < x: raise OSError('call %d' % calls)\n"
      "    return calls\n";
  Session session;
  OpenFunction f = session.open(
      async_source(text, {{"retry-strategy", "FIXED_DELAY"}, {"max-attempts", "2"}, {"retry-delay", "5 ms"}}));
  const int64_t start = now_ns();
  EXPECT_THAT(f.submit(ints({3})).rows, ElementsAre("{'y': 3}"));
  EXPECT_GE(now_ns() - start, 10'000'000);
  EXPECT_EQ(f.submit(ints({100})).error.message, "function \"f\" row 0: OSError: call 6");
  OpenFunction once = session.open(async_source(text));
  EXPECT_EQ(once.submit(ints({2})).error.message, "function \"f\" row 0: OSError: call 1");
}

TEST(Async, DeadlineAndCancellationEndTheBatch) {
  for (const char* body : {"await asyncio.sleep(60)", "\n        while True: pass",
                           "\n        while True:\n            try: await asyncio.sleep(60)\n"
                           "            except asyncio.CancelledError: pass"}) {
    Session session;
    OpenFunction f = session.open(async_source(std::string("async def f(x):\n    if x: ") + body + "\n    return x\n"));
    const int64_t start = now_ns();
    Outcome outcome = f.submit(ints({0, 1}), start + 60'000'000);
    EXPECT_EQ(outcome.status, CLUTCH_ERR_DEADLINE) << body;
    EXPECT_THAT(outcome.error.message, HasSubstr("the batch was not done by its deadline")) << body;
    EXPECT_LT(now_ns() - start, 30'000'000'000) << body;
    EXPECT_THAT(f.submit(ints({0})).rows, ElementsAre("{'y': 0}")) << body;
    auto context = std::make_unique<clutch_batch_context>();
    context->cancelled = true;
    EXPECT_EQ(f.submit(ints({1}), std::move(context), 0).status, CLUTCH_ERR_CANCELLED) << body;
  }
}

TEST(Async, WhatCannotBeServedIsRefusedWhenItOpens) {
  Session session;
  EXPECT_EQ(session.refuse(async_source("def f(x): return x\n")).message,
            "function \"f\": it is no async function, and table.scalar.async awaits one; write 'async def'");
  const std::string text = "async def f(x): return x\n";
  EXPECT_EQ(session.refuse(async_source(text, {{"timeout", "soon"}})).message,
            "function \"f\": table.exec.async-scalar.timeout = \"soon\" is no duration; write whole milliseconds or a "
            "number with a unit, as in \"250 ms\", \"1 s\", \"2 min\"");
  EXPECT_EQ(session.refuse(async_source(text, {{"timeout", "0"}})).message,
            "function \"f\": table.exec.async-scalar.timeout = \"0\" is no time; write at least 1 ms");
  EXPECT_EQ(
      session.refuse(async_source(text, {{"max-concurrent-operations", "0"}})).message,
      "function \"f\": table.exec.async-scalar.max-concurrent-operations = \"0\" is no count; write a whole number "
      "from 1 to 1000000");
  EXPECT_EQ(session.refuse(async_source(text, {{"retry-strategy", "ALWAYS"}})).message,
            "function \"f\": table.exec.async-scalar.retry-strategy = \"ALWAYS\" is none of FIXED_DELAY, NO_RETRY");
  SpecText chain = async_source(text);
  chain.steps.push_back({"g", "table.scalar.async", "source", text});
  EXPECT_EQ(
      session.refuse(chain).message,
      "function \"f\": a chain cannot hold \"f\" of kind table.scalar.async and \"g\" of kind table.scalar.async; "
      "make them functions of their own");
}

TEST(Async, ManySleepingRowsSleepTogether) {
  Session session;
  OpenFunction f =
      session.open(async_source("now = most = 0\n"
                                "async def f(x):\n"
                                "    global now, most\n"
                                "    now += 1\n"
                                "    most = max(most, now)\n"
                                "    await asyncio.sleep(0.01)\n"
                                "    now -= 1\n"
                                "    return x if x < 1999 else most\n",
                                {{"max-concurrent-operations", "100"}}));
  Outcome outcome = f.submit(ints(range(2000)));
  ASSERT_EQ(outcome.status, CLUTCH_OK) << outcome.error.message;
  ASSERT_EQ(outcome.rows.size(), 2000u);
  for (size_t row = 0; row < 1999; ++row) ASSERT_EQ(outcome.rows[row], "{'y': " + std::to_string(row) + "}");
  EXPECT_EQ(outcome.rows[1999], "{'y': 100}");
}

}  // namespace
}  // namespace clutch::pyembed::testing
