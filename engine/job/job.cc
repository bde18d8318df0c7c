#include "job/job.h"

#include <atomic>
#include <charconv>
#include <condition_variable>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <set>

#include "job/coordinator.h"
#include "job/make_operator.h"
#include "job/members.h"
#include "job/plan.h"
#include "job/wiring.h"
#include "runtime/hosted_function.h"
#include "sink/make.h"
#include "source/make.h"

namespace clutch::engine {

// In the order in which they may refer to each other.
struct Job::Parts {
  explicit Parts(JobDescription given, const Host& host_given)
      : description(std::move(given)), host(&host_given), queue(description.settings.channel_bytes) {}

  JobDescription description;
  Graph graph;
  Plan plan;
  const Host* host;
  CollectQueue queue;
  Connectors connectors;
  std::vector<std::unique_ptr<Loop>> loops;
  Gathering gathering;
  std::vector<std::unique_ptr<Subtask>> subtasks;
  std::unique_ptr<Coordinator> coordinator;
  bool started = false;

  // Of each function, by its first node. Found out for the first who asks, because it asks the plugins.
  const std::map<int32_t, int64_t>& workers();
  std::once_flag workers_once;
  std::map<int32_t, int64_t> known_workers;
};

namespace {

Status make_connectors(const JobDescription& job, CollectQueue& queue, Connectors& out) {
  for (size_t i = 0; i < job.nodes.size(); ++i) {
    const NodeSpec& node = job.nodes[i];
    if (const auto* source = std::get_if<SourceSpec>(&node.body)) {
      CLUTCH_ASSIGN_OR_RETURN(out.sources[i], make_source(*source));
      const int32_t highest = out.sources[i]->highest_parallelism();
      if (node.parallelism > highest) {
        return place_error(node.place + ".parallelism", "it is " + std::to_string(node.parallelism) +
                                                            ", and a source \"" + source->type + "\" is read by " +
                                                            std::to_string(highest) + " at most");
      }
      if (job.batch && !out.sources[i]->bounded()) {
        return place_error(node.place,
                           "it does not end, and a job in mode \"batch\" needs sources that do; use the mode "
                           "\"streaming\"");
      }
    } else if (const auto* sink = std::get_if<SinkSpec>(&node.body); sink != nullptr && !sink->python.has_value()) {
      CLUTCH_ASSIGN_OR_RETURN(out.sinks[i], make_sink(*sink, queue));
    }
  }
  return {};
}

}  // namespace

Job::Job(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

Job::~Job() = default;

Result<std::unique_ptr<Job>> Job::make(std::string_view description, std::vector<std::string> blobs, const Host& host) {
  auto shared = std::make_shared<const Blobs>(std::move(blobs));
  CLUTCH_ASSIGN_OR_RETURN(JobDescription read, read_description(description, shared));
  auto parts = std::make_unique<Parts>(std::move(read), host);
  CLUTCH_ASSIGN_OR_RETURN(parts->graph, Graph::make(parts->description));
  CLUTCH_RETURN_IF_ERROR(make_connectors(parts->description, parts->queue, parts->connectors));
  parts->plan = Plan::make(parts->description, parts->graph);
  return std::unique_ptr<Job>(new Job(std::move(parts)));
}

const std::string& Job::name() const { return parts_->description.name; }

std::string Job::plan(Format format) const {
  return write_plan(parts_->description, parts_->graph, parts_->plan, format,
                    [this](const PlannedOperator& planned, Format form) {
                      const auto function = function_of(parts_->description, parts_->graph, planned);
                      return function.has_value() ? explain(*parts_->host, *function, form) : std::string();
                    });
}

namespace {

// A part that nobody takes would be state that is lost.
Status check_taken(const Snapshot& snapshot, const JobDescription& job,
                   const std::vector<std::unique_ptr<Subtask>>& subtasks) {
  if (snapshot.max_parallelism != job.max_parallelism) {
    return Status(CLUTCH_ERR_CONFIG,
                  "the snapshot was taken with max_parallelism " + std::to_string(snapshot.max_parallelism) +
                      ", and the job has " + std::to_string(job.max_parallelism) + "; key groups cannot change",
                  CLUTCH_ORIGIN_CONFIG);
  }
  std::set<std::string_view> keys;
  for (const std::unique_ptr<Subtask>& subtask : subtasks) {
    for (const std::unique_ptr<Link>& link : subtask->links()) keys.insert(link->label().key);
  }
  for (const SnapshotPart& part : snapshot.parts) {
    if (keys.contains(part.name)) continue;
    return Status(CLUTCH_ERR_CONFIG,
                  "the snapshot has a part of \"" + part.name +
                      "\", and the job has no such operator; give nodes the uid or id they had",
                  CLUTCH_ORIGIN_CONFIG);
  }
  return {};
}

}  // namespace

Status Job::start(std::string_view snapshot) {
  Parts& parts = *parts_;
  if (parts.started) return Status(CLUTCH_ERR_ARGUMENT, "job \"" + name() + "\" was started before; make it again");
  parts.started = true;
  std::optional<Snapshot> restored;
  if (!snapshot.empty()) {
    CLUTCH_ASSIGN_OR_RETURN(restored, Snapshot::decode(snapshot));
  }
  CLUTCH_ASSIGN_OR_RETURN(Wired wired, wire(parts.description, parts.graph, parts.plan, parts.connectors, *parts.host));
  parts.loops = std::move(wired.loops);
  parts.subtasks = std::move(wired.subtasks);
  OperatorContext context;
  context.host = parts.host;
  context.job_name = name();
  context.batch_rows = parts.description.settings.batch_rows;
  context.gathering = &parts.gathering;
  context.snapshot = restored.has_value() ? &*restored : nullptr;
  Status status = restored.has_value() ? check_taken(*restored, parts.description, parts.subtasks) : Status();
  for (const std::unique_ptr<Subtask>& subtask : parts.subtasks) {
    if (!status.ok()) break;
    context.parallelism = subtask->parallelism();
    context.max_parallelism = parts.description.max_parallelism;
    status = subtask->open(context);
  }
  if (!status.ok()) {
    for (const std::unique_ptr<Subtask>& subtask : parts.subtasks) {
      const Status ignored = subtask->close();  // the first error is the one to tell
    }
    parts.subtasks.clear();
    return status;
  }
  parts.coordinator = std::make_unique<Coordinator>(
      parts.subtasks, [&parts](const Status& reason) { parts.queue.stop(reason); },
      [&parts](const Status& outcome) { parts.queue.end(outcome); });
  status = parts.coordinator->start();
  if (!status.ok()) {
    parts.coordinator.reset();
    parts.subtasks.clear();
  }
  return status;
}

Result<std::string> Job::snapshot(std::chrono::milliseconds timeout) {
  Parts& parts = *parts_;
  if (parts.coordinator == nullptr) {
    return Status(CLUTCH_ERR_ARGUMENT, "job \"" + name() + "\" does not run; start it first");
  }
  if (!parts.plan.loops.empty()) {
    return Status(CLUTCH_ERR_UNSUPPORTED,
                  "there is no snapshot of a job with an iteration, since elements go round at every border");
  }
  CLUTCH_ASSIGN_OR_RETURN(const int64_t number, parts.gathering.begin(parts.subtasks.size()));
  for (const std::unique_ptr<Subtask>& subtask : parts.subtasks) {
    if (subtask->reader() == nullptr) continue;
    subtask->post([&subtask = *subtask, number](bool running) {
      return running ? subtask.begin_snapshot(number) : Status();  // it has left the gathering
    });
  }
  CLUTCH_ASSIGN_OR_RETURN(std::vector<SnapshotPart> gathered, parts.gathering.wait(number, timeout));
  return Snapshot{parts.description.max_parallelism, std::move(gathered)}.encode();
}

Status Job::move(int32_t node, const std::string& mode, std::chrono::milliseconds timeout) {
  if (parts_->coordinator == nullptr) {
    return Status(CLUTCH_ERR_ARGUMENT, "job \"" + name() + "\" does not run; start it first");
  }
  // Why shared_ptr: a subtask may come to its border after the caller has given up.
  struct Moves {
    std::mutex mutex;
    std::condition_variable changed;
    size_t missing = 0;
    Status failure;
  };
  const auto moves = std::make_shared<Moves>();
  std::vector<Subtask*> with_function;
  for (const std::unique_ptr<Subtask>& subtask : parts_->subtasks) {
    if (subtask->has_function(node)) with_function.push_back(subtask.get());
  }
  if (with_function.empty()) {
    return Status(CLUTCH_ERR_ARGUMENT, "node " + std::to_string(node) + " of job \"" + name() +
                                           "\" has no function that could move to the mode \"" + mode + "\"");
  }
  moves->missing = with_function.size();
  for (Subtask* subtask : with_function) {
    subtask->post([subtask, moves, node, mode](bool running) {
      // Draining may fail, which ends the job; a mode that does not serve does not.
      Status moved;
      if (!running) {
        moved = Status(CLUTCH_ERR_ARGUMENT, "task \"" + subtask->name() + "\" has ended, so node " +
                                                std::to_string(node) + " cannot move to the mode \"" + mode + "\"");
      }
      Status of_job = running ? subtask->move(node, mode, moved) : Status();
      const std::scoped_lock lock(moves->mutex);
      if (moves->failure.ok()) moves->failure = of_job.ok() ? std::move(moved) : of_job;
      --moves->missing;
      moves->changed.notify_all();
      return of_job;
    });
  }
  std::unique_lock lock(moves->mutex);
  if (moves->changed.wait_for(lock, timeout, [&moves] { return moves->missing == 0; })) return moves->failure;
  return Status(CLUTCH_ERR_DEADLINE, "node " + std::to_string(node) + " did not move to the mode \"" + mode + "\" in " +
                                         std::to_string(timeout.count()) + " ms; it does when its batch is done");
}

std::optional<Status> Job::wait(std::optional<std::chrono::milliseconds> timeout) {
  if (parts_->coordinator == nullptr) {
    return Status(CLUTCH_ERR_ARGUMENT, "job \"" + name() + "\" does not run; start it first");
  }
  return parts_->coordinator->wait(timeout);
}

void Job::cancel() {
  if (parts_->coordinator != nullptr) parts_->coordinator->cancel();
}

Result<std::optional<Collected>> Job::collected(std::optional<std::chrono::milliseconds> timeout) {
  if (parts_->coordinator == nullptr) {
    return Status(CLUTCH_ERR_ARGUMENT, "job \"" + name() + "\" does not run; start it first");
  }
  return parts_->queue.take(timeout);
}

namespace {

// The number of worker processes that the chosen plugin tells of in a decision.
std::optional<int64_t> workers_in(const std::string& decision) {
  const auto json = nlohmann::json::parse(decision, nullptr, false);
  if (!json.is_object() || !json.contains("candidates")) return std::nullopt;
  for (const auto& candidate : json["candidates"]) {
    if (candidate.value("verdict", "") != "chosen" || !candidate.contains("facts")) continue;
    const std::string told = candidate["facts"].value("workers", "");
    int64_t workers = 0;
    const auto read = std::from_chars(told.data(), told.data() + told.size(), workers);
    if (read.ec == std::errc()) return workers;
  }
  return std::nullopt;
}

}  // namespace

const std::map<int32_t, int64_t>& Job::Parts::workers() {
  std::call_once(workers_once, [this] {
    for (const PlannedTask& task : plan.tasks) {
      for (const PlannedOperator& planned : task.operators) {
        const auto function = function_of(description, graph, planned);
        if (!function.has_value()) continue;
        const std::optional<int64_t> found = workers_in(explain(*host, *function, Format::kJson));
        if (found.has_value()) known_workers[description.nodes[graph.vertices[planned.first()].node].id] = *found;
      }
    }
  });
  return known_workers;
}

JobMetrics Job::metrics() const {
  JobMetrics metrics;
  const std::map<int32_t, int64_t>& workers = parts_->workers();
  for (const std::unique_ptr<Subtask>& subtask : parts_->subtasks) {
    for (const std::unique_ptr<Link>& link : subtask->links()) {
      const OperatorCounters& counters = link->counters();
      OperatorMetrics of;
      of.node = link->label().node;
      of.name = link->label().name;
      if (link->op() != nullptr) {
        of.mode = link->op()->mode();
        of.plugin = link->op()->plugin();
        of.dead_letters = link->op()->dead_letters();
        of.kept = link->op()->kept_entries();
        const auto known = workers.find(of.node);
        if (known != workers.end()) of.workers = known->second;
      } else if (const SourceReader* reader = subtask->reader()) {
        of.mode = reader->mode();
        of.plugin = reader->plugin();
      }
      if (link == subtask->links().front()) of.backlog_bytes = subtask->backlog();
      of.subtask = subtask->number();
      of.rows_in = counters.rows_in.load(std::memory_order_relaxed);
      of.rows_out = counters.rows_out.load(std::memory_order_relaxed);
      of.batches = counters.batches.load(std::memory_order_relaxed);
      of.busy_ns = counters.busy_ns.load(std::memory_order_relaxed);
      of.blocked_ns = counters.blocked_ns.load(std::memory_order_relaxed);
      of.watermark = counters.watermark.load(std::memory_order_relaxed);
      metrics.operators.push_back(std::move(of));
    }
  }
  return metrics;
}

}  // namespace clutch::engine
