// Lines for the host's log, limited so that a function that prints without end neither blocks nor fills anything.
#pragma once

#include <cstdint>
#include <mutex>
#include <string_view>

#include "worker/link.h"

namespace clutch::pyproc {

class LogSender {
 public:
  explicit LogSender(Link& link) : link_(link) {}

  // From the configuration: lines below `level` are not made (6 or more: none); `lines_per_second` 0: no limit.
  void configure(int32_t level, int64_t lines_per_second);
  bool enabled(int32_t level) const { return level >= level_; }

  // Send one line, cut to kMaxLineBytes. Lines over the limit are counted instead.
  void write(int32_t level, uint64_t function, std::string_view source, std::string_view text);

  // Tell how much was left out since the last time; after a batch, so that the count stands where it belongs.
  void flush();

  static constexpr size_t kMaxLineBytes = 32 * 1024;

 private:
  // Allowance of lines or bytes: grows with time up to a second's worth.
  struct Bucket {
    int64_t per_second = 0;
    int64_t left = 0;
    int64_t since_ns = 0;
    void set(int64_t rate);
    void fill(int64_t now);
  };
  bool allowed(int64_t bytes);
  void tell_dropped();
  void send(int32_t level, uint64_t function, std::string_view source, std::string_view text);

  Link& link_;
  int32_t level_ = 2;
  bool unlimited_ = false;
  std::mutex mutex_;  // User threads print too. Guards all below.
  Bucket lines_;
  Bucket bytes_;
  uint64_t dropped_lines_ = 0;
  uint64_t dropped_bytes_ = 0;
};

}  // namespace clutch::pyproc
