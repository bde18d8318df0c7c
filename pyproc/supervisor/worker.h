// One worker process as the pool sees it: its descriptors, what was sent to it and not answered, and what it said.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "protocol/channel.h"
#include "supervisor/job.h"
#include "supervisor/lifecycle.h"
#include "supervisor/log_tail.h"
#include "supervisor/memory.h"
#include "supervisor/options.h"
#include "supervisor/process.h"

namespace clutch::pyproc {

// A place for one batch in a worker.
struct Slot {
  enum class State {
    kFree,
    kFilling,   // a thread writes its IN arena
    kSent,      // the worker has it
    kReturned,  // a thread reads its OUT arena
    kRevoked,   // the worker has it, but nobody waits for the answer any more
  };
  State state = State::kFree;
  Job* job = nullptr;  // kFilling, kSent, kReturned
  Range range;
  uint64_t ticket = 0;
  uint32_t attempt = 0;
  uint64_t order = 0;  // place in the sequence of all that was sent to this worker
  std::unique_ptr<ArenaMemory> in;
  std::unique_ptr<ArenaMemory> out;
  std::unique_ptr<ArenaMemory> answers;  // what the batch was given of its state, once it has asked for some

  // A thread reads state for the batch and uses its job and `answers`. Until it is done the worker has nothing else to
  // say about the batch, and the batch cannot end, also if the worker does.
  bool asking = false;

  // What came for it before BatchDone; written by the one who holds the worker's receive_mutex.
  std::vector<BatchNotes> notes;
  uint64_t noted = 0;  // dead letters and metrics in them
  Status error;
};

// A function in one worker.
struct Opening {
  enum class State { kSent, kOpened, kClosing };
  State state = State::kSent;
  uint64_t order = 0;  // of the request that was not answered yet; 0 if kOpened
};

// Why a worker is stopped.
struct StopCause {
  enum class Kind { kNone, kShutdown, kStartTimeout, kOpenTimeout, kDeadline, kCancelled, kProtocol };
  Kind kind = Kind::kNone;
  uint64_t ticket = 0;  // kDeadline, kCancelled
  std::string text;     // kProtocol
};

// Locks, in this order: receive_mutex, send_mutex, the pool's mutex. Members say which one guards them.
class Worker {
 public:
  Worker(uint32_t worker_number, uint64_t epoch, const PoolOptions& options, int64_t now);

  // Make socket, pipe, progress page, and start the process. Queues Configure.
  struct Paths {
    std::string python;
    std::string launcher;
    std::string embed;
    std::string worker;
  };
  Status start(const Paths& paths, const PoolOptions& options, uint64_t spin_ns);

  // Send a fixed struct, from any thread that does not hold the pool's mutex.
  template <typename T>
  Status send(T message, int attached_fd = -1) {
    const std::lock_guard lock(send_mutex);
    return send_locked(message, attached_fd);
  }
  template <typename T>
  Status send_locked(T& message, int attached_fd = -1) {
    message.header.epoch = epoch;
    Status status = channel.send(message, /*wait=*/false, attached_fd);
    if (status.ok()) count_sent();
    return status;
  }
  Status send_body(FrameType type, std::span<const uint8_t> body) {
    const std::lock_guard lock(send_mutex);
    return send_body_locked(type, body);
  }
  Status send_body_locked(FrameType type, std::span<const uint8_t> body);

  // Make an arena and hand it over. `ticket`: answer to NeedArena.
  Result<std::unique_ptr<ArenaMemory>> add_arena(ArenaRole role, uint64_t bytes, uint64_t ticket);
  // Let go of an arena on both sides.
  void drop_arena(std::unique_ptr<ArenaMemory> arena);

  ProgressPage& page() { return progress->page(); }
  std::string label() const { return "process.worker[" + std::to_string(number) + "]"; }

  // Oldest order that was not answered, or 0: what the worker is at.
  uint64_t head() const;
  bool open_for(uint64_t function) const {
    const auto found = functions.find(function);
    return found != functions.end() && found->second.state == Opening::State::kOpened;
  }
  bool asking() const;
  Slot* free_slot();
  uint32_t busy() const;

  const uint32_t number;
  const uint64_t epoch;

  // Constant from start() on.
  Channel channel;
  std::unique_ptr<ProgressMemory> progress;
  Process process;   // reaped by the loop's thread
  Fd log;            // read end of what it prints
  Fd control_epoll;  // readable when channel is; any thread can silence it

  std::mutex receive_mutex;  // guards inbox and launch_error, and who writes the next two
  Message inbox;
  std::string launch_error;
  std::atomic<bool> deaf{false};      // nothing more is read: it hung up, or lied
  std::atomic<uint64_t> received{0};  // frames

  std::mutex send_mutex;  // keeps messages and their orders in one sequence; guards the next two
  uint64_t sent = 0;
  // The order of the batch that is just being sent, or 0. Read with the pool's mutex alone.
  std::atomic<uint64_t> sending{0};

  std::mutex tail_mutex;  // guards tail; nothing else is locked inside
  LogTail tail;

  // Guarded by the pool's mutex.
  Lifecycle life;
  bool spare = false;
  StopCause cause;
  bool served = false;  // it was ready once
  bool ended = false;   // its process has; nothing that it asked for is done any more
  Ending ending;        // how, once all that it said was read
  std::vector<Slot> slots;
  std::vector<std::unique_ptr<ArenaMemory>> retired;  // arenas to be let go
  std::map<uint64_t, Opening> functions;
  uint64_t next_order = 1;
  int64_t head_since = 0;       // when what it is at became that
  int64_t hang_up_at = kNever;  // it closed ctl; when that is answered with a signal
  Options facts;
  std::string sandbox;
  int32_t lenders = 0;  // threads in poll() that read ctl
  bool armed = true;    // the loop reads ctl
  int64_t lent_until = 0;

  // Loop's thread alone.
  uint64_t control_watch = 0;
  uint64_t log_watch = 0;
  uint64_t process_watch = 0;

 private:
  void count_sent() { page().host_sent.store(++sent, std::memory_order_release); }
  std::atomic<uint32_t> next_arena_{1};
};

}  // namespace clutch::pyproc
