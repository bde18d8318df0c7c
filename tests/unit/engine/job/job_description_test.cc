// Every refusal of a description, by its sentence.
#include <functional>

#include "job/job_fixture.h"

namespace clutch::engine {
namespace {

class Description : public testing::Test {
 protected:
  std::string refused(const Sketch& sketch) { return refused(sketch.text()); }
  std::string refused(const std::string& text) {
    Result<std::unique_ptr<Job>> job = Job::make(text, {"blob"}, host_);
    if (job.ok()) return "(taken)";
    EXPECT_EQ(job.status().code(), CLUTCH_ERR_CONFIG);
    return std::string(job.status().message());
  }
  // A job that is right but for what `spoil` does to it.
  std::string spoilt(const std::function<void(Json&)>& spoil) {
    Sketch sketch = good();
    spoil(sketch.json());
    return refused(sketch);
  }
  static Sketch good() {
    Sketch sketch(2);
    const int source = sketch.sequence(1, 10);
    const int map = sketch.node(source, Sketch::python("stream.map", "def f(x): return x", "int64"));
    sketch.blackhole(map);
    return sketch;
  }

  const Host host_{host_settings("thread")};
};

TEST_F(Description, GoodOneIsTaken) {
  EXPECT_EQ(refused(good()), "(taken)");
  EXPECT_EQ(spoilt([](Json& job) {
              job["nodes"][1]["code"] = {{"format", "pickle"}, {"blob", 0}, {"python_version", "3.11.2"}};
              job["nodes"][1]["uid"] = "u";
              job["nodes"][1]["description"] = "d";
              job["nodes"][1]["chain"] = "head";
              job["nodes"][1]["options"] = {{"a", 1}, {"b", true}, {"c", "text"}};
              job["nodes"][1]["timeout_ms"] = 5;
              job["nodes"][1]["execution_mode"] = "process";
              job["mode"] = "batch";
              job["max_parallelism"] = 4;
              job["configuration"] = {{"execution.buffer-timeout", "1 s"}, {"python.executable", "python3"}};
            }),
            "(taken)");
}

TEST_F(Description, Document) {
  EXPECT_EQ(refused(std::string("{\"name\": ")).find("the job description is no JSON: "), 0U);
  EXPECT_EQ(refused(std::string("[1]")), "the job: it must be an object, and is [1]");
  EXPECT_EQ(refused(std::string("{}")), "the job: \"nodes\" is missing");
  EXPECT_EQ(refused(std::string(R"({"nodes": [], "edges": []})")),
            "nodes: there are none; a job has a source at least");
  EXPECT_EQ(spoilt([](Json& job) { job["nodes"] = 7; }), "nodes: it must be an array, and is 7");
  EXPECT_EQ(spoilt([](Json& job) { job["paralelism"] = 2; }),
            "the job: nothing is called \"paralelism\" here; known are name, mode, max_parallelism, parallelism, "
            "configuration, nodes, edges");
  EXPECT_EQ(spoilt([](Json& job) { job["mode"] = "bulk"; }),
            "mode: it must be one of streaming, batch, and is \"bulk\"");
  EXPECT_EQ(spoilt([](Json& job) { job["parallelism"] = 0; }),
            "parallelism: it must be a whole number from 1 to 32768, and is 0");
  EXPECT_EQ(spoilt([](Json& job) { job["parallelism"] = 1.5; }),
            "parallelism: it must be a whole number from 1 to 32768, and is 1.5");
  EXPECT_EQ(spoilt([](Json& job) { job["parallelism"] = 200; }),
            "parallelism: it is 200, more than max_parallelism, which is 128");
}

TEST_F(Description, Configuration) {
  const auto with = [this](const char* key, Json value) {
    return spoilt([&](Json& job) { job["configuration"][key] = value; });
  };
  EXPECT_EQ(with("pipeline.auto-watermark-interval", "soon"),
            "configuration: pipeline.auto-watermark-interval must be a time such as \"200 ms\", and is \"soon\"");
  EXPECT_EQ(with("clutch.engine.batch-rows", 0),
            "configuration: clutch.engine.batch-rows must be a number of rows from 1 to 16777216, and is \"0\"");
  EXPECT_EQ(
      with("clutch.engine.channel-bytes", "4 miles"),
      "configuration: clutch.engine.channel-bytes must be a size such as \"4 mb\", more than 0, and is \"4 miles\"");
  EXPECT_EQ(with("pipeline.operator-chaining.enabled", "maybe"),
            "configuration: pipeline.operator-chaining.enabled must be true or false, and is \"maybe\"");
  EXPECT_EQ(with("clutch.engine.batch-row", 5),
            "configuration: the engine has no key \"clutch.engine.batch-row\"; it has clutch.engine.batch-rows, "
            "clutch.engine.channel-bytes and clutch.engine.feedback-bytes");
  EXPECT_EQ(with("python.executable", Json::array()),
            "configuration: the value of \"python.executable\" must be a text, a number or a boolean, and is []");
}

TEST_F(Description, Nodes) {
  EXPECT_EQ(spoilt([](Json& job) { job["nodes"][1].erase("id"); }), "nodes[1]: \"id\" is missing");
  EXPECT_EQ(spoilt([](Json& job) { job["nodes"][1]["id"] = 1; }),
            "nodes[1].id: 1 is the id of nodes[0], too; give each node its own");
  EXPECT_EQ(spoilt([](Json& job) { job["nodes"][1]["type"] = "pyton"; }),
            "nodes[1].type: \"pyton\" is no type of node; there are source, python, key_by, watermarks, window, "
            "interval_join, iteration and sink");
  EXPECT_EQ(spoilt([](Json& job) { job["nodes"][1]["parallelism"] = 129; }),
            "nodes[1].parallelism: it is 129, more than max_parallelism, which is 128");
  EXPECT_EQ(spoilt([](Json& job) { job["nodes"][1]["chain"] = "sometimes"; }),
            "nodes[1].chain: it must be one of always, head, never, and is \"sometimes\"");
  EXPECT_EQ(spoilt([](Json& job) {
              job["nodes"][1]["kind"] = "stream.mop";
            }).find("nodes[1].kind: \"stream.mop\" is no kind of operator; there are stream.map, "),
            0U);
  EXPECT_EQ(spoilt([](Json& job) { job["nodes"][1].erase("output"); }),
            "nodes[1]: \"output\" is missing; give the type of the elements that stream.map gives");
  EXPECT_EQ(spoilt([](Json& job) { job["nodes"][1]["output"] = "int65"; }).find("nodes[1].output: "), 0U);
  EXPECT_EQ(spoilt([](Json& job) {
              job["nodes"][1]["side_outputs"] = {{"late", "int65"}};
            }).find("nodes[1].side_outputs: \"late\": "),
            0U);
  EXPECT_EQ(spoilt([](Json& job) {
              job["nodes"][1]["side_outputs"] = {{"late", "int64"}};
            }),
            "nodes[1].side_outputs: stream.map has no side outputs; use stream.process");
  EXPECT_EQ(spoilt([](Json& job) { job["nodes"][1]["on_error"] = "ignore"; }),
            "nodes[1].on_error: it must be one of fail, null, dead_letter, and is \"ignore\"");
  EXPECT_EQ(spoilt([](Json& job) {
              job["nodes"][1]["colour"] = "red";
            }).find("nodes[1]: nothing is called \"colour\" here; known are id, type, "),
            0U);
}

TEST_F(Description, Code) {
  const auto with = [this](Json code) { return spoilt([&](Json& job) { job["nodes"][1]["code"] = code; }); };
  EXPECT_EQ(spoilt([](Json& job) { job["nodes"][1].erase("code"); }), "nodes[1]: \"code\" is missing");
  EXPECT_EQ(with("lambda x: x"), "nodes[1].code: it must be an object, and is \"lambda x: x\"");
  EXPECT_EQ(with({{"text", "x"}}), "nodes[1].code: \"format\" is missing; give one of pickle, import, source");
  EXPECT_EQ(with({{"format", "source"}}),
            "nodes[1].code: give either \"blob\", the position of the code among the blobs, or \"text\"");
  EXPECT_EQ(with({{"format", "pickle"}, {"blob", 1}}), "nodes[1].code.blob: there is no blob 1; 1 were given");
}

TEST_F(Description, Edges) {
  EXPECT_EQ(spoilt([](Json& job) { job["edges"][0]["from"] = 9; }), "edges[0].from: there is no node with the id 9");
  EXPECT_EQ(spoilt([](Json& job) { job["edges"].erase(0); }), "nodes[1]: no edge leads to input 0 of node 2");
  EXPECT_EQ(
      spoilt([](Json& job) { job["edges"][1]["from"] = 3; }),
      "edges[1]: the edge from 3 to 3 is part of a cycle; only edges with \"feedback\" lead back, into an iteration");
  EXPECT_EQ(spoilt([](Json& job) { job["edges"][0]["input"] = 1; }), "edges[0].input: node 2 has one input, number 0");
  EXPECT_EQ(spoilt([](Json& job) { job["edges"][0]["input"] = 2; }),
            "edges[0].input: it must be a whole number from 0 to 1, and is 2");
  EXPECT_EQ(spoilt([](Json& job) { job["edges"][1]["side"] = "late"; }),
            "edges[1].side: node 2 has no side output \"late\"; name it in its side_outputs");
  EXPECT_EQ(spoilt([](Json& job) { job["edges"][0]["feedback"] = true; }),
            "nodes[1]: no edge leads to input 0 of node 2");
  EXPECT_EQ(spoilt([](Json& job) {
              job["edges"].push_back({{"from", 3}, {"to", 2}});
            }).find("part of a cycle") != std::string::npos,
            true);
  EXPECT_EQ(spoilt([](Json& job) {
              job["edges"].push_back({{"from", 2}, {"to", 1}});
            }).find("part of a cycle") != std::string::npos,
            true);
}

TEST_F(Description, EdgesOfSourcesAndSinks) {
  Sketch sketch;
  const int first = sketch.sequence(1, 2);
  const int second = sketch.sequence(1, 2);
  sketch.blackhole(first);
  sketch.edge(first, second);
  EXPECT_EQ(refused(sketch), "edges[1]: node 2 is a source and has no input");
  Sketch other;
  const int sink = other.blackhole(other.sequence(1, 2));
  other.blackhole(sink);
  EXPECT_EQ(refused(other), "edges[1].from: node 2 is a sink and has no output");
}

TEST_F(Description, Partitioning) {
  EXPECT_EQ(spoilt([](Json& job) { job["edges"][0]["partitioning"] = "random"; }),
            "edges[0].partitioning: it must be one of forward, rebalance, rescale, shuffle, broadcast, global, hash, "
            "custom, and is \"random\"");
  EXPECT_EQ(spoilt([](Json& job) {
              job["nodes"][1]["parallelism"] = 3;
              job["edges"][0]["partitioning"] = "forward";
            }),
            "edges[0].partitioning: \"forward\" cannot lead from 2 to 3 subtasks; use another partitioning, such as "
            "rebalance, or give both nodes one parallelism");
  EXPECT_EQ(spoilt([](Json& job) { job["edges"][0]["partitioning"] = "hash"; }),
            "edges[0].partitioning: \"hash\" needs keys, and node 1 gives none; put a key_by before it");
  EXPECT_EQ(spoilt([](Json& job) { job["edges"][0]["partitioning"] = "custom"; }),
            "edges[0].code: the partitioning \"custom\" needs the code of f(key, n)");
  EXPECT_EQ(spoilt([](Json& job) { job["edges"][0]["code"] = Sketch::source_code("x"); }),
            "edges[0].code: only the partitioning \"custom\" has code; leave it out");
}

TEST_F(Description, Keys) {
  Sketch sketch(2);
  const int source = sketch.sequence(1, 2);
  const int keyed = sketch.node(source, Sketch::python("stream.keyed_process", "x", "int64"));
  EXPECT_EQ(refused(sketch),
            "edges[0]: node 2 (stream.keyed_process) needs keys, and node 1 gives none; put a key_by between them");

  Sketch forward(2);
  const int key = forward.node(forward.sequence(1, 2), Sketch::key_by("x", "int64"));
  forward.node(key, Sketch::python("stream.keyed_process", "x", "int64"), {{"partitioning", "forward"}});
  EXPECT_EQ(refused(forward),
            "edges[1].partitioning: the rows of a key must all come to one subtask of node 3; use \"hash\"");

  Sketch custom;
  const int by = custom.node(custom.sequence(1, 2), Sketch::key_by("x", "int64"));
  custom.node(by, Sketch::python("stream.keyed_process", "x", "int64"),
              {{"partitioning", "custom"}, {"code", Sketch::source_code("x")}});
  EXPECT_EQ(refused(custom),
            "edges[1].partitioning: node 3 (stream.keyed_process) needs keys, and the partitioning \"custom\" does not "
            "pass keys on");
  EXPECT_EQ(keyed, 2);
}

TEST_F(Description, TypesOfInputs) {
  Sketch sketch;
  const int sink = sketch.blackhole(sketch.sequence(1, 2));
  sketch.edge(sketch.values("string", {"a"}), sink);
  EXPECT_EQ(refused(sketch),
            "edges[1]: it carries string, and another edge into this input of node 2 carries int64; all must carry one "
            "type");

  Sketch filter;
  filter.node(filter.sequence(1, 2), Sketch::python("stream.filter", "x", "string"));
  EXPECT_EQ(refused(filter), "nodes[1].output: a filter gives what it gets, int64, and not string");

  Sketch keys;
  const int first = keys.node(keys.sequence(1, 2), Sketch::key_by("x", "int64"));
  const int second = keys.node(keys.sequence(1, 2), Sketch::key_by("x", "string"));
  const int process = keys.node(first, Sketch::python("stream.keyed_process", "x", "int64"));
  keys.edge(second, process);
  EXPECT_EQ(refused(keys),
            "edges[3]: it carries int64 with the key string, and another edge into this input of node 5 carries int64 "
            "with the key int64; all must carry one type");

  Sketch both;
  const int left = both.node(both.sequence(1, 2), Sketch::key_by("x", "int64"));
  const int right = both.node(both.sequence(1, 2), Sketch::key_by("x", "string"));
  const int two = both.node(left, Sketch::python("stream.keyed_co_process", "x", "int64"));
  both.edge(right, two, {{"input", 1}});
  EXPECT_EQ(refused(both), "nodes[4]: its inputs have keys of different types, int64 and string");

  Sketch one;
  one.node(one.sequence(1, 2), Sketch::python("stream.co_map", "x", "int64"));
  EXPECT_EQ(refused(one), "nodes[1]: no edge leads to input 1 of node 2");

  Sketch broadcast;
  const int a = broadcast.sequence(1, 2);
  const int to = broadcast.node(a, Sketch::python("stream.broadcast_process", "x", "int64"));
  broadcast.edge(a, to, {{"input", 1}, {"partitioning", "forward"}});
  EXPECT_EQ(refused(broadcast), "edges[1].partitioning: the second input of node 2 is broadcast, and not \"forward\"");
}

TEST_F(Description, Sources) {
  const auto with = [this](Json source, const char* output = "int64") {
    return spoilt([&](Json& job) {
      job["nodes"][0]["source"] = source;
      job["nodes"][0]["output"] = output;
    });
  };
  EXPECT_EQ(with(5), "nodes[0].source: it must be an object, and is 5");
  EXPECT_EQ(with(Json::object()), "nodes[0].source: \"type\" is missing");
  EXPECT_EQ(with({{"type", "tape"}})
                .find("nodes[0].source.type: there is no source \"tape\"; there are sequence, "
                      "collection"),
            0U);
  EXPECT_EQ(with({{"type", "sequence"}, {"first", 1}}), "nodes[0].source: \"last\" is missing");
  EXPECT_EQ(with({{"type", "sequence"}, {"first", 1}, {"last", 2}, {"step", 2}}),
            "nodes[0].source: nothing is called \"step\" here; known are type, first, last");
  EXPECT_EQ(with({{"type", "sequence"}, {"first", INT64_MIN}, {"last", INT64_MAX}}),
            "nodes[0].source.last: the sequence has 2^64 numbers, which is one too many");
  EXPECT_EQ(with({{"type", "sequence"}, {"first", 1}, {"last", 2}}, "string"),
            "nodes[0].source: a sequence gives int64, and the output is string");
  EXPECT_EQ(with({{"type", "collection"}}), "nodes[0].source: give either \"values\" or \"blobs\"");
  EXPECT_EQ(with({{"type", "collection"}, {"values", {1, "x"}}}), "nodes[0].source.values[1]: \"x\" is no int64");
  EXPECT_EQ(with({{"type", "collection"}, {"values", {300}}}, "int8"), "nodes[0].source.values[0]: 300 is no int8");
  EXPECT_EQ(with({{"type", "collection"}, {"values", {"x"}}}, "binary"),
            "nodes[0].source.values[0]: values of type binary have no form in the description; give them in \"blobs\"");
  EXPECT_EQ(with({{"type", "collection"}, {"blobs", {1}}}),
            "nodes[0].source.blobs: 1 is the number of none of the 1 blobs");
  EXPECT_EQ(with({{"type", "collection"}, {"values", {1}}}),
            "nodes[0].parallelism: it is 2, and a source \"collection\" is read by 1 at most");
  EXPECT_EQ(with({{"type", "python"}}), "nodes[0].source: \"code\" is missing");
  EXPECT_EQ(with({{"type", "python"}, {"code", {{"format", "pickle"}, {"blob", 9}}}}),
            "nodes[0].source.code.blob: there is no blob 9; 1 were given");
  EXPECT_EQ(with({{"type", "python"}, {"code", Sketch::source_code("x")}, {"ends", true}}),
            "nodes[0].source: nothing is called \"ends\" here; known are type, code, execution_mode, bounded");
}

TEST_F(Description, Sinks) {
  EXPECT_EQ(spoilt([](Json& job) {
              job["nodes"][2]["sink"] = {{"type", "drain"}};
            }).find("nodes[2].sink.type: there is no sink \"drain\"; there are collect, blackhole"),
            0U);
  EXPECT_EQ(spoilt([](Json& job) { job["nodes"][2]["sink"]["depth"] = 3; }),
            "nodes[2].sink: nothing is called \"depth\" here; known are type");
  EXPECT_EQ(spoilt([](Json& job) {
              job["nodes"][2]["sink"] = {{"type", "python"}};
            }),
            "nodes[2].sink: \"code\" is missing");
  EXPECT_EQ(spoilt([](Json& job) {
              job["nodes"][2]["sink"] = {{"type", "python"}, {"code", Sketch::source_code("x")}, {"bounded", true}};
            }),
            "nodes[2].sink: nothing is called \"bounded\" here; known are type, code, execution_mode, timeout_ms");
}

TEST_F(Description, Watermarks) {
  EXPECT_EQ(spoilt([](Json& job) {
              job["nodes"][0]["watermarks"] = {{"out_of_orderness_ms", -1}};
            }),
            "nodes[0].watermarks.out_of_orderness_ms: it must be a whole number of at least 0, and is -1");
  EXPECT_EQ(spoilt([](Json& job) {
              job["nodes"][0]["watermarks"] = {{"idle_after_ms", 0}};
            }),
            "nodes[0].watermarks.idle_after_ms: it must be a whole number of at least 1, and is 0");
}

}  // namespace
}  // namespace clutch::engine
