// Snapshots at aligned borders, and functions that move to another mode at one.
#include <thread>

#include "checkpoint/snapshot.h"
#include "job/job_fixture.h"

namespace clutch::engine {
namespace {

class SnapshotJob : public InBothModes {
 protected:
  std::unique_ptr<Job> make(const Sketch& sketch) const {
    Result<std::unique_ptr<Job>> job = Job::make(sketch.text(), {}, host_);
    EXPECT_TRUE(job.ok()) << job.status().message();
    return job.ok() ? std::move(*job) : nullptr;
  }
};
CLUTCH_IN_BOTH_MODES(SnapshotJob);

constexpr std::chrono::milliseconds kTime{60'000};

// Counts by key, and has a timer of each key fire at the end of time.
constexpr const char* kCount =
    "class Descriptor:\n  name, clutch_types = 'n', ('BIGINT',)\n"
    "class Count:\n"
    "  def open(self, context):\n    self.n = context.get_state(Descriptor)\n"
    "  def process_element(self, value, ctx):\n"
    "    self.n.update((self.n.value() or 0) + 1)\n"
    "    ctx.timer_service().register_event_time_timer(1 << 60)\n"
    "    yield 0\n"
    "  def on_timer(self, timestamp, ctx):\n"
    "    yield ctx.get_current_key() * 1000000 + self.n.value()\n";

constexpr int64_t kRows = 12'000;
constexpr int64_t kKeys = 10;

// Numbers, slow enough to be stopped in the middle, counted by key.
Sketch counting(int parallelism, int64_t rows) {
  Sketch sketch(parallelism);
  sketch.set("clutch.engine.batch-rows", 64);
  const int source =
      sketch.node({{"type", "source"},
                   {"name", "numbers"},
                   {"parallelism", 1},
                   {"output", "struct<n: int64>"},
                   {"source",
                    {{"type", "datagen"},
                     {"rows", rows},
                     {"rows_per_second", 40'000},
                     {"fields", Json::array({{{"name", "n"}, {"kind", "sequence"}, {"start", 0}, {"end", rows}}})}}}});
  const int key = sketch.node(source, Sketch::key_by("def f(row):\n  return row.n % 10\n", "int64"));
  const int count = sketch.node(key, Sketch::python("stream.keyed_process", kCount, "int64", {{"uid", "counts"}}));
  sketch.collect(sketch.node(count, Sketch::python("stream.filter", "def f(x):\n  return x != 0\n", "int64")));
  return sketch;
}

std::vector<std::string> counts(int64_t rows) {
  std::vector<std::string> out;
  for (int64_t key = 0; key < kKeys; ++key)
    out.push_back(std::to_string(key * 1'000'000 + rows / kKeys) + " @" + std::to_string(int64_t{1} << 60));
  return in_order(std::move(out));
}

// Waits until the counting has begun.
void wait_for_rows(const Job& job) {
  while (true) {
    int64_t rows = 0;
    for (const OperatorMetrics& of : job.metrics().operators) {
      if (of.name == "stream.keyed_process") rows += of.rows_in;
    }
    if (rows > 1000) return;
    std::this_thread::yield();
  }
}

std::vector<std::string> only_output(Gathered got) {
  EXPECT_TRUE(got.outcome.ok()) << got.outcome.message();
  EXPECT_EQ(got.by_node.size(), 1U);
  return got.by_node.empty() ? std::vector<std::string>() : got.sorted(got.by_node.begin()->first);
}

// A job that is stopped behind a snapshot, and one that goes on from it with another parallelism: together they count
// every row once. The first one, left alone, is not disturbed by its snapshots.
TEST_P(SnapshotJob, AnotherJobGoesOnFromIt) {
  for (const auto& [before, after] : {std::pair(3, 2), std::pair(1, 3)}) {
    const std::unique_ptr<Job> first = make(counting(before, kRows));
    ASSERT_TRUE(first->start().ok());
    wait_for_rows(*first);
    Result<std::string> snapshot = first->snapshot(kTime);
    ASSERT_TRUE(snapshot.ok()) << snapshot.status().message();
    Result<std::string> again = first->snapshot(kTime);
    ASSERT_TRUE(again.ok()) << again.status().message();
    EXPECT_EQ(only_output(gather(*first)), counts(kRows)) << before;

    for (const std::string& bytes : {*snapshot, *again}) {
      const std::unique_ptr<Job> second = make(counting(after, kRows));
      const Status started = second->start(bytes);
      ASSERT_TRUE(started.ok()) << started.message();
      EXPECT_EQ(only_output(gather(*second)), counts(kRows)) << before << " " << after;
    }
  }
}

// State and timers stay with the engine while their function goes from one plugin to the other and back.
TEST_P(SnapshotJob, AFunctionMovesToTheOtherMode) {
  const std::string other = std::string(GetParam()) == "thread" ? "process" : "thread";
  const std::unique_ptr<Job> job = make(counting(2, kRows));
  ASSERT_TRUE(job->start().ok());
  wait_for_rows(*job);
  for (const std::string& mode : {other, std::string(GetParam()), other}) {
    const Status moved = job->move(3, mode, kTime);
    ASSERT_TRUE(moved.ok()) << moved.message();
    for (const OperatorMetrics& of : job->metrics().operators) {
      if (of.node == 3) {
        EXPECT_EQ(of.mode, mode);
      }
    }
  }
  EXPECT_EQ(only_output(gather(*job)), counts(kRows));
}

TEST_P(SnapshotJob, AModeThatDoesNotServeChangesNothing) {
  const std::unique_ptr<Job> job = make(counting(1, kRows));
  ASSERT_TRUE(job->start().ok());
  EXPECT_NE(job->move(3, "nowhere", kTime).message().find("nowhere"), std::string::npos);
  EXPECT_EQ(job->move(1, "thread", kTime).message(),
            "node 1 of job \"test\" has no function that could move to the mode \"thread\"");
  EXPECT_EQ(only_output(gather(*job)), counts(kRows));
}

TEST_P(SnapshotJob, WhatCannotBeKeptIsRefusedAndTheJobGoesOn) {
  Sketch sketch;
  const int source = sketch.node(
      {{"type", "source"},
       {"name", "numbers"},
       {"output", "struct<n: int64>"},
       {"source",
        {{"type", "datagen"},
         {"rows", 2000},
         {"rows_per_second", 4'000},
         {"fields", Json::array({{{"name", "n"}, {"kind", "sequence"}, {"start", 0}, {"end", 1 << 20}}})}}}});
  const int key = sketch.node(source, Sketch::key_by("def f(row):\n  return 0\n", "int64"));
  const int last = sketch.node(key, {{"type", "window"},
                                     {"name", "last"},
                                     {"function", "reduce"},
                                     {"code", Sketch::source_code("def f(a, b):\n  return b\n")},
                                     {"output", "struct<n: int64>"},
                                     {"assigner", {{"type", "count"}, {"size", 1000}, {"slide", 1000}}},
                                     {"trigger", {{"type", "count"}, {"count", 1000}, {"purging", true}}}});
  const int out = sketch.collect(last);
  const std::unique_ptr<Job> job = make(sketch);
  ASSERT_NE(job, nullptr);
  EXPECT_EQ(job->snapshot(kTime).status().message(), "job \"test\" does not run; start it first");
  ASSERT_TRUE(job->start().ok());
  EXPECT_EQ(job->snapshot(kTime).status().message(),
            "operator \"last\": it has no snapshots yet; leave it out of jobs that need one");
  Gathered got = gather(*job);
  EXPECT_TRUE(got.outcome.ok()) << got.outcome.message();
  EXPECT_EQ(got.by_node[out].size(), 2U);
  EXPECT_EQ(
      job->snapshot(kTime).status().message().find("there is no snapshot of a job of which a part has ended, and "),
      0U);
}

TEST_P(SnapshotJob, BytesThatDoNotFitAreRefused) {
  const auto refused = [this](const Sketch& sketch, const std::string& bytes) {
    const std::unique_ptr<Job> job = make(sketch);
    return std::string(job->start(bytes).message());
  };
  EXPECT_NE(refused(counting(1, 10), "no snapshot").find("its version is not 1"), std::string::npos);
  Snapshot other;
  other.max_parallelism = 64;
  EXPECT_EQ(refused(counting(1, 10), other.encode()),
            "the snapshot was taken with max_parallelism 64, and the job has 128; key groups cannot change");
  Snapshot strange;
  strange.parts.push_back({"sums", 0, 1, "x"});
  EXPECT_EQ(refused(counting(1, 10), strange.encode()),
            "the snapshot has a part of \"sums\", and the job has no such operator; give nodes the uid or id they had");
  Snapshot moved;
  moved.parts.push_back({"node 1", 0, 4, "x"});
  EXPECT_EQ(refused(counting(1, 10), moved.encode()),
            "source \"numbers\": its positions in the snapshot are those of 4 subtasks, and it has 1 now; give it the "
            "parallelism it had");
  Snapshot cut;
  cut.parts.push_back({"counts", 0, 1, "\x05x"});
  EXPECT_NE(refused(counting(1, 10), cut.encode()).find("operator \"stream.keyed_process\": "), std::string::npos);
}

TEST(Snapshot, BytesComeBackAsTheyWere) {
  Snapshot snapshot;
  snapshot.max_parallelism = 7;
  snapshot.parts = {{"b", 1, 2, std::string("\0x", 2)}, {"a", 0, 1, ""}, {"b", 0, 2, "y"}};
  const std::string bytes = snapshot.encode();
  const Result<Snapshot> read = Snapshot::decode(bytes);
  ASSERT_TRUE(read.ok()) << read.status().message();
  EXPECT_EQ(read->encode(), bytes);
  EXPECT_EQ(read->named("b").size(), 2U);
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_EQ(Snapshot::decode(std::string_view(bytes).substr(0, size)).status().code(), CLUTCH_ERR_DATA) << size;
  }
  EXPECT_EQ(Snapshot::decode(bytes + "z").status().code(), CLUTCH_ERR_DATA);
}

}  // namespace
}  // namespace clutch::engine
