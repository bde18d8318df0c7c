#include "job/description.h"

#include <array>
#include <limits>
#include <unordered_map>

#include "exchange/key_group.h"
#include "job/nodes.h"
#include "job/settings.h"

namespace clutch::engine {
namespace {

constexpr std::array<std::string_view, 8> kShippings = {"forward",   "rebalance", "rescale", "shuffle",
                                                        "broadcast", "global",    "hash",    "custom"};
constexpr std::array<std::string_view, 2> kModes = {"streaming", "batch"};
constexpr int64_t kHighestId = std::numeric_limits<int32_t>::max();

Result<EdgeSpec> read_edge(const nlohmann::json& json, std::string place, const Blobs& blobs) {
  Members members(json, std::move(place));
  EdgeSpec edge;
  edge.place = members.place();
  edge.from = static_cast<int32_t>(members.integer("from", 1, kHighestId));
  edge.to = static_cast<int32_t>(members.integer("to", 1, kHighestId));
  edge.input = static_cast<int32_t>(members.optional_integer("input", 0, 1).value_or(0));
  edge.side = members.optional_text("side");
  if (members.has("partitioning"))
    edge.partitioning = static_cast<Shipping>(members.choice("partitioning", kShippings));
  if (members.has("code")) edge.code = read_code(members, "code", blobs);
  edge.feedback = members.boolean_or("feedback", false);
  if (members.ok() && (edge.partitioning == Shipping::kCustom) != edge.code.has_value()) {
    members.fail("code", edge.code.has_value() ? "only the partitioning \"custom\" has code; leave it out"
                                               : "the partitioning \"custom\" needs the code of f(key, n)");
  }
  CLUTCH_RETURN_IF_ERROR(members.end());
  return edge;
}

Status check_ids(const JobDescription& job) {
  std::unordered_map<int32_t, const NodeSpec*> by_id;
  for (const NodeSpec& node : job.nodes) {
    const auto [at, fresh] = by_id.emplace(node.id, &node);
    if (!fresh) {
      return place_error(node.place + ".id", std::to_string(node.id) + " is the id of " + at->second->place +
                                                 ", too; give each node its own");
    }
  }
  for (const EdgeSpec& edge : job.edges) {
    for (const auto& [member, id] : {std::pair("from", edge.from), std::pair("to", edge.to)}) {
      if (by_id.contains(id)) continue;
      return place_error(edge.place + "." + member, "there is no node with the id " + std::to_string(id));
    }
  }
  return {};
}

}  // namespace

std::string_view shipping_name(Shipping shipping) { return kShippings[static_cast<size_t>(shipping)]; }

Result<JobDescription> read_description(std::string_view text, std::shared_ptr<const Blobs> blobs) {
  CLUTCH_ASSIGN_OR_RETURN(const nlohmann::json json, parse_json(text));
  Members members(json, "");
  JobDescription job;
  job.name = members.text_or("name", "job");
  job.batch = members.choice_or("mode", kModes, 0) == 1;
  job.max_parallelism = static_cast<int32_t>(
      members.optional_integer("max_parallelism", 1, kHighestMaxParallelism).value_or(kDefaultMaxParallelism));
  job.parallelism =
      static_cast<int32_t>(members.optional_integer("parallelism", 1, kHighestMaxParallelism).value_or(1));
  if (job.parallelism > job.max_parallelism) {
    members.fail("parallelism", "it is " + std::to_string(job.parallelism) + ", more than max_parallelism, which is " +
                                    std::to_string(job.max_parallelism));
  }
  read_settings(members, job);
  const nlohmann::json& nodes = members.array("nodes");
  const nlohmann::json& edges = members.array("edges");
  CLUTCH_RETURN_IF_ERROR(members.end());
  if (nodes.empty()) return place_error("nodes", "there are none; a job has a source at least");
  for (size_t i = 0; i < nodes.size(); ++i) {
    CLUTCH_ASSIGN_OR_RETURN(NodeSpec node, read_node(nodes[i], "nodes[" + std::to_string(i) + "]", job, blobs));
    job.nodes.push_back(std::move(node));
  }
  for (size_t i = 0; i < edges.size(); ++i) {
    CLUTCH_ASSIGN_OR_RETURN(EdgeSpec edge, read_edge(edges[i], "edges[" + std::to_string(i) + "]", *blobs));
    job.edges.push_back(std::move(edge));
  }
  CLUTCH_RETURN_IF_ERROR(check_ids(job));
  return job;
}

}  // namespace clutch::engine
