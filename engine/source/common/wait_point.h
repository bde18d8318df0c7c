// Waiting that another thread can end.
#pragma once

#include <chrono>
#include <optional>

#include "clutch/columnar/result.h"

namespace clutch::engine {

class WaitPoint {
 public:
  using Deadline = std::chrono::steady_clock::time_point;
  enum class Came : uint8_t { kReady, kWoken, kDeadline };

  WaitPoint();
  ~WaitPoint();
  WaitPoint(const WaitPoint&) = delete;
  WaitPoint& operator=(const WaitPoint&) = delete;

  // From any thread: end the wait of now, or the next one if there is none.
  void wake();

  // Wait until `fd` has one of poll(2)'s `events` (or an error or hang-up), wake() is called, or the deadline passes
  // (nothing: without end). fd -1: for nothing else. What is ready comes before what was called. Fails with
  // CLUTCH_ERR_INTERNAL where the system has no descriptor or memory for it.
  Result<Came> wait(std::optional<Deadline> until, int fd = -1, short events = 0);

 private:
  int event_;
  int failure_ = 0;  // errno of making event_
};

// The earlier of two deadlines, of which nothing is never.
inline std::optional<WaitPoint::Deadline> earlier(std::optional<WaitPoint::Deadline> a,
                                                  std::optional<WaitPoint::Deadline> b) {
  if (!a || !b) return a ? a : b;
  return *a < *b ? a : b;
}

}  // namespace clutch::engine
