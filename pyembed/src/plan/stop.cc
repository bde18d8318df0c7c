#include "plan/stop.h"

namespace clutch::pyembed {

namespace {

bool is_cancelled(const Host& host, const clutch_batch& batch, const Watch& watch) {
  return watch.cancelled() || watch.cause() == Cause::kCancelled ||
         (host.cancel != nullptr && host.cancel->is_cancelled(batch.context) != 0);
}

}  // namespace

bool must_stop(const Host& host, const clutch_batch& batch, const Watch& watch) {
  return is_cancelled(host, batch, watch) || watch.cause() == Cause::kRowDeadline ||
         (batch.deadline_ns != 0 && monotonic_ns() >= batch.deadline_ns);
}

Status stopped(const Host& host, const clutch_batch& batch, const Watch& watch, const std::string& function,
               const std::string& where, int64_t row) {
  Status status;
  if (is_cancelled(host, batch, watch)) {
    status = Status(CLUTCH_ERR_CANCELLED, where + ": the batch was cancelled by the host", CLUTCH_ORIGIN_HOST);
  } else {
    const bool of_row = watch.cause() == Cause::kRowDeadline;
    status = Status(CLUTCH_ERR_DEADLINE,
                    where + (of_row ? ": a row ran longer than python.row-deadline; make it faster or raise the limit"
                                    : ": the batch was not done by its deadline; send smaller batches or allow more "
                                      "time"),
                    CLUTCH_ORIGIN_USER);
    status.with(CLUTCH_DETAIL_STAGE, "row");
  }
  status.with(CLUTCH_DETAIL_FUNCTION, function).with(CLUTCH_DETAIL_BATCH, std::to_string(batch.sequence));
  return status.with(CLUTCH_DETAIL_ROW, std::to_string(row));
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
