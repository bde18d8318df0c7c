#include "runtime/lane.h"

#include <exception>
#include <string>
#include <system_error>
#include <utility>

namespace clutch::engine {

void Lane::end() {
  {
    const std::scoped_lock lock(mutex_);
    if (!thread_.joinable()) return;
    over_ = true;
    changed_.notify_one();
  }
  thread_.join();
  const std::scoped_lock lock(mutex_);
  over_ = false;
}

Status Lane::post(Task task) {
  std::unique_lock lock(mutex_);
  if (!thread_.joinable()) {
    try {
      thread_ = std::thread([this] { work(); });
    } catch (const std::system_error& error) {
      return Status(CLUTCH_ERR_MEMORY,
                    std::string("a thread for the job's functions cannot be started: ") + error.what());
    }
  }
  tasks_.push_back(std::move(task));
  lock.unlock();
  changed_.notify_one();
  return {};
}

Status Lane::run(const Task& task) {
  std::mutex mutex;
  std::condition_variable ran;
  bool done = false;
  std::exception_ptr thrown;
  CLUTCH_RETURN_IF_ERROR(post([&] {
    try {
      task();
    } catch (...) {
      thrown = std::current_exception();
    }
    // Under the lock to the end: who waits may take all of this away.
    const std::scoped_lock lock(mutex);
    done = true;
    ran.notify_one();
  }));
  std::unique_lock lock(mutex);
  ran.wait(lock, [&] { return done; });
  if (thrown != nullptr) std::rethrow_exception(thrown);
  return {};
}

void Lane::work() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return over_ || !tasks_.empty(); });
    if (tasks_.empty()) return;
    {
      const Task task = std::exchange(tasks_.front(), Task());
      tasks_.pop_front();
      lock.unlock();
      task();
    }
    lock.lock();
  }
}

}  // namespace clutch::engine
