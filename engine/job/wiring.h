// From a plan to subtasks: their gates, channels, operators.
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "job/plan.h"
#include "runtime/subtask.h"
#include "sink/sink.h"
#include "source/source.h"

namespace clutch::engine {

// By the node's place in the description.
struct Connectors {
  std::map<size_t, std::unique_ptr<Source>> sources;
  std::map<size_t, std::unique_ptr<Sink>> sinks;
};

// The subtasks of all tasks, by task and number. They refer to all that is given.
Result<std::vector<std::unique_ptr<Subtask>>> wire(const JobDescription& job, const Graph& graph, const Plan& plan,
                                                   const Connectors& connectors);

}  // namespace clutch::engine
