#include "events/events.h"

#include "clutch/columnar/validate.h"
#include "errors/exception.h"

namespace clutch::pyembed {

namespace {

// The callbacks find the batch for as long as this lives, also if something is thrown.
class InSlot {
 public:
  InSlot(Slot& slot, Running& running) : slot_(slot) { slot_.set(&running); }
  ~InSlot() { slot_.set(nullptr); }
  InSlot(const InSlot&) = delete;
  InSlot& operator=(const InSlot&) = delete;

 private:
  Slot& slot_;
};

}  // namespace

using File = Interpreter::File;

Result<std::unique_ptr<Executor>> EventsExecutor::make(const Gil& gil, const Parts& parts) {
  Interpreter& interpreter = parts.interpreter;
  const FunctionSpec& spec = parts.spec;
  const StepSpec& step = spec.steps.front();
  const bool keyed = step.kind == CLUTCH_KIND_STREAM_KEYED_PROCESS;
  const auto raised = [&] {
    return to_status(CLUTCH_ERR_LOAD, "its methods", describe(gil, interpreter, take_exception(gil), true));
  };
  if (keyed && parts.host.state == nullptr) {
    return Status(CLUTCH_ERR_UNSUPPORTED, "this host has no state by key", CLUTCH_ORIGIN_HOST);
  }
  CLUTCH_ASSIGN_OR_RETURN(Inputs inputs, Inputs::make(spec, interpreter.module()));
  CLUTCH_ASSIGN_OR_RETURN(Outputs outputs, Outputs::make(spec, interpreter.module()));
  CLUTCH_ASSIGN_OR_RETURN(SideOutputs sides, SideOutputs::make(gil, parts));
  Running::Function function{&spec, std::move(inputs), std::move(outputs), std::move(sides), {}, {}, {}, {}, {}};
  function.goes_on = spec.on_error != CLUTCH_ON_ERROR_FAIL;
  if (const auto type = find_option(step.options, "key_type"); keyed && type && !type->empty()) {
    Result<Coder> coder = Coder::make("key", std::string(*type), interpreter.module());
    if (!coder.ok()) return std::move(coder).status().prefixed("option key_type");
    function.key.emplace(*std::move(coder));
  }
  std::unique_ptr<EventsExecutor> made(new EventsExecutor(interpreter, std::move(function)));
  PyRef callbacks[Running::kCallbacks];
  if (!made->slot_.make() || !Running::callbacks(made->slot_, callbacks)) return raised();
  if (keyed) {
    CLUTCH_ASSIGN_OR_RETURN(made->function_.states,
                            KeyStates::make(gil, parts, callbacks[Running::kGroup], made->function_.goes_on));
  }
  PyRef make_drive = interpreter.helper(gil, File::kEvents, "make_drive");
  PyRef find_timer = interpreter.helper(gil, File::kEvents, "on_timer_of");
  PyRef context = interpreter.helper(gil, File::kEvents, "Context");
  PyRef service = PyRef::steal(PyTuple_New(Running::kCallbacks - Running::kProcessingTime));
  if (!make_drive || !find_timer || !context || !service) return raised();
  for (size_t i = Running::kProcessingTime; i < Running::kCallbacks; ++i) {
    PyTuple_SetItem(service.get(), static_cast<Py_ssize_t>(i - Running::kProcessingTime), callbacks[i].release());
  }
  made->function_.end = PyRef::steal(PyObject_CallObject(reinterpret_cast<PyObject*>(&PyBaseObject_Type), nullptr));
  made->drive_ = PyRef::steal(PyObject_CallObject(make_drive.get(), nullptr));
  made->on_timer_ =
      PyRef::steal(PyObject_CallFunctionObjArgs(find_timer.get(), parts.objects.front()->object(), nullptr));
  made->context_ = PyRef::steal(PyObject_CallFunctionObjArgs(
      context.get(), callbacks[Running::kTimestamp].get(), callbacks[Running::kCurrentKey].get(),
      callbacks[Running::kDomain].get(), service.get(), nullptr));
  made->process_ = PyRef::share(parts.objects.front()->callable());
  made->feed_ = std::move(callbacks[Running::kFeed]);
  made->emit_ = std::move(callbacks[Running::kEmit]);
  if (!made->function_.end || !made->drive_ || !made->on_timer_ || !made->context_) return raised();
  return std::unique_ptr<Executor>(std::move(made));
}

Status EventsExecutor::run(const Gil& gil, const Host& host, const clutch_batch& batch, Watch& watch,
                           clutch_error* error) {
  const FunctionSpec& spec = *function_.spec;
  CLUTCH_ASSIGN_OR_RETURN(const KeyedBatch keyed, KeyedBatch::make(spec, batch));
  Failures failures(*interpreter_, spec, host, batch, watch);
  if (function_.states != nullptr && !keyed.has_keys()) {
    return failures.plain(CLUTCH_ERR_DATA, "is keyed, and its batch has no keys; give the key of each row",
                          CLUTCH_ORIGIN_HOST);
  }
  if (batch.timestamps != nullptr) {
    columnar::Field times{"timestamps", {}, true};
    times.type.id = columnar::TypeId::kInt64;
    Status status = columnar::validate(times, *batch.timestamps, columnar::Depth::kStructure);
    if (status.ok() && batch.timestamps->length != keyed.rows()) {
      status = Status(CLUTCH_ERR_DATA, "timestamps has " + std::to_string(batch.timestamps->length) + " entries for " +
                                           std::to_string(keyed.rows()) + " rows");
    }
    if (!status.ok())
      return failures.plain(status.code(), "input: " + std::string(status.message()), CLUTCH_ORIGIN_HOST);
  }
  Running running(function_, host, batch, keyed, failures, watch);
  const auto events = [&]() -> Status {
    CLUTCH_RETURN_IF_ERROR(function_.timers.begin(spec, batch, keyed.groups()));
    if (function_.states != nullptr) CLUTCH_RETURN_IF_ERROR(function_.states->begin(gil, host, batch, failures));
    if (!function_.inputs.bind(*batch.rows)) return failures.group(gil, "reading the rows", "the batch");
    CLUTCH_RETURN_IF_ERROR(run_timers(gil, running, failures));
    CLUTCH_RETURN_IF_ERROR(run_rows(gil, running, failures, keyed.rows(), error));
    if (function_.states != nullptr) CLUTCH_RETURN_IF_ERROR(function_.states->flush(gil, keyed, failures));
    const int32_t code = function_.timers.apply(host, batch);
    return code < 0 ? failures.plain(code, "cannot hand its timers to the host", CLUTCH_ORIGIN_HOST) : Status();
  };
  Status status;
  {
    const InSlot here(slot_, running);
    status = events();
  }
  function_.inputs.unbind();
  function_.timers.end();
  if (function_.states != nullptr) function_.states->end();
  if (!status.ok()) {
    function_.outputs.clear();
    function_.sides.clear();
  }
  return status;
}

Status EventsExecutor::run_timers(const Gil& gil, Running& running, Failures& failures) {
  PyRef first = PyRef::steal(running.start_timers());
  bool fatal = false;
  if (!first || running.stopped()) return running.failed(gil, fatal);
  if (first.get() == function_.end.get()) return {};
  if (on_timer_.get() == Py_None) {
    return failures.plain(CLUTCH_ERR_UNSUPPORTED,
                          "has no on_timer(), and a timer of its keys fires; define on_timer(timestamp, ctx)");
  }
  if (!drive(on_timer_.get(), std::move(first), running)) return running.failed(gil, fatal);
  // From here on a row may be taken back, and what the timers did may not.
  if (function_.goes_on && !function_.states->end_row()) return failures.group(gil, "storing the state", "its timers");
  return {};
}

Status EventsExecutor::run_rows(const Gil& gil, Running& running, Failures& failures, int64_t rows,
                                clutch_error* error) {
  for (int64_t row = 0; row < rows; row = running.row() + 1) {
    PyRef first = PyRef::steal(running.start_rows(row));
    if (first && drive(process_.get(), std::move(first), running)) return {};
    bool fatal = false;
    Status status = running.failed(gil, fatal);
    if (fatal || !function_.goes_on) return status;
    CLUTCH_RETURN_IF_ERROR(running.undo_row(gil));
    CLUTCH_RETURN_IF_ERROR(failures.drop_row(running.row(), status, error));
  }
  return {};
}

bool EventsExecutor::drive(PyObject* function, PyRef first, Running& running) {
  PyObject* stack[7] = {nullptr, function, first.get(), function_.end.get(), feed_.get(), emit_.get(), context_.get()};
  const PyRef finished = PyRef::steal(slots().vectorcall(drive_.get(), stack + 1, 6 | kArgsOffset, nullptr));
  if (running.thrown != nullptr) {
    PyErr_Clear();
    std::rethrow_exception(running.thrown);
  }
  return finished && !running.stopped();
}

int32_t EventsExecutor::emit(const Host& host, const clutch_batch& batch, clutch_error* error) {
  Outputs::Finished finished = function_.outputs.finish(batch.rows->length);
  if (finished.length > 0) {
    ArrowArray rows = finished.rows.detach();
    ArrowArray origin = finished.origin.detach();
    const int32_t code = host.host->emit(batch.context, CLUTCH_TAG_MAIN, &rows, &origin, error);
    if (code < 0) {
      function_.sides.clear();
      return code;
    }
  }
  return function_.sides.emit(host, batch, error);
}

}  // namespace clutch::pyembed
