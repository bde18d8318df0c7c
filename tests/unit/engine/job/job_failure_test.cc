// How jobs end when something goes wrong.
#include <thread>

#include "job/job_fixture.h"

namespace clutch::engine {
namespace {

class FailingJob : public InBothModes {};
CLUTCH_IN_BOTH_MODES(FailingJob);

TEST_P(FailingJob, NamesOperatorRowAndTraceback) {
  Sketch sketch;
  const int map = sketch.node(
      sketch.sequence(1, INT64_MAX),
      Sketch::python("stream.map", "def f(x):\n  return 1 // (x - 100_000)\n", "int64", {{"name", "divide"}}));
  sketch.blackhole(map);
  const Gathered got = run(sketch, host_);
  EXPECT_EQ(got.outcome.code(), CLUTCH_ERR_USER);
  EXPECT_EQ(std::string(got.outcome.message()).find("operator \"divide\": "), 0U) << got.outcome.message();
  EXPECT_EQ(got.outcome.detail("operator"), "divide");
  EXPECT_EQ(got.outcome.detail("node"), std::to_string(map));
  EXPECT_EQ(got.outcome.detail("subtask"), "0");
  EXPECT_EQ(got.outcome.detail(CLUTCH_DETAIL_EXCEPTION_TYPE), "ZeroDivisionError");
  EXPECT_FALSE(got.outcome.detail(CLUTCH_DETAIL_ROW).empty());
  EXPECT_NE(got.outcome.detail(CLUTCH_DETAIL_TRACEBACK).find("in f"), std::string_view::npos);
}

// One operator fails while others are busy, blocked or waiting: all end.
TEST_P(FailingJob, EndsTheOthers) {
  Sketch sketch(2);
  sketch.set("clutch.engine.channel-bytes", 4096);
  const int source = sketch.sequence(1, INT64_MAX);
  const int key = sketch.node(source, Sketch::key_by("def f(x):\n  return x % 10\n", "int64"));
  const int map = sketch.node(
      key, Sketch::python("stream.map", "def f(x):\n  if x > 5000:\n    raise KeyError(x)\n  return x\n", "int64"));
  sketch.collect(map);  // nobody takes
  sketch.blackhole(source, {{"chain", "never"}});
  auto job = *Job::make(sketch.text(), {}, host_);
  ASSERT_TRUE(job->start().ok());
  std::vector<std::string> rows;
  while (true) {
    Result<std::optional<Collected>> next = job->collected(kHang);
    if (!next.ok()) {
      EXPECT_EQ(next.status().code(), CLUTCH_ERR_USER);
      break;
    }
    ASSERT_TRUE(next->has_value());
  }
  EXPECT_EQ(job->wait(kHang)->detail(CLUTCH_DETAIL_EXCEPTION_TYPE), "KeyError");
}

TEST_P(FailingJob, FunctionThatDoesNotOpenLeavesNothing) {
  Sketch sketch(2);
  const int good =
      sketch.node(sketch.sequence(1, 10), Sketch::python("stream.map", "def f(x):\n  return x\n", "int64"));
  sketch.blackhole(sketch.node(good, Sketch::python("stream.process",
                                                    "class F:\n  def open(self, c):\n    raise OSError('no disk')\n"
                                                    "  def process_element(self, x, ctx):\n    yield x\n",
                                                    "int64", {{"name", "opens"}})));
  auto job = *Job::make(sketch.text(), {}, host_);
  const Status status = job->start();
  EXPECT_EQ(status.code(), CLUTCH_ERR_FUNCTION);
  EXPECT_EQ(std::string(status.message()).find("operator \"opens\": "), 0U) << status.message();
  EXPECT_NE(std::string(status.message()).find("no disk"), std::string::npos) << status.message();
  EXPECT_TRUE(job->metrics().operators.empty());
}

TEST_P(FailingJob, CloseThatRaisesIsTold) {
  Sketch sketch;
  sketch.blackhole(
      sketch.node(sketch.sequence(1, 10), Sketch::python("stream.map",
                                                         "class F:\n  def map(self, x):\n    return x\n"
                                                         "  def close(self):\n    raise OSError('left open')\n",
                                                         "int64", {{"name", "closes"}})));
  const Gathered got = run(sketch, host_);
  EXPECT_NE(std::string(got.outcome.message()).find("left open"), std::string::npos) << got.outcome.message();
}

// A call that would take for ever is interrupted.
TEST_P(FailingJob, CancelInterruptsPython) {
  Sketch sketch;
  sketch.set("clutch.engine.batch-rows", 1);
  const int map =
      sketch.node(sketch.sequence(1, INT64_MAX),
                  Sketch::python("stream.map", "def f(x):\n  while x == 3:\n    pass\n  return x\n", "int64"));
  const int out = sketch.collect(map);
  auto job = *Job::make(sketch.text(), {}, host_);
  ASSERT_TRUE(job->start().ok());
  std::vector<std::string> rows;
  while (rows.size() < 2) {
    Result<std::optional<Collected>> next = job->collected(kHang);
    ASSERT_TRUE(next.ok() && next->has_value());
    EXPECT_EQ((*next)->node, out);
    append_rows(**next, rows);
  }
  EXPECT_EQ(rows, (std::vector<std::string>{"1", "2"}));
  job->cancel();
  const std::optional<Status> outcome = job->wait(kHang);
  ASSERT_TRUE(outcome.has_value());
  EXPECT_EQ(outcome->code(), CLUTCH_ERR_CANCELLED) << outcome->message();
}

TEST_P(FailingJob, MetricsWhileItRuns) {
  Sketch sketch(2);
  sketch.blackhole(
      sketch.node(sketch.sequence(1, INT64_MAX), Sketch::python("stream.map", "def f(x):\n  return x\n", "int64")));
  auto job = *Job::make(sketch.text(), {}, host_);
  ASSERT_TRUE(job->start().ok());
  int64_t rows = 0;
  while (rows < 20'000) {
    rows = 0;
    for (const OperatorMetrics& of : job->metrics().operators) rows += of.rows_in;
    ASSERT_FALSE(job->wait(std::chrono::milliseconds(1)).has_value());
  }
  job->cancel();
  EXPECT_EQ(job->wait(kHang)->code(), CLUTCH_ERR_CANCELLED);
}

}  // namespace
}  // namespace clutch::engine
