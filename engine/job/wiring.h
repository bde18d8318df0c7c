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

struct Wired {
  std::vector<std::unique_ptr<Loop>> loops;        // of the plan; the subtasks refer to them
  std::vector<std::unique_ptr<Subtask>> subtasks;  // of all tasks, by task and number
};

// What is made refers to all that is given.
Result<Wired> wire(const JobDescription& job, const Graph& graph, const Plan& plan, const Connectors& connectors,
                   const Host& host);

}  // namespace clutch::engine
