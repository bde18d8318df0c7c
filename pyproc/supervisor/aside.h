// A thread for what must not keep the loop's thread from its workers.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace clutch::pyproc {

// Runs what it is given in order, on a thread that starts with the first of it and lives until stop().
class Aside {
 public:
  Aside() = default;
  Aside(const Aside&) = delete;
  Aside& operator=(const Aside&) = delete;
  ~Aside() { stop(); }

  // From any thread, before stop(). Where no thread can be started, it is done here and now.
  void run(std::function<void()> work);

  // Do what is left, then end the thread and wait for it.
  void stop();

 private:
  void serve();

  std::mutex mutex_;  // guards all below
  std::condition_variable more_;
  std::deque<std::function<void()>> waiting_;
  std::thread thread_;
  bool stopping_ = false;
};

}  // namespace clutch::pyproc
