// Keyed functions: state, event time and timers, against plain models.
#include <map>
#include <random>

#include "job/job_fixture.h"

namespace clutch::engine {
namespace {

class KeyedJob : public InBothModes {};
CLUTCH_IN_BOTH_MODES(KeyedJob);

constexpr const char* kCount =
    "class Descriptor:\n  name, clutch_types = 'n', ('BIGINT',)\n"
    "class Count:\n"
    "  def open(self, context):\n    self.n = context.get_state(Descriptor)\n"
    "  def process_element(self, value, ctx):\n"
    "    n = (self.n.value() or 0) + 1\n"
    "    self.n.update(n)\n"
    "    yield '%s:%d' % (str(ctx.get_current_key()).replace(chr(39), ''), n)\n";

// Counting by key gives 1, 2, ... for every key, however rows are batched and keys are spread.
TEST_P(KeyedJob, CountsEachKey) {
  std::mt19937 random(17);
  for (const int parallelism : {1, 2, 3}) {
    for (const std::string type : {"int64", "string", "struct<a: int64, b: string>"}) {
      Json values = Json::array();
      std::map<std::string, int> counts;
      std::vector<std::string> expected;
      for (int i = 0; i < 600; ++i) {
        const int key = static_cast<int>(random() % 40);
        values.push_back(key);
        std::string text = std::to_string(key);
        if (type[0] == 's' && type[1] == 't' && type[3] == 'u') text = "Row(a=" + text + ", b=" + text + ")";
        expected.push_back("'" + text + ":" + std::to_string(++counts[text]) + "'");
      }
      Sketch sketch(parallelism);
      sketch.set("clutch.engine.batch-rows", 50);
      const std::string code = type == "int64"    ? "def f(x):\n  return x\n"
                               : type == "string" ? "def f(x):\n  return str(x)\n"
                                                  : "def f(x):\n  return (x, str(x))\n";
      const int source = sketch.values("int64", values);
      const int key = sketch.node(source, Sketch::key_by(code, type), {{"partitioning", "rebalance"}});
      const int out = sketch.collect(sketch.node(key, Sketch::python("stream.keyed_process", kCount, "string")));
      Gathered got = run(sketch, host_);
      ASSERT_TRUE(got.outcome.ok()) << got.outcome.message();
      EXPECT_EQ(got.sorted(out), in_order(expected)) << parallelism << " " << type;
    }
  }
}

constexpr const char* kTimer =
    "class Timer:\n"
    "  def process_element(self, value, ctx):\n"
    "    ctx.timer_service().register_event_time_timer(ctx.timestamp() + 10)\n"
    "    yield 'row %d' % value\n"
    "  def on_timer(self, timestamp, ctx):\n"
    "    yield 'timer %s %d %d' % (ctx.get_current_key(), timestamp, ctx.timer_service().current_watermark() >= "
    "timestamp)\n";

TEST_P(KeyedJob, EventTimeTimersFireAtTheEnd) {
  Sketch sketch(2);
  const int source = sketch.values("int64", {5, 6, 7},
                                   {{"watermarks",
                                     {{"out_of_orderness_ms", 0},
                                      {"code", Sketch::source_code("def f(value, timestamp):\n"
                                                                   "  return value * 1000\n")}}}});
  const int key = sketch.node(source, Sketch::key_by("def f(x):\n  return x\n", "int64"));
  const int out = sketch.collect(sketch.node(key, Sketch::python("stream.keyed_process", kTimer, "string")));
  Gathered got = run(sketch, host_);
  ASSERT_TRUE(got.outcome.ok()) << got.outcome.message();
  EXPECT_EQ(got.sorted(out), in_order({"'row 5' @5000", "'row 6' @6000", "'row 7' @7000", "'timer 5 5010 1' @5010",
                                       "'timer 6 6010 1' @6010", "'timer 7 7010 1' @7010"}));
}

// A timer that registers the next one fires as often as time has come for it, before the watermark passes.
TEST_P(KeyedJob, TimersOfTimers) {
  const char* code =
      "class Chain:\n"
      "  def process_element(self, value, ctx):\n"
      "    ctx.timer_service().register_event_time_timer(1)\n"
      "  def on_timer(self, timestamp, ctx):\n"
      "    yield timestamp\n"
      "    if timestamp < 5:\n      ctx.timer_service().register_event_time_timer(timestamp + 1)\n";
  Sketch sketch;
  const int key = sketch.node(sketch.sequence(1, 1), Sketch::key_by("def f(x):\n  return x\n", "int64"));
  const int out = sketch.collect(sketch.node(key, Sketch::python("stream.keyed_process", code, "int64")));
  Gathered got = run(sketch, host_);
  ASSERT_TRUE(got.outcome.ok()) << got.outcome.message();
  EXPECT_EQ(got.by_node[out], (std::vector<std::string>{"1 @1", "2 @2", "3 @3", "4 @4", "5 @5"}));
}

constexpr const char* kValueIsTime = "def f(value, timestamp):\n  return value\n";

Json value_is_time() {
  return {{"watermarks", {{"out_of_orderness_ms", 0}, {"code", Sketch::source_code(kValueIsTime)}}}};
}

// One source has watermarks and ends, the other has none and does not: time stands still for the function behind both.
TEST_P(KeyedJob, WatermarkIsTheLowestOfTheInputs) {
  const char* code =
      "class Time:\n"
      "  def process_element(self, value, ctx):\n"
      "    if value > 0:\n      yield ctx.timer_service().current_watermark() < 0\n";
  Sketch sketch;
  sketch.set("pipeline.auto-watermark-interval", "1 ms");
  sketch.set("clutch.engine.batch-rows", 10);
  const int ending = sketch.sequence(1, 2000, value_is_time());
  const int endless = sketch.sequence(INT64_MIN, 0);
  const int key = sketch.node(ending, Sketch::key_by("def f(x):\n  return x % 3\n", "int64"));
  const int other = sketch.node(endless, Sketch::key_by("def f(x):\n  return 0\n", "int64"));
  const int process = sketch.node(key, Sketch::python("stream.keyed_process", code, "bool"));
  sketch.edge(other, process);
  sketch.collect(process);
  auto job = *Job::make(sketch.text(), {}, host_);
  ASSERT_TRUE(job->start().ok());
  std::vector<std::string> rows;
  while (rows.size() < 2000) {
    Result<std::optional<Collected>> next = job->collected(kHang);
    ASSERT_TRUE(next.ok() && next->has_value());
    append_rows(**next, rows);
  }
  for (int i = 0; i < 2000; ++i) ASSERT_EQ(rows[static_cast<size_t>(i)].substr(0, 4), "true") << i;
  job->cancel();
  EXPECT_EQ(job->wait(kHang)->code(), CLUTCH_ERR_CANCELLED);
}

// Time passes while the source goes on, through an exchange, and lets timers fire.
TEST_P(KeyedJob, WatermarksPassWhileTheSourceGoesOn) {
  const char* code =
      "class Timer:\n"
      "  def process_element(self, value, ctx):\n"
      "    if value == 7:\n      ctx.timer_service().register_event_time_timer(1000)\n"
      "  def on_timer(self, timestamp, ctx):\n"
      "    yield timestamp\n";
  Sketch sketch(2);
  sketch.set("pipeline.auto-watermark-interval", "1 ms");
  sketch.set("clutch.engine.batch-rows", 100);
  const int source = sketch.sequence(1, INT64_MAX, value_is_time());
  const int key = sketch.node(source, Sketch::key_by("def f(x):\n  return x % 10\n", "int64"));
  sketch.collect(sketch.node(key, Sketch::python("stream.keyed_process", code, "int64")));
  auto job = *Job::make(sketch.text(), {}, host_);
  ASSERT_TRUE(job->start().ok());
  Result<std::optional<Collected>> fired = job->collected(kHang);
  ASSERT_TRUE(fired.ok() && fired->has_value());
  std::vector<std::string> rows;
  append_rows(**fired, rows);
  EXPECT_EQ(rows, std::vector<std::string>{"1000 @1000"});
  job->cancel();
  EXPECT_EQ(job->wait(kHang)->code(), CLUTCH_ERR_CANCELLED);
}

// A batch job has no watermarks but the last: all rows come before any timer.
TEST_P(KeyedJob, BatchModeFiresAtTheEndAlone) {
  Sketch sketch;
  sketch.json()["mode"] = "batch";
  sketch.set("pipeline.auto-watermark-interval", "1 ms");
  sketch.set("clutch.engine.batch-rows", 5);
  const int source = sketch.sequence(1, 500, value_is_time());
  const int key = sketch.node(source, Sketch::key_by("def f(x):\n  return x % 5\n", "int64"));
  const int out = sketch.collect(sketch.node(key, Sketch::python("stream.keyed_process", kTimer, "string")));
  Gathered got = run(sketch, host_);
  ASSERT_TRUE(got.outcome.ok()) << got.outcome.message();
  ASSERT_EQ(got.by_node[out].size(), 1000U);
  for (size_t i = 0; i < 1000; ++i) {
    ASSERT_EQ(got.by_node[out][i].substr(0, 4), i < 500 ? "'row" : "'tim") << i;
  }
}

TEST_P(KeyedJob, ProcessingTimeTimersWakeTheSubtask) {
  const char* code =
      "class Timer:\n"
      "  def process_element(self, value, ctx):\n"
      "    service = ctx.timer_service()\n"
      "    service.register_processing_time_timer(service.current_processing_time() + 30)\n"
      "  def on_timer(self, timestamp, ctx):\n"
      "    yield int(ctx.time_domain())\n";
  Sketch sketch;
  sketch.set("clutch.engine.batch-rows", 1);
  const int source = sketch.values("int64", {1});
  // The second source never ends, so the timer must fire by itself; its elements go to another key.
  const int endless = sketch.sequence(1, INT64_MAX);
  const int nothing = sketch.node(endless, Sketch::python("stream.filter", "def f(x):\n  return False\n", "int64"));
  const int key = sketch.node(source, Sketch::key_by("def f(x):\n  return x\n", "int64"));
  const int none = sketch.node(nothing, Sketch::key_by("def f(x):\n  return x\n", "int64"));
  const int process = sketch.node(key, Sketch::python("stream.keyed_process", code, "int64"));
  sketch.edge(none, process);
  sketch.collect(process);
  auto job = *Job::make(sketch.text(), {}, host_);
  ASSERT_TRUE(job->start().ok());
  Result<std::optional<Collected>> fired = job->collected(kHang);
  ASSERT_TRUE(fired.ok()) << fired.status().message();
  ASSERT_TRUE(fired->has_value());
  std::vector<std::string> rows;
  append_rows(**fired, rows);
  EXPECT_EQ(rows, std::vector<std::string>{"1"});
  job->cancel();
  EXPECT_EQ(job->wait(kHang)->code(), CLUTCH_ERR_CANCELLED);
}

}  // namespace
}  // namespace clutch::engine
