#include "operators/function_store.h"

#include <algorithm>

namespace clutch::engine {

// What is kept under the empty key | number of key groups | for each: number | snapshot | 0, or 1 and event time.
Result<std::string> FunctionStore::snapshot(std::optional<int64_t> event_time) {
  std::string out;
  CLUTCH_ASSIGN_OR_RETURN(const std::string own, state_.snapshot_own());
  put_bytes(own, out);
  put_number(static_cast<uint64_t>(range_.size()), out);
  for (int32_t group = range_.first; group <= range_.last; ++group) {
    CLUTCH_ASSIGN_OR_RETURN(const std::string kept, state_.snapshot(group));
    put_number(static_cast<uint64_t>(group), out);
    put_bytes(kept, out);
  }
  put_number(event_time.has_value() ? 1 : 0, out);
  if (event_time.has_value()) put_time(*event_time, out);
  return out;
}

Status FunctionStore::restore_groups(SnapshotReader& in) {
  const uint64_t groups = in.number();
  for (uint64_t i = 0; i < groups && !in.failed(); ++i) {
    const uint64_t group = in.number();
    const std::string_view kept = in.view();
    if (in.failed() || group > static_cast<uint64_t>(range_.last) || !range_.contains(static_cast<int32_t>(group))) {
      continue;
    }
    CLUTCH_RETURN_IF_ERROR(state_.restore(static_cast<int32_t>(group), kept));
  }
  return {};
}

Status FunctionStore::restore(std::span<const SnapshotPart* const> parts) {
  bool everywhere = !parts.empty();
  for (const SnapshotPart* part : parts) {
    SnapshotReader in(part->bytes);
    // All subtasks have the same there.
    if (const std::string_view own = in.view(); part == parts.front() && !in.failed()) {
      CLUTCH_RETURN_IF_ERROR(state_.restore_own(own));
    }
    CLUTCH_RETURN_IF_ERROR(restore_groups(in));
    const bool told = in.number() == 1;
    const int64_t event_time = told ? in.time() : 0;
    if (!in.failed() && !in.at_end()) in.fail("something follows its end");
    if (in.failed()) return in.status();
    if (told) event_time_ = std::min(event_time, event_time_.value_or(event_time));
    everywhere = everywhere && told;
  }
  if (!everywhere) event_time_.reset();
  if (event_time_.has_value()) state_.resume_at(*event_time_);
  return {};
}

}  // namespace clutch::engine
