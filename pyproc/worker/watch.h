// Notices that the supervisor is gone while the main thread runs user code.
#pragma once

#include <atomic>

#include "clutch/columnar/result.h"

namespace clutch::pyproc {

// A small thread that waits for the hang-up of ctl. If it comes while user code runs, the process ends there and then:
// nobody will take its answer. Otherwise the main thread reads what is left (it may be a shutdown) and decides itself.
// Must live as long as the process.
class Watch {
 public:
  // Start the thread; it lives as long as the process. Call once.
  Status start(int control_fd);

  // Main thread: user code begins. Ends the process if the supervisor is gone.
  void enter() {
    busy_.store(true, std::memory_order_seq_cst);
    if (gone_.load(std::memory_order_seq_cst) && !shutting_down_.load(std::memory_order_seq_cst)) leave();
  }
  void exit() { busy_.store(false, std::memory_order_seq_cst); }

  // Main thread: the supervisor has said shutdown, so its hang-up is expected. From then on close() of functions and
  // the interpreter's own end have kShutdownGraceMs.
  void shutting_down() { shutting_down_.store(true, std::memory_order_seq_cst); }

  // End the process at once, without any clean-up of Python: its state is unknown.
  [[noreturn]] static void leave();

  static constexpr int kShutdownGraceMs = 5000;

 private:
  static void* run(void* self);

  int fd_ = -1;
  std::atomic<bool> busy_{false};
  std::atomic<bool> gone_{false};
  std::atomic<bool> shutting_down_{false};
};

}  // namespace clutch::pyproc
