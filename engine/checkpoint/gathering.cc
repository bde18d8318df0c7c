#include "checkpoint/gathering.h"

#include <utility>

namespace clutch::engine {
namespace {

Status has_ended(const std::string& who) {
  return {CLUTCH_ERR_ARGUMENT,
          "there is no snapshot of a job of which a part has ended, and " + who + " has; take it while all sources run",
          CLUTCH_ORIGIN_USER};
}

}  // namespace

Result<int64_t> Gathering::begin(size_t subtasks) {
  const std::scoped_lock lock(mutex_);
  if (!left_.empty()) return has_ended(left_);
  if (running_) {
    return Status(CLUTCH_ERR_ARGUMENT, "a snapshot is being made; wait for it before you ask for the next",
                  CLUTCH_ORIGIN_USER);
  }
  running_ = true;
  missing_ = subtasks;
  failure_ = Status();
  parts_.clear();
  return ++number_;
}

void Gathering::bring(int64_t number, std::vector<SnapshotPart> parts) {
  const std::scoped_lock lock(mutex_);
  if (!running_ || number != number_) return;
  for (SnapshotPart& part : parts) parts_.push_back(std::move(part));
  if (--missing_ == 0) changed_.notify_all();
}

void Gathering::fail(int64_t number, Status reason) {
  const std::scoped_lock lock(mutex_);
  if (!running_ || number != number_ || !failure_.ok()) return;
  failure_ = std::move(reason);
  changed_.notify_all();
}

void Gathering::leave(const std::string& who) {
  const std::scoped_lock lock(mutex_);
  if (left_.empty()) left_ = who;
  if (running_ && missing_ > 0 && failure_.ok()) failure_ = has_ended(who);
  changed_.notify_all();
}

Result<std::vector<SnapshotPart>> Gathering::wait(int64_t number, std::chrono::milliseconds timeout) {
  std::unique_lock lock(mutex_);
  const bool over = changed_.wait_for(lock, timeout, [this] { return missing_ == 0 || !failure_.ok(); });
  running_ = false;
  if (missing_ == 0) return std::move(parts_);
  parts_.clear();
  if (over) return failure_;
  return Status(CLUTCH_ERR_DEADLINE,
                "snapshot " + std::to_string(number) + " was not there after " + std::to_string(timeout.count()) +
                    " ms: " + std::to_string(missing_) +
                    " subtasks have not come to its border; give it more time, or look at what holds them up");
}

}  // namespace clutch::engine
