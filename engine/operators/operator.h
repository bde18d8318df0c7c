// What runs in a subtask: operators, each with one output to those behind it.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "checkpoint/snapshot.h"
#include "clutch/clutch.hpp"
#include "clutch/columnar/owned.h"
#include "clutch/columnar/result.h"
#include "runtime/lane.h"
#include "runtime/waker.h"
#include "time/signal.h"

namespace clutch::engine {

class Gathering;

// Where an operator sends what it makes: to the next operator of its chain, which takes it before the call returns, or
// into channels, which may wait for room. After an error nothing more may be sent.
class Output {
 public:
  virtual ~Output() = default;
  // Elements of the main output, and of a side output by its place among the declared ones. Batches without rows are
  // dropped.
  virtual Status emit(columnar::Array batch) = 0;
  virtual Status emit_side(size_t side, columnar::Array batch) = 0;
  // To all outputs.
  virtual Status signal(TimeSignal signal) = 0;
};

struct OperatorContext {
  const Host* host = nullptr;
  Waker* waker = nullptr;  // of the subtask
  Lane* lane = nullptr;    // of the subtask; nullptr: functions run in its thread
  Gathering* gathering = nullptr;
  std::string job_name;
  int32_t subtask = 0;
  int32_t parallelism = 1;
  int32_t max_parallelism = 128;
  int64_t batch_rows = 4096;
  const Snapshot* snapshot = nullptr;  // that the job begins with
  // What it kept of this operator, of all subtasks that it had; empty: it begins anew.
  std::vector<const SnapshotPart*> restored;
};

// One instance a subtask, used by its thread alone, but for cancel(). The order of calls: open, then the others until
// the input ends or something fails, then finish (not after a failure or a cancel), then close in every case in which
// open was called.
class Operator {
 public:
  using Deadline = std::chrono::steady_clock::time_point;

  virtual ~Operator() = default;

  // By the thread that starts the job.
  virtual Status open(const OperatorContext& context) = 0;

  // Take a batch of one input. What an operator makes of it may come later, but never behind what comes from later
  // input.
  virtual Status process(size_t input, columnar::Array batch, Output& output) = 0;

  // Time of the inputs together. An operator passes it on behind everything that came before it.
  virtual Status on_signal(TimeSignal signal, Output& output) { return output.signal(signal); }

  // Send what is ready by now, without waiting. Called whenever the subtask was woken, and before it waits.
  virtual Status poll(Output&) { return {}; }

  // When on_deadline() is to be called at the latest; nothing: never.
  virtual std::optional<Deadline> deadline() const { return std::nullopt; }
  virtual Status on_deadline(Output&) { return {}; }

  // Send everything that is in the making, and wait for it: so that a snapshot has no batches in it.
  virtual Status drain(Output&) { return {}; }

  // What a snapshot of the job keeps of the operator, after drain(); open() finds it in its context. Empty: nothing.
  virtual Result<std::string> snapshot() = 0;

  // After drain(): close the function behind it and open it in another mode, with the state that it has. Where it does
  // not open all is as before; an error of the old one's close() is told when the new one is there.
  virtual Status move_to(const std::string& mode) {
    return Status(CLUTCH_ERR_ARGUMENT, "it has no function that could move to the mode \"" + mode + "\"");
  }

  // Whether nothing is in the making that drain() would send.
  virtual bool idle() const { return true; }
  // What it does beside its function is enough to be worth a thread of its own (runtime/lane.h).
  virtual bool works_beside_function() const { return false; }

  // The input has ended; send the rest.
  virtual Status finish(Output& output) { return drain(output); }

  // From any thread, more than once: let calls that wait return soon with an error.
  virtual void cancel() {}

  virtual Status close() { return {}; }

  // Of the function behind it, for reports; empty where there is none.
  virtual std::string mode() const { return {}; }
  virtual std::string plugin() const { return {}; }
  virtual uint64_t dead_letters() const { return 0; }
  // How much it keeps: cells of state, open windows, rows for a join; nothing: it keeps nothing. From any thread. While
  // it runs, the number of a short time ago; exact when it has closed.
  virtual std::optional<int64_t> kept_entries() const { return std::nullopt; }
};

}  // namespace clutch::engine
