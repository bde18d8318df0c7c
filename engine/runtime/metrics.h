// What is counted of one operator in one subtask, while it runs.
#pragma once

#include <atomic>
#include <cstdint>

#include "time/timestamp.h"

namespace clutch::engine {

// Written by the thread of the subtask, read by any.
struct OperatorCounters {
  std::atomic<int64_t> rows_in = 0;
  std::atomic<int64_t> rows_out = 0;    // main output and side outputs
  std::atomic<int64_t> batches = 0;     // that came in
  std::atomic<int64_t> busy_ns = 0;     // in the operator itself, without those behind it
  std::atomic<int64_t> blocked_ns = 0;  // waiting for room in channels
  std::atomic<int64_t> watermark = kMinWatermark;

  static void add(std::atomic<int64_t>& counter, int64_t amount) {
    counter.store(counter.load(std::memory_order_relaxed) + amount, std::memory_order_relaxed);  // one writer
  }
};

}  // namespace clutch::engine
