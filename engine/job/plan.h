// Which operators run in one thread, and which channels join the threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "clutch/clutch.hpp"
#include "job/graph.h"

namespace clutch::engine {

struct PlannedRoute {
  std::optional<size_t> side;  // of the operator; nothing: its main output
  bool drops_key = false;
  std::optional<size_t> next;      // an operator of this task
  std::optional<size_t> exchange;  // or an exchange of the plan
};

// One operator; several vertices where Python steps became one function.
struct PlannedOperator {
  std::vector<size_t> vertices;
  std::vector<PlannedRoute> routes;

  size_t first() const { return vertices.front(); }
  size_t last() const { return vertices.back(); }
};

// Operators that run one after the other in the threads of one task: a tree, each operator behind the one that feeds
// it; the first one reads a source or the task's channels.
struct PlannedTask {
  std::string name;
  int32_t parallelism = 1;
  std::vector<PlannedOperator> operators;
  std::vector<size_t> exchanges;  // that lead here, in the order of their channels
};

struct PlannedExchange {
  size_t from = 0;  // tasks
  size_t to = 0;
  size_t arc = 0;
};

// An iteration: the tasks that its elements can pass through on their way round.
struct PlannedLoop {
  size_t head = 0;           // a task
  std::vector<bool> member;  // by task; the head, too
  int64_t quiet_ms = 0;
};

struct Plan {
  std::vector<PlannedTask> tasks;  // behind those that feed them
  std::vector<PlannedExchange> exchanges;
  std::vector<PlannedLoop> loops;

  // Arcs that need no exchange join operators of one parallelism into a task; Python steps that agree about mode,
  // errors and timeout become one function.
  static Plan make(const JobDescription& job, const Graph& graph);
};

// Says of an operator with a Python function which plugin takes it, and why; empty for others.
using Decide = std::function<std::string(const PlannedOperator&, Format)>;

// Tasks, operators, and the edges between tasks.
std::string write_plan(const JobDescription& job, const Graph& graph, const Plan& plan, Format format,
                       const Decide& decide);

// Names of the operator's nodes, joined by " > ".
std::string operator_name(const JobDescription& job, const Graph& graph, const PlannedOperator& planned);

}  // namespace clutch::engine
