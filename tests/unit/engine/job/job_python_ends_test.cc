// Jobs with sources and sinks in Python, by what the engine says to their functions.
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>

#include "job/job_fixture.h"
#include "source/python/python_source.h"
#include "source/python/ticket.h"

namespace clutch::engine {
namespace {

namespace fs = std::filesystem;

// Gives the numbers below 2500 of its subtask, and knows where it is.
constexpr const char* kCounting = R"(
class Counting:
  def open(self, context):
    self.index = context.get_index_of_this_subtask()
    self.count = context.get_number_of_parallel_subtasks()
    self.given = 0
  def flat_map(self, ticket):
    if ticket.given != self.given:
      assert self.given == 0
      self.given = int(ticket.position)
    for number in range(self.given, min(self.given + ticket.most, 2500)):
      self.given += 1
      yield number * self.count + self.index, number if number % 2 else None, None
    yield None, None, (self.given == 2500, b"%d" % self.given)
)";

// Writes a line for each call.
constexpr const char* kWriting = R"(
class Writing:
  def open(self, context):
    self.given = 0
    self.say('open')
  def say(self, text):
    with open('PATH', 'a') as file:
      file.write(text + '\n')
  def process_element1(self, value, ctx):
    self.given += 1
    self.say('%r at %r' % (100 // value, ctx.timestamp()))
  def process_element2(self, control, ctx):
    assert control.given == self.given
    if control.flush:
      self.say('flush')
  def close(self):
    self.say('close')
)";

class PythonEnds : public InBothModes {
 protected:
  PythonEnds() {
    static std::atomic<int> number = 0;
    folder_ = fs::temp_directory_path() /
              ("clutch_python_ends_" + std::to_string(getpid()) + "_" + std::to_string(number.fetch_add(1)));
    fs::create_directories(folder_);
  }
  ~PythonEnds() override { fs::remove_all(folder_); }

  // The text with the path of a file of this test in the place of PATH.
  std::string with_path(std::string text) const {
    const size_t at = text.find("PATH");
    return at == std::string::npos ? text : text.replace(at, 4, path());
  }
  std::string path() const { return (folder_ / "file").string(); }
  std::vector<std::string> lines() const {
    std::vector<std::string> out;
    std::ifstream file(path());
    for (std::string line; std::getline(file, line);) out.push_back(line);
    return out;
  }

  static Json source(const std::string& text, const std::string& output = "int64", Json more = Json::object()) {
    Json json = {{"type", "source"},
                 {"name", "made"},
                 {"output", output},
                 {"source", {{"type", "python"}, {"code", Sketch::source_code(text)}}}};
    json.update(more);
    return json;
  }
  static Json sink(const std::string& text, Json more = Json::object()) {
    Json json = {
        {"type", "sink"}, {"name", "kept"}, {"sink", {{"type", "python"}, {"code", Sketch::source_code(text)}}}};
    json.update(more);
    return json;
  }
  // How a job ends that only reads such a source.
  Status outcome_of(const std::string& text) {
    Sketch sketch;
    sketch.collect(sketch.node(source(text)));
    return run(sketch, host_).outcome;
  }

 private:
  fs::path folder_;
};
CLUTCH_IN_BOTH_MODES(PythonEnds);

TEST_P(PythonEnds, ElementsInTheirOrder) {
  Sketch sketch;
  sketch.set("clutch.engine.batch-rows", 100);
  const int out = sketch.collect(sketch.node(source(kCounting)));
  Gathered got = run(sketch, host_);
  ASSERT_TRUE(got.outcome.ok()) << got.outcome.message();
  std::vector<std::string> expected;
  for (int i = 0; i < 2500; ++i) {
    expected.push_back(std::to_string(i) + (i % 2 == 1 ? " @" + std::to_string(i) : ""));
  }
  EXPECT_EQ(got.by_node[out], expected);
}

TEST_P(PythonEnds, SubtasksKnowWhichTheyAre) {
  Sketch sketch(3);
  const int out = sketch.collect(sketch.node(source(kCounting)));
  Gathered got = run(sketch, host_);
  ASSERT_TRUE(got.outcome.ok()) << got.outcome.message();
  std::vector<std::string> expected;
  for (int i = 0; i < 7500; ++i) {
    expected.push_back(std::to_string(i) + (i / 3 % 2 == 1 ? " @" + std::to_string(i / 3) : ""));
  }
  EXPECT_EQ(got.sorted(out), in_order(expected));
}

TEST_P(PythonEnds, PlanAndMetricsNameThePlugin) {
  Sketch sketch;
  sketch.node(sketch.node(source(kCounting)), sink(with_path(kWriting)));
  auto job = *Job::make(sketch.text(), {}, host_);
  const Json plan = Json::parse(job->plan(Format::kJson));
  for (const Json& planned : plan["tasks"][0]["operators"]) {
    EXPECT_NE(planned["decision"].dump().find(GetParam()), std::string::npos) << planned.dump();
  }
  ASSERT_EQ(plan["tasks"][0]["operators"].size(), 2U);
  ASSERT_TRUE(job->start().ok());
  ASSERT_TRUE(job->wait(kHang).has_value());
  for (const OperatorMetrics& of : job->metrics().operators) {
    EXPECT_EQ(of.mode, GetParam()) << of.name;
    EXPECT_FALSE(of.plugin.empty()) << of.name;
  }
  EXPECT_EQ(job->metrics().operators[0].rows_out, 2500);
  EXPECT_EQ(job->metrics().operators[1].rows_in, 2500);
}

TEST_P(PythonEnds, AnErrorNamesTheSource) {
  const Status status = outcome_of("def f(ticket):\n  return 1 // (ticket.most - 4096)\n");
  EXPECT_EQ(status.code(), CLUTCH_ERR_USER);
  EXPECT_EQ(std::string(status.message()).find("source \"made\": "), 0U) << status.message();
  EXPECT_EQ(status.detail("operator"), "made");
  EXPECT_EQ(status.detail("node"), "1");
  EXPECT_EQ(status.detail(CLUTCH_DETAIL_EXCEPTION_TYPE), "ZeroDivisionError");
  EXPECT_NE(status.detail(CLUTCH_DETAIL_TRACEBACK).find("in f"), std::string_view::npos);
}

TEST_P(PythonEnds, WhatDoesNotFitIsRefused) {
  const Status status = outcome_of("def f(ticket):\n  return [('x', None, None), (None, None, (True, None))]\n");
  EXPECT_EQ(status.code(), CLUTCH_ERR_VALUE);
  EXPECT_NE(std::string(status.message()).find("of type str does not fit int64: 'x'"), std::string::npos)
      << status.message();
}

TEST_P(PythonEnds, WhatAnswersNoTicketsIsRefused) {
  for (const char* given : {"[]", "[(1, None, None)]"}) {
    const Status status = outcome_of(std::string("def f(ticket):\n  return ") + given + "\n");
    EXPECT_EQ(status.message(),
              "source \"made\": its function does not answer tickets as docs/jobs.md says, there is no mark behind the "
              "elements; let clutch.datastream make the function of a SourceFunction");
  }
}

TEST_P(PythonEnds, ASourceThatDoesNotOpen) {
  Sketch sketch;
  sketch.collect(
      sketch.node(source("class F:\n  def open(self, context):\n    raise OSError('no disk')\n"
                         "  def flat_map(self, ticket):\n    return []\n")));
  auto job = *Job::make(sketch.text(), {}, host_);
  const Status status = job->start();
  EXPECT_EQ(status.code(), CLUTCH_ERR_FUNCTION);
  EXPECT_EQ(std::string(status.message()).find("source \"made\": "), 0U) << status.message();
  EXPECT_NE(std::string(status.message()).find("no disk"), std::string::npos) << status.message();
  EXPECT_TRUE(job->metrics().operators.empty());
}

// One that has nothing ends by itself, with close(); one that does not answer is interrupted.
TEST_P(PythonEnds, CancelEndsASourceThatWaits) {
  const char* const idle =
      "import time\n"
      "class Idle:\n"
      "  def open(self, context):\n    self.said = False\n"
      "  def flat_map(self, ticket):\n"
      "    if self.said:\n      time.sleep(0.05)\n"
      "    else:\n      yield 1, None, None\n"
      "    self.said = True\n"
      "    yield None, None, (False, None)\n"
      "  def close(self):\n    open('PATH', 'w').write('closed\\n')\n";
  const char* const stuck =
      "class Stuck:\n"
      "  def flat_map(self, ticket):\n"
      "    while ticket.given == 1:\n      pass\n"
      "    return [(1, None, None), (None, None, (False, None))]\n";
  for (const char* text : {idle, stuck}) {
    Sketch sketch;
    sketch.collect(sketch.node(source(with_path(text))));
    auto job = *Job::make(sketch.text(), {}, host_);
    ASSERT_TRUE(job->start().ok());
    Result<std::optional<Collected>> first = job->collected(kHang);
    ASSERT_TRUE(first.ok() && first->has_value());
    job->cancel();
    const std::optional<Status> outcome = job->wait(kHang);
    ASSERT_TRUE(outcome.has_value());
    EXPECT_EQ(outcome->code(), CLUTCH_ERR_CANCELLED) << outcome->message();
  }
  EXPECT_EQ(lines(), std::vector<std::string>{"closed"});
}

// An instance of a sink knows what it has written, so none takes its place while the job runs.
TEST_P(PythonEnds, ASinkDoesNotMove) {
  const char* const idle =
      "class Idle:\n"
      "  def flat_map(self, ticket):\n"
      "    if ticket.given == 0:\n      yield 1, None, None\n"
      "    yield None, None, (False, None)\n";
  Sketch sketch;
  const int kept = sketch.node(sketch.node(source(idle)), sink(with_path(kWriting)));
  auto job = *Job::make(sketch.text(), {}, host_);
  ASSERT_TRUE(job->start().ok());
  EXPECT_EQ(job->move(kept, "thread", kHang).message(),
            "operator \"kept\": a sink in Python cannot move to the mode \"thread\" while it runs, since its instance "
            "knows what it has written; start the job in that mode");
  job->cancel();
  const std::optional<Status> outcome = job->wait(kHang);
  ASSERT_TRUE(outcome.has_value());
  EXPECT_EQ(outcome->code(), CLUTCH_ERR_CANCELLED) << outcome->message();
}

TEST_P(PythonEnds, AnUnboundedSourceIsNotForBatchMode) {
  Sketch sketch;
  sketch.json()["mode"] = "batch";
  sketch.collect(sketch.node(source(kCounting)));
  EXPECT_EQ(Job::make(sketch.text(), {}, host_).status().message(),
            "nodes[0]: it does not end, and a job in mode \"batch\" needs sources that do; use the mode \"streaming\"");
  sketch.json()["nodes"][0]["source"]["bounded"] = true;
  EXPECT_TRUE(run(sketch, host_).outcome.ok());
}

// A ticket comes again to an instance that knows nothing, with what the lost one had given.
TEST_P(PythonEnds, ALostWorkerIsReplacedWhereItWas) {
  if (std::string(GetParam()) != "process") GTEST_SKIP() << "a thread's loss is everybody's";
  std::string text = kCounting;
  text.insert(text.find("    for number"),
              "    import os\n"
              "    if self.given == 1000 and not os.path.exists('PATH'):\n"
              "      open('PATH', 'w').close()\n      os.kill(os.getpid(), 9)\n");
  Sketch sketch;
  sketch.set("clutch.engine.batch-rows", 100);
  const std::string once = with_path(with_path(text));
  const int out = sketch.collect(sketch.node(source(once)));
  Gathered got = run(sketch, host_);
  ASSERT_TRUE(got.outcome.ok()) << got.outcome.message();
  ASSERT_EQ(got.by_node[out].size(), 2500U);
  EXPECT_EQ(got.by_node[out].front(), "0");
  EXPECT_EQ(got.by_node[out].back(), "2499 @2499");
  EXPECT_TRUE(fs::exists(path()));
}

TEST_P(PythonEnds, ASinkIsFlushedAtTheEnd) {
  Sketch sketch;
  const int numbers = sketch.node(sketch.sequence(1, 3), Sketch::python("stream.map", "def f(x):\n  return x * 10\n",
                                                                        "int64", {{"execution_mode", GetParam()}}));
  const int timed = sketch.node(
      numbers,
      {{"type", "watermarks"}, {"name", "times"}, {"code", Sketch::source_code("def f(x, t):\n  return x\n")}});
  sketch.node(timed, sink(with_path(kWriting)));
  const Gathered got = run(sketch, host_);
  ASSERT_TRUE(got.outcome.ok()) << got.outcome.message();
  EXPECT_EQ(lines(), (std::vector<std::string>{"open", "10 at 10", "5 at 20", "3 at 30", "flush", "close"}));
}

TEST_P(PythonEnds, ASinkThatFailsIsClosedAndNotFlushed) {
  Sketch sketch;
  sketch.node(sketch.sequence(-2, 10), sink(with_path(kWriting)));
  const Gathered got = run(sketch, host_);
  EXPECT_EQ(got.outcome.code(), CLUTCH_ERR_USER);
  EXPECT_EQ(std::string(got.outcome.message()).find("operator \"kept\": "), 0U) << got.outcome.message();
  EXPECT_EQ(got.outcome.detail("operator"), "kept");
  EXPECT_EQ(got.outcome.detail(CLUTCH_DETAIL_ROW), "2");
  EXPECT_NE(got.outcome.detail(CLUTCH_DETAIL_TRACEBACK).find("in process_element1"), std::string_view::npos);
  EXPECT_EQ(lines(), (std::vector<std::string>{"open", "-50 at None", "-100 at None", "close"}));
}

// Nobody knows what a lost instance has written, so its batch is not tried again.
TEST_P(PythonEnds, ASinkThatIsLostEndsTheJob) {
  if (std::string(GetParam()) != "process") GTEST_SKIP() << "a thread's loss is everybody's";
  Sketch sketch;
  std::string text = kWriting;
  text.insert(text.find("    self.given += 1"), "    import os\n    if value == 2:\n      os.kill(os.getpid(), 9)\n");
  sketch.node(sketch.sequence(1, 10), sink(with_path(text)));
  const Gathered got = run(sketch, host_);
  EXPECT_EQ(got.outcome.code(), CLUTCH_ERR_WORKER_LOST) << got.outcome.message();
  const std::vector<std::string> written = lines();
  EXPECT_EQ(std::count(written.begin(), written.end(), "100 at None"), 1);
  EXPECT_EQ(std::count(written.begin(), written.end(), "flush"), 0);
}

class PythonReaders : public PythonEnds {
 protected:
  PythonReaders() {
    spec_.element = {"value", *columnar::parse_type("int64"), true};
    function_.name = "made";
    function_.input = ticket_field();
    function_.output = answer_field(spec_.element);
  }
  std::unique_ptr<SourceReader> reader(const std::string& text) {
    function_.steps = {{"stream.flat_map", {"source", text, ""}, "made", {}}};
    SourceContext context;
    context.batch_rows = 100;
    context.host = &host_;
    context.function = &function_;
    return *make_python_source(spec_)->reader(context);
  }
  static int64_t rows_of(SourceReader& reader) {
    const Result<SourceReader::Polled> polled = reader.poll({});
    EXPECT_TRUE(polled.ok());
    return polled.ok() && polled->kind == SourceReader::Polled::Kind::kBatch ? polled->batch->length : 0;
  }

  SourceSpec spec_;
  FunctionDefinition function_;
};
CLUTCH_IN_BOTH_MODES(PythonReaders);

TEST_P(PythonReaders, GoBackToAPosition) {
  const std::unique_ptr<SourceReader> first = reader(kCounting);
  EXPECT_EQ(*first->position(), "0\n");
  ASSERT_TRUE(first->prepare().ok() && first->open().ok());
  int64_t given = rows_of(*first) + rows_of(*first);
  const std::string position = *first->position();
  EXPECT_EQ(position, "200\n200");  // of what was taken, and not of what was asked for ahead
  ASSERT_TRUE(first->close().ok());

  const std::unique_ptr<SourceReader> second = reader(kCounting);
  ASSERT_TRUE(second->restore(position).ok());
  ASSERT_TRUE(second->prepare().ok() && second->open().ok());
  for (int64_t rows = rows_of(*second); rows > 0; rows = rows_of(*second)) given += rows;
  EXPECT_EQ(given, 2500);
  EXPECT_TRUE(second->close().ok());
}

TEST_P(PythonReaders, SayWhereThereAreNoPositions) {
  const std::unique_ptr<SourceReader> made =
      reader("def f(ticket):\n  return [(1, None, None), (None, None, (True, None))]\n");
  ASSERT_TRUE(made->prepare().ok() && made->open().ok());
  EXPECT_EQ(rows_of(*made), 1);
  EXPECT_EQ(made->position().status().message(),
            "it has no positions, so it cannot go on behind the 1 elements it has given; give it snapshot() and "
            "restore(position)");
  EXPECT_TRUE(made->close().ok());
  EXPECT_EQ(made->restore("x").message(), "\"x\" is no position of a source in Python");
}

}  // namespace
}  // namespace clutch::engine
