// Jobs for tests: short forms of their descriptions, and what they collect.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "clutch/clutch.hpp"
#include "clutch/columnar/ops.h"
#include "clutch/columnar/view.h"
#include "job/job.h"

namespace clutch::engine {

using Json = nlohmann::json;

// A description being written. Nodes get the ids 1, 2, 3, ...; each function returns its id.
class Sketch {
 public:
  explicit Sketch(int parallelism = 1) {
    json_ = {{"name", "test"}, {"parallelism", parallelism}, {"nodes", Json::array()}, {"edges", Json::array()}};
  }

  int node(Json members) {
    const int id = static_cast<int>(json_["nodes"].size()) + 1;
    members["id"] = id;
    json_["nodes"].push_back(std::move(members));
    return id;
  }
  // A node behind another one.
  int node(int from, Json members, Json edge = Json::object()) {
    const int id = node(std::move(members));
    this->edge(from, id, std::move(edge));
    return id;
  }
  void edge(int from, int to, Json members = Json::object()) {
    members["from"] = from;
    members["to"] = to;
    json_["edges"].push_back(std::move(members));
  }
  int sequence(int64_t first, int64_t last, Json more = Json::object()) {
    Json json = {{"type", "source"},
                 {"name", "numbers"},
                 {"output", "int64"},
                 {"source", {{"type", "sequence"}, {"first", first}, {"last", last}}}};
    json.update(more);
    return node(std::move(json));
  }
  int values(const std::string& type, Json values, Json more = Json::object()) {
    Json json = {{"type", "source"},
                 {"name", "values"},
                 {"output", type},
                 {"parallelism", 1},
                 {"source", {{"type", "collection"}, {"values", std::move(values)}}}};
    json.update(more);
    return node(std::move(json));
  }
  static Json source_code(const std::string& text) { return {{"format", "source"}, {"text", text}}; }
  static Json python(const std::string& kind, const std::string& text, const std::string& output,
                     Json more = Json::object()) {
    Json json = {{"type", "python"}, {"kind", kind}, {"name", kind}, {"code", source_code(text)}, {"output", output}};
    json.update(more);
    return json;
  }
  static Json key_by(const std::string& text, const std::string& key) {
    return {{"type", "key_by"}, {"name", "key"}, {"code", source_code(text)}, {"key", key}};
  }
  int collect(int from, Json more = Json::object(), Json edge = Json::object()) {
    Json json = {{"type", "sink"}, {"name", "out"}, {"parallelism", 1}, {"sink", {{"type", "collect"}}}};
    json.update(more);
    return node(from, std::move(json), std::move(edge));
  }
  int blackhole(int from, Json more = Json::object()) {
    Json json = {{"type", "sink"}, {"name", "nothing"}, {"sink", {{"type", "blackhole"}}}};
    json.update(more);
    return node(from, std::move(json));
  }
  Json& json() { return json_; }
  void set(const std::string& key, Json value) { json_["configuration"][key] = std::move(value); }
  std::string text() const { return json_.dump(); }

 private:
  Json json_;
};

// What a job's collect sinks got, as text: "7", or "7 @1000" with a timestamp. By node.
struct Gathered {
  std::map<int, std::vector<std::string>> by_node;
  Status outcome;

  std::vector<std::string> sorted(int node) {
    std::vector<std::string> out = by_node[node];
    std::sort(out.begin(), out.end());
    return out;
  }
};

inline void append_rows(const Collected& collected, std::vector<std::string>& out) {
  const ArrowArray& batch = *collected.batch;
  EXPECT_EQ(batch.n_children, 2);
  columnar::Array value = columnar::slice(*batch.children[0], batch.offset, batch.length);
  columnar::Array time = columnar::slice(*batch.children[1], batch.offset, batch.length);
  const columnar::ArrayView times(*time);
  for (int64_t row = 0; row < batch.length; ++row) {
    std::string text = columnar::row_to_string(collected.element, *value, row);
    if (!times.is_null(row)) text += " @" + std::to_string(times.values<int64_t>()[row]);
    out.push_back(std::move(text));
  }
}

// Long enough for every job of a test on a busy machine; reached only when something hangs.
inline constexpr std::chrono::milliseconds kHang{120'000};

inline Gathered gather(Job& job) {
  Gathered out;
  while (true) {
    Result<std::optional<Collected>> next = job.collected(kHang);
    if (!next.ok() || !next->has_value()) break;
    append_rows(**next, out.by_node[(*next)->node]);
  }
  const std::optional<Status> outcome = job.wait(kHang);
  EXPECT_TRUE(outcome.has_value()) << "the job hangs";
  if (outcome.has_value()) out.outcome = *outcome;
  return out;
}

inline HostSettings host_settings(const std::string& mode) {
  HostSettings settings;
  settings.options = {{"python.execution-mode", mode}, {"python.execution-mode.fallback", "forbid"}};
  settings.log_level = "error";
  return settings;
}

// Make, start and run to the end. A failure to start is the outcome.
inline Gathered run(const Sketch& sketch, const Host& host, std::vector<std::string> blobs = {}) {
  Result<std::unique_ptr<Job>> job = Job::make(sketch.text(), std::move(blobs), host);
  Gathered out;
  if (!job.ok()) {
    out.outcome = job.status();
    return out;
  }
  Status started = (*job)->start();
  if (!started.ok()) {
    out.outcome = std::move(started);
    return out;
  }
  return gather(**job);
}

inline std::vector<std::string> texts_of(const std::vector<int64_t>& numbers) {
  std::vector<std::string> out;
  for (const int64_t number : numbers) out.push_back(std::to_string(number));
  return out;
}

inline std::vector<std::string> in_order(std::vector<std::string> texts) {
  std::sort(texts.begin(), texts.end());
  return texts;
}

// The same test in both modes.
class InBothModes : public testing::TestWithParam<const char*> {
 protected:
  const Host host_{host_settings(GetParam())};
};
#define CLUTCH_IN_BOTH_MODES(Suite)                                           \
  INSTANTIATE_TEST_SUITE_P(Mode, Suite, testing::Values("thread", "process"), \
                           [](const testing::TestParamInfo<const char*>& mode) { return std::string(mode.param); })

}  // namespace clutch::engine
