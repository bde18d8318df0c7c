// Jobs with Python functions, in thread and process mode, against plain models.
#include "job/job_fixture.h"

namespace clutch::engine {
namespace {

class PythonJob : public InBothModes {};
CLUTCH_IN_BOTH_MODES(PythonJob);

constexpr const char* kTwice = "def f(x):\n  return 2 * x\n";
constexpr const char* kRepeat = "def f(x):\n  return [x] * (x % 4)\n";
constexpr const char* kOdd = "def f(x):\n  return x % 2 == 1\n";

TEST_P(PythonJob, MapKeepsOrder) {
  Sketch sketch;
  sketch.set("clutch.engine.batch-rows", 64);
  const int source = sketch.sequence(1, 5000);
  const int out = sketch.collect(sketch.node(source, Sketch::python("stream.map", kTwice, "int64")));
  Gathered got = run(sketch, host_);
  ASSERT_TRUE(got.outcome.ok()) << got.outcome.message();
  std::vector<int64_t> expected;
  for (int64_t i = 1; i <= 5000; ++i) expected.push_back(2 * i);
  EXPECT_EQ(got.by_node[out], texts_of(expected));
}

// Steps of one function, or functions of their own: the result is the same.
TEST_P(PythonJob, StepsAndFunctionsGiveTheSame) {
  std::vector<int64_t> expected;
  for (int64_t i = 1; i <= 1000; ++i) {
    for (int64_t n = 0; n < i % 4; ++n) {
      if (i % 2 == 1) expected.push_back(2 * i);
    }
  }
  for (const bool steps : {true, false}) {
    Sketch sketch;
    sketch.set("python.operator-chaining.enabled", steps);
    sketch.set("clutch.engine.batch-rows", 100);
    int at = sketch.sequence(1, 1000);
    at = sketch.node(at, Sketch::python("stream.flat_map", kRepeat, "int64"));
    at = sketch.node(at, Sketch::python("stream.filter", kOdd, "int64"));
    at = sketch.node(at, Sketch::python("stream.map", kTwice, "int64"));
    const int out = sketch.collect(at);
    Gathered got = run(sketch, host_);
    ASSERT_TRUE(got.outcome.ok()) << got.outcome.message();
    EXPECT_EQ(got.by_node[out], texts_of(expected)) << steps;
  }
}

TEST_P(PythonJob, RowsStayRows) {
  Sketch sketch;
  const int source = sketch.values("struct<a: int64, b: string>", {{{"a", 1}, {"b", "x"}}, {{"a", 2}, {"b", nullptr}}});
  const int map =
      sketch.node(source, Sketch::python("stream.map", "def f(row):\n  return (row.a + 1,)\n", "struct<a: int64>"));
  const int out = sketch.collect(map);
  Gathered got = run(sketch, host_);
  ASSERT_TRUE(got.outcome.ok()) << got.outcome.message();
  EXPECT_EQ(got.by_node[out], (std::vector<std::string>{"{'a': 2}", "{'a': 3}"}));
}

TEST_P(PythonJob, ParallelMapBetweenExchanges) {
  Sketch sketch;
  const int source = sketch.sequence(1, 2000);
  const int map = sketch.node(source, Sketch::python("stream.map", kTwice, "int64", {{"parallelism", 3}}));
  const int out = sketch.collect(map);
  Gathered got = run(sketch, host_);
  ASSERT_TRUE(got.outcome.ok()) << got.outcome.message();
  std::vector<int64_t> expected;
  for (int64_t i = 1; i <= 2000; ++i) expected.push_back(2 * i);
  EXPECT_EQ(got.sorted(out), in_order(texts_of(expected)));
}

// Timestamps go with the elements through functions that give none, one or several.
TEST_P(PythonJob, TimestampsFollowTheirElements) {
  Sketch sketch;
  const int source = sketch.values("int64", {3, 1, 2});
  int at = sketch.node(source, {{"type", "watermarks"},
                                {"name", "time"},
                                {"out_of_orderness_ms", 0},
                                {"code", Sketch::source_code("def f(value, timestamp):\n  return value * 100\n")}});
  at = sketch.node(at, Sketch::python("stream.flat_map", "def f(x):\n  return [x, -x][:x]\n", "int64"));
  const int out = sketch.collect(at);
  Gathered got = run(sketch, host_);
  ASSERT_TRUE(got.outcome.ok()) << got.outcome.message();
  EXPECT_EQ(got.by_node[out], (std::vector<std::string>{"3 @300", "-3 @300", "1 @100", "2 @200", "-2 @200"}));
}

TEST_P(PythonJob, SideOutputs) {
  const char* code =
      "class Tag:\n  tag_id = 'odd'\n"
      "class Rows:\n  tag_id = 'rows'\n"
      "def f(x, ctx):\n"
      "  if x % 2:\n    yield Tag, x\n"
      "  else:\n    yield x\n"
      "  if x % 5 == 0:\n    yield Rows, (x, str(x))\n";
  Sketch sketch;
  const int source = sketch.sequence(1, 200);
  const int process = sketch.node(
      source, Sketch::python("stream.process", code, "int64",
                             {{"side_outputs", {{"odd", "int64"}, {"rows", "struct<n: int64, s: string>"}}}}));
  const int even = sketch.collect(process);
  const int odd = sketch.collect(process, Json::object(), {{"side", "odd"}});
  const int rows = sketch.collect(
      sketch.node(process, Sketch::python("stream.map", "def f(r):\n  return r.s\n", "string"), {{"side", "rows"}}));
  Gathered got = run(sketch, host_);
  ASSERT_TRUE(got.outcome.ok()) << got.outcome.message();
  std::vector<std::string> expected[3];
  for (int i = 1; i <= 200; ++i) {
    expected[i % 2].push_back(std::to_string(i));
    if (i % 5 == 0) expected[2].push_back("'" + std::to_string(i) + "'");
  }
  EXPECT_EQ(got.by_node[even], expected[0]);
  EXPECT_EQ(got.by_node[odd], expected[1]);
  EXPECT_EQ(got.by_node[rows], expected[2]);
}

TEST_P(PythonJob, CustomPartitioning) {
  Sketch sketch;
  const int source = sketch.sequence(1, 300);
  const int key = sketch.node(source, Sketch::key_by("def f(x):\n  return x % 7\n", "int64"));
  // The subtask's own object counts what it got: all of a key or nothing.
  const char* code =
      "class Seen:\n"
      "  def open(self, context):\n    self.keys = set()\n"
      "  def map(self, x):\n    self.keys.add(x % 7)\n    return str(sorted(self.keys))\n";
  const int map =
      sketch.node(key, Sketch::python("stream.map", code, "string", {{"parallelism", 3}}),
                  {{"partitioning", "custom"}, {"code", Sketch::source_code("def f(key, n):\n  return key % n\n")}});
  const int out = sketch.collect(map);
  Gathered got = run(sketch, host_);
  ASSERT_TRUE(got.outcome.ok()) << got.outcome.message();
  ASSERT_EQ(got.by_node[out].size(), 300U);
  for (const std::string& keys : got.by_node[out]) {
    for (const char* whole : {"'[0, 3, 6]'", "'[1, 4]'", "'[2, 5]'"}) {
      if (keys.find(whole[2]) != std::string::npos) {
        EXPECT_LE(keys.size(), std::string(whole).size()) << keys;
      }
    }
  }
}

TEST_P(PythonJob, CustomPartitionOutOfRange) {
  Sketch sketch;
  const int key = sketch.node(sketch.sequence(1, 3), Sketch::key_by("def f(x):\n  return x\n", "int64"));
  sketch.node(key, Sketch::python("stream.map", kTwice, "int64", {{"parallelism", 2}}),
              {{"partitioning", "custom"}, {"code", Sketch::source_code("def f(key, n):\n  return key\n")}});
  const Gathered got = run(sketch, host_);
  EXPECT_EQ(got.outcome.code(), CLUTCH_ERR_VALUE);
  EXPECT_NE(
      got.outcome.message().find("row 1 was sent to partition 2 of 2; the partitioner must give a number from 0 to 1"),
      std::string_view::npos)
      << got.outcome.message();
}

TEST_P(PythonJob, KeysAreDroppedWhereNobodyNeedsThem) {
  Sketch sketch(2);
  const int source = sketch.sequence(1, 100);
  const int key = sketch.node(source, Sketch::key_by("def f(x):\n  return str(x % 3)\n", "string"));
  const int out = sketch.collect(sketch.node(key, Sketch::python("stream.map", kTwice, "int64")));
  const int direct = sketch.collect(key);
  Gathered got = run(sketch, host_);
  ASSERT_TRUE(got.outcome.ok()) << got.outcome.message();
  EXPECT_EQ(got.by_node[out].size(), 100U);
  EXPECT_EQ(got.by_node[direct].size(), 100U);
}

TEST_P(PythonJob, RowsPutAsideAreCounted) {
  Sketch sketch;
  const int source = sketch.sequence(-5, 5);
  const int map = sketch.node(
      source, Sketch::python("stream.map", "def f(x):\n  return 10 // x\n", "int64", {{"on_error", "dead_letter"}}));
  const int out = sketch.collect(map);
  auto job = *Job::make(sketch.text(), {}, host_);
  ASSERT_TRUE(job->start().ok());
  Gathered got = gather(*job);
  ASSERT_TRUE(got.outcome.ok()) << got.outcome.message();
  EXPECT_EQ(got.by_node[out].size(), 10U);
  uint64_t dead_letters = 0;
  for (const OperatorMetrics& of : job->metrics().operators) {
    if (of.node != map) continue;
    dead_letters += of.dead_letters;
    EXPECT_EQ(of.mode, GetParam());
    EXPECT_FALSE(of.plugin.empty());
  }
  EXPECT_EQ(dead_letters, 1U);
}

}  // namespace
}  // namespace clutch::engine
