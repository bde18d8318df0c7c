// A batch on its way through the pool, and the function it belongs to.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "clutch/abi/batch.h"
#include "clutch/abi/host.h"
#include "clutch/columnar/owned.h"
#include "clutch/columnar/type.h"
#include "protocol/arena.h"
#include "protocol/channel.h"
#include "protocol/messages.h"
#include "supervisor/clock.h"

namespace clutch::pyproc {

struct Function;
class Worker;

// Rows of a batch that are tried together. A batch begins as one range; a row that ends its workers is found by
// cutting.
struct Range {
  int64_t start = 0;
  int64_t length = 0;
  uint32_t losses = 0;  // workers that ended while they ran exactly this range
};

// One thing that a batch gave, in the order in which it gave them.
struct Output {
  SectionKind kind = SectionKind::kEmit;  // kEmit, kStateChanges or kTimerChanges
  uint32_t id = 0;                        // worker's tag or state
  columnar::Array rows;                   // released: implied
  columnar::Array origin;                 // kEmit; released: implied
};

// Everything a range gave, checked, in the batch's own row numbers.
struct Outputs {
  std::vector<Output> outputs;
  std::vector<DeadLetter> dead_letters;
  std::vector<Metric> metrics;
  int64_t bytes = 0;

  void append(Outputs&& more);
};

// Where the time of a batch went. (unit: ns)
struct JobTimes {
  int64_t submitted = 0;  // points in time
  int64_t shipped = 0;
  int64_t encode = 0;  // durations from here on
  int64_t wake = 0;
  int64_t run = 0;
  int64_t copy = 0;
  int64_t validate = 0;
};

struct Job {
  uint64_t ticket = 0;  // unique in the pool
  Function* function = nullptr;
  clutch_batch batch{};
  clutch_error* error = nullptr;
  int64_t deadline_ns = kNever;
  bool cancelled = false;
  int64_t kill_at = kNever;  // cancelled or late, and in a worker: when that is stopped for it

  std::vector<Range> ranges;  // still to be run; the last is next
  uint32_t attempt = 0;       // of the whole batch: workers it was given to
  uint32_t losses = 0;        // workers it took with it
  Worker* worker = nullptr;   // that has it; NULL while it waits
  uint32_t slot = 0;
  Outputs outputs;
  JobTimes times;

  int64_t rows() const { return batch.rows->length; }
  // Groups of a kind that takes rows by group; its batches are never cut.
  int64_t groups() const { return batch.keys == nullptr ? 1 : batch.keys->length; }
  bool whole() const { return ranges.back().start == 0 && ranges.back().length == rows(); }
};

// An open function. Its jobs are its own; everything but the constant part is guarded by the pool's mutex.
struct Function {
  enum class Phase { kOpening, kOpen, kClosing };

  // Constant once it is open.
  uint64_t id = 0;
  std::string name;
  columnar::Field input;
  columnar::Field output;
  bool by_group = false;     // origins are positions of keys (clutch/abi/spec.h)
  bool any_order = false;    // origins may decrease
  bool same_schema = false;  // rows of the input may be emitted unchanged
  int32_t on_error = 0;
  // Why: it is sent without the pool's lock, and the function may be closed meanwhile.
  std::shared_ptr<const Bytes> message;  // encoded OpenFunction
  clutch_function_context* context = nullptr;
  std::vector<StateDeclaration> states;  // by the worker's number
  std::vector<uint32_t> host_states;
  std::vector<SideOutput> side_outputs;  // by the worker's tag minus one
  std::vector<uint32_t> host_tags;       // by the worker's tag

  Phase phase = Phase::kOpening;
  bool declared = false;     // states and side outputs are known
  uint32_t open_losses = 0;  // workers that ended while they opened it, since the last that did not
  Status failed;             // why it cannot be served any more
  Status close_error;
  std::map<uint64_t, std::unique_ptr<Job>> jobs;  // by ticket: in order of submission
  uint32_t completing = 0;                        // batches whose completion is being reported just now
  uint64_t completed = 0;
  uint64_t polled = 0;         // value of completed when poll() last told of it
  bool lender_asleep = false;  // somebody in poll() has to be told by the bell
  Fd bell_fd;                  // eventfd that wakes a thread in poll()
  int bell = -1;               // its number
};

}  // namespace clutch::pyproc
