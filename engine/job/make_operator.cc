#include "job/make_operator.h"

#include <nlohmann/json.hpp>

#include "operators/column_operator.h"
#include "operators/interval_join_operator.h"
#include "operators/keyed_operator.h"
#include "operators/kinds.h"
#include "operators/python_sink_operator.h"
#include "operators/rows_operator.h"
#include "operators/sink_operator.h"
#include "operators/watermark_operator.h"
#include "operators/window_operator.h"
#include "source/python/ticket.h"

namespace clutch::engine {
namespace {

using Column = ColumnOperator::Column;

Code code_of(const CodeSpec& spec) { return {spec.format, spec.payload, spec.python_version}; }

FunctionDefinition::Step step_of(std::string_view kind, const CodeSpec& code, const std::string& name) {
  FunctionDefinition::Step step{std::string(kind), code_of(code), name, {}};
  if (!code.python_version.empty()) step.options.emplace_back("python.version", code.python_version);
  return step;
}

std::string sides_text(const std::vector<std::pair<std::string, columnar::Type>>& sides) {
  nlohmann::ordered_json json = nlohmann::ordered_json::object();
  for (const auto& [tag, type] : sides) json[tag] = columnar::to_string(type);
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

const columnar::Type* key_of(const Vertex& vertex) {
  for (const BatchType& input : vertex.inputs) {
    if (input.key.has_value()) return &*input.key;
  }
  return nullptr;
}

// A step with the options, side outputs and key of its node.
FunctionDefinition::Step node_step(const NodeSpec& node, const Vertex& vertex, std::string_view kind,
                                   const CodeSpec& code, const PythonSpec& python) {
  FunctionDefinition::Step step = step_of(kind, code, node.name);
  step.options.insert(step.options.end(), python.options.begin(), python.options.end());
  if (!python.side_outputs.empty()) step.options.emplace_back("side_outputs", sides_text(python.side_outputs));
  const columnar::Type* key = key_of(vertex);
  if (key != nullptr) step.options.emplace_back("key_type", columnar::to_string(*key));
  return step;
}

FunctionDefinition python_function(const JobDescription& job, const Graph& graph, const PlannedOperator& planned) {
  FunctionDefinition definition;
  for (const size_t at : planned.vertices) {
    const NodeSpec& node = job.nodes[graph.vertices[at].node];
    const auto& step = std::get<PythonSpec>(node.body);
    definition.steps.push_back(node_step(node, graph.vertices[at], step.kind, step.code, step));
  }
  const auto& python = std::get<PythonSpec>(job.nodes[graph.vertices[planned.first()].node].body);
  definition.input = RowsOperator::function_input(graph.vertices[planned.first()].inputs);
  definition.output = columnar::struct_of({graph.vertices[planned.last()].output.value_field()});
  definition.alone = find_kind(python.kind)->waits;
  definition.on_error = python.on_error;
  definition.mode = python.execution_mode;
  definition.timeout_ms = python.timeout_ms;
  return definition;
}

void add_common(const PythonSpec& python, FunctionDefinition& definition) {
  definition.on_error = python.on_error;
  definition.mode = python.execution_mode;
  definition.timeout_ms = python.timeout_ms;
}

FunctionDefinition window_function(const NodeSpec& node, const Vertex& vertex) {
  const auto& window = std::get<WindowSpec>(node.body);
  FunctionDefinition definition;
  definition.steps.push_back(node_step(node, vertex, window.python.kind, window.python.code, window.python));
  if (window.after.has_value()) {
    definition.steps.push_back(node_step(node, vertex, window.after_kind, *window.after, window.python));
  }
  for (FunctionDefinition::Step& step : definition.steps) {
    step.options.emplace_back("window", window.windows);
    if (window.all) step.options.emplace_back("all", "true");
  }
  if (window.accumulator.has_value() && !is_pickle(*window.accumulator)) {
    definition.steps.front().options.emplace_back("accumulator", columnar::to_string(*window.accumulator));
  }
  definition.input = WindowOperator::function_input(vertex.inputs);
  definition.output = columnar::struct_of({vertex.output.value_field()});
  add_common(window.python, definition);
  return definition;
}

FunctionDefinition join_function(const NodeSpec& node, const Vertex& vertex) {
  const auto& join = std::get<IntervalJoinSpec>(node.body);
  FunctionDefinition definition;
  FunctionDefinition::Step step = step_of(join.python.kind, join.python.code, node.name);
  step.options.insert(step.options.end(), join.python.options.begin(), join.python.options.end());
  if (!join.python.side_outputs.empty()) {
    step.options.emplace_back("side_outputs", sides_text(join.python.side_outputs));
  }
  definition.steps.push_back(std::move(step));
  definition.input = IntervalJoinOperator::function_input(vertex.inputs);
  definition.output = columnar::struct_of({vertex.output.value_field()});
  add_common(join.python, definition);
  return definition;
}

// Of a source or a sink that is written in Python; nothing for others.
const PythonSpec* python_end(const NodeSpec& node) {
  if (const auto* source = std::get_if<SourceSpec>(&node.body)) return source->python ? &*source->python : nullptr;
  const auto* sink = std::get_if<SinkSpec>(&node.body);
  return sink != nullptr && sink->python ? &*sink->python : nullptr;
}

FunctionDefinition end_function(const NodeSpec& node, const Vertex& vertex, const PythonSpec& python) {
  FunctionDefinition definition;
  definition.steps.push_back(step_of(python.kind, python.code, node.name));
  if (vertex.role == Role::kSource) {
    definition.alone = true;
    definition.input = ticket_field();
    definition.output = answer_field(vertex.output.value_field());
  } else {
    definition.input = RowsOperator::function_input(PythonSinkOperator::inputs(vertex.inputs[0]));
    definition.output = PythonSinkOperator::function_output();
  }
  add_common(python, definition);
  return definition;
}

// What a source reads and a sink writes is elsewhere, and an instance knows how far it has come: each subtask has one.
// Tickets have no deadline, as one is a row that stands for many. Of a batch in which a sink is lost nobody knows how
// much was written, so it is not tried again.
void set_end_options(Role role, Options& options) {
  const auto set = [&options](const std::string& key, const std::string& value) {
    std::erase_if(options, [&key](const auto& option) { return option.first == key; });
    options.emplace_back(key, value);
  };
  set("python.process.workers", "1");
  if (role == Role::kSource) {
    set("python.process.batch-timeout", "0");
    set("python.row-deadline", "0");
  } else {
    set("python.process.retries", "0");
  }
}

Result<std::unique_ptr<Operator>> make_window(const JobDescription& job, const NodeSpec& node, const Vertex& vertex,
                                              FunctionDefinition definition) {
  const auto& window = std::get<WindowSpec>(node.body);
  RowsShape shape{vertex.inputs, window.python.side_outputs, true};
  WindowPlan plan{window.assigner, window.trigger, window.allowed_lateness, window.evictor, window.folds(), false, {}};
  plan.clears = window.function == "process" || window.after_kind == find_window_kind("process")->name;
  for (size_t side = 0; side < shape.sides.size(); ++side) {
    if (shape.sides[side].first == window.late_tag) plan.late_side = side;
  }
  return WindowOperator::make(std::move(definition), std::move(shape), std::move(plan), job.max_parallelism);
}

std::optional<Column> column_of(Role role) {
  if (role == Role::kKeyBy) return Column::kKey;
  if (role == Role::kTimestamps) return Column::kTimestamp;
  if (role == Role::kPartition) return Column::kPartition;
  return std::nullopt;
}

RowsShape shape_of(const NodeSpec& node, const Vertex& vertex) {
  const auto& python = std::get<PythonSpec>(node.body);
  RowsShape shape{vertex.inputs, {}, !find_kind(python.kind)->step};
  for (const auto& [tag, type] : python.side_outputs) shape.sides.emplace_back(tag, type);
  return shape;
}

}  // namespace

std::optional<FunctionDefinition> function_of(const JobDescription& job, const Graph& graph,
                                              const PlannedOperator& planned) {
  const Vertex& vertex = graph.vertices[planned.first()];
  FunctionDefinition definition;
  if (vertex.role == Role::kPython) {
    definition = python_function(job, graph, planned);
  } else if (vertex.role == Role::kWindow) {
    definition = window_function(job.nodes[vertex.node], vertex);
  } else if (vertex.role == Role::kIntervalJoin) {
    definition = join_function(job.nodes[vertex.node], vertex);
  } else if (const PythonSpec* end = python_end(job.nodes[vertex.node]);
             end != nullptr && (vertex.role == Role::kSource || vertex.role == Role::kSink)) {
    definition = end_function(job.nodes[vertex.node], vertex, *end);
  } else if (const std::optional<Column> column = column_of(vertex.role)) {
    const char* const kind = *column == Column::kKey         ? CLUTCH_ENGINE_KIND_MAP
                             : *column == Column::kTimestamp ? CLUTCH_ENGINE_KIND_TIMESTAMPS
                                                             : CLUTCH_ENGINE_KIND_COLUMNS;
    definition.steps.push_back(step_of(kind, *vertex.code, job.nodes[vertex.node].name));
    definition.input = ColumnOperator::function_input(*column, vertex.inputs[0]);
    definition.output = ColumnOperator::function_output(*column, vertex.output);
  } else {
    return std::nullopt;
  }
  definition.name = operator_name(job, graph, planned);
  definition.options = job.configuration;
  if (vertex.role == Role::kSource || vertex.role == Role::kSink) set_end_options(vertex.role, definition.options);
  return definition;
}

Result<std::unique_ptr<Operator>> make_operator(const JobDescription& job, const Graph& graph,
                                                const PlannedOperator& planned, const Sink* sink) {
  const Vertex& vertex = graph.vertices[planned.first()];
  const NodeSpec& node = job.nodes[vertex.node];
  switch (vertex.role) {
    case Role::kSource:
    case Role::kIteration:
      return std::unique_ptr<Operator>();
    case Role::kPython: {
      FunctionDefinition definition = *function_of(job, graph, planned);
      const KindInfo& kind = *find_kind(std::get<PythonSpec>(node.body).kind);
      if (kind.state) return KeyedOperator::make(std::move(definition), shape_of(node, vertex), kind.broadcast);
      return std::unique_ptr<Operator>(new RowsOperator(std::move(definition), shape_of(node, vertex)));
    }
    case Role::kKeyBy:
    case Role::kTimestamps:
    case Role::kPartition:
      return std::unique_ptr<Operator>(new ColumnOperator(*function_of(job, graph, planned), *column_of(vertex.role),
                                                          vertex.inputs[0], vertex.receivers));
    case Role::kWatermarks: {
      const WatermarkStrategy strategy = job.batch ? WatermarkStrategy::none() : vertex.watermarks->strategy;
      return std::unique_ptr<Operator>(new WatermarkOperator(strategy, job.settings.watermark_interval_ms));
    }
    case Role::kWindow:
      return make_window(job, node, vertex, *function_of(job, graph, planned));
    case Role::kIntervalJoin: {
      const auto& join = std::get<IntervalJoinSpec>(node.body);
      return IntervalJoinOperator::make(*function_of(job, graph, planned), vertex.inputs, join.python.side_outputs,
                                        join.interval);
    }
    case Role::kSink:
      if (sink == nullptr) {
        return std::unique_ptr<Operator>(new PythonSinkOperator(*function_of(job, graph, planned), vertex.inputs[0]));
      }
      return std::unique_ptr<Operator>(new SinkOperator(*sink, vertex.inputs[0].value_field()));
  }
  return Status(CLUTCH_ERR_INTERNAL, "operator \"" + node.name + "\" has no role");
}

}  // namespace clutch::engine
