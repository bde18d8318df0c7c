// The workers of one runtime, and the functions and batches they serve.
//
// Threads. One thread of the pool's own (loop.h) starts, watches and stops processes, keeps deadlines, and reads what
// workers send when nobody else does. The caller's thread does the rest: submit() writes the arena and sends the
// descriptor, poll() reads the answer, checks, copies and stages it. Whoever reads a worker's socket holds its
// receive_mutex only while it takes a message; the answer of a batch is then its own to finish. The host is never
// called with a lock held, but for log lines.
//
// The split in files: pool.cc (life, describe, the loop's turn), pool_batches.cc (submit to completion),
// pool_deadlines.cc (deadlines, cancellation), pool_receive.cc (messages of workers), pool_state.cc (state that a batch
// asks for while it runs), pool_poll.cc (lent threads), pool_functions.cc (open, close), pool_workers.cc (start, stop,
// loss).
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "supervisor/aside.h"
#include "supervisor/host_services.h"
#include "supervisor/job.h"
#include "supervisor/lifecycle.h"
#include "supervisor/loop.h"
#include "supervisor/options.h"
#include "supervisor/worker.h"

namespace clutch::pyproc {

class Pool {
 public:
  // Starts nothing. `paths` are absolute; the host outlives the pool.
  Pool(PoolOptions options, Worker::Paths paths, const clutch_host& host);
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;
  // All functions must be closed. Ends all workers and waits until they are gone.
  ~Pool();

  // Bring up the workers if need be, and the function in each of them.
  Result<Function*> open(OpenFunction&& request, clutch_function_context* context);
  // The function is gone afterwards; the status is that of close() in the workers.
  Status close(Function* function);

  // As the plugin contract has them.
  int32_t submit(Function* function, const clutch_batch& batch, clutch_error* error);
  int32_t poll(Function* function, int64_t deadline_ns);
  void cancel(Function* function, uint64_t sequence);
  uint32_t max_in_flight(const Function& function) const;

  void describe(const std::function<void(std::string_view, std::string_view)>& sink);

  // For tests: pids of the workers that serve now, and of all that live.
  std::vector<int> pids(bool serving_only);

 private:
  // Why: a thread in poll(), the loop, and the one who finishes a batch may each be the last to use a worker, its
  // descriptors and its mappings.
  using WorkerPtr = std::shared_ptr<Worker>;
  using Lock = std::unique_lock<std::mutex>;

  // More of a list or map state than travelled with the batch, as its worker asked for it; checked.
  struct Question {
    uint64_t ticket = 0;
    uint32_t slot = 0;
    int32_t refused = CLUTCH_OK;  // why it is not read
    clutch_batch_context* context = nullptr;
    uint32_t state = 0;       // worker's number
    uint32_t host_state = 0;  // the host's
    StateQuestion kind = StateQuestion::kPage;
    uint64_t max_bytes = 0;
    columnar::Array names;
  };

  struct Assigned {
    WorkerPtr worker;
    uint32_t slot = 0;
    Job* job = nullptr;
  };

  // pool.cc
  Status ensure_loop();
  int64_t turn();  // loop's thread: everything that is due; gives the next time
  void retire_idle(Worker& worker, int64_t now, int64_t& next);  // locked
  void log_worker(int32_t level, const Worker& worker, std::string_view text) const;

  // pool_batches.cc
  Status hopeless(const Function& function, int64_t now) const;  // locked: why nothing can serve it for some time
  bool assign(Job* job, Assigned& assigned);                     // locked: find a worker that can take it now
  void ship(Assigned assigned);
  Status fill(Assigned& assigned, uint64_t& in_bytes, BatchSubmit& submit);
  void dispatch();  // give waiting batches to free workers
  void finish(const WorkerPtr& worker, const BatchDone& done);
  void free_slot(const WorkerPtr& worker, uint32_t slot);
  void advance(Job* job, Outputs&& outputs);  // its last range gave these
  void complete(Job* job, Status status);
  void ring(Function& function);  // locked
  void requeue(Job* job);         // locked: to the front
  void blame(Job* job, const Range& range, int64_t row, Status report, std::vector<std::pair<Job*, Status>>& over);
  void split(Job* job, const Range& range, int64_t row);

  // pool_state.cc
  // A first page of a list or map state of each key of a batch, which travels with it.
  Result<columnar::Array> read_entries(const Job& job, uint32_t state);
  Status handle_read_state(const WorkerPtr& worker, std::optional<Question>& question);
  static Result<columnar::Array> read_names(std::span<const uint8_t> arena, uint64_t used, StateQuestion kind,
                                            int64_t keys);
  void answer(const WorkerPtr& worker, Question question);
  int32_t read_state(const Question& question, Slot& slot, Worker& worker, StateRead& answer);

  // pool_deadlines.cc
  Status deadline_error(const Job& job, std::string_view where, std::string_view stage, int64_t row = -1) const;
  Status cancelled_error(const Job& job) const;
  void check_jobs(int64_t now, int64_t& next, std::vector<std::pair<Job*, Status>>& over);  // locked

  // pool_receive.cc
  // What a message wants to have done when the next one can be received.
  struct Todo {
    bool is_done = false;
    BatchDone done;
    std::optional<Question> question;
  };
  // All there is; true if there was anything. `lent`: this thread has time to read state.
  bool receive(const WorkerPtr& worker, bool lent);
  Status handle(const WorkerPtr& worker, Todo& todo);
  Status handle_ready(const WorkerPtr& worker);
  Status handle_opened(const WorkerPtr& worker);
  Status handle_closed(const WorkerPtr& worker);
  Status handle_done(const WorkerPtr& worker, Todo& todo);
  Status handle_notes(const WorkerPtr& worker);
  Status handle_error(const WorkerPtr& worker);
  Status handle_need_arena(const WorkerPtr& worker);
  Status handle_log(const WorkerPtr& worker);
  void handle_launcher(const WorkerPtr& worker);
  Slot* slot_of(Worker& worker, uint64_t ticket);  // locked
  void distrust(const WorkerPtr& worker, std::string text);
  static Status lie(std::string what);  // it sent what no worker of ours sends

  // pool_poll.cc
  void silence(Worker& worker);  // locked: the loop does not read its ctl any more
  void listen(Worker& worker);   // locked: it does again
  bool spin(const std::vector<WorkerPtr>& workers);

  // pool_functions.cc
  void open_missing();  // every function in every worker that serves and does not have it
  void send_open(const WorkerPtr& worker, uint64_t function);
  Status wait_opened(Lock& lock, Function& function);
  Status declare(Function& function);
  Status shut(Lock& lock, Function& function);

  // pool_workers.cc (loop's thread)
  void staff(int64_t now, int64_t& next);
  void start_worker(bool spare);
  void start_failed(Status why, bool killed);                       // locked
  StopStep watch_over(Worker& worker, int64_t now, int64_t& next);  // locked: what to do to it now
  void take_step(const WorkerPtr& worker, StopStep step);
  void stop(Worker& worker, StopStep first, StopCause cause, int64_t now);  // locked, any thread
  void cannot_send(Worker& worker, const Status& why);                      // locked, any thread: no more is sent to it
  void read_log(const WorkerPtr& worker);
  void read_control(const WorkerPtr& worker);
  void bury(const WorkerPtr& worker);
  void lay_to_rest(const WorkerPtr& worker);
  Status start_report(Worker& worker, const Ending& ending) const;
  Status loss_report(Worker& worker, const Ending& ending, const Function& function, std::string_view doing) const;
  static int64_t last_row(Worker& worker, const Job& job, const Range& range);
  static void add_row(Status& status, const Job& job, int64_t row);  // the row and its value; nothing below 0
  Status batch_report(Worker& worker, const Ending& ending, const Job& job, int64_t row) const;
  void lose_opening(Worker& worker, const Ending& ending);                                               // locked
  void lose(const WorkerPtr& worker, const Ending& ending, std::vector<std::pair<Job*, Status>>& over);  // locked

  const PoolOptions options_;
  const Worker::Paths paths_;
  const HostServices host_;
  const uint64_t spin_ns_;

  std::mutex mutex_;                 // guards everything below but loop_
  std::condition_variable changed_;  // a function opened, closed or failed; a worker is gone
  std::vector<WorkerPtr> workers_;   // all that are not confirmed dead
  std::unordered_map<uint64_t, std::unique_ptr<Function>> functions_;
  std::deque<Job*> waiting_;
  RestartPolicy policy_;
  // A spare waits until what must start has started and opened its functions, and has had some time to itself: the
  // first result does not share its core with a second interpreter's start.
  static constexpr int64_t kSpareDelay = 200 * kMillisecond;

  Status last_report_;  // of the last lost worker or failed start
  uint64_t next_function_ = 1;
  uint64_t next_ticket_ = 1;
  uint64_t next_epoch_ = 1;
  uint32_t next_number_ = 1;
  uint64_t restarts_ = 0;
  uint64_t pinned_ = 0;
  int64_t spares_at_ = 0;
  uint32_t starting_ = 0;  // processes that are being made, and are in workers_ next
  bool closing_ = false;

  // How long answers took lately, from when a thread began to wait for one. (unit: ns)
  std::atomic<int64_t> answer_ns_{0};
  // How spinning went lately, and in all. Above 0 it is worth it.
  std::atomic<int32_t> spin_score_{0};
  std::atomic<uint64_t> spin_hits_{0};
  std::atomic<uint64_t> spin_misses_{0};

  std::unique_ptr<Loop> loop_;  // set once, under mutex_, before the first worker
  Aside aside_;
};

}  // namespace clutch::pyproc
