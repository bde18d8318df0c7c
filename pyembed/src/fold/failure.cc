#include "fold/failure.h"

#include "clutch/columnar/ops.h"
#include "plan/stop.h"

namespace clutch::pyembed {
namespace {

constexpr int kTracebacksPerBatch = 16;  // formatting one takes as long as a thousand calls

}  // namespace

Status Failures::told(Status status, int64_t row) const {
  status.with(CLUTCH_DETAIL_FUNCTION, who()).with(CLUTCH_DETAIL_BATCH, std::to_string(batch_.sequence));
  if (row >= 0) status.with(CLUTCH_DETAIL_ROW, std::to_string(row));
  return status;
}

Status Failures::poll(int64_t row) const {
  const auto where = [&] { return name() + " row " + std::to_string(row); };
  return check_stop(host_, batch_, watch_, spec_.name, where, row);
}

Status Failures::raised(const Gil& gil, const std::string& where, int64_t row, bool& ret_fatal) {
  // Telling about it runs Python code, which must not be interrupted itself.
  const Cause cause = watch_.pause(gil);
  PyRef exception = take_exception(gil);
  Status status;
  if (exception && cause != Cause::kNone && PyObject_IsInstance(exception.get(), interpreter_.interrupted()) == 1) {
    status = interrupted(gil, interpreter_, cause, where, exception);
    ret_fatal = cause != Cause::kRowDeadline;
  } else {
    status =
        to_status(CLUTCH_ERR_USER, where, describe(gil, interpreter_, exception, described_ < kTracebacksPerBatch));
    ++described_;
  }
  watch_.resume(gil);
  return told(std::move(status), row);
}

Status Failures::row(const Gil& gil, int64_t row, std::string_view what, bool& ret_fatal) {
  Status status = raised(gil, name() + std::string(what) + " row " + std::to_string(row), row, ret_fatal);
  const std::vector<columnar::Field>& columns = spec_.input.type.children;
  const ArrowArray& rows = *batch_.rows;
  status.with(CLUTCH_DETAIL_VALUE, columns.size() == 1
                                       ? columnar::row_to_string(columns.front(), *rows.children[0], rows.offset + row)
                                       : columnar::row_to_string(spec_.input, rows, row));
  return status;
}

Status Failures::reading(const Gil& gil, int64_t row, const std::string& column) {
  Status status =
      to_status(CLUTCH_ERR_VALUE, name() + " row " + std::to_string(row) + ": input column \"" + column + "\"",
                describe(gil, interpreter_, take_exception(gil), true));
  status.with(CLUTCH_DETAIL_COLUMN, column);
  return told(std::move(status), row);
}

Status Failures::unfit(int64_t row, const std::string& why) const {
  return told(Status(CLUTCH_ERR_VALUE, name() + " row " + std::to_string(row) + ": " + why, CLUTCH_ORIGIN_USER), row);
}

Status Failures::group(const Gil& gil, std::string_view what, const std::string& key) {
  bool fatal = false;
  return raised(gil, name() + " " + std::string(what) + " of " + key, -1, fatal);
}

Status Failures::misfit(std::string_view what, const std::string& key, std::string_view subject,
                        Mismatch mismatch) const {
  // The hints are about results; what an accumulator should be is in its declaration.
  if (subject != "result") mismatch.hint = "change it, or the declared accumulator_type";
  Status status(CLUTCH_ERR_VALUE, name() + " " + std::string(what) + " of " + key + ": " + mismatch.sentence(subject),
                CLUTCH_ORIGIN_USER);
  status.with(CLUTCH_DETAIL_VALUE, mismatch.value);
  return told(std::move(status), -1);
}

Status Failures::plain(int32_t code, const std::string& what, int32_t origin) const {
  return told(Status(code, name() + " " + what, origin), -1);
}

Status Failures::drop_row(int64_t row, const Status& why, clutch_error* error) const {
  if (spec_.on_error == CLUTCH_ON_ERROR_NULL) return Status();
  clutch_error* letter = nullptr;
  if (host_.dead_letter->add(batch_.context, row, &letter, error) < 0 || letter == nullptr) {
    return told(Status(CLUTCH_ERR_INTERNAL,
                       name() + " row " + std::to_string(row) + ": the host did not take the row as a dead letter",
                       CLUTCH_ORIGIN_HOST),
                row);
  }
  host_.report(why, letter);
  return Status();
}

}  // namespace clutch::pyembed
