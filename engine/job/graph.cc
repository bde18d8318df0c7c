#include "job/graph.h"

#include <algorithm>
#include <map>

#include "job/members.h"
#include "operators/kinds.h"

namespace clutch::engine {
namespace {

class Builder {
 public:
  explicit Builder(const JobDescription& job) : job_(job) {
    for (size_t i = 0; i < job.nodes.size(); ++i) by_id_[job.nodes[i].id] = i;
    into_.resize(job.nodes.size());
    first_.resize(job.nodes.size());
    last_.resize(job.nodes.size());
    for (size_t i = 0; i < job.edges.size(); ++i) {
      if (!job.edges[i].feedback) into_[by_id_[job.edges[i].to]].push_back(i);
    }
  }

  Result<Graph> build() {
    CLUTCH_ASSIGN_OR_RETURN(const std::vector<size_t> order, in_order());
    for (const size_t node : order) CLUTCH_RETURN_IF_ERROR(add(node));
    CLUTCH_RETURN_IF_ERROR(feed_back());
    return std::move(graph_);
  }

 private:
  const NodeSpec& node_of(int32_t id) const { return job_.nodes[by_id_.at(id)]; }

  // Nodes behind those that feed them.
  Result<std::vector<size_t>> in_order() const {
    std::vector<size_t> missing(job_.nodes.size());
    for (size_t node = 0; node < missing.size(); ++node) missing[node] = into_[node].size();
    std::vector<size_t> order;
    for (size_t node = 0; node < missing.size(); ++node) {
      if (missing[node] == 0) order.push_back(node);
    }
    for (size_t i = 0; i < order.size(); ++i) {
      for (const EdgeSpec& edge : job_.edges) {
        if (!edge.feedback && edge.from == job_.nodes[order[i]].id && --missing[by_id_.at(edge.to)] == 0) {
          order.push_back(by_id_.at(edge.to));
        }
      }
    }
    if (order.size() == job_.nodes.size()) return order;
    for (const EdgeSpec& edge : job_.edges) {
      if (edge.feedback || !leads_to(edge.to, edge.from)) continue;
      return place_error(edge.place,
                         "the edge from " + std::to_string(edge.from) + " to " + std::to_string(edge.to) +
                             " is part of a cycle; only edges with \"feedback\" lead back, into an iteration");
    }
    return place_error("edges", "they form a cycle");
  }

  Status add(size_t index) {
    const NodeSpec& node = job_.nodes[index];
    if (const auto* source = std::get_if<SourceSpec>(&node.body)) return add_source(index, *source);
    const auto* python = std::get_if<PythonSpec>(&node.body);
    const KindInfo* kind = kind_of(node);
    CLUTCH_ASSIGN_OR_RETURN(std::vector<BatchType> inputs, inputs_of(index, kind));
    Vertex vertex;
    vertex.node = index;
    vertex.inputs = std::move(inputs);
    const BatchType input = vertex.inputs[0];
    if (python != nullptr) {
      vertex.role = Role::kPython;
      CLUTCH_RETURN_IF_ERROR(python_types(node, *python, vertex));
    } else if (const auto* window = std::get_if<WindowSpec>(&node.body)) {
      vertex.role = Role::kWindow;
      CLUTCH_RETURN_IF_ERROR(window_types(node, *window, vertex));
    } else if (const auto* join = std::get_if<IntervalJoinSpec>(&node.body)) {
      vertex.role = Role::kIntervalJoin;
      function_types(join->python, vertex);
    } else if (const auto* key_by = std::get_if<KeyBySpec>(&node.body)) {
      vertex.role = Role::kKeyBy;
      vertex.code = &key_by->code;
      vertex.output = {input.value, key_by->key};
    } else if (const auto* watermarks = std::get_if<WatermarkSpec>(&node.body)) {
      return add_watermarks(index, *watermarks, input, std::nullopt);
    } else if (std::holds_alternative<IterationSpec>(node.body)) {
      vertex.role = Role::kIteration;
      vertex.output = input;
    } else {
      vertex.role = Role::kSink;
    }
    first_[index] = last_[index] = push(std::move(vertex));
    return connect(index, first_[index]);
  }

  size_t push(Vertex vertex) {
    graph_.vertices.push_back(std::move(vertex));
    return graph_.vertices.size() - 1;
  }

  Status add_source(size_t index, const SourceSpec& source) {
    if (!into_[index].empty()) {
      return place_error(job_.edges[into_[index][0]].place,
                         "node " + std::to_string(job_.nodes[index].id) + " is a source and has no input");
    }
    Vertex vertex;
    vertex.node = index;
    vertex.output = {source.element.type, std::nullopt};
    const BatchType type = vertex.output;
    first_[index] = last_[index] = push(std::move(vertex));
    if (source.watermarks.has_value()) return add_watermarks(index, *source.watermarks, type, last_[index]);
    return {};
  }

  // Behind `before`, which is of the same node, or behind the node's edges.
  Status add_watermarks(size_t index, const WatermarkSpec& spec, const BatchType& type, std::optional<size_t> before) {
    std::vector<size_t> added;
    for (const Role role : {Role::kTimestamps, Role::kWatermarks}) {
      if (role == Role::kTimestamps && !spec.code.has_value()) continue;
      Vertex vertex;
      vertex.role = role;
      vertex.node = index;
      vertex.code = role == Role::kTimestamps ? &*spec.code : nullptr;
      vertex.watermarks = &spec;
      vertex.inputs = {type};
      vertex.output = type;
      added.push_back(push(std::move(vertex)));
    }
    if (!before.has_value()) {
      first_[index] = added.front();
      CLUTCH_RETURN_IF_ERROR(connect(index, added.front()));
    } else {
      graph_.arcs.push_back({.from = *before, .to = added.front(), .input = 0, .side = {}});
    }
    if (added.size() == 2) graph_.arcs.push_back({.from = added[0], .to = added[1], .input = 0, .side = {}});
    last_[index] = added.back();
    return {};
  }

  // The type of what an edge carries, as its node sends it.
  Result<BatchType> sent(const EdgeSpec& edge) const {
    const Vertex& from = graph_.vertices[last_[by_id_.at(edge.from)]];
    if (from.role == Role::kSink) {
      return place_error(edge.place + ".from", "node " + std::to_string(edge.from) + " is a sink and has no output");
    }
    if (!edge.side.has_value()) return from.output;
    for (const auto& [tag, type] : from.sides) {
      if (tag == *edge.side) return type;
    }
    return place_error(edge.place + ".side", "node " + std::to_string(edge.from) + " has no side output \"" +
                                                 *edge.side + "\"; name it in its side_outputs");
  }

  Result<std::vector<BatchType>> inputs_of(size_t index, const KindInfo* kind) const {
    const NodeSpec& node = job_.nodes[index];
    const size_t count = kind != nullptr ? static_cast<size_t>(kind->inputs) : 1;
    std::vector<std::optional<BatchType>> found(count);
    for (const size_t at : into_[index]) {
      const EdgeSpec& edge = job_.edges[at];
      const auto input = static_cast<size_t>(edge.input);
      if (input >= count) {
        return place_error(edge.place + ".input", "node " + std::to_string(node.id) + " has one input, number 0");
      }
      CLUTCH_ASSIGN_OR_RETURN(BatchType type, sent(edge));
      const bool keyed = kind != nullptr && kind->keyed && !(kind->broadcast && input == 1);
      if (edge.partitioning == Shipping::kCustom && keyed) {
        return place_error(edge.place + ".partitioning",
                           keys_needed(node, *kind) + ", and the partitioning \"custom\" does not pass keys on");
      }
      if (keyed && !type.key.has_value()) {
        return place_error(edge.place, keys_needed(node, *kind) + ", and node " + std::to_string(edge.from) +
                                           " gives none; put a key_by between them");
      }
      if (!keyed) type = type.without_key();
      if (!found[input].has_value()) {
        found[input] = std::move(type);
      } else if (!(*found[input] == type)) {
        return place_error(edge.place, "it carries " + text_of(type) + ", and another edge into this input of node " +
                                           std::to_string(node.id) + " carries " + text_of(*found[input]) +
                                           "; all must carry one type");
      }
    }
    std::vector<BatchType> out;
    for (size_t input = 0; input < count; ++input) {
      if (!found[input].has_value()) {
        return place_error(node.place,
                           "no edge leads to input " + std::to_string(input) + " of node " + std::to_string(node.id));
      }
      out.push_back(*std::move(found[input]));
    }
    if (count == 2 && kind->keyed && !kind->broadcast && !(out[0].key == out[1].key)) {
      return place_error(node.place, "its inputs have keys of different types, " + columnar::to_string(*out[0].key) +
                                         " and " + columnar::to_string(*out[1].key));
    }
    return out;
  }

  static std::string keys_needed(const NodeSpec& node, const KindInfo& kind) {
    return "node " + std::to_string(node.id) + " (" + std::string(kind.name) + ") needs keys";
  }

  static std::string text_of(const BatchType& type) {
    std::string text = columnar::to_string(type.value);
    if (type.key.has_value()) text += " with the key " + columnar::to_string(*type.key);
    return text;
  }

  static const KindInfo* kind_of(const NodeSpec& node) {
    if (const auto* python = std::get_if<PythonSpec>(&node.body)) return find_kind(python->kind);
    if (const auto* window = std::get_if<WindowSpec>(&node.body)) return find_window_kind(window->function);
    return std::holds_alternative<IntervalJoinSpec>(node.body) ? &interval_join_kind() : nullptr;
  }

  static void function_types(const PythonSpec& function, Vertex& vertex) {
    vertex.output.value = *function.output;
    for (const auto& [tag, type] : function.side_outputs) vertex.sides.push_back({tag, {type, std::nullopt}});
  }

  static Status window_types(const NodeSpec& node, const WindowSpec& window, Vertex& vertex) {
    function_types(window.python, vertex);
    const columnar::Type& element = vertex.inputs[0].value;
    if (window.function == "reduce" && !window.after.has_value() && !(*window.python.output == element)) {
      return place_error(node.place + ".output", "a window that reduces gives what it gets, " +
                                                     columnar::to_string(element) + ", and not " +
                                                     columnar::to_string(*window.python.output));
    }
    for (const auto& [tag, type] : window.python.side_outputs) {
      if (tag != window.late_tag || type == element) continue;
      return place_error(node.place + ".side_outputs", "late elements are of type " + columnar::to_string(element) +
                                                           ", and \"" + tag + "\" is " + columnar::to_string(type));
    }
    return {};
  }

  static Status python_types(const NodeSpec& node, const PythonSpec& python, Vertex& vertex) {
    vertex.output.value = python.output.value_or(vertex.inputs[0].value);
    if (python.kind == CLUTCH_ENGINE_KIND_FILTER && !(vertex.output.value == vertex.inputs[0].value)) {
      return place_error(node.place + ".output", "a filter gives what it gets, " +
                                                     columnar::to_string(vertex.inputs[0].value) + ", and not " +
                                                     columnar::to_string(vertex.output.value));
    }
    const KindInfo& kind = *find_kind(python.kind);
    if (kind.step && !python.side_outputs.empty()) {
      return place_error(node.place + ".side_outputs", python.kind + " has no side outputs; use stream.process");
    }
    for (const auto& [tag, type] : python.side_outputs) vertex.sides.push_back({tag, {type, std::nullopt}});
    return {};
  }

  // Arcs for the edges that lead back; those that feed them are there by now.
  Status feed_back() {
    for (const NodeSpec& node : job_.nodes) {
      const bool closed = std::any_of(job_.edges.begin(), job_.edges.end(),
                                      [&node](const EdgeSpec& edge) { return edge.feedback && edge.to == node.id; });
      if (closed || !std::holds_alternative<IterationSpec>(node.body)) continue;
      return place_error(node.place, "nothing is fed back into iteration " + std::to_string(node.id) +
                                         "; lead an edge with \"feedback\" to it");
    }
    for (const EdgeSpec& edge : job_.edges) {
      if (!edge.feedback) continue;
      const size_t to = by_id_.at(edge.to);
      if (!std::holds_alternative<IterationSpec>(job_.nodes[to].body)) {
        return place_error(edge.place + ".to", "node " + std::to_string(edge.to) +
                                                   " is no iteration; edges with \"feedback\" lead into nodes of type "
                                                   "\"iteration\"");
      }
      if (!leads_to(edge.to, edge.from)) {
        return place_error(edge.place + ".from", "node " + std::to_string(edge.from) + " gets nothing of iteration " +
                                                     std::to_string(edge.to) +
                                                     "; feed back what is made of its elements");
      }
      CLUTCH_ASSIGN_OR_RETURN(BatchType type, sent(edge));
      type = type.without_key();
      const BatchType& wanted = graph_.vertices[first_[to]].inputs[0];
      if (!(type == wanted)) {
        return place_error(edge.place, "it feeds back " + text_of(type) + ", and the elements of iteration " +
                                           std::to_string(edge.to) + " are " + text_of(wanted));
      }
      CLUTCH_RETURN_IF_ERROR(connect(edge, first_[to]));
    }
    return {};
  }

  // Along edges that do not lead back.
  bool leads_to(int32_t from, int32_t to) const {
    std::vector<int32_t> reached{from};
    for (size_t i = 0; i < reached.size(); ++i) {
      if (reached[i] == to) return true;
      for (const EdgeSpec& edge : job_.edges) {
        if (edge.from != reached[i] || edge.feedback) continue;
        if (std::find(reached.begin(), reached.end(), edge.to) == reached.end()) reached.push_back(edge.to);
      }
    }
    return false;
  }

  Status connect(size_t index, size_t vertex) {
    for (const size_t at : into_[index]) CLUTCH_RETURN_IF_ERROR(connect(job_.edges[at], vertex));
    return {};
  }

  Status connect(const EdgeSpec& edge, size_t to) {
    const NodeSpec& sender = node_of(edge.from);
    const NodeSpec& receiver = node_of(edge.to);
    Arc arc;
    arc.from = last_[by_id_.at(edge.from)];
    arc.to = to;
    arc.input = static_cast<size_t>(edge.input);
    CLUTCH_ASSIGN_OR_RETURN(const BatchType type, sent(edge));
    if (edge.side.has_value()) {
      const auto& sides = graph_.vertices[arc.from].sides;
      for (size_t i = 0; i < sides.size(); ++i) {
        if (sides[i].first == *edge.side) arc.side = i;
      }
    }
    arc.drops_key = type.key.has_value() && !graph_.vertices[to].inputs[arc.input].key.has_value();
    const KindInfo* kind = kind_of(receiver);
    const bool broadcast = kind != nullptr && kind->broadcast && edge.input == 1;
    Shipping usual = sender.parallelism == receiver.parallelism ? Shipping::kForward : Shipping::kRebalance;
    if (type.key.has_value()) usual = Shipping::kHash;
    if (broadcast) usual = Shipping::kBroadcast;
    arc.shipping = edge.partitioning.value_or(usual);
    arc.feedback = edge.feedback;
    CLUTCH_RETURN_IF_ERROR(check_shipping(edge, arc, type, broadcast));
    if (arc.shipping == Shipping::kCustom) {
      Vertex partition;
      partition.role = Role::kPartition;
      partition.node = by_id_.at(edge.from);
      partition.code = &*edge.code;
      partition.receivers = receiver.parallelism;
      partition.inputs = {type};
      partition.output = type.without_key();
      const size_t between = push(std::move(partition));
      graph_.arcs.push_back({.from = arc.from, .to = between, .input = 0, .side = arc.side});
      arc.from = between;
      arc.side.reset();
      arc.drops_key = false;
    }
    graph_.arcs.push_back(arc);
    return {};
  }

  Status check_shipping(const EdgeSpec& edge, const Arc& arc, const BatchType& type, bool broadcast) const {
    const NodeSpec& sender = node_of(edge.from);
    const NodeSpec& receiver = node_of(edge.to);
    const std::string place = edge.place + ".partitioning";
    if (broadcast && arc.shipping != Shipping::kBroadcast) {
      return place_error(place, "the second input of node " + std::to_string(edge.to) + " is broadcast, and not \"" +
                                    std::string(shipping_name(arc.shipping)) + "\"");
    }
    if (arc.shipping == Shipping::kForward && sender.parallelism != receiver.parallelism) {
      return place_error(place, "\"forward\" cannot lead from " + std::to_string(sender.parallelism) + " to " +
                                    std::to_string(receiver.parallelism) +
                                    " subtasks; use another partitioning, such as rebalance, or give both nodes one "
                                    "parallelism");
    }
    if ((arc.shipping == Shipping::kHash || arc.shipping == Shipping::kCustom) && !type.key.has_value()) {
      return place_error(place, "\"" + std::string(shipping_name(arc.shipping)) + "\" needs keys, and node " +
                                    std::to_string(edge.from) + " gives none; put a key_by before it");
    }
    const bool keyed = graph_.vertices[arc.to].inputs[arc.input].key.has_value();
    const KindInfo* kind = kind_of(receiver);
    if (keyed && kind != nullptr && kind->keyed && arc.shipping != Shipping::kHash && receiver.parallelism > 1) {
      return place_error(place, "the rows of a key must all come to one subtask of node " + std::to_string(edge.to) +
                                    "; use \"hash\"");
    }
    return {};
  }

  const JobDescription& job_;
  std::map<int32_t, size_t> by_id_;
  std::vector<std::vector<size_t>> into_;  // edges by the node they lead to
  std::vector<size_t> first_;              // vertex that takes the node's input
  std::vector<size_t> last_;               // vertex that gives its output
  Graph graph_;
};

}  // namespace

Result<Graph> Graph::make(const JobDescription& job) { return Builder(job).build(); }

}  // namespace clutch::engine
