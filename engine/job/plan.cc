#include "job/plan.h"

#include <algorithm>

#include "operators/kinds.h"

namespace clutch::engine {
namespace {

class Planner {
 public:
  Planner(const JobDescription& job, const Graph& graph) : job_(job), graph_(graph) {
    task_of_.resize(graph.vertices.size());
    operator_of_.resize(graph.vertices.size());
  }

  Plan build() {
    std::vector<size_t> chained_by(graph_.vertices.size(), kNone);
    for (size_t arc = 0; arc < graph_.arcs.size(); ++arc) {
      if (chains(graph_.arcs[arc])) chained_by[graph_.arcs[arc].to] = arc;
    }
    for (size_t vertex = 0; vertex < graph_.vertices.size(); ++vertex) {
      if (chained_by[vertex] == kNone) {
        start_task(vertex);
      } else {
        follow(vertex, graph_.arcs[chained_by[vertex]]);
      }
    }
    for (size_t arc = 0; arc < graph_.arcs.size(); ++arc) add_route(arc, chained_by[graph_.arcs[arc].to] == arc);
    for (PlannedTask& task : plan_.tasks) {
      for (const PlannedOperator& planned : task.operators) {
        if (!task.name.empty()) task.name += " -> ";
        task.name += operator_name(job_, graph_, planned);
      }
    }
    add_loops();
    return std::move(plan_);
  }

 private:
  static constexpr size_t kNone = static_cast<size_t>(-1);

  const NodeSpec& node(size_t vertex) const { return job_.nodes[graph_.vertices[vertex].node]; }

  // A partition's own arc is split among channels; what feeds it is of its node.
  int32_t parallelism(size_t vertex) const { return node(vertex).parallelism; }

  bool chains(const Arc& arc) const {
    const Vertex& from = graph_.vertices[arc.from];
    const Vertex& to = graph_.vertices[arc.to];
    const auto inputs =
        std::count_if(graph_.arcs.begin(), graph_.arcs.end(), [&arc](const Arc& other) { return other.to == arc.to; });
    if (inputs != 1 || arc.feedback || parallelism(arc.from) != parallelism(arc.to)) return false;
    // Keys of a single subtask all stay with it.
    const bool stays =
        arc.shipping == Shipping::kForward || (arc.shipping == Shipping::kHash && parallelism(arc.from) == 1);
    if (!stays) return false;
    if (from.node == to.node) return true;  // parts of one node
    return job_.settings.chaining && node(arc.to).chain == ChainPolicy::kAlways &&
           node(arc.from).chain != ChainPolicy::kNever;
  }

  void start_task(size_t vertex) {
    task_of_[vertex] = plan_.tasks.size();
    operator_of_[vertex] = 0;
    PlannedTask task;
    task.parallelism = parallelism(vertex);
    task.operators.push_back({{vertex}, {}});
    plan_.tasks.push_back(std::move(task));
  }

  void follow(size_t vertex, const Arc& arc) {
    PlannedTask& task = plan_.tasks[task_of_[vertex] = task_of_[arc.from]];
    if (fuses(arc)) {
      operator_of_[vertex] = operator_of_[arc.from];
      task.operators[operator_of_[vertex]].vertices.push_back(vertex);
      return;
    }
    operator_of_[vertex] = task.operators.size();
    task.operators.push_back({{vertex}, {}});
  }

  // Python steps without anything between them are one function. A key_by behind them is a function of its own.
  bool fuses(const Arc& arc) const {
    const auto* from = std::get_if<PythonSpec>(&node(arc.from).body);
    const auto* to = std::get_if<PythonSpec>(&node(arc.to).body);
    if (from == nullptr || to == nullptr || !job_.settings.python_chaining) return false;
    if (graph_.vertices[arc.from].role != Role::kPython || graph_.vertices[arc.to].role != Role::kPython) return false;
    if (!find_kind(from->kind)->step || !find_kind(to->kind)->step) return false;
    const auto outputs = std::count_if(graph_.arcs.begin(), graph_.arcs.end(),
                                       [&arc](const Arc& other) { return other.from == arc.from; });
    return outputs == 1 && from->execution_mode == to->execution_mode && from->on_error == to->on_error &&
           from->timeout_ms == to->timeout_ms;
  }

  void add_route(size_t index, bool chained) {
    const Arc& arc = graph_.arcs[index];
    PlannedOperator& from = plan_.tasks[task_of_[arc.from]].operators[operator_of_[arc.from]];
    if (chained && operator_of_[arc.from] == operator_of_[arc.to]) return;  // one function
    PlannedRoute route;
    route.side = arc.side;
    route.drops_key = arc.drops_key;
    if (chained) {
      route.next = operator_of_[arc.to];
    } else {
      route.exchange = plan_.exchanges.size();
      plan_.tasks[task_of_[arc.to]].exchanges.push_back(plan_.exchanges.size());
      plan_.exchanges.push_back({task_of_[arc.from], task_of_[arc.to], index});
    }
    from.routes.push_back(route);
  }

  void add_loops() {
    for (size_t vertex = 0; vertex < graph_.vertices.size(); ++vertex) {
      if (graph_.vertices[vertex].role != Role::kIteration) continue;
      PlannedLoop loop;
      loop.head = task_of_[vertex];
      loop.quiet_ms = std::get<IterationSpec>(node(vertex).body).quiet_ms;
      const std::vector<bool> behind = reached(loop.head, &PlannedExchange::from, &PlannedExchange::to);
      loop.member = reached(loop.head, &PlannedExchange::to, &PlannedExchange::from);
      for (size_t task = 0; task < behind.size(); ++task) loop.member[task] = loop.member[task] && behind[task];
      plan_.loops.push_back(std::move(loop));
    }
  }

  // Tasks that exchanges join to `start`, from their one end to the other.
  std::vector<bool> reached(size_t start, size_t PlannedExchange::*here, size_t PlannedExchange::*there) const {
    std::vector<bool> found(plan_.tasks.size(), false);
    std::vector<size_t> open{start};
    found[start] = true;
    for (size_t i = 0; i < open.size(); ++i) {
      for (const PlannedExchange& exchange : plan_.exchanges) {
        if (exchange.*here != open[i] || found[exchange.*there]) continue;
        found[exchange.*there] = true;
        open.push_back(exchange.*there);
      }
    }
    return found;
  }

  const JobDescription& job_;
  const Graph& graph_;
  std::vector<size_t> task_of_;
  std::vector<size_t> operator_of_;
  Plan plan_;
};

}  // namespace

Plan Plan::make(const JobDescription& job, const Graph& graph) { return Planner(job, graph).build(); }

std::string operator_name(const JobDescription& job, const Graph& graph, const PlannedOperator& planned) {
  std::string name;
  for (const size_t vertex : planned.vertices) {
    if (!name.empty()) name += " > ";
    name += job.nodes[graph.vertices[vertex].node].name;
    const Role role = graph.vertices[vertex].role;
    if (role == Role::kTimestamps) name += " (timestamps)";
    if (role == Role::kPartition) name += " (partitioner)";
    if (role == Role::kWatermarks && std::holds_alternative<SourceSpec>(job.nodes[graph.vertices[vertex].node].body)) {
      name += " (watermarks)";
    }
  }
  return name;
}

}  // namespace clutch::engine
