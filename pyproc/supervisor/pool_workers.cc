// Starting, stopping and losing workers. On the loop's thread, but for stop().
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "clutch/columnar/ops.h"
#include "supervisor/pool.h"

namespace clutch::pyproc {
namespace {

constexpr int64_t kHangUpGrace = 200 * kMillisecond;
constexpr int64_t kStackSettles = 10 * kMillisecond;
constexpr size_t kReportedLog = 8 * 1024;
constexpr int64_t kLongestOpenMs = 60000;  // where batches have no deadline, open() and close() still have one

int64_t open_timeout_ns(const PoolOptions& options) {
  const int64_t batch = options.batch_timeout_ms == 0 ? kLongestOpenMs : options.batch_timeout_ms;
  return std::max(options.start_timeout_ms, batch) * kMillisecond;
}

std::string process_name(const Worker& worker) {
  return "worker process " + std::to_string(worker.number) + " (pid " + std::to_string(worker.process.pid()) + ")";
}

// Signals that one process sends to another; those of a crash come from the worker itself.
bool from_outside(const Ending& ending) {
  constexpr std::array kSent = {SIGKILL, SIGTERM, SIGINT, SIGHUP, SIGQUIT};
  return ending.known && std::find(kSent.begin(), kSent.end(), ending.signal) != kSent.end();
}

void add_evidence(Status& status, Worker& worker, const Ending& ending) {
  if (ending.known && ending.signal != 0) status.with(CLUTCH_DETAIL_SIGNAL, signal_name(ending.signal));
  if (ending.known && ending.signal == 0) status.with(CLUTCH_DETAIL_EXIT_CODE, std::to_string(ending.exit_code));
  const std::lock_guard lock(worker.tail_mutex);
  if (std::string lines = worker.tail.last_lines(kReportedLog); !lines.empty()) {
    status.with(CLUTCH_DETAIL_WORKER_LOG, std::move(lines));
  }
  if (std::string stack = worker.tail.stack(); !stack.empty()) {
    status.with(CLUTCH_DETAIL_PYTHON_STACK, std::move(stack));
  }
}

}  // namespace

void Pool::stop(Worker& worker, StopStep first, StopCause cause, int64_t now) {
  const bool first_stop = worker.life.state() != WorkerState::kStopping;
  if (!worker.life.stop(worker.epoch, first, now)) return;
  if (first_stop) worker.cause = std::move(cause);
  loop_->arm(0);
}

void Pool::cannot_send(Worker& worker, const Status& why) {
  const int64_t now = now_ns();
  if (why.code() != CLUTCH_ERR_WORKER_LOST) {
    stop(worker, StopStep::kKill, {StopCause::Kind::kProtocol, 0, std::string(why.message())}, now);
    return;
  }
  // It has hung up. Nearly always that is its end, which says more; one that lives on is killed for it.
  if (worker.hang_up_at == kNever) worker.hang_up_at = now + kHangUpGrace;
  loop_->arm(worker.hang_up_at);
}

StopStep Pool::watch_over(Worker& worker, int64_t now, int64_t& next) {
  if (worker.life.start_overdue(now)) {
    stop(worker, StopStep::kDump, {StopCause::Kind::kStartTimeout, 0, ""}, now);
  }
  if (now >= worker.hang_up_at) {
    worker.hang_up_at = kNever;
    stop(worker, StopStep::kKill, {StopCause::Kind::kProtocol, 0, "the worker closed its control socket and lived on"},
         now);
  }
  next = std::min(next, worker.hang_up_at);
  for (auto& [id, opening] : worker.functions) {
    if (opening.state == Opening::State::kOpened || opening.order != worker.head()) continue;
    const int64_t due = after(worker.head_since, open_timeout_ns(options_));
    if (now >= due) stop(worker, StopStep::kDump, {StopCause::Kind::kOpenTimeout, 0, ""}, now);
    next = std::min(next, now >= due ? kNever : due);
  }
  if (!worker.armed) {
    if (worker.lenders == 0 && now >= worker.lent_until) {
      listen(worker);
    } else {
      next = std::min(next, std::max(worker.lent_until, now + kMillisecond));
    }
  }
  const StopStep step = worker.life.take_step(now);
  next = std::min(next, worker.life.next_due());
  return step;
}

void Pool::take_step(const WorkerPtr& worker, StopStep step) {
  switch (step) {
    case StopStep::kNone:
      return;
    case StopStep::kAsk:
      // A worker that does not take it gets the next step.
      (void)worker->send(Shutdown{});
      return;
    case StopStep::kDump:
      worker->process.signal(SIGUSR1);
      return;
    case StopStep::kTerminate:
      worker->process.signal(SIGTERM);
      return;
    case StopStep::kKill:
      worker->process.kill_group();
      return;
  }
}

void Pool::staff(int64_t now, int64_t& next) {
  uint32_t to_start = 0;
  bool start_spare = false;
  {
    const Lock lock(mutex_);
    if (closing_ || functions_.empty()) return;
    uint32_t serving = 0;
    uint32_t ready = 0;
    uint32_t spares = 0;
    for (const WorkerPtr& worker : workers_) {
      const WorkerState state = worker->life.state();
      if (state != WorkerState::kStarting && state != WorkerState::kReady) continue;
      if (worker->spare) {
        ++spares;
      } else {
        ++serving;
        ready += state == WorkerState::kReady ? 1u : 0u;
      }
    }
    for (const WorkerState wanted : {WorkerState::kReady, WorkerState::kStarting}) {
      for (const WorkerPtr& worker : workers_) {
        if (serving == options_.workers) break;
        if (!worker->spare || worker->life.state() != wanted) continue;
        worker->spare = false;
        ++serving;
        --spares;
        spares_at_ = now + kSpareDelay;
      }
    }
    const bool opening = std::any_of(functions_.begin(), functions_.end(), [](const auto& entry) {
      return entry.second->phase == Function::Phase::kOpening;
    });
    const bool may_start = now >= policy_.may_start_at();
    if (serving < options_.workers) {
      if (may_start) {
        to_start = options_.workers - serving;
      } else {
        next = std::min(next, policy_.may_start_at());
      }
    } else if (ready == options_.workers && spares < options_.spares && !opening) {
      if (may_start && now >= spares_at_) {
        start_spare = true;
      } else {
        next = std::min(next, std::max(spares_at_, policy_.may_start_at()));
      }
    }
  }
  for (uint32_t i = 0; i < to_start; ++i) start_worker(/*spare=*/false);
  if (start_spare) start_worker(/*spare=*/true);
}

void Pool::start_worker(bool spare) {
  const int64_t now = now_ns();
  WorkerPtr worker;
  {
    const Lock lock(mutex_);
    if (closing_) return;
    ++starting_;
    worker = std::make_shared<Worker>(next_number_++, next_epoch_++, options_, now);
    worker->spare = spare;
  }
  Status started = worker->start(paths_, options_, spin_ns_);
  if (started.ok()) {
    worker->control_watch = loop_->watch(worker->control_epoll.get(), [this, worker] { read_control(worker); });
    worker->log_watch = loop_->watch(worker->log.get(), [this, worker] { read_log(worker); });
    worker->process_watch = loop_->watch(worker->process.pidfd(), [this, worker] { bury(worker); });
  }
  {
    const Lock lock(mutex_);
    --starting_;
    if (started.ok()) {
      workers_.push_back(worker);
      if (closing_) stop(*worker, StopStep::kKill, {StopCause::Kind::kShutdown, 0, ""}, now);
    } else {
      start_failed(std::move(started), /*killed=*/false);
    }
  }
  loop_->arm(after(now, options_.start_timeout_ms * kMillisecond));
}

// One that was killed says nothing about the next start: it counts as a loss, which batches outlive by their retries.
void Pool::start_failed(Status why, bool killed) {
  const int64_t now = now_ns();
  const bool try_again = killed && policy_.losses() < options_.retries;
  if (killed) {
    policy_.lost(now);
  } else {
    policy_.start_failed(now);
  }
  host_.log(try_again ? CLUTCH_LOG_WARN : CLUTCH_LOG_ERROR, "process", nullptr, why.message());
  // Who waits for a first answer gets this one at once; what runs already goes on with the workers there are.
  for (auto& [id, function] : functions_) {
    if (function->phase == Function::Phase::kOpening && function->failed.ok() && !try_again) {
      function->failed = Status(why).prefixed("function \"" + function->name + "\"");
    }
  }
  last_report_ = std::move(why);
  changed_.notify_all();
  loop_->arm(policy_.may_start_at());
}

void Pool::read_log(const WorkerPtr& worker) {
  std::array<char, 16 * 1024> chunk;
  bool ended = false;
  std::vector<std::string> lines;
  int stacks = 0;
  // Bounded, so that one that prints without end does not keep the loop from the others.
  for (int i = 0; i < 8 && !ended; ++i) {
    const ssize_t got = ::read(worker->log.get(), chunk.data(), chunk.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) break;
    ended = got == 0;
    const std::lock_guard lock(worker->tail_mutex);
    const auto keep = [&](std::string_view line) { lines.emplace_back(line); };
    if (ended) {
      worker->tail.finish(keep);
    } else {
      worker->tail.append({chunk.data(), static_cast<size_t>(got)}, keep);
    }
    stacks = worker->tail.stacks();
  }
  if (ended && worker->log_watch != 0) {
    loop_->unwatch(worker->log_watch);
    worker->log_watch = 0;
  }
  for (const std::string& line : lines) log_worker(CLUTCH_LOG_INFO, *worker, line);
  if (stacks > 0) {
    const Lock lock(mutex_);
    if (worker->life.step() == StopStep::kDump) {
      worker->life.stack_came(now_ns() + kStackSettles);
      loop_->arm(now_ns() + kStackSettles);
    }
  }
}

void Pool::read_control(const WorkerPtr& worker) {
  receive(worker, /*lent=*/false);
  if (!worker->deaf) return;
  loop_->unwatch(worker->control_watch);
  worker->control_watch = 0;
  const Lock lock(mutex_);
  cannot_send(*worker, Status(CLUTCH_ERR_WORKER_LOST, "it hung up", CLUTCH_ORIGIN_TRANSPORT));
}

// The process has ended: take what it still said, then give what it had to others.
void Pool::bury(const WorkerPtr& worker) {
  loop_->unwatch(worker->process_watch);
  const Ending ending = worker->process.reap();
  {
    const Lock lock(mutex_);
    worker->ended = true;
  }
  while (receive(worker, /*lent=*/false)) {
    // All of it: what it announced before it went counts, and its counter may be one behind.
  }
  {
    const std::lock_guard receiving(worker->receive_mutex);
    worker->deaf = true;
  }
  read_log(worker);
  if (worker->log_watch != 0) loop_->unwatch(worker->log_watch);
  if (worker->control_watch != 0) loop_->unwatch(worker->control_watch);
  worker->log_watch = worker->control_watch = worker->process_watch = 0;
  {
    const Lock lock(mutex_);
    worker->life.gone();
    worker->ending = ending;
  }
  lay_to_rest(worker);
}

// Give what a worker had to others, once no thread reads state for it any more: turn() comes back for that.
void Pool::lay_to_rest(const WorkerPtr& worker) {
  std::vector<std::pair<Job*, Status>> over;
  {
    const Lock lock(mutex_);
    if (worker->asking()) return loop_->wake();
    const Ending ending = worker->ending;
    const bool expected = worker->cause.kind == StopCause::Kind::kShutdown;
    workers_.erase(std::find(workers_.begin(), workers_.end(), worker));
    if (!worker->served && !expected) {
      start_failed(start_report(*worker, ending),
                   /*killed=*/from_outside(ending) && worker->cause.kind == StopCause::Kind::kNone);
    } else {
      lose(worker, ending, over);
    }
    changed_.notify_all();
  }
  for (auto& [job, status] : over) complete(job, std::move(status));
  loop_->wake();
}

Status Pool::start_report(Worker& worker, const Ending& ending) const {
  std::string text = process_name(worker) + " of " + paths_.python + " ";
  if (!worker.launch_error.empty()) {
    text += "did not start: " + worker.launch_error;
  } else if (worker.cause.kind == StopCause::Kind::kStartTimeout) {
    text += "was not ready within " + std::to_string(options_.start_timeout_ms) +
            " ms (python.process.start-timeout) and was stopped";
  } else if (worker.cause.kind == StopCause::Kind::kProtocol) {
    text += "did not start: " + worker.cause.text;
  } else {
    text += to_string(ending) + " before it was ready";
  }
  {
    const std::lock_guard lock(worker.tail_mutex);
    if (const std::string lines = worker.tail.last_lines(kReportedLog); !lines.empty()) {
      text += "; it printed:\n" + lines;
    }
  }
  Status status(CLUTCH_ERR_LOAD, std::move(text), CLUTCH_ORIGIN_CONFIG);
  add_evidence(status, worker, ending);
  return status;
}

Status Pool::loss_report(Worker& worker, const Ending& ending, const Function& function, std::string_view doing) const {
  const bool lied = worker.cause.kind == StopCause::Kind::kProtocol;
  std::string text = "function \"" + function.name + "\"" + std::string(doing.substr(0, doing.find('|'))) + ": " +
                     process_name(worker) + " ";
  text += lied ? "was killed, because " + worker.cause.text : to_string(ending);
  text += " " + std::string(doing.substr(doing.find('|') + 1));
  if (!lied && ending.known && ending.signal == SIGKILL) {
    text += "; nothing in Clutch killed it, so perhaps the system did for want of memory";
  } else if (!lied && ending.known && ending.signal == 0) {
    text += "; the function, or a library that it uses, must not end the process";
  }
  Status status(lied ? CLUTCH_ERR_PROTOCOL : CLUTCH_ERR_WORKER_LOST, std::move(text), CLUTCH_ORIGIN_TRANSPORT);
  status.with(CLUTCH_DETAIL_FUNCTION, function.name);
  add_evidence(status, worker, ending);
  return status;
}

Status Pool::batch_report(Worker& worker, const Ending& ending, const Job& job, int64_t row) const {
  const std::string batch = std::to_string(job.batch.sequence);
  const std::string at = row < 0 ? "" : " row " + std::to_string(row);
  Status status = loss_report(worker, ending, *job.function,
                              at + "|while it ran batch " + batch + " (attempt " + std::to_string(job.attempt) + ")");
  status.with(CLUTCH_DETAIL_BATCH, batch);
  add_row(status, job, row);
  return status;
}

void Pool::add_row(Status& status, const Job& job, int64_t row) {
  if (row < 0) return;
  const columnar::Field& input = job.function->input;
  const ArrowArray& rows = *job.batch.rows;
  const bool single = input.type.children.size() == 1;
  status.with(CLUTCH_DETAIL_ROW, std::to_string(row));
  status.with(CLUTCH_DETAIL_VALUE,
              single ? columnar::row_to_string(input.type.children.front(), *rows.children[0], rows.offset + row)
                     : columnar::row_to_string(input, rows, row));
}

// The row that a worker which is gone was at, as far as its word goes; -1 where it said none.
int64_t Pool::last_row(Worker& worker, const Job& job, const Range& range) {
  ProgressPage& page = worker.page();
  if (page.ticket.load() != job.ticket) return -1;
  const int64_t said = page.row.load();
  return said >= 0 && said < range.length ? range.start + said : -1;
}

// A function was being opened or closed when the worker went.
void Pool::lose_opening(Worker& worker, const Ending& ending) {
  for (auto& [id, opening] : worker.functions) {
    const auto found = functions_.find(id);
    if (opening.state == Opening::State::kOpened || opening.order != worker.head() || found == functions_.end())
      continue;
    Function& function = *found->second;
    const bool opens = opening.state == Opening::State::kSent;
    Status report;
    if (worker.cause.kind == StopCause::Kind::kOpenTimeout) {
      report = Status(CLUTCH_ERR_DEADLINE,
                      "function \"" + function.name + "\": its " + (opens ? "open()" : "close()") +
                          " did not return within " + std::to_string(open_timeout_ns(options_) / kMillisecond) +
                          " ms, and its worker was stopped; the time is the larger of python.process.start-timeout and "
                          "python.process.batch-timeout",
                      CLUTCH_ORIGIN_USER);
      report.with(CLUTCH_DETAIL_FUNCTION, function.name);
      add_evidence(report, worker, ending);
    } else {
      report = loss_report(worker, ending, function, opens ? "|while it opened the function" : "|while it closed it");
    }
    if (opens) {
      log_worker(CLUTCH_LOG_WARN, worker, report.message());
      last_report_ = report;
      // Perhaps it was not to blame: a batch in its place would be tried again too. Certainly so if it opened before.
      const uint32_t tries =
          function.phase == Function::Phase::kOpen ? std::max(options_.retries, 1u) : options_.retries;
      const bool again = worker.cause.kind != StopCause::Kind::kOpenTimeout && ++function.open_losses <= tries;
      if (!again && function.failed.ok()) function.failed = std::move(report);
      continue;
    }
    if (function.close_error.ok()) function.close_error = std::move(report);
  }
}

void Pool::lose(const WorkerPtr& worker, const Ending& ending, std::vector<std::pair<Job*, Status>>& over) {
  // A batch that is just being sent has not reached it.
  const uint64_t unsent = worker->sending.load();
  const uint64_t head = worker->head();
  const StopCause& cause = worker->cause;
  lose_opening(*worker, ending);
  for (Slot& slot : worker->slots) {
    const bool sent = slot.state == Slot::State::kSent;
    // Whoever sent it may not have got to saying so, while the worker was at it already and says so.
    const bool begun = sent && worker->page().ticket.load() == slot.job->ticket;
    const bool running = slot.order == head && (head != unsent || begun);
    if (slot.state == Slot::State::kRevoked) slot.state = Slot::State::kFree;
    if (!sent) continue;
    Job* job = slot.job;
    const Range range = slot.range;
    slot.state = Slot::State::kFree;
    slot.job = nullptr;
    job->worker = nullptr;
    job->kill_at = kNever;
    const bool for_this = running && cause.ticket == job->ticket;
    if (!running || cause.kind == StopCause::Kind::kShutdown) {
      requeue(job);
    } else if (for_this && cause.kind == StopCause::Kind::kDeadline) {
      Status status = deadline_error(*job, "its worker did not stop by itself and was killed", "kill",
                                     last_row(*worker, *job, range));
      add_evidence(status, *worker, ending);
      over.emplace_back(job, std::move(status));
    } else if (for_this && cause.kind == StopCause::Kind::kCancelled) {
      over.emplace_back(job, cancelled_error(*job));
    } else {
      const int64_t row = last_row(*worker, *job, range);
      Status report = batch_report(*worker, ending, *job, row);
      log_worker(CLUTCH_LOG_WARN, *worker, report.message());
      last_report_ = report;
      blame(job, range, row, std::move(report), over);
    }
  }
  worker->functions.clear();
  const bool told = cause.kind == StopCause::Kind::kShutdown || cause.kind == StopCause::Kind::kDeadline ||
                    cause.kind == StopCause::Kind::kCancelled || cause.kind == StopCause::Kind::kOpenTimeout;
  if (cause.kind == StopCause::Kind::kShutdown) return;
  ++restarts_;
  if (told) return;
  if (head == 0 || head == unsent) {
    last_report_ =
        Status(CLUTCH_ERR_WORKER_LOST, process_name(*worker) + " " + to_string(ending) + " while it was idle",
               CLUTCH_ORIGIN_TRANSPORT);
    add_evidence(last_report_, *worker, ending);
    log_worker(CLUTCH_LOG_WARN, *worker, last_report_.message());
  }
  policy_.lost(now_ns());
}

}  // namespace clutch::pyproc
