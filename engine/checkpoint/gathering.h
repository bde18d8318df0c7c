// Where the subtasks of a job bring the parts of a snapshot.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

#include "checkpoint/snapshot.h"
#include "clutch/columnar/result.h"

namespace clutch::engine {

// One snapshot at a time; used by any thread. What comes for one that is over is dropped.
class Gathering {
 public:
  // Begin a snapshot that so many subtasks bring parts for; its number. CLUTCH_ERR_ARGUMENT while another is made, or
  // when a subtask has ended.
  Result<int64_t> begin(size_t subtasks);
  // All parts of one subtask.
  void bring(int64_t number, std::vector<SnapshotPart> parts);
  // There will be no snapshot; the job goes on.
  void fail(int64_t number, Status reason);
  // A subtask takes part in no snapshot any more, for its input has ended or the job failed.
  void leave(const std::string& who);

  // The parts, when all are there. Fails with the reason, or CLUTCH_ERR_DEADLINE.
  Result<std::vector<SnapshotPart>> wait(int64_t number, std::chrono::milliseconds timeout);

 private:
  std::mutex mutex_;  // guards all below
  std::condition_variable changed_;
  int64_t number_ = 0;
  bool running_ = false;
  size_t missing_ = 0;
  Status failure_;
  std::vector<SnapshotPart> parts_;
  std::string left_;  // who did first
};

}  // namespace clutch::engine
