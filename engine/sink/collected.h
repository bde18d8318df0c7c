// Elements on their way to whoever runs the job.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>

#include "clutch/columnar/owned.h"
#include "clutch/columnar/result.h"
#include "clutch/columnar/type.h"

namespace clutch::engine {

struct Collected {
  int32_t node = 0;         // id of the sink
  columnar::Field element;  // type of the column `value`
  columnar::Array batch;    // struct<value, timestamp>
};

// A bounded queue from the collect sinks to any threads that take. It holds at most `capacity` bytes; a batch larger
// than that goes in alone.
class CollectQueue {
 public:
  explicit CollectQueue(int64_t capacity) : capacity_(capacity) {}

  // Waits for room. Fails with the reason of stop().
  Status put(Collected collected);
  // Waits for elements, at most so long. Nothing: the time has passed, or everything was taken and the job has ended
  // well. What arrived before a failure is given before the failure is told.
  Result<std::optional<Collected>> take(std::optional<std::chrono::milliseconds> timeout);

  // No put() succeeds any more; `reason` must be an error.
  void stop(const Status& reason);
  // The job is over, with this outcome.
  void end(const Status& outcome);

 private:
  struct Waiting {
    Collected collected;
    int64_t bytes;
  };

  std::mutex mutex_;  // guards all below
  std::condition_variable room_;
  std::condition_variable filled_;
  std::deque<Waiting> waiting_;
  int64_t bytes_ = 0;
  const int64_t capacity_;
  bool ended_ = false;
  Status stopped_;
  Status outcome_;
};

}  // namespace clutch::engine
