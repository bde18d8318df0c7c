// What rows become: shapes, kinds, chains.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "batches.h"
#include "clutch/columnar/ops.h"
#include "session.h"

namespace clutch::pyembed::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(Rows, ScalarOfOneInt) {
  Session session;
  OpenFunction f = session.open(source("table.scalar", "def f(x):\n    return x + 1\n"));
  Outcome outcome = f.submit(ints({1, 2, 41}));
  ASSERT_EQ(outcome.status, CLUTCH_OK) << outcome.error.message;
  EXPECT_THAT(outcome.rows, ElementsAre("{'y': 2}", "{'y': 3}", "{'y': 42}"));
  EXPECT_THAT(outcome.origin, IsEmpty());
}

TEST(Rows, ScalarOfText) {
  Session session;
  OpenFunction f = session.open(source("table.scalar", "def f(s):\n    return s.upper()\n", "string", "string"));
  Outcome outcome = f.submit(texts({"abc", "", "größe"}));
  ASSERT_EQ(outcome.status, CLUTCH_OK) << outcome.error.message;
  EXPECT_THAT(outcome.rows, ElementsAre("{'y': 'ABC'}", "{'y': ''}", "{'y': 'GRÖSSE'}"));
}

TEST(Rows, ManyRowsKeepTheirOrder) {
  Session session;
  OpenFunction f = session.open(source("stream.map", "f = lambda x: x * 2\n"));
  std::vector<int64_t> values;
  for (int64_t i = 0; i < 5000; ++i) values.push_back(i);
  Outcome outcome = f.submit(ints(values));
  ASSERT_EQ(outcome.status, CLUTCH_OK) << outcome.error.message;
  ASSERT_EQ(outcome.rows.size(), 5000u);
  for (size_t i : {0u, 511u, 512u, 4999u}) EXPECT_EQ(outcome.rows[i], "{'y': " + std::to_string(2 * i) + "}");
}

TEST(Rows, AnEmptyBatchGivesNothing) {
  Session session;
  OpenFunction f = session.open(source("table.scalar", "def f(x):\n    raise ValueError(x)\n"));
  Outcome outcome = f.submit(ints({}));
  EXPECT_EQ(outcome.status, CLUTCH_OK);
  EXPECT_TRUE(outcome.context->emitted.empty());
}

TEST(Rows, SlicedBatchesAreReadFromTheirStart) {
  Session session;
  OpenFunction f = session.open(source("table.scalar", "def f(x):\n    return x\n"));
  columnar::Array whole = ints({10, 11, 12, 13});
  Outcome outcome = f.submit(columnar::slice(*whole, 2, 2));
  ASSERT_EQ(outcome.status, CLUTCH_OK) << outcome.error.message;
  EXPECT_THAT(outcome.rows, ElementsAre("{'y': 12}", "{'y': 13}"));
}

TEST(Rows, ScalarOfSeveralColumnsTakesThemAsArguments) {
  Session session;
  SpecText spec = source("table.scalar", "def f(a, b):\n    return '%s/%d' % (b, a)\n", "int64", "string");
  spec.input.push_back(column("b", "string"));
  OpenFunction f = session.open(spec);
  std::vector<columnar::Array> columns;
  columns.push_back(int64_column({1, 2}));
  columns.push_back(text_column({"p", "q"}));
  Outcome outcome = f.submit(batch_of(std::move(columns)));
  ASSERT_EQ(outcome.status, CLUTCH_OK) << outcome.error.message;
  EXPECT_THAT(outcome.rows, ElementsAre("{'y': 'p/1'}", "{'y': 'q/2'}"));
}

TEST(Rows, StreamOfSeveralColumnsTakesARow) {
  Session session;
  SpecText spec = source("stream.map", "def f(row):\n    return row.b, row[0] + 1\n", "int64", "string");
  spec.input = {column("a", "int64"), column("b", "string")};
  spec.output = {column("u", "string"), column("v", "int64")};
  OpenFunction f = session.open(spec);
  std::vector<columnar::Array> columns;
  columns.push_back(int64_column({1, 2}));
  columns.push_back(text_column({"p", "q"}));
  columnar::Array batch = batch_of(std::move(columns));
  Outcome outcome = f.submit(columnar::slice(*batch, 1, 1));
  ASSERT_EQ(outcome.status, CLUTCH_OK) << outcome.error.message;
  EXPECT_THAT(outcome.rows, ElementsAre("{'u': 'q', 'v': 3}"));
}

TEST(Rows, FlatMapGivesManyRowsWithTheirOrigin) {
  Session session;
  OpenFunction f = session.open(source("stream.flat_map", "def f(s):\n    yield from s.split()\n", "string", "string"));
  Outcome outcome = f.submit(texts({"a b", "", "c"}));
  ASSERT_EQ(outcome.status, CLUTCH_OK) << outcome.error.message;
  EXPECT_THAT(outcome.rows, ElementsAre("{'y': 'a'}", "{'y': 'b'}", "{'y': 'c'}"));
  EXPECT_THAT(outcome.origin, ElementsAre(0, 0, 2));
}

TEST(Rows, FlatMapTakesListsTuplesAndNone) {
  Session session;
  OpenFunction f = session.open(
      source("stream.flat_map", "def f(x):\n    return None if x == 0 else [x, x] if x == 1 else (x, x + 1, x + 2)\n"));
  Outcome outcome = f.submit(ints({0, 1, 2}));
  ASSERT_EQ(outcome.status, CLUTCH_OK) << outcome.error.message;
  EXPECT_THAT(outcome.rows, ElementsAre("{'y': 1}", "{'y': 1}", "{'y': 2}", "{'y': 3}", "{'y': 4}"));
  EXPECT_THAT(outcome.origin, ElementsAre(1, 1, 2, 2, 2));
}

TEST(Rows, FlatMapThatIsNotIterableIsRefused) {
  Session session;
  OpenFunction f = session.open(source("stream.flat_map", "def f(x):\n    return x\n"));
  Outcome outcome = f.submit(ints({7}));
  EXPECT_EQ(outcome.status, CLUTCH_ERR_VALUE);
  EXPECT_EQ(outcome.error.message,
            "function \"f\" row 0: result of type int is not iterable; yield values, or return a list of them or None");
}

TEST(Rows, TableFunctionTakesOneValueAsOneRow) {
  Session session;
  SpecText spec = source("table.table",
                         "def f(s):\n"
                         "    if s == 'none': return None\n"
                         "    if s == 'one': return s, 1\n"
                         "    if s == 'list': return [(s, 1), (s, 2)]\n"
                         "    return ((s, i) for i in range(3))\n",
                         "string");
  spec.output = {column("u", "string"), column("v", "int64")};
  OpenFunction f = session.open(spec);
  Outcome outcome = f.submit(texts({"none", "one", "list", "gen"}));
  ASSERT_EQ(outcome.status, CLUTCH_OK) << outcome.error.message;
  EXPECT_THAT(outcome.origin, ElementsAre(1, 2, 2, 3, 3, 3));
  EXPECT_EQ(outcome.rows[0], "{'u': 'one', 'v': 1}");
  EXPECT_EQ(outcome.rows[5], "{'u': 'gen', 'v': 2}");

  OpenFunction scalar = session.open(source("table.table", "def f(x):\n    return x\n"));
  EXPECT_THAT(scalar.submit(ints({5})).rows, ElementsAre("{'y': 5}"));
}

TEST(Rows, FilterNamesTheRowsItKeeps) {
  Session session;
  SpecText spec = source("stream.filter", "def f(x):\n    return x % 2\n");
  spec.output = spec.input;
  OpenFunction f = session.open(spec);
  Outcome outcome = f.submit(ints({1, 2, 3, 4, 5}));
  ASSERT_EQ(outcome.status, CLUTCH_OK) << outcome.error.message;
  EXPECT_TRUE(outcome.passed_rows);
  EXPECT_THAT(outcome.origin, ElementsAre(0, 2, 4));
}

TEST(Rows, AChainRunsOnLiveObjects) {
  Session session;
  SpecText spec = source("stream.map", "def f(x):\n    return {'n': x}\n", "int64", "string");
  spec.steps.push_back({"only", "stream.filter", "source", "def g(d):\n    return d['n'] > 1\n"});
  spec.steps.push_back({"twice", "stream.flat_map", "source", "def h(d):\n    yield d\n    yield d\n"});
  spec.steps.push_back({"show", "stream.map", "source", "def show(d):\n    return 'n=%d' % d['n']\n"});
  OpenFunction f = session.open(spec);
  Outcome outcome = f.submit(ints({1, 2, 3}));
  ASSERT_EQ(outcome.status, CLUTCH_OK) << outcome.error.message;
  EXPECT_THAT(outcome.rows, ElementsAre("{'y': 'n=2'}", "{'y': 'n=2'}", "{'y': 'n=3'}", "{'y': 'n=3'}"));
  EXPECT_THAT(outcome.origin, ElementsAre(1, 1, 2, 2));
}

TEST(Rows, AChainOfMapsGivesOneRowForEach) {
  Session session;
  SpecText spec = source("table.scalar", "def f(x):\n    return x + 1\n");
  spec.steps.push_back({"g", "table.scalar", "source", "def g(x):\n    return x * 10\n"});
  OpenFunction f = session.open(spec);
  Outcome outcome = f.submit(ints({1, 2}));
  ASSERT_EQ(outcome.status, CLUTCH_OK) << outcome.error.message;
  EXPECT_THAT(outcome.rows, ElementsAre("{'y': 20}", "{'y': 30}"));
  EXPECT_THAT(outcome.origin, IsEmpty());
}

std::vector<int64_t> many(int64_t count, int64_t start = 0) {
  std::vector<int64_t> values;
  for (int64_t i = 0; i < count; ++i) values.push_back(start + i);
  return values;
}

TEST(Rows, ArgumentsThatAreKeptStayAsTheyWere) {
  Session session;
  OpenFunction f = session.open(source("stream.map",
                                       "kept = []\n"
                                       "def f(x):\n"
                                       "    if x < 0: return sum(kept)\n"
                                       "    if x % 3 == 0: kept.append(x)\n"
                                       "    return x\n"));
  int64_t sum = 0;
  for (int64_t start : std::vector<int64_t>{0, 1'000'000, 5'000'000'000}) {
    for (int64_t value : many(3000, start)) sum += value % 3 == 0 ? value : 0;
    Outcome outcome = f.submit(ints(many(3000, start)));
    ASSERT_EQ(outcome.status, CLUTCH_OK) << outcome.error.message;
    EXPECT_EQ(outcome.rows[2999], "{'y': " + std::to_string(start + 2999) + "}");
  }
  EXPECT_THAT(f.submit(ints({-1})).rows, ElementsAre("{'y': " + std::to_string(sum) + "}"));
}

TEST(Rows, TextsThatAreKeptStayAsTheyWere) {
  Session session;
  OpenFunction f = session.open(source("stream.map",
                                       "kept = set()\n"
                                       "def f(s):\n"
                                       "    if s == 'count': return str(len(kept))\n"
                                       "    if s[-1] in '05': kept.add(s)\n"
                                       "    return s\n",
                                       "string", "string"));
  std::vector<std::string> values;
  for (int i = 0; i < 5000; ++i) values.push_back("key" + std::to_string(10000 + i));
  for (int batch = 0; batch < 2; ++batch) {
    Outcome outcome = f.submit(texts(values));
    ASSERT_EQ(outcome.status, CLUTCH_OK) << outcome.error.message;
    EXPECT_EQ(outcome.rows[4321], "{'y': 'key14321'}");
  }
  EXPECT_THAT(f.submit(texts({"count"})).rows, ElementsAre("{'y': '1000'}"));
}

TEST(Rows, NullsAmongManyRows) {
  Session session;
  OpenFunction f = session.open(source("table.scalar", "def f(x):\n    return -1 if x is None else x\n"));
  columnar::ArrayBuilder builder(column("x", "int64"));
  for (int64_t i = 0; i < 4000; ++i) {
    if (i % 7 == 0) {
      builder.append_null();
    } else {
      builder.append(i * 1000);
    }
  }
  std::vector<columnar::Array> columns;
  columns.push_back(builder.finish());
  columnar::Array batch = batch_of(std::move(columns));
  Outcome outcome = f.submit(columnar::slice(*batch, 3, 3500));
  ASSERT_EQ(outcome.status, CLUTCH_OK) << outcome.error.message;
  for (int64_t i = 0; i < 3500; ++i) {
    const int64_t row = i + 3;
    ASSERT_EQ(outcome.rows[static_cast<size_t>(i)], "{'y': " + std::to_string(row % 7 == 0 ? -1 : row * 1000) + "}");
  }
}

TEST(Rows, NullsReachPythonAsNone) {
  Session session;
  OpenFunction f =
      session.open(source("table.scalar", "def f(x):\n    return 'none' if x is None else None\n", "int64", "string"));
  columnar::ArrayBuilder builder(column("x", "int64"));
  builder.append<int64_t>(1);
  builder.append_null();
  std::vector<columnar::Array> columns;
  columns.push_back(builder.finish());
  Outcome outcome = f.submit(batch_of(std::move(columns)));
  ASSERT_EQ(outcome.status, CLUTCH_OK) << outcome.error.message;
  EXPECT_THAT(outcome.rows, ElementsAre("{'y': null}", "{'y': 'none'}"));
}

}  // namespace
}  // namespace clutch::pyembed::testing
