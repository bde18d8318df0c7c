#include "job/wiring.h"

#include <utility>

#include "job/make_operator.h"

namespace clutch::engine {
namespace {

Partitioning partitioning_of(Shipping shipping) {
  switch (shipping) {
    case Shipping::kRebalance:
      return Partitioning::kRebalance;
    case Shipping::kRescale:
      return Partitioning::kRescale;
    case Shipping::kShuffle:
      return Partitioning::kShuffle;
    case Shipping::kBroadcast:
      return Partitioning::kBroadcast;
    case Shipping::kGlobal:
      return Partitioning::kGlobal;
    default:
      return Partitioning::kForward;  // hash and custom have partitioners of their own
  }
}

class Wiring {
 public:
  Wiring(const JobDescription& job, const Graph& graph, const Plan& plan, const Connectors& connectors,
         const Host& host)
      : job_(job), graph_(graph), plan_(plan), connectors_(connectors), host_(host) {}

  Result<std::vector<std::unique_ptr<Subtask>>> build(const std::vector<std::unique_ptr<Loop>>& loops) {
    for (size_t task = 0; task < plan_.tasks.size(); ++task) make_gates(task);
    for (size_t loop = 0; loop < loops.size(); ++loop) join(plan_.loops[loop], *loops[loop]);
    std::vector<std::unique_ptr<Subtask>> subtasks;
    for (size_t task = 0; task < plan_.tasks.size(); ++task) {
      for (int32_t number = 0; number < plan_.tasks[task].parallelism; ++number) {
        CLUTCH_ASSIGN_OR_RETURN(std::unique_ptr<Subtask> subtask, make_subtask(task, number));
        subtasks.push_back(std::move(subtask));
      }
    }
    return subtasks;
  }

 private:
  // Gates live in their subtasks, which are made after the senders into them are known by address.
  struct Place {
    std::unique_ptr<InputGate> gate;
    InputGate* address = nullptr;
    std::vector<size_t> input_of_channel;
    std::vector<size_t> exchange_of_channel;
    std::vector<bool> fed_back;
    std::vector<Loop*> loops;
    Loop* head_of = nullptr;
  };

  Edge edge_of(const PlannedExchange& exchange, int32_t sender) const {
    return {sender, plan_.tasks[exchange.from].parallelism, plan_.tasks[exchange.to].parallelism};
  }

  // Receivers that a sender has a channel to.
  ReceiverRange reach(const PlannedExchange& exchange, int32_t sender) const {
    const Edge edge = edge_of(exchange, sender);
    const Shipping shipping = graph_.arcs[exchange.arc].shipping;
    if (shipping == Shipping::kForward) return {sender, sender};
    if (shipping == Shipping::kRescale) return rescale_range(edge);
    return {0, edge.receivers - 1};
  }

  void make_gates(size_t task) {
    const PlannedTask& planned = plan_.tasks[task];
    std::vector<Place>& places = places_.emplace_back(static_cast<size_t>(planned.parallelism));
    if (planned.exchanges.empty()) return;
    for (const size_t exchange : planned.exchanges) {
      const PlannedExchange& of = plan_.exchanges[exchange];
      for (int32_t sender = 0; sender < plan_.tasks[of.from].parallelism; ++sender) {
        const ReceiverRange range = reach(of, sender);
        for (int32_t receiver = range.first; receiver <= range.last; ++receiver) {
          Place& place = places[static_cast<size_t>(receiver)];
          channels_[{exchange, sender, receiver}] = place.input_of_channel.size();
          place.input_of_channel.push_back(graph_.arcs[of.arc].input);
          place.exchange_of_channel.push_back(exchange);
          place.fed_back.push_back(graph_.arcs[of.arc].feedback);
        }
      }
    }
    for (Place& place : places) {
      place.gate = std::make_unique<InputGate>(place.input_of_channel.size(), job_.settings.channel_bytes);
      place.address = place.gate.get();
    }
  }

  void join(const PlannedLoop& planned, Loop& loop) {
    for (size_t task = 0; task < plan_.tasks.size(); ++task) {
      if (!planned.member[task]) continue;
      for (Place& place : places_[task]) {
        std::vector<bool> outside;
        for (const size_t exchange : place.exchange_of_channel) {
          outside.push_back(!planned.member[plan_.exchanges[exchange].from]);
        }
        place.gate->join(loop, std::move(outside));
        place.loops.push_back(&loop);
        if (task == planned.head) lead(place, loop);
      }
    }
  }

  void lead(Place& place, Loop& loop) {
    place.head_of = &loop;
    loop.add_head([gate = place.address] { gate->wake(); });
    for (size_t channel = 0; channel < place.fed_back.size(); ++channel) {
      if (place.fed_back[channel]) place.gate->feed_back(channel, loop, job_.settings.feedback_bytes);
    }
  }

  Result<std::unique_ptr<Subtask>> make_subtask(size_t task, int32_t number) {
    const PlannedTask& planned = plan_.tasks[task];
    std::vector<std::unique_ptr<Link>> links;
    for (const PlannedOperator& of : planned.operators) {
      const Vertex& vertex = graph_.vertices[of.first()];
      const auto sink = connectors_.sinks.find(vertex.node);
      CLUTCH_ASSIGN_OR_RETURN(
          std::unique_ptr<Operator> made,
          make_operator(job_, graph_, of, sink == connectors_.sinks.end() ? nullptr : sink->second.get()));
      Link::Label label{job_.nodes[vertex.node].id, operator_name(job_, graph_, of), snapshot_key(vertex), {}};
      for (const size_t at : of.vertices) label.nodes.push_back(job_.nodes[graph_.vertices[at].node].id);
      links.push_back(std::make_unique<Link>(std::move(label), std::move(made)));
    }
    for (size_t i = 0; i < links.size(); ++i) {
      for (const PlannedRoute& route : planned.operators[i].routes) {
        Link::Route made;
        made.side = route.side;
        made.drops_key = route.drops_key;
        if (route.next.has_value()) {
          made.next = links[*route.next].get();
        } else {
          CLUTCH_ASSIGN_OR_RETURN(made.sender, make_sender(*route.exchange, number));
        }
        links[i]->add_route(std::move(made));
      }
    }
    CLUTCH_ASSIGN_OR_RETURN(Subtask::Input input, make_input(task, number));
    return std::make_unique<Subtask>(planned.name, number, planned.parallelism, std::move(input), std::move(links));
  }

  // The name of an operator's parts of a snapshot.
  std::string snapshot_key(const Vertex& vertex) const {
    const NodeSpec& node = job_.nodes[vertex.node];
    std::string key = node.uid.empty() ? "node " + std::to_string(node.id) : node.uid;
    if (vertex.role == Role::kTimestamps) key += " (timestamps)";
    if (vertex.role == Role::kPartition) key += " (partitioner)";
    if (vertex.role == Role::kWatermarks) key += " (watermarks)";
    return key;
  }

  Result<Subtask::Input> make_input(size_t task, int32_t number) {
    Subtask::Input input;
    const Vertex& head = graph_.vertices[plan_.tasks[task].operators.front().first()];
    if (head.role != Role::kSource) {
      Place& place = places_[task][static_cast<size_t>(number)];
      input.gate = std::move(place.gate);
      input.input_of_channel = std::move(place.input_of_channel);
      input.fed_back = std::move(place.fed_back);
      input.loops = std::move(place.loops);
      input.head_of = place.head_of;
      return input;
    }
    const std::optional<FunctionDefinition> function = function_of(job_, graph_, plan_.tasks[task].operators.front());
    const SourceContext context{number,
                                plan_.tasks[task].parallelism,
                                job_.settings.batch_rows,
                                &host_,
                                function.has_value() ? &*function : nullptr,
                                job_.max_parallelism};
    CLUTCH_ASSIGN_OR_RETURN(input.reader, connectors_.sources.at(head.node)->reader(context));
    return input;
  }

  Result<std::unique_ptr<Sender>> make_sender(size_t exchange, int32_t sender) const {
    const PlannedExchange& of = plan_.exchanges[exchange];
    const Arc& arc = graph_.arcs[of.arc];
    const Vertex& from = graph_.vertices[arc.from];
    const BatchType& type = arc.side.has_value() ? from.sides[*arc.side].second : from.output;
    const Edge edge = edge_of(of, sender);
    Sender::Shape shape{type, arc.drops_key, arc.feedback, arc.shipping == Shipping::kCustom, std::nullopt};
    if (arc.shipping == Shipping::kHash) {
      CLUTCH_ASSIGN_OR_RETURN(const KeyGroups groups, KeyGroups::make(edge.receivers, job_.max_parallelism));
      CLUTCH_ASSIGN_OR_RETURN(shape.partitioner, Partitioner::hash(groups, type.field(), 1));
    } else if (!shape.by_column) {
      CLUTCH_ASSIGN_OR_RETURN(shape.partitioner,
                              Partitioner::make(partitioning_of(arc.shipping), edge, type.field(), exchange));
    }
    std::vector<Sender::Target> targets(static_cast<size_t>(edge.receivers));
    const ReceiverRange range = reach(of, sender);
    for (int32_t receiver = range.first; receiver <= range.last; ++receiver) {
      targets[static_cast<size_t>(receiver)] = {places_[of.to][static_cast<size_t>(receiver)].address,
                                                channels_.at({exchange, sender, receiver})};
    }
    return std::make_unique<Sender>(std::move(shape), std::move(targets));
  }

  struct ChannelKey {
    size_t exchange;
    int32_t sender;
    int32_t receiver;
    auto operator<=>(const ChannelKey&) const = default;
  };

  const JobDescription& job_;
  const Graph& graph_;
  const Plan& plan_;
  const Connectors& connectors_;
  const Host& host_;
  std::vector<std::vector<Place>> places_;  // by task and subtask
  std::map<ChannelKey, size_t> channels_;
};

}  // namespace

Result<Wired> wire(const JobDescription& job, const Graph& graph, const Plan& plan, const Connectors& connectors,
                   const Host& host) {
  Wired wired;
  for (const PlannedLoop& loop : plan.loops) {
    wired.loops.push_back(std::make_unique<Loop>(std::chrono::milliseconds(loop.quiet_ms)));
  }
  CLUTCH_ASSIGN_OR_RETURN(wired.subtasks, Wiring(job, graph, plan, connectors, host).build(wired.loops));
  return wired;
}

}  // namespace clutch::engine
