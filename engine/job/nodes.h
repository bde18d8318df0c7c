// The members `nodes` of a job, one reader for each type of node.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "job/description.h"
#include "job/members.h"

namespace clutch::engine {

// Parallelism that the node does not give is the job's.
Result<NodeSpec> read_node(const nlohmann::json& json, std::string place, const JobDescription& job,
                           const std::shared_ptr<const Blobs>& blobs);

// {"format": "pickle", "blob": 0, "python_version": "3.11.2"}, or with "text" instead of "blob".
CodeSpec read_code(Members& members, std::string_view name, const Blobs& blobs);

}  // namespace clutch::engine
