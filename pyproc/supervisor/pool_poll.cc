// Threads that are lent to the pool while they wait for a batch.
#include <poll.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "supervisor/pool.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace clutch::pyproc {
namespace {

// After the last lent thread left, the loop waits this long before it reads a worker's socket itself. A caller that
// submits and polls in turns is back by then, and no third thread is woken for each batch.
constexpr int64_t kLendPause = 1 * kMillisecond;

// An answer of an idle worker takes its wake-up and its cold caches, more than spin_ns_; what usually takes longer than
// this is not spun for at all, since then the sleep costs little beside it.
constexpr int64_t kSpinWorth = 150'000;

// Spinning that mostly fails is given up, and tried again now and then.
constexpr int32_t kSpinBest = 16;
constexpr int32_t kSpinWorst = -64;

void relax() {
#if defined(__x86_64__)
  _mm_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

void set_events(Worker& worker, uint32_t events) {
  epoll_event event{};
  event.events = events;
  // It cannot fail: the descriptor is in the set as long as the worker exists.
  (void)::epoll_ctl(worker.control_epoll.get(), EPOLL_CTL_MOD, worker.channel.fd(), &event);
}

}  // namespace

void Pool::silence(Worker& worker) {
  if (!worker.armed) return;
  worker.armed = false;
  set_events(worker, 0);
}

void Pool::listen(Worker& worker) {
  worker.armed = true;
  set_events(worker, EPOLLIN);
}

// Watch the workers' counters for twice the time that answers took lately. True if one of them has sent something.
bool Pool::spin(const std::vector<WorkerPtr>& workers) {
  const auto spoke = [&] {
    return std::any_of(workers.begin(), workers.end(), [](const WorkerPtr& worker) {
      // The counter is raised after the send, so a message may be here before it.
      const uint64_t sent = worker->page().worker_sent.load(std::memory_order_acquire);
      return static_cast<int64_t>(sent - worker->received.load(std::memory_order_acquire)) > 0;
    });
  };
  if (spoke()) return true;
  const int32_t score = spin_score_.load(std::memory_order_relaxed);
  const int64_t usual = answer_ns_.load(std::memory_order_relaxed);
  if (spin_ns_ == 0 || usual > kSpinWorth) return false;
  if (score < 0) {
    spin_score_.store(score + 1, std::memory_order_relaxed);
    return false;
  }
  const int64_t until = now_ns() + std::clamp(2 * usual, static_cast<int64_t>(spin_ns_), kSpinWorth);
  do {
    for (int i = 0; i < 32; ++i) {
      relax();
      if (spoke()) {
        spin_score_.store(std::min(score + 2, kSpinBest), std::memory_order_relaxed);
        spin_hits_.fetch_add(1, std::memory_order_relaxed);
        return true;
      }
    }
  } while (now_ns() < until);
  spin_score_.store(score <= 0 ? kSpinWorst : score - 4, std::memory_order_relaxed);
  spin_misses_.fetch_add(1, std::memory_order_relaxed);
  return false;
}

int32_t Pool::poll(Function* function, int64_t deadline_ns) {
  std::vector<WorkerPtr> workers;
  std::vector<pollfd> fds;
  // A worker's counter is only its word: one that says there is something, when there is not, is not believed again.
  bool believe = true;
  Lock lock(mutex_);
  while (true) {
    if (function->completed != function->polled || (function->jobs.empty() && function->completing == 0)) {
      function->polled = function->completed;
      return CLUTCH_OK;
    }
    const int64_t now = now_ns();
    if (now >= deadline_ns) return CLUTCH_PENDING;

    workers.clear();
    for (const WorkerPtr& worker : workers_) {
      const bool has_ours = std::any_of(worker->slots.begin(), worker->slots.end(), [&](const Slot& slot) {
        return slot.state == Slot::State::kSent && slot.job->function == function;
      });
      if (!has_ours || worker->deaf) continue;
      ++worker->lenders;
      silence(*worker);
      workers.push_back(worker);
    }
    lock.unlock();
    const bool spoken = believe && !workers.empty() && spin(workers);
    if (!spoken) {
      lock.lock();
      function->lender_asleep = true;  // from here on it is told by the bell
      const bool over = function->completed != function->polled;
      lock.unlock();
      fds.assign(1, {function->bell, POLLIN, 0});
      for (const WorkerPtr& worker : workers) fds.push_back({worker->channel.fd(), POLLIN, 0});
      const int64_t wait = deadline_ns == kNever ? kNever : std::max<int64_t>(0, deadline_ns - now_ns());
      const timespec timeout{static_cast<time_t>(wait / 1'000'000'000), static_cast<long>(wait % 1'000'000'000)};
      if (!over) (void)::ppoll(fds.data(), fds.size(), wait == kNever ? nullptr : &timeout, nullptr);
      // Before it finishes batches itself: it need not ring for itself. One that rings in between wakes the next wait.
      lock.lock();
      function->lender_asleep = false;
      lock.unlock();
      if (fds.front().revents != 0) {
        uint64_t count;
        [[maybe_unused]] const ssize_t got = ::read(function->bell, &count, sizeof(count));
      }
    }
    const int64_t answered = now_ns();
    bool any = false;
    for (const WorkerPtr& worker : workers) any |= receive(worker, /*lent=*/true);
    believe = any || !spoken;
    if (any) {
      const int64_t usual = answer_ns_.load(std::memory_order_relaxed);
      // One long wait says little about the next.
      const int64_t took = std::min(answered - now, 2 * kSpinWorth);
      answer_ns_.store(usual + (took - usual) / 8, std::memory_order_relaxed);
    }
    lock.lock();
    if (!workers.empty()) {
      const int64_t until = now_ns() + kLendPause;
      for (const WorkerPtr& worker : workers) {
        --worker->lenders;
        worker->lent_until = until;
      }
      loop_->arm(until);
    }
  }
}

}  // namespace clutch::pyproc
