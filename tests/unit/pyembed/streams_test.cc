// Kinds of single stream elements: keys, timestamps, asynchronous calls. What they give is in the conformance table;
// here is what every version of Python has to do alike, and what only the runtime itself refuses.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ctime>
#include <numeric>

#include "batches.h"
#include "clutch/columnar/ops.h"
#include "session.h"

namespace clutch::pyembed::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::EndsWith;

int64_t now_ns() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

SpecText keys(const std::string& text, const std::string& in = "int64", const std::string& key = "int64") {
  SpecText spec = source("stream.key_by", text, in);
  spec.output = {column("value", in), column("key", key)};
  return spec;
}

SpecText timestamps(const std::string& text) {
  SpecText spec = source("stream.timestamps", text);
  spec.input = {column("value", "int64"), column("timestamp", "int64")};
  return spec;
}

TEST(Streams, KeyByGivesValueAndKey) {
  Session session;
  OpenFunction alone = session.open(keys("def f(x):\n    return x % 3\n"));
  EXPECT_THAT(alone.submit(ints({1, 5})).rows, ElementsAre("{'value': 1, 'key': 1}", "{'value': 5, 'key': 2}"));

  SpecText chain = keys("def f(x):\n    return [x, x + 1]\n");
  chain.steps[0].kind = "stream.flat_map";
  chain.steps.push_back({"g", "stream.key_by", "source", "def g(x):\n    return -x\n"});
  OpenFunction both = session.open(chain);
  const Outcome given = both.submit(ints({1, 5}));
  EXPECT_THAT(given.rows, ElementsAre("{'value': 1, 'key': -1}", "{'value': 2, 'key': -2}", "{'value': 5, 'key': -5}",
                                      "{'value': 6, 'key': -6}"));
  EXPECT_THAT(given.origin, ElementsAre(0, 0, 1, 1));
}

TEST(Streams, KeysOfManyRowsAndOfASlice) {
  Session session;
  OpenFunction f = session.open(keys("def f(x):\n    return x // 2\n"));
  std::vector<int64_t> many(5000);
  std::iota(many.begin(), many.end(), 0);
  const Outcome all = f.submit(ints(many));
  ASSERT_EQ(all.rows.size(), many.size());
  EXPECT_EQ(all.rows[4999], "{'value': 4999, 'key': 2499}");
  const columnar::Array whole = ints(many);
  EXPECT_THAT(f.submit(columnar::slice(*whole, 4001, 2)).rows,
              ElementsAre("{'value': 4001, 'key': 2000}", "{'value': 4002, 'key': 2001}"));
}

TEST(Streams, ABadKeyLeavesNothingOfItsRow) {
  Session session;
  SpecText spec = keys("def f(x):\n    return 6 // x if x != 1 else 'one'\n");
  spec.on_error = CLUTCH_ON_ERROR_DEAD_LETTER;
  const Outcome given = session.open(spec).submit(ints({3, 0, 1, 2}));
  EXPECT_THAT(given.rows, ElementsAre("{'value': 3, 'key': 2}", "{'value': 2, 'key': 3}"));
  EXPECT_THAT(given.origin, ElementsAre(0, 3));
}

TEST(Streams, TimestampsGetTheLeastNumberForNone) {
  Session session;
  OpenFunction f = session.open(timestamps("def f(value, t):\n    return value if t < 0 else t\n"));
  std::vector<columnar::Array> columns;
  columns.push_back(int64_column({1, 2}));
  columnar::ArrayBuilder times(column("timestamp", "int64"));
  times.append_null();
  times.append<int64_t>(77);
  columns.push_back(times.finish());
  EXPECT_THAT(f.submit(batch_of(std::move(columns))).rows, ElementsAre("{'y': 1}", "{'y': 77}"));
}

TEST(Streams, RefusesChainsAndSchemasThatDoNotFit) {
  Session session;
  const std::string text = "def f(x):\n    return x\n";
  SpecText middle = keys(text);
  middle.steps.push_back({"g", "stream.map", "source", text});
  EXPECT_EQ(session.refuse(middle).message,
            "function \"f\": step \"f\" is a stream.key_by, which ends a chain; put the steps after it into a function "
            "of their own");
  SpecText narrow = keys(text);
  narrow.output.pop_back();
  EXPECT_EQ(
      session.refuse(narrow).message,
      "function \"f\": stream.key_by gives the columns value and key, so its output schema must be these two, not "
      "struct<value: int64>");
  SpecText chain = timestamps("def f(value, t):\n    return t\n");
  chain.steps.push_back({"g", "stream.map", "source", text});
  EXPECT_EQ(session.refuse(chain).message,
            "function \"f\": step \"f\" is a stream.timestamps, which stands alone; put the other steps into functions "
            "of their own");
  SpecText async = source("stream.async", "async def f(x):\n    return [x]\n");
  async.steps.push_back({"g", "stream.map", "source", text});
  EXPECT_EQ(session.refuse(async).message,
            "function \"f\": a chain cannot hold \"f\" of kind stream.async and \"g\" of kind stream.map; make them "
            "functions of their own");
}

TEST(Streams, TheKindsServedAreNamed) {
  Session session;
  EXPECT_THAT(session.refuse(source("stream.window", "def f(x):\n    return x\n")).message,
              EndsWith("kinds served: stream.async, stream.broadcast_process, stream.co_flat_map, stream.co_map, "
                       "stream.co_process, stream.filter, stream.flat_map, stream.interval_join, stream.key_by, "
                       "stream.keyed_broadcast_process, stream.keyed_co_process, stream.keyed_process, stream.map, "
                       "stream.process, stream.reduce, stream.timestamps, stream.window.aggregate, "
                       "stream.window.apply, stream.window.co_group, stream.window.flat_join, stream.window.join, "
                       "stream.window.process, stream.window.reduce, table.aggregate, table.aggregate.vectorized, "
                       "table.scalar, table.scalar.async, table.scalar.vectorized, table.table, "
                       "table.table_aggregate"));
}

constexpr char kOutOfOrder[] =
    "import asyncio\n"
    "class F:\n"
    "    async def async_invoke(self, value):\n"
    "        if value == 0: self.done = asyncio.Event()\n"
    "        if value < 2: await self.done.wait()\n"
    "        else: self.done.set()\n"
    "        return [value] * value\n";

TEST(Streams, AsyncRowsComeInOrderOrAsTheyAreDone) {
  Session session;
  SpecText spec = source("stream.async", kOutOfOrder);
  OpenFunction ordered = session.open(spec);
  EXPECT_THAT(ordered.submit(ints({0, 1, 2})).origin, ElementsAre(1, 2, 2));
  spec.steps[0].options.add("ordered", "false");
  OpenFunction unordered = session.open(spec);
  EXPECT_THAT(unordered.submit(ints({0, 1, 2})).origin, ElementsAre(2, 2, 1));
  EXPECT_THAT(unordered.submit(ints({0, 1, 2})).rows, ElementsAre("{'y': 2}", "{'y': 2}", "{'y': 1}"));
}

TEST(Streams, AsyncTimeIsOverAndTheNextBatchIsServed) {
  Session session;
  SpecText spec = source("stream.async",
                         "import asyncio\n"
                         "class F:\n"
                         "    async def async_invoke(self, value):\n"
                         "        if value: await asyncio.Event().wait()\n"
                         "        return [value]\n"
                         "    def timeout(self, value): return [-value]\n");
  spec.steps[0].options.add("timeout_ms", "20");
  OpenFunction f = session.open(spec);
  EXPECT_THAT(f.submit(ints({0, 7})).rows, ElementsAre("{'y': 0}", "{'y': -7}"));
  EXPECT_THAT(f.submit(ints({0, 0})).rows, ElementsAre("{'y': 0}", "{'y': 0}"));
}

TEST(Streams, AsyncStopsAtItsDeadline) {
  Session session;
  OpenFunction f = session.open(source("stream.async",
                                       "import asyncio\n"
                                       "async def f(value):\n"
                                       "    await asyncio.Event().wait()\n"));
  const Outcome late = f.submit(ints({1}), now_ns() + 50'000'000);
  EXPECT_EQ(late.status, CLUTCH_ERR_DEADLINE) << late.error.message;
  EXPECT_TRUE(late.rows.empty());
}

}  // namespace
}  // namespace clutch::pyembed::testing
