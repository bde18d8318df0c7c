#include "supervisor/aside.h"

#include <pthread.h>
#include <signal.h>

#include <system_error>
#include <utility>

namespace clutch::pyproc {

void Aside::run(std::function<void()> work) {
  std::unique_lock lock(mutex_);
  if (!thread_.joinable()) {
    // The application's signals are for its own threads.
    sigset_t all;
    sigset_t before;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before);
    try {
      thread_ = std::thread([this] { serve(); });
    } catch (const std::system_error&) {
      // There is none left to be had; `work` is done below.
    }
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    if (!thread_.joinable()) {
      lock.unlock();
      work();
      return;
    }
  }
  waiting_.push_back(std::move(work));
  more_.notify_one();
}

void Aside::serve() {
  ::pthread_setname_np(::pthread_self(), "clutch-state");
  std::unique_lock lock(mutex_);
  while (true) {
    more_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
    if (waiting_.empty()) return;
    const std::function<void()> work = std::move(waiting_.front());
    waiting_.pop_front();
    lock.unlock();
    work();
    lock.lock();
  }
}

void Aside::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    more_.notify_one();
  }
  if (thread_.joinable()) thread_.join();
}

}  // namespace clutch::pyproc
