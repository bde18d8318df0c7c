// What happens to a row that failed.
#include "clutch/columnar/ops.h"
#include "plan/plan.h"
#include "plan/stop.h"

namespace clutch::pyembed {
namespace {

constexpr int kTracebacksPerBatch = 16;  // formatting one takes as long as a thousand calls

// The rows as text for the detail "value": the only column's value, or the whole row.
std::string row_text(const FunctionSpec& spec, const ArrowArray& rows, int64_t row) {
  if (spec.input.type.children.size() == 1) {
    return columnar::row_to_string(spec.input.type.children.front(), *rows.children[0], rows.offset + row);
  }
  return columnar::row_to_string(spec.input, rows, row);
}

}  // namespace

Status Plan::handle(const Gil& gil, Batch& batch, int64_t row) {
  // Telling about the row runs Python code, which must not be interrupted itself.
  const Cause cause = batch.watch.pause(gil);
  if (composite_ != nullptr) fault_.step = composite_->step_of(fault_, outputs_);
  const StepSpec& last = spec_->steps.back();
  if (fault_.reason == Fault::Reason::kMismatch && last.shape == Shape::kKey && fault_.step > 0 &&
      outputs_.writer().mismatch().path.starts_with(".value")) {
    --fault_.step;  // the value is what the step before the key gave
  }
  bool fatal = false;
  Status status = row_status(gil, batch, row, cause, fatal);
  batch.watch.resume(gil);
  const std::string& step = spec_->steps[fault_.step].name;
  status.with(CLUTCH_DETAIL_FUNCTION, step).with(CLUTCH_DETAIL_BATCH, std::to_string(batch.batch.sequence));
  status.with(CLUTCH_DETAIL_ROW, std::to_string(row));
  if (spec_->steps.size() > 1) status.with(CLUTCH_DETAIL_STEP, std::to_string(fault_.step));
  if (fatal || spec_->on_error == CLUTCH_ON_ERROR_FAIL) return status;
  return drop_row(batch, row, status);
}

Status Plan::row_status(const Gil& gil, Batch& batch, int64_t row, Cause cause, bool& ret_fatal) {
  const std::string where = what(fault_.step, row);
  if (fault_.reason == Fault::Reason::kMismatch) {
    Mismatch mismatch = outputs_.writer().take_mismatch();
    const std::string column = outputs_.column_path(*spec_, mismatch.path);
    const bool plain = mismatch.path.empty() && !outputs_.only_keys();  // the result as a whole
    mismatch.path.clear();                                              // the sentence names the column instead
    Status status(CLUTCH_ERR_VALUE, where + ": " + (plain ? "" : "column \"" + column + "\": ") + mismatch.sentence(),
                  CLUTCH_ORIGIN_USER);
    if (!column.empty()) status.with(CLUTCH_DETAIL_COLUMN, column);
    status.with(CLUTCH_DETAIL_VALUE, mismatch.value);
    return status;
  }
  if (fault_.reason == Fault::Reason::kNotIterable) {
    Status status(CLUTCH_ERR_VALUE,
                  where + ": result of type " + fault_.culprit +
                      " is not iterable; yield values, or return a list of them or None",
                  CLUTCH_ORIGIN_USER);
    return status;
  }
  PyRef exception = take_exception(gil);
  if (exception && cause != Cause::kNone && PyObject_IsInstance(exception.get(), interpreter_->interrupted()) == 1) {
    return interrupted_status(gil, batch, row, cause, exception, ret_fatal);
  }
  const Described described = describe(gil, *interpreter_, exception, batch.described < kTracebacksPerBatch);
  ++batch.described;
  if (fault_.reason == Fault::Reason::kRead) {
    const columnar::Field* column =
        spec_->input.type.children.size() > fault_.column ? &spec_->input.type.children[fault_.column] : nullptr;
    const std::string name = column != nullptr ? column->name : "";
    Status status = to_status(CLUTCH_ERR_VALUE, where + ": input column \"" + name + "\"", described);
    status.with(CLUTCH_DETAIL_COLUMN, name).with(CLUTCH_DETAIL_VALUE, row_text(*spec_, *batch.batch.rows, row));
    return status;
  }
  Status status = to_status(CLUTCH_ERR_USER, where, described);
  status.with(CLUTCH_DETAIL_VALUE, row_text(*spec_, *batch.batch.rows, row));
  return status;
}

Status Plan::interrupted_status(const Gil& gil, const Batch& batch, int64_t row, Cause cause, PyView exception,
                                bool& ret_fatal) {
  Status status = interrupted(gil, *interpreter_, cause, what(fault_.step, row), exception);
  status.with(CLUTCH_DETAIL_VALUE, row_text(*spec_, *batch.batch.rows, row));
  ret_fatal = cause != Cause::kRowDeadline;
  return status;
}

Status Plan::drop_row(Batch& batch, int64_t row, const Status& why) {
  if (spec_->on_error == CLUTCH_ON_ERROR_NULL) {
    if (one_to_one_) outputs_.append_null_row();
    return Status();
  }
  clutch_error* letter = nullptr;
  const Host& host = batch.host;
  Status refused(CLUTCH_ERR_INTERNAL, what(0, row) + ": the host did not take the row as a dead letter",
                 CLUTCH_ORIGIN_HOST);
  if (host.dead_letter->add(batch.batch.context, row, &letter, batch.error) < 0 || letter == nullptr) return refused;
  host.report(why, letter);
  if (one_to_one_) outputs_.skip_row(row);
  return Status();
}

}  // namespace clutch::pyembed
