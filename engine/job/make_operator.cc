#include "job/make_operator.h"

#include <nlohmann/json.hpp>

#include "operators/column_operator.h"
#include "operators/keyed_operator.h"
#include "operators/kinds.h"
#include "operators/rows_operator.h"
#include "operators/sink_operator.h"
#include "operators/watermark_operator.h"

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

FunctionDefinition::Step python_step(const NodeSpec& node, const Vertex& vertex) {
  const auto& python = std::get<PythonSpec>(node.body);
  FunctionDefinition::Step step = step_of(python.kind, python.code, node.name);
  step.options.insert(step.options.end(), python.options.begin(), python.options.end());
  if (!python.side_outputs.empty()) step.options.emplace_back("side_outputs", sides_text(python.side_outputs));
  const columnar::Type* key = find_kind(python.kind)->keyed ? key_of(vertex) : nullptr;
  // Keys of type pickle are their pickles, which the runtime knows without a type.
  if (key != nullptr && !is_pickle(*key)) step.options.emplace_back("key_type", columnar::to_string(*key));
  return step;
}

FunctionDefinition python_function(const JobDescription& job, const Graph& graph, const PlannedOperator& planned) {
  FunctionDefinition definition;
  for (const size_t at : planned.vertices) {
    definition.steps.push_back(python_step(job.nodes[graph.vertices[at].node], graph.vertices[at]));
  }
  const auto& python = std::get<PythonSpec>(job.nodes[graph.vertices[planned.first()].node].body);
  definition.input = RowsOperator::function_input(graph.vertices[planned.first()].inputs);
  definition.output = columnar::struct_of({graph.vertices[planned.last()].output.value_field()});
  definition.on_error = python.on_error;
  definition.mode = python.execution_mode;
  definition.timeout_ms = python.timeout_ms;
  return definition;
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
  } else if (const std::optional<Column> column = column_of(vertex.role)) {
    const bool one_value = *column == Column::kKey;
    definition.steps.push_back(step_of(one_value ? CLUTCH_ENGINE_KIND_MAP : CLUTCH_ENGINE_KIND_COLUMNS, *vertex.code,
                                       job.nodes[vertex.node].name));
    definition.input = ColumnOperator::function_input(*column, vertex.inputs[0]);
    definition.output = ColumnOperator::function_output(*column, vertex.output);
  } else {
    return std::nullopt;
  }
  definition.name = operator_name(job, graph, planned);
  definition.options = job.configuration;
  return definition;
}

Result<std::unique_ptr<Operator>> make_operator(const JobDescription& job, const Graph& graph,
                                                const PlannedOperator& planned, const Sink* sink) {
  const Vertex& vertex = graph.vertices[planned.first()];
  const NodeSpec& node = job.nodes[vertex.node];
  switch (vertex.role) {
    case Role::kSource:
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
    case Role::kSink:
      return std::unique_ptr<Operator>(new SinkOperator(*sink, vertex.inputs[0].value_field()));
  }
  return Status(CLUTCH_ERR_INTERNAL, "operator \"" + node.name + "\" has no role");
}

}  // namespace clutch::engine
