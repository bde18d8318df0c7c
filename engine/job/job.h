// A job: from its description to its end.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "clutch/clutch.hpp"
#include "clutch/columnar/result.h"
#include "sink/collected.h"

namespace clutch::engine {

// One operator in one subtask. Python steps that are one function are one operator.
struct OperatorMetrics {
  int32_t node = 0;  // id of its (first) node
  std::string name;
  std::string mode;    // of its function; empty where there is none
  std::string plugin;  // likewise
  int32_t subtask = 0;
  int64_t rows_in = 0;
  int64_t rows_out = 0;  // with side outputs
  int64_t batches = 0;
  int64_t busy_ns = 0;
  int64_t blocked_ns = 0;  // waiting for room in channels
  uint64_t dead_letters = 0;
  int64_t watermark = 0;  // kMinWatermark: none was sent yet
  // What is not there, or not known, has no number.
  std::optional<int64_t> backlog_bytes;  // in the channels to it; only what stands first in its chain has some
  std::optional<int64_t> kept;           // Operator::kept_entries()
  std::optional<int64_t> workers;        // processes that serve each of its functions
};

struct JobMetrics {
  std::vector<OperatorMetrics> operators;  // by task, subtask and place in the chain
};

// make, start, wait: by one thread after the other. The others: from any thread once start() has returned well.
// The destructor cancels what runs and waits for it.
class Job {
 public:
  // Read and check the description (docs/jobs.md) and plan it; opens nothing. `host` must outlive the job.
  // CLUTCH_ERR_CONFIG in one sentence with the place.
  static Result<std::unique_ptr<Job>> make(std::string_view description, std::vector<std::string> blobs,
                                           const Host& host);
  ~Job();

  const std::string& name() const;
  // Tasks, chains and edges; for each Python function the plugin that takes it, and why. Opens runtimes.
  std::string plan(Format format) const;

  // Opens the functions of all subtasks and starts their threads. After a failure nothing is left; a job starts once.
  // With bytes of snapshot(), it goes on where that was taken: operators are found by their uid, or by the id of their
  // node, and may have another parallelism, but for sources. CLUTCH_ERR_DATA for bytes that are none;
  // CLUTCH_ERR_CONFIG for another max_parallelism, for a part that no operator is there for, and for windows and joins
  // that were others.
  Status start(std::string_view snapshot = {});

  // State, timers, windows, rows that wait in joins and source positions at one border between batches in all of the
  // job, while it goes on: barriers run from the sources through all operators, and each keeps what it is when
  // everything before them is worked off. What sinks have written is not part of it. CLUTCH_ERR_UNSUPPORTED for
  // iterations and sources that cannot go back; CLUTCH_ERR_ARGUMENT when a part of the job has ended;
  // CLUTCH_ERR_DEADLINE.
  Result<std::string> snapshot(std::chrono::milliseconds timeout);

  // Close the functions of a node at the next border between batches, each in its subtask, and open them in another
  // mode, with the state and the timers that they have; what they keep in themselves begins anew. A mode that does not
  // serve them changes nothing; the error of a function's close() is told when it has moved. CLUTCH_ERR_UNSUPPORTED for
  // sinks in Python, CLUTCH_ERR_ARGUMENT for nodes without a function and when a subtask has ended.
  Status move(int32_t node, const std::string& mode, std::chrono::milliseconds timeout);

  // Blocks until the job is over or the time has passed; nothing: it is not over. The error of a job names the operator
  // (detail "operator", "node", "subtask") and keeps the details of libclutch.
  std::optional<Status> wait(std::optional<std::chrono::milliseconds> timeout);
  // Asks the job to end with CLUTCH_ERR_CANCELLED; does not wait.
  void cancel();
  // Elements of the collect sinks in the order of arrival. Blocks until there are some, the job has ended (nothing) or
  // the time has passed (nothing). Elements that nobody takes hold the job up. Fails with the error of the job, behind
  // what arrived before it.
  Result<std::optional<Collected>> collected(std::optional<std::chrono::milliseconds> timeout);
  JobMetrics metrics() const;

 private:
  struct Parts;
  explicit Job(std::unique_ptr<Parts> parts);

  std::unique_ptr<Parts> parts_;
};

}  // namespace clutch::engine
