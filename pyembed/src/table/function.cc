#include "table/function.h"

#include "clutch/columnar/validate.h"
#include "streams/streams.h"

namespace clutch::pyembed {

Result<std::unique_ptr<Function>> Function::open(Runtime& runtime, const clutch_spec& spec,
                                                 clutch_function_context* context) {
  CLUTCH_ASSIGN_OR_RETURN(FunctionSpec copy, read_spec(spec));
  if (copy.on_error == CLUTCH_ON_ERROR_DEAD_LETTER && runtime.host().dead_letter == nullptr) {
    return Status(CLUTCH_ERR_UNSUPPORTED, "function \"" + copy.name +
                                              "\": on_error is dead_letter, but this host has no dead letters; choose "
                                              "fail or null");
  }
  CLUTCH_ASSIGN_OR_RETURN(Interpreter * interpreter, runtime.interpreter());
  std::unique_ptr<Function> function(new Function(runtime, std::move(copy), context));
  function->interpreter_ = interpreter;
  function->watch_.host = &runtime.host();
  function->watch_.context = context;
  function->watch_.name = function->spec_.name.c_str();
  if (runtime.progress() != nullptr) function->watch_.progress = runtime.progress();
  Gil gil;
  PrintScope printing(runtime.host(), context);
  Status status = function->load(gil, *interpreter);
  if (status.ok()) return function;
  // The user hears why the opening failed; what close() says after that only goes to the log.
  if (const Status closing = function->close_objects(gil); !closing.ok()) {
    runtime.host().write_log(CLUTCH_LOG_WARN, "python", context, closing.message());
  }
  return status;
}

Status Function::load(const Gil& gil, Interpreter& interpreter) {
  for (const StepSpec& step : spec_.steps) {
    CLUTCH_ASSIGN_OR_RETURN(std::unique_ptr<UserObject> object,
                            UserObject::load(gil, interpreter, step, spec_.options, runtime_->host(), context_));
    objects_.push_back(std::move(object));
  }
  const bool exact_progress = runtime_->row_deadline_ns() != 0 || runtime_->progress() != nullptr;
  Result<std::unique_ptr<Executor>> made =
      Executor::make(gil, {interpreter, spec_, objects_, runtime_->host(), context_, exact_progress});
  if (!made.ok()) return std::move(made).status().prefixed("function \"" + spec_.name + "\"");
  executor_ = *std::move(made);
  for (const std::unique_ptr<UserObject>& object : objects_) {
    CLUTCH_RETURN_IF_ERROR(object->open(gil, executor_->states()));
  }
  return Status();
}

Status Function::close_objects(const Gil& gil) {
  Status first;
  for (auto object = objects_.rbegin(); object != objects_.rend(); ++object) {
    Status status = (*object)->close(gil);
    if (first.ok()) first = std::move(status);
  }
  return first;
}

Status Function::close() {
  if (!interpreter_alive()) return Status();
  Gil gil;
  PrintScope printing(runtime_->host(), context_);
  return close_objects(gil);
}

Function::~Function() {
  if (!interpreter_alive()) {
    // Its objects are gone with their interpreter; nothing may touch them.
    for (const std::unique_ptr<UserObject>& object : objects_) object->abandon();
    (void)executor_.release();
    return;
  }
  Gil gil;
  executor_.reset();
  objects_.clear();
}

int32_t Function::submit(const clutch_batch& batch, clutch_error* error) {
  const Host& host = runtime_->host();
  if (batch.rows == nullptr) {
    return host.report(Status(CLUTCH_ERR_ARGUMENT, "a batch has no rows array", CLUTCH_ORIGIN_HOST), error);
  }
  Status status = columnar::validate(spec_.input, *batch.rows, columnar::Depth::kStructure);
  if (!status.ok()) return host.report(std::move(status).prefixed("function \"" + spec_.name + "\""), error);
  if (executor_->idle(batch)) return CLUTCH_OK;
  if (batch.rows->length > INT32_MAX) {
    return host.report(Status(CLUTCH_ERR_DATA,
                              "function \"" + spec_.name + "\": a batch of " + std::to_string(batch.rows->length) +
                                  " rows is too large; send at most 2147483647",
                              CLUTCH_ORIGIN_HOST),
                       error);
  }
  if (!interpreter_alive()) {
    return host.report(
        Status(CLUTCH_ERR_CLOSED,
               "function \"" + spec_.name + "\": the Python interpreter of this process has been shut down",
               CLUTCH_ORIGIN_HOST),
        error);
  }
  status = run(batch, error);
  if (!status.ok()) return host.report(status, error);
  return executor_->emit(host, batch, error);
}

Status Function::run(const clutch_batch& batch, clutch_error* error) {
  const clutch_host_metrics* metrics = runtime_->host().metrics;
  const int64_t asked = metrics != nullptr ? monotonic_ns() : 0;
  int64_t entered = 0;
  int64_t left = 0;
  Status status;
  {
    Gil gil;
    if (metrics != nullptr) entered = monotonic_ns();
    PrintScope printing(runtime_->host(), context_);
    watch_.begin(gil, *interpreter_, batch.sequence, batch.deadline_ns, runtime_->row_deadline_ns());
    status = executor_->run(gil, runtime_->host(), batch, watch_, error);
    watch_.end(gil);
    for (const std::unique_ptr<UserObject>& object : objects_) object->flush_metrics(gil);
    if (metrics != nullptr) left = monotonic_ns();
  }
  if (metrics != nullptr) {
    metrics->stage(batch.context, CLUTCH_STAGE_QUEUE, entered - asked);
    metrics->stage(batch.context, CLUTCH_STAGE_RUN, left - entered);
  }
  return status;
}

}  // namespace clutch::pyembed
