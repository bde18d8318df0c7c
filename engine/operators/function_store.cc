#include "operators/function_store.h"

#include "state/coding.h"

namespace clutch::engine {

// What is kept under the empty key | number of key groups | for each: number | snapshot.
Result<std::string> FunctionStore::snapshot() {
  std::string out;
  CLUTCH_ASSIGN_OR_RETURN(const std::string own, state_.snapshot_own());
  put_bytes(own, out);
  put_number(static_cast<uint64_t>(range_.size()), out);
  for (int32_t group = range_.first; group <= range_.last; ++group) {
    CLUTCH_ASSIGN_OR_RETURN(const std::string kept, state_.snapshot(group));
    put_number(static_cast<uint64_t>(group), out);
    put_bytes(kept, out);
  }
  return out;
}

Status FunctionStore::restore(std::span<const SnapshotPart* const> parts) {
  for (const SnapshotPart* part : parts) {
    SnapshotReader in(part->bytes);
    // All subtasks have the same there.
    if (const std::string_view own = in.view(); part == parts.front() && !in.failed()) {
      CLUTCH_RETURN_IF_ERROR(state_.restore_own(own));
    }
    const uint64_t groups = in.number();
    for (uint64_t i = 0; i < groups && !in.failed(); ++i) {
      const uint64_t group = in.number();
      const std::string_view kept = in.view();
      if (in.failed() || group > static_cast<uint64_t>(range_.last) || !range_.contains(static_cast<int32_t>(group))) {
        continue;
      }
      CLUTCH_RETURN_IF_ERROR(state_.restore(static_cast<int32_t>(group), kept));
    }
    if (in.failed()) return in.status();
  }
  return {};
}

}  // namespace clutch::engine
