// The plan for people, and as JSON.
#include <nlohmann/json.hpp>
#include <optional>

#include "job/plan.h"

namespace clutch::engine {
namespace {

using Json = nlohmann::ordered_json;

std::string indented(const std::string& text, const std::string& by) {
  std::string out;
  for (size_t start = 0; start < text.size();) {
    const size_t end = std::min(text.find('\n', start), text.size());
    if (end > start) out += by + text.substr(start, end - start) + "\n";
    start = end + 1;
  }
  return out;
}

Json ids_of(const JobDescription& job, const Graph& graph, const PlannedOperator& planned) {
  Json ids = Json::array();
  for (const size_t vertex : planned.vertices) ids.push_back(job.nodes[graph.vertices[vertex].node].id);
  return ids;
}

std::string shipping_of(const Graph& graph, const PlannedExchange& exchange) {
  return std::string(shipping_name(graph.arcs[exchange.arc].shipping));
}

// The operator that feeds this one inside of its task; nothing: it reads the task's input.
std::optional<size_t> feeder_of(const PlannedTask& task, size_t operator_index) {
  for (size_t i = 0; i < operator_index; ++i) {
    for (const PlannedRoute& route : task.operators[i].routes) {
      if (route.next == operator_index) return i;
    }
  }
  return std::nullopt;
}

// Which operator of the sending task an exchange comes from.
size_t sender_of(const PlannedTask& task, size_t exchange_index) {
  for (size_t i = 0; i < task.operators.size(); ++i) {
    for (const PlannedRoute& route : task.operators[i].routes) {
      if (route.exchange == exchange_index) return i;
    }
  }
  return 0;
}

std::string plan_text(const JobDescription& job, const Graph& graph, const Plan& plan, const Decide& decide) {
  std::string out = "job \"" + job.name + "\", " + (job.batch ? "batch" : "streaming") + "\n";
  for (size_t i = 0; i < plan.tasks.size(); ++i) {
    const PlannedTask& task = plan.tasks[i];
    out += "task " + std::to_string(i) + ", parallelism " + std::to_string(task.parallelism) + "\n";
    for (const size_t exchange : task.exchanges) {
      out += "  from task " + std::to_string(plan.exchanges[exchange].from) + ", " +
             shipping_of(graph, plan.exchanges[exchange]) +
             (graph.arcs[plan.exchanges[exchange].arc].feedback ? ", fed back\n" : "\n");
    }
    for (const PlannedOperator& planned : task.operators) {
      out += "  " + operator_name(job, graph, planned) + " (" + job.nodes[graph.vertices[planned.first()].node].type +
             ")\n";
      out += indented(decide(planned, Format::kText), "    ");
    }
  }
  return out;
}

std::string plan_json(const JobDescription& job, const Graph& graph, const Plan& plan, const Decide& decide) {
  Json tasks = Json::array();
  for (const PlannedTask& task : plan.tasks) {
    Json operators = Json::array();
    for (size_t i = 0; i < task.operators.size(); ++i) {
      const PlannedOperator& planned = task.operators[i];
      Json json = {{"name", operator_name(job, graph, planned)},
                   {"type", job.nodes[graph.vertices[planned.first()].node].type},
                   {"nodes", ids_of(job, graph, planned)}};
      if (const std::optional<size_t> feeder = feeder_of(task, i)) json["behind"] = *feeder;
      const std::string decision = decide(planned, Format::kJson);
      if (!decision.empty()) {
        Json parsed = Json::parse(decision, nullptr, false);
        json["decision"] = parsed.is_discarded() ? Json(decision) : std::move(parsed);
      }
      operators.push_back(std::move(json));
    }
    tasks.push_back({{"name", task.name}, {"parallelism", task.parallelism}, {"operators", std::move(operators)}});
  }
  Json edges = Json::array();
  for (size_t i = 0; i < plan.exchanges.size(); ++i) {
    const PlannedExchange& exchange = plan.exchanges[i];
    const Arc& arc = graph.arcs[exchange.arc];
    Json edge = {{"from", exchange.from}, {"operator", sender_of(plan.tasks[exchange.from], i)},
                 {"to", exchange.to},     {"partitioning", shipping_of(graph, exchange)},
                 {"input", arc.input},    {"feedback", arc.feedback}};
    if (arc.side.has_value()) edge["side"] = graph.vertices[arc.from].sides[*arc.side].first;
    edges.push_back(std::move(edge));
  }
  const Json whole = {{"name", job.name},
                      {"mode", job.batch ? "batch" : "streaming"},
                      {"tasks", std::move(tasks)},
                      {"edges", std::move(edges)}};
  return whole.dump(2, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

std::string write_plan(const JobDescription& job, const Graph& graph, const Plan& plan, Format format,
                       const Decide& decide) {
  return format == Format::kJson ? plan_json(job, graph, plan, decide) : plan_text(job, graph, plan, decide);
}

}  // namespace clutch::engine
