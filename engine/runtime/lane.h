// A thread for the functions of a subtask that keep their caller's thread busy.
//
// Reading, preparing and sending the next batch takes no lock of an interpreter, so it can go on while Python works on
// the one before. That is worth it where it is much, as with windows; to hand a batch over costs two wake-ups, some
// 0.1 ms on a busy machine. All functions of the subtask share the thread, as they would wait for one another's
// interpreter anyway; and open(), the batches and close() of a function run in one thread, on which what it keeps for
// its thread (connections, event loops) relies.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

#include "clutch/columnar/result.h"

namespace clutch::engine {

class Lane {
 public:
  using Task = std::function<void()>;

  Lane() = default;
  Lane(const Lane&) = delete;
  Lane& operator=(const Lane&) = delete;
  ~Lane() { end(); }

  // From any thread: run behind what was posted before; the task must throw nothing. The first task starts the thread;
  // the status is not good, and the task is not run, where there is none to be had.
  Status post(Task task);
  // Post, and wait until it has run. What it throws comes out here. Not from a task.
  Status run(const Task& task);
  // Runs what was posted, then ends the thread.
  void end();

 private:
  void work();

  std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  std::deque<Task> tasks_;
  bool over_ = false;
  std::thread thread_;
};

}  // namespace clutch::engine
