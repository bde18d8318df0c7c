#include "plan/stop.h"

namespace clutch::pyembed {

Status check_stop(const Host& host, const clutch_batch& batch, const Watch& watch, const std::string& function,
                  const std::string& where, int64_t row) {
  Status status;
  const char* which = nullptr;
  if (watch.cancelled() || watch.cause() == Cause::kCancelled ||
      (host.cancel != nullptr && host.cancel->is_cancelled(batch.context) != 0)) {
    status = Status(CLUTCH_ERR_CANCELLED, where + ": the batch was cancelled by the host", CLUTCH_ORIGIN_HOST);
  } else if (watch.cause() == Cause::kRowDeadline) {
    which = "a row ran longer than python.row-deadline; make it faster or raise the limit";
  } else if (batch.deadline_ns != 0 && monotonic_ns() >= batch.deadline_ns) {
    which = "the batch was not done by its deadline; send smaller batches or allow more time";
  }
  if (which != nullptr) {
    status = Status(CLUTCH_ERR_DEADLINE, where + ": " + which, CLUTCH_ORIGIN_USER);
    status.with(CLUTCH_DETAIL_STAGE, "row");
  }
  if (!status.ok()) {
    status.with(CLUTCH_DETAIL_FUNCTION, function).with(CLUTCH_DETAIL_BATCH, std::to_string(batch.sequence));
    status.with(CLUTCH_DETAIL_ROW, std::to_string(row));
  }
  return status;
}

Status interrupted(const Gil& gil, Interpreter& interpreter, Cause cause, const std::string& where, PyView exception) {
  const Described described = describe(gil, interpreter, exception, true);
  Status status;
  if (cause == Cause::kCancelled) {
    status = Status(CLUTCH_ERR_CANCELLED, where + ": the batch was cancelled by the host and the row interrupted",
                    CLUTCH_ORIGIN_HOST);
  } else {
    const bool of_row = cause == Cause::kRowDeadline;
    status = Status(
        CLUTCH_ERR_DEADLINE,
        where + (of_row ? ": interrupted because it ran longer than python.row-deadline; make it faster or raise "
                          "the limit"
                        : ": interrupted because the batch was not done by its deadline; send smaller batches or "
                          "allow more time"),
        CLUTCH_ORIGIN_USER);
    status.with(CLUTCH_DETAIL_STAGE, "interrupt");
  }
  if (!described.traceback.empty()) status.with(CLUTCH_DETAIL_TRACEBACK, described.traceback);
  if (!described.frames.empty()) status.with(CLUTCH_DETAIL_FRAMES, described.frames);
  return status;
}

}  // namespace clutch::pyembed
