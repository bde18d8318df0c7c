// Runs the subtasks of a job to their end, whatever that is.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "runtime/subtask.h"

namespace clutch::engine {

// Starts one thread for each subtask and one that watches over them. The first error ends all of them; the outcome is
// that error, and CLUTCH_ERR_CANCELLED if cancel() came first. The destructor cancels and waits.
class Coordinator {
 public:
  // Called once, by the watching thread, when all subtasks are closed, before wait() tells of the outcome.
  using Ended = std::function<void(const Status& outcome)>;
  // Called by any thread as soon as it is clear that the job will not end well.
  using Failing = std::function<void(const Status& reason)>;

  Coordinator(std::vector<std::unique_ptr<Subtask>>& subtasks, Failing failing, Ended ended)
      : subtasks_(subtasks), failing_(std::move(failing)), ended_(std::move(ended)) {}
  Coordinator(const Coordinator&) = delete;
  Coordinator& operator=(const Coordinator&) = delete;
  ~Coordinator();

  // The subtasks are open. After a failure nothing runs, and they are closed.
  Status start();
  void cancel();
  // Nothing: not over when the time had passed.
  std::optional<Status> wait(std::optional<std::chrono::milliseconds> timeout);

 private:
  void run(Subtask& subtask);
  void watch();
  void fail(Status reason);

  std::vector<std::unique_ptr<Subtask>>& subtasks_;
  const Failing failing_;
  const Ended ended_;
  std::vector<std::thread> threads_;
  std::thread watcher_;

  std::mutex mutex_;  // guards all below
  std::condition_variable changed_;
  size_t running_ = 0;
  Status reason_;  // the first error
  std::optional<Status> outcome_;
};

}  // namespace clutch::engine
