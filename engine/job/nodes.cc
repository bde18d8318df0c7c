#include "job/nodes.h"

#include <array>
#include <limits>

#include "clutch/clutch.h"
#include "job/window_nodes.h"
#include "operators/kinds.h"

namespace clutch::engine {
namespace {

constexpr int64_t kHighest = std::numeric_limits<int64_t>::max();
constexpr std::array<std::string_view, 3> kChains = {"always", "head", "never"};
constexpr std::array<std::string_view, 3> kFormats = {"pickle", "import", "source"};
constexpr std::array<std::string_view, 3> kOnError = {"fail", "null", "dead_letter"};

ConnectorSpec read_connector(Members& members, std::string_view name) {
  const nlohmann::json& json = members.value(name);
  ConnectorSpec spec;
  spec.place = members.place_of(name);
  if (!members.ok()) return spec;
  if (!json.is_object()) {
    members.fail(name, "it must be an object, and is " + json_excerpt(json));
    return spec;
  }
  const auto type = json.find("type");
  if (type == json.end() || !type->is_string()) {
    members.fail(name, "\"type\" is missing");
    return spec;
  }
  spec.type = type->get<std::string>();
  spec.members = json.dump();
  return spec;
}

// Of a source or sink of type "python": the kind of function that the engine makes of it, its code, how it runs. `more`
// reads what only the one or the other has.
template <typename More>
void read_python_end(Members& members, const Blobs& blobs, std::string_view kind, ConnectorSpec& spec, More more) {
  if (!members.ok() || spec.type != "python") return;
  const nlohmann::json json = nlohmann::json::parse(spec.members);
  Members inner(json, spec.place);
  inner.text("type");
  PythonSpec& python = spec.python.emplace();
  python.kind = kind;
  python.code = read_code(inner, "code", blobs);
  python.execution_mode = inner.optional_text("execution_mode").value_or(std::string());
  more(inner, python);
  if (Status status = inner.end(); !status.ok()) members.fail(std::move(status));
}

WatermarkSpec read_watermarks(Members& members, const Blobs& blobs) {
  WatermarkSpec spec;
  spec.strategy.out_of_orderness = members.optional_integer("out_of_orderness_ms", 0, kHighest);
  spec.strategy.idle_after = members.optional_integer("idle_after_ms", 1, kHighest);
  if (members.has("code")) spec.code = read_code(members, "code", blobs);
  return spec;
}

SourceSpec read_source(Members& members, const std::shared_ptr<const Blobs>& blobs) {
  SourceSpec spec;
  static_cast<ConnectorSpec&>(spec) = read_connector(members, "source");
  read_python_end(members, *blobs, CLUTCH_ENGINE_KIND_SOURCE, spec,
                  [&spec](Members& inner, PythonSpec&) { spec.bounded = inner.boolean_or("bounded", false); });
  spec.element = {"value", members.type("output"), true};
  spec.blobs = blobs;
  if (const nlohmann::json* json = members.optional_object("watermarks")) {
    Members inner(*json, members.place_of("watermarks"));
    spec.watermarks = read_watermarks(inner, *blobs);
    if (Status status = inner.end(); !status.ok()) members.fail(std::move(status));
  }
  return spec;
}

PythonSpec read_python(Members& members, const Blobs& blobs) {
  PythonSpec spec;
  spec.kind = members.text("kind");
  if (members.ok() && find_kind(spec.kind) == nullptr) {
    members.fail("kind", "\"" + spec.kind + "\" is no kind of operator; there are " + kind_names());
  }
  read_function(members, blobs, spec);
  if (members.ok() && !spec.output.has_value() && spec.kind != CLUTCH_ENGINE_KIND_FILTER) {
    members.fail({}, "\"output\" is missing; give the type of the elements that " + spec.kind + " gives");
  }
  return spec;
}

SinkSpec read_sink(Members& members, const Blobs& blobs, int32_t node) {
  SinkSpec spec;
  static_cast<ConnectorSpec&>(spec) = read_connector(members, "sink");
  spec.node = node;
  read_python_end(members, blobs, CLUTCH_ENGINE_KIND_SINK, spec, [](Members& inner, PythonSpec& python) {
    python.timeout_ms = inner.optional_integer("timeout_ms", 0, kHighest).value_or(0);
  });
  return spec;
}

}  // namespace

void read_function(Members& members, const Blobs& blobs, PythonSpec& ret_spec) {
  ret_spec.code = read_code(members, "code", blobs);
  ret_spec.output = members.optional_type("output");
  for (auto& [tag, text] : members.texts("side_outputs")) {
    Result<columnar::Type> type = columnar::parse_type(text);
    if (!type.ok()) {
      members.fail("side_outputs", "\"" + tag + "\": " + std::string(type.status().message()));
      break;
    }
    ret_spec.side_outputs.emplace_back(tag, *std::move(type));
  }
  ret_spec.options = members.texts("options");
  ret_spec.on_error = static_cast<int32_t>(members.choice_or("on_error", kOnError, CLUTCH_APP_ON_ERROR_FAIL));
  ret_spec.execution_mode = members.optional_text("execution_mode").value_or(std::string());
  ret_spec.timeout_ms = members.optional_integer("timeout_ms", 0, kHighest).value_or(0);
}

CodeSpec read_code(Members& members, std::string_view name, const Blobs& blobs) {
  CodeSpec code;
  const nlohmann::json& json = members.value(name);
  if (!members.ok()) return code;
  Members inner(json, members.place_of(name));
  code.format = kFormats[inner.choice("format", kFormats)];
  const std::optional<int64_t> blob = inner.optional_integer("blob", 0, kHighest);
  const std::optional<std::string> text = inner.optional_text("text");
  code.python_version = inner.optional_text("python_version").value_or(std::string());
  if (inner.ok() && blob.has_value() == text.has_value()) {
    inner.fail({}, "give either \"blob\", the position of the code among the blobs, or \"text\"");
  } else if (inner.ok() && text.has_value()) {
    code.payload = *text;
  } else if (inner.ok() && static_cast<uint64_t>(*blob) >= blobs.size()) {
    inner.fail("blob",
               "there is no blob " + std::to_string(*blob) + "; " + std::to_string(blobs.size()) + " were given");
  } else if (inner.ok()) {
    code.payload = blobs[static_cast<size_t>(*blob)];
  }
  if (Status status = inner.end(); !status.ok()) members.fail(std::move(status));
  return code;
}

Result<NodeSpec> read_node(const nlohmann::json& json, std::string place, const JobDescription& job,
                           const std::shared_ptr<const Blobs>& blobs) {
  Members members(json, std::move(place));
  NodeSpec node;
  node.place = members.place();
  node.id = static_cast<int32_t>(members.integer("id", 1, std::numeric_limits<int32_t>::max()));
  node.type = members.text("type");
  node.name = members.text_or("name", node.type);
  node.parallelism = static_cast<int32_t>(
      members.optional_integer("parallelism", 1, std::numeric_limits<int32_t>::max()).value_or(job.parallelism));
  if (node.parallelism > job.max_parallelism) {
    members.fail("parallelism", "it is " + std::to_string(node.parallelism) + ", more than max_parallelism, which is " +
                                    std::to_string(job.max_parallelism));
  }
  node.uid = members.text_or("uid", "");
  node.description = members.text_or("description", "");
  node.chain = static_cast<ChainPolicy>(members.choice_or("chain", kChains, 0));
  if (!members.ok()) return members.end();
  if (node.type == "source") {
    node.body = read_source(members, blobs);
  } else if (node.type == "python") {
    node.body = read_python(members, *blobs);
  } else if (node.type == "key_by") {
    KeyBySpec spec;
    spec.code = read_code(members, "code", *blobs);
    spec.key = members.type("key");
    node.body = std::move(spec);
  } else if (node.type == "watermarks") {
    node.body = read_watermarks(members, *blobs);
  } else if (node.type == "sink") {
    node.body = read_sink(members, *blobs, node.id);
  } else if (node.type == "window") {
    node.body = read_window(members, *blobs);
  } else if (node.type == "interval_join") {
    node.body = read_interval_join(members, *blobs);
  } else if (node.type == "iteration") {
    node.body = IterationSpec{members.optional_integer("max_wait_ms", 0, kHighest).value_or(0)};
  } else {
    return place_error(members.place_of("type"), "\"" + node.type +
                                                     "\" is no type of node; there are source, python, "
                                                     "key_by, watermarks, window, interval_join, iteration and "
                                                     "sink");
  }
  CLUTCH_RETURN_IF_ERROR(members.end());
  return node;
}

}  // namespace clutch::engine
