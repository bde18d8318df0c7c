// Iterations: elements go round until they leave, and the job ends when none is left.
#include "job/job_fixture.h"

namespace clutch::engine {
namespace {

class IterationJob : public InBothModes {
 protected:
  static Json iteration(Json more = Json::object()) {
    Json json = {{"type", "iteration"}, {"name", "round"}};
    json.update(more);
    return json;
  }
  static Json back(Json more = Json::object()) {
    more["feedback"] = true;
    return more;
  }
};
CLUTCH_IN_BOTH_MODES(IterationJob);

constexpr const char* kStep =
    "def f(walk):\n"
    "  start, at, steps = walk\n"
    "  return (start, at // 2 if at % 2 == 0 else 3 * at + 1, steps + 1)\n";
constexpr const char* kWalk = "tuple<f0: int64, f1: int64, f2: int64>";

std::vector<std::string> collatz(int64_t most) {
  std::vector<std::string> out;
  for (int64_t start = 2; start <= most; ++start) {
    int64_t steps = 0;
    for (int64_t at = start; at != 1; ++steps) at = at % 2 == 0 ? at / 2 : 3 * at + 1;
    out.push_back("'" + std::to_string(start) + ":" + std::to_string(steps) + "'");
  }
  return in_order(std::move(out));
}

// However the elements are batched and spread, none is lost and the job ends by itself.
TEST_P(IterationJob, EveryElementGoesRoundUntilItLeaves) {
  for (const int parallelism : {1, 3}) {
    for (const char* partitioning : {"forward", "rebalance"}) {
      for (const int batch_rows : {7, 4096}) {
        Sketch sketch(parallelism);
        sketch.set("clutch.engine.batch-rows", batch_rows);
        int at = sketch.sequence(2, 60);
        at = sketch.node(at, Sketch::python("stream.map", "def f(x):\n  return (x, x, 0)\n", kWalk));
        const int round = sketch.node(at, iteration());
        const int stepped = sketch.node(round, Sketch::python("stream.map", kStep, kWalk));
        const int on = sketch.node(stepped, Sketch::python("stream.filter", "def f(w):\n  return w[1] != 1\n", kWalk));
        sketch.edge(on, round, back({{"partitioning", partitioning}}));
        at = sketch.node(stepped, Sketch::python("stream.filter", "def f(w):\n  return w[1] == 1\n", kWalk));
        at = sketch.node(at, Sketch::python("stream.map", "def f(w):\n  return '%d:%d' % (w[0], w[2])\n", "string"));
        const int out = sketch.collect(at);
        Gathered got = run(sketch, host_);
        ASSERT_TRUE(got.outcome.ok()) << got.outcome.message();
        EXPECT_EQ(got.sorted(out), collatz(60)) << parallelism << " " << partitioning << " " << batch_rows;
      }
    }
  }
}

// More comes back than went in, through channels that hold little: nobody waits for room in a circle.
TEST_P(IterationJob, WhatMultipliesDoesNotStandStill) {
  Sketch sketch(2);
  sketch.set("clutch.engine.channel-bytes", 256);
  sketch.set("clutch.engine.batch-rows", 16);
  const int round = sketch.node(sketch.values("int64", {9, 8, 7}), iteration());
  const int split = sketch.node(
      round, Sketch::python("stream.flat_map", "def f(x):\n  return [x - 1, x - 1] if x else [-1]\n", "int64"),
      {{"partitioning", "rebalance"}});
  const int on = sketch.node(split, Sketch::python("stream.filter", "def f(x):\n  return x >= 0\n", "int64"));
  sketch.edge(on, round, back({{"partitioning", "shuffle"}}));
  const int out =
      sketch.collect(sketch.node(split, Sketch::python("stream.filter", "def f(x):\n  return x < 0\n", "int64")));
  Gathered got = run(sketch, host_);
  ASSERT_TRUE(got.outcome.ok()) << got.outcome.message();
  EXPECT_EQ(got.by_node[out].size(), 512U + 256U + 128U);
}

// The last watermark comes behind all that goes round, so a window over everything has it all.
TEST_P(IterationJob, TheLastWatermarkComesLast) {
  Sketch sketch;
  const int source = sketch.values(
      "int64", {20, 30},
      {{"watermarks",
        {{"out_of_orderness_ms", 0}, {"code", Sketch::source_code("def f(value, timestamp):\n  return 1\n")}}}});
  const int round = sketch.node(source, iteration());
  const int less = sketch.node(round, Sketch::python("stream.map", "def f(x):\n  return x - 1\n", "int64"));
  sketch.edge(sketch.node(less, Sketch::python("stream.filter", "def f(x):\n  return x > 0\n", "int64")), round,
              back());
  const int key = sketch.node(less, Sketch::key_by("def f(x):\n  return 0\n", "int64"));
  const int sum = sketch.node(key, {{"type", "window"},
                                    {"name", "sum"},
                                    {"function", "reduce"},
                                    {"code", Sketch::source_code("def f(a, b):\n  return a + b\n")},
                                    {"output", "int64"},
                                    {"assigner", {{"type", "tumbling"}, {"domain", "event"}, {"size_ms", 1000}}},
                                    {"trigger", {{"type", "event_time"}}}});
  const int out = sketch.collect(sum);
  Gathered got = run(sketch, host_);
  ASSERT_TRUE(got.outcome.ok()) << got.outcome.message();
  EXPECT_EQ(got.by_node[out], (std::vector<std::string>{std::to_string(20 * 19 / 2 + 30 * 29 / 2) + " @999"}));
}

TEST_P(IterationJob, OneInTheOther) {
  Sketch sketch;
  const int outer = sketch.node(sketch.sequence(1, 5), iteration());
  const int inner = sketch.node(outer, iteration());
  const int added = sketch.node(inner, Sketch::python("stream.map", "def f(x):\n  return x + 10\n", "int64"));
  sketch.edge(sketch.node(added, Sketch::python("stream.filter", "def f(x):\n  return x % 100 < 90\n", "int64")), inner,
              back());
  const int left = sketch.node(added, Sketch::python("stream.filter", "def f(x):\n  return x % 100 >= 90\n", "int64"));
  sketch.edge(sketch.node(left, Sketch::python("stream.filter", "def f(x):\n  return x < 300\n", "int64")), outer,
              back());
  const int out =
      sketch.collect(sketch.node(left, Sketch::python("stream.filter", "def f(x):\n  return x >= 300\n", "int64")));
  Gathered got = run(sketch, host_);
  ASSERT_TRUE(got.outcome.ok()) << got.outcome.message();
  EXPECT_EQ(got.sorted(out), texts_of({391, 392, 393, 394, 395}));
}

// A timer of processing time may feed back long after; the iteration waits as long as it is told to.
TEST_P(IterationJob, WaitsForTimersAsLongAsItIsTold) {
  Sketch sketch;
  const int round = sketch.node(sketch.sequence(1, 3), iteration({{"max_wait_ms", 1500}}));
  const int key = sketch.node(round, Sketch::key_by("def f(x):\n  return x % 100\n", "int64"));
  const int later = sketch.node(key, Sketch::python("stream.keyed_process",
                                                    "class Later:\n"
                                                    "  def process_element(self, value, ctx):\n"
                                                    "    if value > 100:\n      yield value\n      return\n"
                                                    "    service = ctx.timer_service()\n"
                                                    "    service.register_processing_time_timer("
                                                    "service.current_processing_time() + 20)\n"
                                                    "  def on_timer(self, timestamp, ctx):\n"
                                                    "    yield -ctx.get_current_key() - 1000\n",
                                                    "int64"));
  const int positive =
      sketch.node(later, Sketch::python("stream.flat_map", "def f(x):\n  return [-x] if x < 0 else []\n", "int64"));
  sketch.edge(positive, round, back());
  const int out =
      sketch.collect(sketch.node(later, Sketch::python("stream.filter", "def f(x):\n  return x > 0\n", "int64")));
  Gathered got = run(sketch, host_);
  ASSERT_TRUE(got.outcome.ok()) << got.outcome.message();
  EXPECT_EQ(got.sorted(out), texts_of({1001, 1002, 1003}));
}

TEST_P(IterationJob, TooMuchThatIsFedBackFails) {
  Sketch sketch;
  sketch.set("clutch.engine.feedback-bytes", "1 kb");
  const int round = sketch.node(sketch.sequence(1, 3), iteration());
  const int twice = sketch.node(
      round, Sketch::python("stream.flat_map", "def f(x):\n  return [x] * 8\n", "int64", {{"name", "copies"}}));
  sketch.edge(twice, round, back());
  sketch.blackhole(twice);
  const Gathered got = run(sketch, host_);
  EXPECT_EQ(got.outcome.code(), CLUTCH_ERR_MEMORY);
  EXPECT_EQ(got.outcome.message(),
            "operator \"copies\": what is fed back and waits takes more than 1024 bytes; let more elements leave the "
            "iteration, or raise clutch.engine.feedback-bytes");
}

TEST_P(IterationJob, AFailureInsideEndsTheJob) {
  Sketch sketch;
  const int round = sketch.node(sketch.sequence(1, 3), iteration());
  const int down = sketch.node(
      round, Sketch::python("stream.map", "def f(x):\n  return 1 // x and x - 1\n", "int64", {{"name", "down"}}));
  sketch.edge(down, round, back());
  sketch.blackhole(down);
  const Gathered got = run(sketch, host_);
  EXPECT_EQ(got.outcome.code(), CLUTCH_ERR_USER);
  EXPECT_NE(got.outcome.message().find("ZeroDivisionError"), std::string::npos) << got.outcome.message();
}

// An iteration that nothing leaves goes on for ever, and ends when it is told to.
TEST_P(IterationJob, CancelEndsIt) {
  Sketch sketch(2);
  const int round = sketch.node(sketch.sequence(1, 3), iteration());
  const int same = sketch.node(round, Sketch::python("stream.map", "def f(x):\n  return x\n", "int64"));
  sketch.edge(same, round, back({{"partitioning", "rebalance"}}));
  const int out = sketch.collect(same);
  Result<std::unique_ptr<Job>> job = Job::make(sketch.text(), {}, host_);
  ASSERT_TRUE(job.ok()) << job.status().message();
  ASSERT_TRUE((*job)->start().ok());
  size_t rows = 0;
  while (rows < 100) {
    Result<std::optional<Collected>> next = (*job)->collected(kHang);
    ASSERT_TRUE(next.ok() && next->has_value());
    EXPECT_EQ((*next)->node, out);
    rows += static_cast<size_t>((*next)->batch->length);
  }
  (*job)->cancel();
  const Gathered got = gather(**job);
  EXPECT_EQ(got.outcome.code(), CLUTCH_ERR_CANCELLED);
}

std::string refusal(const Sketch& sketch, const Host& host) {
  Result<std::unique_ptr<Job>> job = Job::make(sketch.text(), {}, host);
  return job.ok() ? "" : std::string(job.status().message());
}

TEST_P(IterationJob, Refusals) {
  const auto sketch_of = [](const std::function<void(Sketch&, int, int)>& close) {
    Sketch sketch;
    const int source = sketch.sequence(1, 3);
    const int round = sketch.node(source, iteration());
    const int text = sketch.node(round, Sketch::python("stream.map", "def f(x):\n  return str(x)\n", "string"));
    sketch.blackhole(text);
    close(sketch, round, text);
    return sketch;
  };
  EXPECT_EQ(refusal(sketch_of([](Sketch&, int, int) {}), host_),
            "nodes[1]: nothing is fed back into iteration 2; lead an edge with \"feedback\" to it");
  EXPECT_EQ(refusal(sketch_of([](Sketch& sketch, int round, int text) { sketch.edge(text, round, back()); }), host_),
            "edges[3]: it feeds back string, and the elements of iteration 2 are int64");
  EXPECT_EQ(refusal(sketch_of([](Sketch& sketch, int round, int text) {
                      sketch.edge(round, round, back());
                      sketch.edge(round, text, back());
                    }),
                    host_),
            "edges[4].to: node 3 is no iteration; edges with \"feedback\" lead into nodes of type \"iteration\"");
  EXPECT_EQ(refusal(sketch_of([](Sketch& sketch, int round, int) { sketch.edge(1, round, back()); }), host_),
            "edges[3].from: node 1 gets nothing of iteration 2; feed back what is made of its elements");
  EXPECT_EQ(
      refusal(sketch_of([](Sketch& sketch, int round, int) { sketch.edge(round, round); }), host_),
      "edges[3]: the edge from 2 to 2 is part of a cycle; only edges with \"feedback\" lead back, into an iteration");
}

}  // namespace
}  // namespace clutch::engine
