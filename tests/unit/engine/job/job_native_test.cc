// Jobs without Python: sources, exchanges, sinks.
#include <algorithm>
#include <set>

#include "job/job_fixture.h"

namespace clutch::engine {
namespace {

class NativeJob : public testing::Test {
 protected:
  const Host host_{host_settings("thread")};
};

std::vector<std::string> numbers(int64_t first, int64_t last) {
  std::vector<std::string> out;
  for (int64_t i = first; i <= last; ++i) out.push_back(std::to_string(i));
  return out;
}

TEST_F(NativeJob, SequenceArrivesInOrder) {
  Sketch sketch;
  const int out = sketch.collect(sketch.sequence(-3, 10'000));
  Gathered got = run(sketch, host_);
  ASSERT_TRUE(got.outcome.ok()) << got.outcome.message();
  EXPECT_EQ(got.by_node[out], numbers(-3, 10'000));
}

TEST_F(NativeJob, EmptySequenceEnds) {
  Sketch sketch;
  const int out = sketch.collect(sketch.sequence(1, 0));
  Gathered got = run(sketch, host_);
  EXPECT_TRUE(got.outcome.ok()) << got.outcome.message();
  EXPECT_TRUE(got.by_node[out].empty());
}

// Every partitioning between every pair of parallelisms keeps each element exactly once, or once a receiver.
TEST_F(NativeJob, PartitioningsKeepEachElement) {
  for (const std::string partitioning : {"rebalance", "rescale", "shuffle", "broadcast", "global", "forward"}) {
    for (const int senders : {1, 2, 3}) {
      for (const int receivers : {1, 2, 4}) {
        if (partitioning == "forward" && senders != receivers) continue;
        Sketch sketch;
        sketch.set("clutch.engine.batch-rows", 16);
        const int source = sketch.sequence(1, 1000, {{"parallelism", senders}});
        const int out = sketch.collect(source, {{"parallelism", receivers}}, {{"partitioning", partitioning}});
        Gathered got = run(sketch, host_);
        ASSERT_TRUE(got.outcome.ok()) << got.outcome.message();
        std::vector<std::string> expected;
        for (int copy = 0; copy < (partitioning == "broadcast" ? receivers : 1); ++copy) {
          for (std::string& number : numbers(1, 1000)) expected.push_back(std::move(number));
        }
        EXPECT_EQ(got.sorted(out), in_order(expected)) << partitioning << " " << senders << " -> " << receivers;
      }
    }
  }
}

TEST_F(NativeJob, UnionOfSources) {
  Sketch sketch;
  const int out = sketch.collect(sketch.sequence(1, 500));
  sketch.edge(sketch.sequence(501, 900), out);
  sketch.edge(sketch.values("int64", {901, 902}), out);
  Gathered got = run(sketch, host_);
  ASSERT_TRUE(got.outcome.ok()) << got.outcome.message();
  EXPECT_EQ(got.sorted(out), in_order(numbers(1, 902)));
}

TEST_F(NativeJob, OneSourceFeedsSeveralSinks) {
  Sketch sketch;
  const int source = sketch.sequence(1, 300);
  const int chained = sketch.collect(source);
  const int apart = sketch.collect(source, {{"chain", "never"}});
  const int wide = sketch.collect(source, {{"parallelism", 2}});
  Gathered got = run(sketch, host_);
  ASSERT_TRUE(got.outcome.ok()) << got.outcome.message();
  for (const int sink : {chained, apart, wide}) EXPECT_EQ(got.sorted(sink), in_order(numbers(1, 300)));
}

TEST_F(NativeJob, ValuesOfManyTypes) {
  Sketch sketch;
  const int out = sketch.collect(sketch.values("struct<a: int64, b: list<string>, c: map<string, float64>>",
                                               {{{"a", 1}, {"b", {"x", nullptr}}, {"c", {{"k", 0.5}}}},
                                                nullptr,
                                                Json::array({nullptr, Json::array(), nullptr})}));
  Gathered got = run(sketch, host_);
  ASSERT_TRUE(got.outcome.ok()) << got.outcome.message();
  EXPECT_EQ(got.by_node[out], (std::vector<std::string>{"{'a': 1, 'b': ['x', null], 'c': {'k': 0.5}}", "null",
                                                        "{'a': null, 'b': [], 'c': null}"}));
}

TEST_F(NativeJob, MetricsCountRows) {
  Sketch sketch;
  const int source = sketch.sequence(1, 1000, {{"parallelism", 2}});
  const int sink = sketch.blackhole(source, {{"parallelism", 2}, {"chain", "never"}});
  auto job = *Job::make(sketch.text(), {}, host_);
  ASSERT_TRUE(job->start().ok());
  ASSERT_TRUE(job->wait(kHang)->ok());
  int64_t in = 0;
  int64_t out = 0;
  std::set<int32_t> subtasks;
  for (const OperatorMetrics& of : job->metrics().operators) {
    if (of.node == source) out += of.rows_out;
    if (of.node == sink) in += of.rows_in;
    subtasks.insert(of.subtask);
    if (of.node == source) {
      EXPECT_EQ(of.watermark, INT64_MAX);
    }
  }
  EXPECT_EQ(out, 1000);
  EXPECT_EQ(in, 1000);
  EXPECT_EQ(subtasks, (std::set<int32_t>{0, 1}));
}

// Nobody takes: what is between source and sink is bounded, so the source stops early.
TEST_F(NativeJob, ElementsThatNobodyTakesHoldTheSourceUp) {
  Sketch sketch;
  sketch.set("clutch.engine.channel-bytes", 64 * 1024);
  sketch.set("clutch.engine.batch-rows", 256);
  const int source = sketch.sequence(1, INT64_MAX);
  sketch.collect(source, {{"chain", "never"}});
  auto job = *Job::make(sketch.text(), {}, host_);
  ASSERT_TRUE(job->start().ok());
  const auto given = [&] {
    for (const OperatorMetrics& of : job->metrics().operators) {
      if (of.node == source) return of.rows_out;
    }
    return int64_t{-1};
  };
  // 64 KiB in the channel and 64 KiB in the queue are 8192 rows of 8 bytes each at most; the rest is at hand.
  int64_t before = -1;
  while (given() != before || before < 4096) {
    before = given();
    EXPECT_FALSE(job->wait(std::chrono::milliseconds(50)).has_value());
  }
  EXPECT_LE(before, 2 * 8192 + 4 * 256);
  job->cancel();
  EXPECT_EQ(job->wait(kHang)->code(), CLUTCH_ERR_CANCELLED);
}

TEST_F(NativeJob, CancelEndsAnEndlessJob) {
  Sketch sketch(2);
  const int out = sketch.collect(sketch.sequence(1, INT64_MAX));
  auto job = *Job::make(sketch.text(), {}, host_);
  ASSERT_TRUE(job->start().ok());
  Result<std::optional<Collected>> first = job->collected(kHang);
  ASSERT_TRUE(first.ok() && first->has_value());
  EXPECT_EQ((*first)->node, out);
  job->cancel();
  const std::optional<Status> outcome = job->wait(kHang);
  ASSERT_TRUE(outcome.has_value());
  EXPECT_EQ(outcome->code(), CLUTCH_ERR_CANCELLED);
  EXPECT_EQ(outcome->message(), "the job was cancelled");
  while (true) {
    Result<std::optional<Collected>> rest = job->collected(kHang);
    if (rest.ok()) continue;  // what arrived before
    EXPECT_EQ(rest.status().code(), CLUTCH_ERR_CANCELLED);
    break;
  }
}

TEST_F(NativeJob, DestroyedWhileItRuns) {
  Sketch sketch(2);
  sketch.collect(sketch.sequence(1, INT64_MAX));
  auto job = *Job::make(sketch.text(), {}, host_);
  ASSERT_TRUE(job->start().ok());
  ASSERT_TRUE(job->collected(kHang).ok());
  job.reset();  // returns: that is the test
}

TEST_F(NativeJob, CallsInTheWrongOrder) {
  Sketch sketch;
  sketch.blackhole(sketch.sequence(1, 3));
  auto job = *Job::make(sketch.text(), {}, host_);
  EXPECT_EQ(job->wait(kHang)->message(), "job \"test\" does not run; start it first");
  EXPECT_EQ(job->collected(kHang).status().message(), "job \"test\" does not run; start it first");
  ASSERT_TRUE(job->start().ok());
  EXPECT_EQ(job->start().message(), "job \"test\" was started before; make it again");
  EXPECT_TRUE(job->wait(kHang)->ok());
}

}  // namespace
}  // namespace clutch::engine
