// A line on a terminal that is written over, four times a second at most.
#pragma once

#include <chrono>
#include <cstdint>

namespace clutch::tool {

class Progress {
 public:
  // @param total  Bytes of the input, or -1 if nobody knows; then there is no bar.
  Progress(bool shown, int64_t total) : shown_(shown), total_(total) {}
  ~Progress() { clear(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void update(int64_t bytes, int64_t rows);
  void clear();

 private:
  using Clock = std::chrono::steady_clock;

  bool shown_;
  bool drawn_ = false;
  int64_t total_;
  Clock::time_point start_ = Clock::now();
  Clock::time_point last_;
};

}  // namespace clutch::tool
