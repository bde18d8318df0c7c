// Life of a pool, and the loop's turn.
#include "supervisor/pool.h"

#include <algorithm>
#include <thread>

#include "supervisor/cpus.h"

namespace clutch::pyproc {
namespace {

// About what a wake-up between two processors costs: spinning longer than that cannot pay.
constexpr uint64_t kSpinNs = 50'000;

// How long a worker is idle before arenas larger than this are given back.
constexpr int64_t kIdleTime = 5000 * kMillisecond;
constexpr uint64_t kKeptIdle = uint64_t{1} << 20;

// A worker, and the thread that waits for it, each need a processor, or one takes it from the other by spinning.
uint64_t spin_budget(const PoolOptions& options) {
  return options.workers + 1 <= static_cast<uint32_t>(allowed_cpus()) ? kSpinNs : 0;
}

}  // namespace

Pool::Pool(PoolOptions options, Worker::Paths paths, const clutch_host& host)
    : options_(std::move(options)),
      paths_(std::move(paths)),
      host_(host),
      spin_ns_(spin_budget(options_)),
      policy_(static_cast<uint64_t>(now_ns())) {}

Pool::~Pool() {
  {
    const Lock lock(mutex_);
    closing_ = true;
    if (!loop_) return;
    const int64_t now = now_ns();
    for (const WorkerPtr& worker : workers_) {
      const bool ready = worker->life.state() == WorkerState::kReady;
      stop(*worker, ready ? StopStep::kAsk : StopStep::kTerminate, {StopCause::Kind::kShutdown, 0, ""}, now);
    }
  }
  loop_->wake();
  {
    Lock lock(mutex_);
    // The stop ladder ends every worker, and kills again until it is gone.
    changed_.wait(lock, [&] { return workers_.empty() && starting_ == 0; });
  }
  aside_.stop();
  loop_->stop();
}

Status Pool::ensure_loop() {
  const Lock lock(mutex_);
  if (loop_) return {};
  Loop::Callbacks callbacks;
  callbacks.on_wake = [this] { loop_->arm(turn()); };
  callbacks.on_due = [this] { return turn(); };
  CLUTCH_ASSIGN_OR_RETURN(loop_, Loop::start(std::move(callbacks)));
  return {};
}

int64_t Pool::turn() {
  const int64_t now = now_ns();
  int64_t next = kNever;
  std::vector<std::pair<Job*, Status>> over;
  std::vector<std::pair<WorkerPtr, StopStep>> steps;
  std::vector<std::pair<WorkerPtr, std::unique_ptr<ArenaMemory>>> retired;
  std::vector<WorkerPtr> gone;  // whose last question was being answered when they ended
  {
    const Lock lock(mutex_);
    check_jobs(now, next, over);
    for (const WorkerPtr& worker : workers_) {
      const StopStep step = watch_over(*worker, now, next);
      if (step != StopStep::kNone) steps.emplace_back(worker, step);
      retire_idle(*worker, now, next);
      for (auto& arena : worker->retired) retired.emplace_back(worker, std::move(arena));
      worker->retired.clear();
      if (worker->life.state() == WorkerState::kGone && !worker->asking()) gone.push_back(worker);
    }
  }
  for (const auto& [worker, step] : steps) take_step(worker, step);
  for (auto& [worker, arena] : retired) worker->drop_arena(std::move(arena));
  for (const WorkerPtr& worker : gone) lay_to_rest(worker);
  staff(now, next);
  open_missing();
  for (auto& [job, status] : over) complete(job, std::move(status));
  dispatch();
  return next;
}

// A worker that has nothing to do keeps no large arenas: one large batch must not cost its memory for ever.
void Pool::retire_idle(Worker& worker, int64_t now, int64_t& next) {
  // Whoever fills a slot that is taken changes its arenas without the lock.
  if (worker.busy() != 0 || worker.life.state() != WorkerState::kReady) return;
  const auto large = [](const std::unique_ptr<ArenaMemory>& arena) { return arena && arena->size() > kKeptIdle; };
  const bool any = std::any_of(worker.slots.begin(), worker.slots.end(), [&](const Slot& slot) {
    return large(slot.in) || large(slot.out) || large(slot.answers);
  });
  if (!any) return;
  const int64_t due = worker.head_since + kIdleTime;
  if (now < due) {
    next = std::min(next, due);
    return;
  }
  for (Slot& slot : worker.slots) {
    for (auto* arena : {&slot.in, &slot.out, &slot.answers}) {
      if (large(*arena)) worker.retired.push_back(std::move(*arena));
    }
  }
}

void Pool::log_worker(int32_t level, const Worker& worker, std::string_view text) const {
  host_.log(level, worker.label(), nullptr, text);
}

void Pool::describe(const std::function<void(std::string_view, std::string_view)>& sink) {
  Options facts;
  {
    const Lock lock(mutex_);
    std::string pids;
    uint32_t serving = 0;
    uint32_t spares = 0;
    for (const WorkerPtr& worker : workers_) {
      if (worker->life.state() != WorkerState::kReady) continue;
      if (facts.empty()) {
        facts = worker->facts;
        facts.emplace_back("sandbox", worker->sandbox);
      }
      pids += (pids.empty() ? "" : ",") + std::to_string(worker->process.pid());
      ++(worker->spare ? spares : serving);
    }
    facts.emplace_back("workers", std::to_string(serving));
    facts.emplace_back("worker.spares", std::to_string(spares));
    facts.emplace_back("worker.pids", pids);
    facts.emplace_back("worker.restarts", std::to_string(restarts_));
    facts.emplace_back("arenas.pinned", std::to_string(pinned_));
  }
  facts.emplace_back("spin", spin_ns_ == 0 ? "off: no core is free" : "on");
  facts.emplace_back("spin.hits", std::to_string(spin_hits_.load()));
  facts.emplace_back("spin.misses", std::to_string(spin_misses_.load()));
  for (const auto& [key, value] : facts) sink(key, value);
}

std::vector<int> Pool::pids(bool serving_only) {
  const Lock lock(mutex_);
  std::vector<int> out;
  for (const WorkerPtr& worker : workers_) {
    const bool serving = !worker->spare && worker->life.state() == WorkerState::kReady;
    if (serving || !serving_only) out.push_back(worker->process.pid());
  }
  return out;
}

}  // namespace clutch::pyproc
