// Batches that are over before their workers say so: deadlines and cancellations.
#include <algorithm>

#include "supervisor/pool.h"

namespace clutch::pyproc {
namespace {

// A worker that was told to stop a batch, or knows its deadline, gets this long to do it by itself.
constexpr int64_t kCancelGrace = 500 * kMillisecond;
constexpr int64_t kDeadlineGrace = 250 * kMillisecond;

std::string quoted(const Function& function) { return "function \"" + function.name + "\""; }

}  // namespace

Status Pool::deadline_error(const Job& job, std::string_view where, std::string_view stage, int64_t row) const {
  Status status(
      CLUTCH_ERR_DEADLINE,
      quoted(*job.function) + (row < 0 ? "" : " row " + std::to_string(row)) + ": batch " +
          std::to_string(job.batch.sequence) + " was not done by its deadline; " + std::string(where) +
          (job.batch.deadline_ns == 0 ? ". Raise python.process.batch-timeout (" +
                                            std::to_string(options_.batch_timeout_ms) + " ms) if it needs that long"
                                      : ". Give it a later deadline if it needs that long"),
      CLUTCH_ORIGIN_USER);
  status.with(CLUTCH_DETAIL_FUNCTION, job.function->name);
  status.with(CLUTCH_DETAIL_BATCH, std::to_string(job.batch.sequence));
  if (!stage.empty()) status.with(CLUTCH_DETAIL_STAGE, std::string(stage));
  add_row(status, job, row);
  return status;
}

Status Pool::cancelled_error(const Job& job) const {
  Status status(CLUTCH_ERR_CANCELLED,
                quoted(*job.function) + ": batch " + std::to_string(job.batch.sequence) + " was cancelled by the host",
                CLUTCH_ORIGIN_HOST);
  status.with(CLUTCH_DETAIL_FUNCTION, job.function->name);
  status.with(CLUTCH_DETAIL_BATCH, std::to_string(job.batch.sequence));
  return status;
}

void Pool::cancel(Function* function, uint64_t sequence) {
  std::vector<std::pair<Job*, Status>> over;
  {
    const Lock lock(mutex_);
    for (auto& [ticket, job] : function->jobs) {
      if (job->batch.sequence != sequence || job->cancelled) continue;
      job->cancelled = true;
      if (job->worker == nullptr) {
        const auto place = std::find(waiting_.begin(), waiting_.end(), job.get());
        if (place == waiting_.end()) continue;  // It is being completed.
        waiting_.erase(place);
        over.emplace_back(job.get(), cancelled_error(*job));
      } else {
        job->worker->page().cancelled[job->slot].store(ticket, std::memory_order_relaxed);
        job->kill_at = now_ns() + kCancelGrace;
        loop_->arm(0);  // If another batch runs in its worker, it need not wait for that.
      }
    }
  }
  for (auto& [job, status] : over) complete(job, std::move(status));
}

// Deadlines and cancellations that a worker did not answer by itself.
void Pool::check_jobs(int64_t now, int64_t& next, std::vector<std::pair<Job*, Status>>& over) {
  for (auto& [id, function] : functions_) {
    for (auto& [ticket, owned] : function->jobs) {
      Job* job = owned.get();
      if (job->worker == nullptr) {
        const auto place = std::find(waiting_.begin(), waiting_.end(), job);
        if (place == waiting_.end()) continue;  // It is being completed.
        Status refused = function->failed.ok() ? hopeless(*function, now) : function->failed;
        if (!refused.ok()) {
          waiting_.erase(place);
          over.emplace_back(job, std::move(refused));
        } else if (now >= job->deadline_ns) {
          waiting_.erase(place);
          over.emplace_back(job, deadline_error(*job, "it was still waiting for a worker", ""));
        } else {
          next = std::min(next, job->deadline_ns);
        }
        continue;
      }
      Slot& slot = job->worker->slots[job->slot];
      if (slot.state != Slot::State::kSent || job->worker->life.state() != WorkerState::kReady) continue;
      const bool late = now >= job->deadline_ns;
      const bool runs = job->worker->head() == slot.order;
      if (late && job->kill_at == kNever && runs) {
        // It may have become the one that runs only now; the worker still gets its time to answer by itself.
        job->kill_at = std::max(job->deadline_ns, job->worker->head_since) + kDeadlineGrace;
      }
      if ((late || job->cancelled) && !runs) {
        // It waits in the worker behind another batch. The worker will answer it some day; nobody listens then.
        slot.state = Slot::State::kRevoked;
        slot.job = nullptr;
        job->worker->page().cancelled[job->slot].store(ticket, std::memory_order_relaxed);
        job->worker = nullptr;
        over.emplace_back(job, job->cancelled ? cancelled_error(*job)
                                              : deadline_error(*job, "another batch was running in its worker", ""));
        continue;
      }
      if (now >= job->kill_at) {
        stop(*job->worker, StopStep::kDump,
             {job->cancelled ? StopCause::Kind::kCancelled : StopCause::Kind::kDeadline, ticket, ""}, now);
        continue;
      }
      next = std::min(next, std::min(late ? kNever : job->deadline_ns, job->kill_at));
    }
  }
}

}  // namespace clutch::pyproc
