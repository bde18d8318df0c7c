// Snapshots at aligned borders, and functions that move to another mode at one.
#include <thread>
#include <tuple>

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
  std::vector<std::string> goes_on(int parallelism, const std::string& snapshot) const;
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

constexpr int64_t kRows = 60'000;
constexpr int64_t kKeys = 10;
constexpr int64_t kSlow = 2'000;  // a second: such a job runs for half a minute, and is cancelled

Json made_numbers(int64_t rows, std::optional<int64_t> rows_per_second) {
  Json source = {{"type", "datagen"},
                 {"rows", rows},
                 {"fields", Json::array({{{"name", "n"}, {"kind", "sequence"}, {"start", 0}, {"end", rows}}})}};
  if (rows_per_second.has_value()) source["rows_per_second"] = *rows_per_second;
  return {{"type", "source"},
          {"name", "numbers"},
          {"parallelism", 1},
          {"output", "struct<n: int64>"},
          {"source", std::move(source)}};
}

// Numbers, counted by key.
Sketch counting(int parallelism, std::optional<int64_t> rows_per_second = std::nullopt) {
  Sketch sketch(parallelism);
  sketch.set("clutch.engine.batch-rows", 64);
  const int source = sketch.node(made_numbers(kRows, rows_per_second));
  const int key = sketch.node(source, Sketch::key_by("def f(row):\n  return row.n % 10\n", "int64"));
  const int count = sketch.node(key, Sketch::python("stream.keyed_process", kCount, "int64", {{"uid", "counts"}}));
  sketch.collect(sketch.node(count, Sketch::python("stream.filter", "def f(x):\n  return x != 0\n", "int64")));
  return sketch;
}

std::vector<std::string> counts() {
  std::vector<std::string> out;
  for (int64_t key = 0; key < kKeys; ++key)
    out.push_back(std::to_string(key * 1'000'000 + kRows / kKeys) + " @" + std::to_string(int64_t{1} << 60));
  return in_order(std::move(out));
}

// Waits until an operator has got so many rows.
void wait_for_rows(const Job& job, const std::string& name, int64_t wanted) {
  for (int64_t rows = 0; rows < wanted; std::this_thread::yield()) {
    rows = 0;
    for (const OperatorMetrics& of : job.metrics().operators) {
      if (of.name == name) rows += of.rows_in;
    }
  }
}

// What the rest of the counting gives, from a snapshot and as fast as it can.
std::vector<std::string> SnapshotJob::goes_on(int parallelism, const std::string& snapshot) const {
  const std::unique_ptr<Job> job = make(counting(parallelism));
  const Status started = job->start(snapshot);
  EXPECT_TRUE(started.ok()) << started.message();
  if (!started.ok()) return {};
  Gathered got = gather(*job);
  EXPECT_TRUE(got.outcome.ok()) << got.outcome.message();
  return got.by_node.empty() ? std::vector<std::string>() : got.sorted(got.by_node.begin()->first);
}

// A job that is stopped behind a snapshot, and one that goes on from it with another parallelism: together they count
// every row once.
TEST_P(SnapshotJob, AnotherJobGoesOnFromIt) {
  for (const auto& [before, after] : {std::pair(3, 2), std::pair(1, 3)}) {
    const std::unique_ptr<Job> first = make(counting(before, kSlow));
    ASSERT_TRUE(first->start().ok());
    wait_for_rows(*first, "stream.keyed_process", 500);
    Result<std::string> snapshot = first->snapshot(kTime);
    ASSERT_TRUE(snapshot.ok()) << snapshot.status().message();
    Result<std::string> again = first->snapshot(kTime);
    ASSERT_TRUE(again.ok()) << again.status().message();
    first->cancel();
    EXPECT_EQ(gather(*first).outcome.code(), CLUTCH_ERR_CANCELLED);
    for (const std::string& bytes : {*snapshot, *again}) EXPECT_EQ(goes_on(after, bytes), counts()) << before;
  }
}

// State and timers stay with the engine while their function goes from one plugin to the other and back.
TEST_P(SnapshotJob, AFunctionMovesToTheOtherMode) {
  const std::string other = std::string(GetParam()) == "thread" ? "process" : "thread";
  const std::unique_ptr<Job> job = make(counting(2, kSlow));
  ASSERT_TRUE(job->start().ok());
  int64_t rows = 0;
  for (const std::string& mode : {other, std::string(GetParam()), other}) {
    wait_for_rows(*job, "stream.keyed_process", rows += 200);
    const Status moved = job->move(3, mode, kTime);
    ASSERT_TRUE(moved.ok()) << moved.message();
    for (const OperatorMetrics& of : job->metrics().operators) {
      if (of.node == 3) {
        EXPECT_EQ(of.mode, mode);
      }
    }
  }
  const Result<std::string> snapshot = job->snapshot(kTime);
  ASSERT_TRUE(snapshot.ok()) << snapshot.status().message();
  job->cancel();
  EXPECT_EQ(goes_on(1, *snapshot), counts());
}

TEST_P(SnapshotJob, AModeThatDoesNotServeChangesNothing) {
  const std::unique_ptr<Job> job = make(counting(1, kSlow));
  ASSERT_TRUE(job->start().ok());
  EXPECT_NE(job->move(3, "nowhere", kTime).message().find("nowhere"), std::string::npos);
  EXPECT_EQ(job->move(1, "thread", kTime).message(),
            "node 1 of job \"test\" has no function that could move to the mode \"thread\"");
  wait_for_rows(*job, "stream.keyed_process", 200);
  const Result<std::string> snapshot = job->snapshot(kTime);
  ASSERT_TRUE(snapshot.ok()) << snapshot.status().message();
  job->cancel();
  EXPECT_EQ(gather(*job).outcome.code(), CLUTCH_ERR_CANCELLED);
  EXPECT_NE(job->move(3, "thread", kTime).message().find("has ended, so node 3 cannot move to the mode \"thread\""),
            std::string::npos);
  EXPECT_EQ(goes_on(1, *snapshot), counts());
}

// Numbers, of which the last of each thousand is given.
Sketch thousands(const char* function, int64_t size) {
  Sketch sketch;
  const int source = sketch.node(made_numbers(kRows, kSlow));
  const int key = sketch.node(source, Sketch::key_by("def f(row):\n  return 0\n", "int64"));
  sketch.collect(sketch.node(key, {{"type", "window"},
                                   {"name", "last"},
                                   {"uid", "last"},
                                   {"function", function},
                                   {"code", Sketch::source_code("def f(a, b):\n  return b\n")},
                                   {"output", "struct<n: int64>"},
                                   {"assigner", {{"type", "count"}, {"size", size}, {"slide", size}}},
                                   {"trigger", {{"type", "count"}, {"count", size}, {"purging", true}}}}));
  return sketch;
}

// Numbers joined with themselves within some milliseconds.
Sketch joined(int64_t upper) {
  Sketch sketch;
  Json made = made_numbers(kRows, kSlow);
  made["watermarks"] = {{"out_of_orderness_ms", 0},
                        {"code", Sketch::source_code("def f(row, timestamp):\n  return row.n\n")}};
  const int source = sketch.node(made);
  const int left = sketch.node(source, Sketch::key_by("def f(row):\n  return row.n % 3\n", "int64"));
  const int right = sketch.node(source, Sketch::key_by("def f(row):\n  return row.n % 3\n", "int64"));
  const int join =
      sketch.node({{"type", "interval_join"},
                   {"name", "pairs"},
                   {"uid", "pairs"},
                   {"lower_ms", 0},
                   {"upper_ms", upper},
                   {"code", Sketch::source_code("class Pairs:\n  def process_element(self, left, right, ctx):\n"
                                                "    yield right.n - left.n\n")},
                   {"output", "int64"}});
  sketch.edge(left, join, {{"input", 0}});
  sketch.edge(right, join, {{"input", 1}});
  sketch.collect(join);
  return sketch;
}

TEST_P(SnapshotJob, WindowsAndJoinsThatWereOthersAreRefused) {
  const auto snapshot_of = [this](const Sketch& sketch, const std::string& name) {
    const std::unique_ptr<Job> job = make(sketch);
    EXPECT_TRUE(job->start().ok());
    wait_for_rows(*job, name, 100);
    Result<std::string> snapshot = job->snapshot(kTime);
    EXPECT_TRUE(snapshot.ok()) << snapshot.status().message();
    job->cancel();
    return snapshot.ok() ? *snapshot : std::string();
  };
  const auto said = [this](const Sketch& sketch, const std::string& bytes) {
    const std::unique_ptr<Job> job = make(sketch);
    const Status started = job->start(bytes);
    if (started.ok()) job->cancel();
    return std::string(started.message());
  };
  const std::string windows = snapshot_of(thousands("reduce", 1000), "last");
  EXPECT_EQ(said(thousands("reduce", 1000), windows), "");
  EXPECT_EQ(
      said(thousands("reduce", 10), windows),
      "operator \"last\": the snapshot holds windows of 1000 records every 1000 that fire at every 1000 records and "
      "are emptied then, kept for 0 ms more, folding struct<n: int64>, and it is windows of 10 records every 10 that "
      "fire at every 10 records and are emptied then, kept for 0 ms more, folding struct<n: int64> now; leave it as "
      "it was, or give it another uid and begin with a job that has no such part");
  const std::string pairs = snapshot_of(joined(5), "pairs");
  EXPECT_EQ(said(joined(5), pairs), "");
  EXPECT_EQ(
      said(joined(6), pairs),
      "operator \"pairs\": the snapshot holds rows of an interval join of left struct<n: int64> and right struct<n: "
      "int64>, 0 ms to 5 ms behind the left, and it is rows of an interval join of left struct<n: int64> and right "
      "struct<n: int64>, 0 ms to 6 ms behind the left now; leave it as it was, or give it another uid and begin with "
      "a job that has no such part");
  // Bytes that are cut or changed anywhere are a sentence, or those of another stream.
  for (const auto& [sketch, bytes, name] :
       {std::tuple(thousands("reduce", 1000), windows, "last"), std::tuple(joined(5), pairs, "pairs")}) {
    const Result<Snapshot> whole = Snapshot::decode(bytes);
    ASSERT_TRUE(whole.ok()) << whole.status().message();
    for (const bool cut : {true, false}) {
      Snapshot damaged = *whole;
      for (SnapshotPart& part : damaged.parts) {
        if (part.name != name) continue;
        if (cut) part.bytes.resize(part.bytes.size() / 2);
        if (!cut) part.bytes[0] = 9;
      }
      const std::string sentence = said(sketch, damaged.encode());
      EXPECT_EQ(sentence.find("operator \"" + std::string(name) + "\": the snapshot of a key group cannot be read: " +
                              (cut ? "it ends too early" : "its version is not 1")),
                0U)
          << sentence;
    }
  }
}

TEST_P(SnapshotJob, WhatCannotBeKeptIsRefusedAndTheJobGoesOn) {
  Sketch sketch;
  const int source = sketch.node(made_numbers(kRows, kSlow));
  const int round = sketch.node(source, {{"type", "iteration"}, {"name", "round"}});
  const int none =
      sketch.node(round, Sketch::python("stream.filter", "def f(row):\n  return False\n", "struct<n: int64>"));
  sketch.edge(none, round, {{"feedback", true}});
  sketch.collect(round);
  const std::unique_ptr<Job> job = make(sketch);
  ASSERT_NE(job, nullptr);
  EXPECT_EQ(job->snapshot(kTime).status().message(), "job \"test\" does not run; start it first");
  ASSERT_TRUE(job->start().ok());
  EXPECT_EQ(job->snapshot(kTime).status().message(),
            "there is no snapshot of a job with an iteration, since elements go round at every border");
  wait_for_rows(*job, "stream.filter", 500);
  job->cancel();
  EXPECT_EQ(gather(*job).outcome.code(), CLUTCH_ERR_CANCELLED);
}

TEST_P(SnapshotJob, ThereIsNoneOfAJobThatHasEnded) {
  const std::unique_ptr<Job> job = make(thousands("reduce", 1000));
  ASSERT_TRUE(job->start().ok());
  wait_for_rows(*job, "last", 500);
  job->cancel();
  EXPECT_EQ(gather(*job).outcome.code(), CLUTCH_ERR_CANCELLED);
  EXPECT_EQ(
      job->snapshot(kTime).status().message().find("there is no snapshot of a job of which a part has ended, and "),
      0U);
}

TEST_P(SnapshotJob, BytesThatDoNotFitAreRefused) {
  const auto refused = [this](const Sketch& sketch, const std::string& bytes) {
    const std::unique_ptr<Job> job = make(sketch);
    return std::string(job->start(bytes).message());
  };
  EXPECT_NE(refused(counting(1), "no snapshot").find("its version is not 1"), std::string::npos);
  Snapshot other;
  other.max_parallelism = 64;
  EXPECT_EQ(refused(counting(1), other.encode()),
            "the snapshot was taken with max_parallelism 64, and the job has 128; key groups cannot change");
  Snapshot strange;
  strange.parts.push_back({"sums", 0, 1, "x"});
  EXPECT_EQ(refused(counting(1), strange.encode()),
            "the snapshot has a part of \"sums\", and the job has no such operator; give nodes the uid or id they had");
  Snapshot moved;
  moved.parts.push_back({"node 1", 0, 4, "x"});
  EXPECT_EQ(refused(counting(1), moved.encode()),
            "source \"numbers\": its positions in the snapshot are those of 4 subtasks, and it has 1 now; give it the "
            "parallelism it had");
  Snapshot cut;
  cut.parts.push_back({"counts", 0, 1, "\x05x"});
  EXPECT_NE(refused(counting(1), cut.encode()).find("operator \"stream.keyed_process\": "), std::string::npos);
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
