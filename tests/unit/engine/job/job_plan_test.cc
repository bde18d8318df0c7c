// What becomes a task, and what becomes one function.
#include "job/job_fixture.h"

namespace clutch::engine {
namespace {

class JobPlan : public testing::Test {
 protected:
  Json plan(const Sketch& sketch) {
    Result<std::unique_ptr<Job>> job = Job::make(sketch.text(), {}, host_);
    EXPECT_TRUE(job.ok()) << job.status().message();
    return job.ok() ? Json::parse((*job)->plan(Format::kJson)) : Json();
  }
  // Operators of each task by the ids of their nodes: "1, 2+3 | 4".
  std::string shape(const Sketch& sketch) {
    std::string out;
    const Json whole = plan(sketch);
    for (const Json& task : whole["tasks"]) {
      if (!out.empty()) out += " | ";
      std::string operators;
      for (const Json& of : task["operators"]) {
        std::string ids;
        for (const Json& id : of["nodes"]) ids += (ids.empty() ? "" : "+") + id.dump();
        operators += (operators.empty() ? "" : ", ") + ids;
      }
      out += operators;
    }
    return out;
  }
  static Json step(Json more = Json::object()) {
    return Sketch::python("stream.map", "def f(x):\n  return x\n", "int64", std::move(more));
  }

  const Host host_{host_settings("thread")};
};

TEST_F(JobPlan, StepsBecomeOneFunction) {
  Sketch sketch;
  sketch.blackhole(sketch.node(sketch.node(sketch.node(sketch.sequence(1, 2), step()), step()), step()));
  EXPECT_EQ(shape(sketch), "1, 2+3+4, 5");
  sketch.set("python.operator-chaining.enabled", false);
  EXPECT_EQ(shape(sketch), "1, 2, 3, 4, 5");
  sketch.set("pipeline.operator-chaining.enabled", false);
  EXPECT_EQ(shape(sketch), "1 | 2 | 3 | 4 | 5");
}

TEST_F(JobPlan, WhatDiffersStaysApart) {
  for (const Json& other : {Json{{"execution_mode", "process"}}, Json{{"on_error", "null"}}, Json{{"timeout_ms", 1}}}) {
    Sketch sketch;
    sketch.blackhole(sketch.node(sketch.node(sketch.sequence(1, 2), step()), step(other)));
    EXPECT_EQ(shape(sketch), "1, 2, 3, 4") << other;
  }
}

TEST_F(JobPlan, SeveralReadersOfOneStep) {
  Sketch sketch;
  const int map = sketch.node(sketch.sequence(1, 2), step());
  sketch.node(map, step());
  sketch.node(map, step());
  EXPECT_EQ(shape(sketch), "1, 2, 3, 4");
}

TEST_F(JobPlan, ChainPolicies) {
  Sketch head;
  head.blackhole(head.node(head.sequence(1, 2), step({{"chain", "head"}})));
  EXPECT_EQ(shape(head), "1 | 2, 3");
  Sketch never;
  never.blackhole(never.node(never.sequence(1, 2), step({{"chain", "never"}})));
  EXPECT_EQ(shape(never), "1 | 2 | 3");
}

TEST_F(JobPlan, ExchangesDivideTasks) {
  Sketch sketch(2);
  const int key = sketch.node(sketch.sequence(1, 2), Sketch::key_by("def f(x):\n  return x\n", "int64"));
  sketch.blackhole(sketch.node(key, step()), {{"parallelism", 3}});
  EXPECT_EQ(shape(sketch), "1, 2 | 3 | 4");
  const Json edges = plan(sketch)["edges"];
  ASSERT_EQ(edges.size(), 2U);
  EXPECT_EQ(edges[0]["partitioning"], "hash");
  EXPECT_EQ(edges[1]["partitioning"], "rebalance");
}

// The keys of a single subtask stay with it; nothing has to be exchanged.
TEST_F(JobPlan, KeysOfOneSubtaskNeedNoExchange) {
  Sketch sketch;
  const int key = sketch.node(sketch.sequence(1, 2), Sketch::key_by("def f(x):\n  return x\n", "int64"));
  sketch.blackhole(sketch.node(key, step()));
  EXPECT_EQ(shape(sketch), "1, 2, 3, 4");
}

TEST_F(JobPlan, UnionStartsATask) {
  Sketch sketch;
  const int sink = sketch.blackhole(sketch.sequence(1, 2));
  sketch.edge(sketch.sequence(1, 2), sink);
  EXPECT_EQ(shape(sketch), "1 | 3 | 2");
}

TEST_F(JobPlan, TextNamesPluginAndReason) {
  Sketch sketch;
  sketch.blackhole(sketch.node(sketch.sequence(1, 2), step({{"name", "same"}})));
  auto job = *Job::make(sketch.text(), {}, host_);
  const std::string text = job->plan(Format::kText);
  EXPECT_EQ(text.find("job \"test\", streaming\ntask 0, parallelism 1\n  numbers (source)\n  same (python)\n"), 0U)
      << text;
  EXPECT_NE(text.find("thread"), std::string::npos) << text;
  const Json decision = plan(sketch)["tasks"][0]["operators"][1]["decision"];
  EXPECT_TRUE(decision.is_object()) << decision;
}

}  // namespace
}  // namespace clutch::engine
