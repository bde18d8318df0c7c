#include "job/coordinator.h"

#include <exception>
#include <system_error>

namespace clutch::engine {
namespace {

// A batch may begin just when the order to cancel has passed it by; so the order is given again until all have ended.
constexpr std::chrono::milliseconds kAgain{10};

Status exception_status() {
  try {
    throw;
  } catch (const std::bad_alloc&) {
    return Status(CLUTCH_ERR_MEMORY, "memory is out", CLUTCH_ORIGIN_HOST);
  } catch (const std::exception& error) {
    return Status(CLUTCH_ERR_INTERNAL, error.what(), CLUTCH_ORIGIN_HOST);
  }
}

}  // namespace

Coordinator::~Coordinator() {
  cancel();
  if (watcher_.joinable()) watcher_.join();
}

Status Coordinator::start() {
  Status failed;
  try {
    for (const std::unique_ptr<Subtask>& subtask : subtasks_) {
      {
        const std::scoped_lock lock(mutex_);
        ++running_;
      }
      try {
        threads_.emplace_back([this, &subtask] { run(*subtask); });
      } catch (...) {
        const std::scoped_lock lock(mutex_);
        --running_;
        throw;
      }
    }
    watcher_ = std::thread([this] { watch(); });
    return {};
  } catch (const std::system_error& error) {
    failed = Status(CLUTCH_ERR_MEMORY, std::string("a thread of the job cannot be started: ") + error.what());
  }
  fail(failed);
  const size_t started = threads_.size();
  watch();
  // Those without a thread were not closed by it.
  for (size_t i = started; i < subtasks_.size(); ++i) {
    const Status ignored = subtasks_[i]->close();  // the thread is what failed
  }
  return failed;
}

void Coordinator::run(Subtask& subtask) {
  Status status;
  try {
    status = subtask.run();
  } catch (...) {
    status = exception_status();
  }
  if (!status.ok()) {
    status.with("subtask", std::to_string(subtask.number()));
    fail(std::move(status));
  }
  Status closed;
  try {
    closed = subtask.close();
  } catch (...) {
    closed = exception_status();
  }
  if (!closed.ok()) fail(std::move(closed));
  // Under the lock to the end: the watcher may not find everything done while this thread still signals.
  const std::scoped_lock lock(mutex_);
  --running_;
  changed_.notify_all();
}

void Coordinator::fail(Status reason) {
  Status told;
  {
    const std::scoped_lock lock(mutex_);
    if (!reason_.ok() || outcome_.has_value()) return;
    told = reason;
    reason_ = std::move(reason);
    changed_.notify_all();
  }
  failing_(told);
}

void Coordinator::cancel() { fail(Status(CLUTCH_ERR_CANCELLED, "the job was cancelled", CLUTCH_ORIGIN_USER)); }

void Coordinator::watch() {
  std::unique_lock lock(mutex_);
  while (running_ > 0) {
    if (reason_.ok()) {
      changed_.wait(lock, [this] { return running_ == 0 || !reason_.ok(); });
      continue;
    }
    const Status reason = reason_;
    lock.unlock();
    for (const std::unique_ptr<Subtask>& subtask : subtasks_) subtask->cancel(reason);
    lock.lock();
    changed_.wait_for(lock, kAgain, [this] { return running_ == 0; });
  }
  lock.unlock();
  for (std::thread& thread : threads_) thread.join();
  lock.lock();
  const Status outcome = reason_;
  lock.unlock();
  ended_(outcome);
  lock.lock();
  outcome_ = outcome;
  changed_.notify_all();
}

std::optional<Status> Coordinator::wait(std::optional<std::chrono::milliseconds> timeout) {
  std::unique_lock lock(mutex_);
  const auto over = [this] { return outcome_.has_value(); };
  if (timeout.has_value()) {
    changed_.wait_for(lock, *timeout, over);
  } else {
    changed_.wait(lock, over);
  }
  return outcome_;
}

}  // namespace clutch::engine
