#include "plan/plan.h"

#include "plan/stop.h"

namespace clutch::pyembed {
namespace {

constexpr int64_t kStretch = 1024;  // (unit: rows) between two looks at deadline and cancellation

}  // namespace

Result<std::unique_ptr<Executor>> Plan::make(const Gil& gil, const Parts& parts) {
  Interpreter& interpreter = parts.interpreter;
  const FunctionSpec& spec = parts.spec;
  CLUTCH_ASSIGN_OR_RETURN(Inputs inputs, Inputs::make(spec, interpreter.module()));
  CLUTCH_ASSIGN_OR_RETURN(Outputs outputs, Outputs::make(spec, interpreter.module()));
  std::unique_ptr<Plan> plan(new Plan(interpreter, spec, std::move(inputs), std::move(outputs)));
  for (const StepSpec& step : spec.steps) plan->one_to_one_ = plan->one_to_one_ && is_one_to_one(step);
  const bool keyed = spec.steps.back().shape == Shape::kKey;
  // A key goes beside its value in C, which needs no frame of Python of its own.
  if (spec.fused || (plan->one_to_one_ && spec.steps.size() > 1 && !keyed)) {
    CLUTCH_ASSIGN_OR_RETURN(plan->composite_, Composite::make(gil, interpreter, spec, parts.objects));
    PyObject* callable = plan->composite_->callable();
    plan->steps_.push_back({callable, Shape::kRow, vectorcall_of(callable), false});
  } else {
    for (size_t i = 0; i < spec.steps.size(); ++i) {
      const StepSpec& step = spec.steps[i];
      PyObject* callable = parts.objects[i]->callable();
      plan->steps_.push_back({callable, step.shape, vectorcall_of(callable), step.kind == CLUTCH_KIND_TABLE_TABLE});
    }
  }
  const bool simple = plan->steps_.size() == 1 && plan->inputs_.count() == 1;
  plan->run_stretch_ = simple && plan->one_to_one_ && !keyed ? run_map : run_chain;
  const bool exact = parts.exact_progress || spec.on_error != CLUTCH_ON_ERROR_FAIL;
  if (simple && !keyed)
    plan->driver_ = Driver::make(gil, interpreter, plan->steps_.front(), plan->composite_.get(), plan->outputs_, exact);
  return std::unique_ptr<Executor>(std::move(plan));
}

Status Plan::run(const Gil& gil, const Host& host, const clutch_batch& batch, Watch& watch, clutch_error* error) {
  Batch state{host, batch, watch, error};
  Status status;
  if (inputs_.bind(*batch.rows)) {
    outputs_.reserve(batch.rows->length);
    status = run_rows(gil, state);
  } else {
    status = to_status(CLUTCH_ERR_VALUE, "function \"" + spec_->name + "\": reading the batch",
                       describe(gil, *interpreter_, take_exception(gil), true));
  }
  inputs_.unbind();
  if (!status.ok()) outputs_.clear();
  return status;
}

int32_t Plan::emit(const Host& host, const clutch_batch& batch, clutch_error* error) {
  Result<Outputs::Finished> made = outputs_.finish_rows(*batch.rows);
  if (!made.ok()) return host.report(std::move(made).status().prefixed("function \"" + spec_->name + "\""), error);
  Outputs::Finished& finished = *made;
  if (finished.length == 0) return CLUTCH_OK;
  ArrowArray rows = finished.rows.detach();
  ArrowArray origin = finished.origin.detach();
  return host.host->emit(batch.context, CLUTCH_TAG_MAIN, &rows, &origin, error);
}

Status Plan::run_rows(const Gil& gil, Batch& batch) {
  const Loop loop{&slots(), &steps_, &interpreter_->module(), &inputs_, &outputs_, batch.watch.progress, &fault_};
  const int64_t rows = batch.batch.rows->length;
  int64_t row = 0;
  while (row < rows) {
    CLUTCH_RETURN_IF_ERROR(poll(batch, row));
    const int64_t last = std::min(row + kStretch, rows);
    row = run_stretch(loop, row, last);
    if (row == last) continue;
    Status status = handle(gil, batch, row);
    fault_ = Fault();
    CLUTCH_RETURN_IF_ERROR(std::move(status));
    ++row;
  }
  // User code that swallowed the interruption, or a row that ended just before it: too late all the same.
  return poll(batch, rows);
}

int64_t Plan::run_stretch(const Loop& loop, int64_t first, int64_t last) {
  return driver_ != nullptr ? driver_->run(loop, first, last) : run_stretch_(loop, first, last);
}

std::string Plan::what(size_t step, int64_t row) const {
  return "function \"" + spec_->steps[step].name + "\" row " + std::to_string(row);
}

Status Plan::poll(const Batch& batch, int64_t row) const {
  return check_stop(
      batch.host, batch.batch, batch.watch, spec_->name, [&] { return what(0, row); }, row);
}

}  // namespace clutch::pyembed
