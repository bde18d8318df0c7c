#include "events/events.h"

#include "clutch/columnar/validate.h"
#include "errors/exception.h"

namespace clutch::pyembed {

namespace {

// The callbacks find the batch for as long as this lives, also if something is thrown.
class InSlot {
 public:
  InSlot(Slot& slot, Running& running) : slot_(slot), running_(running) { slot_.set(&running); }
  ~InSlot() {
    slot_.set(nullptr);
    running_.leave();
  }
  InSlot(const InSlot&) = delete;
  InSlot& operator=(const InSlot&) = delete;

 private:
  Slot& slot_;
  Running& running_;
};

const char* name_of(EventKind::Call call) {
  switch (call) {
    case EventKind::Call::kProcess:
      return "process";
    case EventKind::Call::kMap:
      return "map";
    case EventKind::Call::kFlatMap:
      return "flat_map";
    case EventKind::Call::kReduce:
      return "reduce";
    case EventKind::Call::kJoin:
      return "join";
  }
  return "process";
}

PyRef text_object(std::string_view text) {
  return PyRef::steal(PyUnicode_DecodeUTF8(text.data(), static_cast<Py_ssize_t>(text.size()), "replace"));
}

}  // namespace

using File = Interpreter::File;

Result<std::unique_ptr<Executor>> EventsExecutor::make(const Gil& gil, const Parts& parts) {
  Interpreter& interpreter = parts.interpreter;
  const FunctionSpec& spec = parts.spec;
  const StepSpec& step = spec.steps.front();
  const EventKind* kind = find_event_kind(step.kind);
  if (kind == nullptr) return Status(CLUTCH_ERR_INTERNAL, step.kind + " is none of the kinds of rows and timers");
  if ((kind->keyed || kind->broadcast) && parts.host.state == nullptr) {
    return Status(CLUTCH_ERR_UNSUPPORTED, "this host has no state by key", CLUTCH_ORIGIN_HOST);
  }
  CLUTCH_ASSIGN_OR_RETURN(EventInputs inputs, EventInputs::make(spec, *kind, interpreter.module()));
  CLUTCH_ASSIGN_OR_RETURN(Yields yields, Yields::make(gil, parts, 1));
  Running::Function function{&spec, kind, std::move(inputs), std::move(yields), {}, {}, {}, {}, {}};
  function.goes_on = spec.on_error != CLUTCH_ON_ERROR_FAIL;
  if (const auto type = find_option(step.options, "key_type"); kind->keyed && type && !type->empty()) {
    CLUTCH_ASSIGN_OR_RETURN(Coder coder, Coder::of_keys(std::string(*type), interpreter.module()));
    function.key.emplace(std::move(coder));
  }
  std::unique_ptr<EventsExecutor> made(new EventsExecutor(interpreter, std::move(function)));
  PyRef callbacks[Running::kCallbacks];
  made->function_.end = PyRef::steal(PyObject_CallObject(reinterpret_cast<PyObject*>(&PyBaseObject_Type), nullptr));
  if (!made->slot_.make() || !made->function_.end || !Running::callbacks(made->slot_, callbacks)) {
    return to_status(CLUTCH_ERR_LOAD, "its methods", describe(gil, interpreter, take_exception(gil), true));
  }
  if (kind->keyed || kind->broadcast) {
    CLUTCH_ASSIGN_OR_RETURN(made->function_.states,
                            KeyStates::make(gil, parts, made->function_.current, made->function_.goes_on));
  }
  CLUTCH_RETURN_IF_ERROR(made->make_calls(gil, parts, callbacks));
  return std::unique_ptr<Executor>(std::move(made));
}

Status EventsExecutor::make_calls(const Gil& gil, const Parts& parts, PyRef (&callbacks)[Running::kCallbacks]) {
  const EventKind& kind = *function_.kind;
  const StepSpec& step = parts.spec.steps.front();
  const UserObject& object = *parts.objects.front();
  const auto refused = [&](int32_t code) {
    return to_status(code, "its methods", describe(gil, parts.interpreter, take_exception(gil), code < 0));
  };
  feed_ = std::move(callbacks[Running::kFeed]);
  // A reduction's values are values, whatever they look like.
  emit_ = std::move(callbacks[kind.call == EventKind::Call::kReduce ? Running::kPut : Running::kEmit]);
  PyRef make_contexts = parts.interpreter.helper(gil, File::kEvents, "make_contexts");
  PyRef make_drive = parts.interpreter.helper(gil, File::kEvents, "make_drive");
  PyRef find_timer = parts.interpreter.helper(gil, File::kEvents, "on_timer_of");
  PyRef find_second = parts.interpreter.helper(gil, File::kLoading, "second_method");
  PyRef functions = PyRef::steal(PyTuple_New(Running::kCallbacks - Running::kTimestamp));
  if (!make_contexts || !make_drive || !find_timer || !find_second || !functions) return refused(CLUTCH_ERR_LOAD);
  for (size_t i = Running::kTimestamp; i < Running::kCallbacks; ++i) {
    PyTuple_SetItem(functions.get(), static_cast<Py_ssize_t>(i - Running::kTimestamp), callbacks[i].release());
  }
  PyRef kind_name = text_object(kind.id);
  PyRef states = function_.states != nullptr ? PyRef::share(function_.states->object()) : PyRef::share(Py_None);
  const auto option = [&](const char* key) { return text_object(find_option(step.options, key).value_or("")); };
  PyRef kept = option("state");
  if (to_text(kept).empty() && parts.spec.output.type.children.size() == 1) {
    kept = text_object(columnar::to_string(parts.spec.output.type.children.front().type));
  }
  PyRef broadcast = option("broadcast_states");
  if (!kind_name || !kept || !broadcast) return refused(CLUTCH_ERR_LOAD);
  if (kind.call == EventKind::Call::kReduce && to_text(kept).empty()) {
    return Status(CLUTCH_ERR_UNSUPPORTED,
                  "the type of what the reduction keeps is not known; give the step the option \"state\", such as "
                  "ROW<word STRING, n BIGINT>",
                  CLUTCH_ORIGIN_USER);
  }
  PyRef contexts = PyRef::steal(PyObject_CallFunctionObjArgs(make_contexts.get(), kind_name.get(), functions.get(),
                                                             states.get(), kept.get(), broadcast.get(), nullptr));
  if (!contexts) return refused(CLUTCH_ERR_UNSUPPORTED);
  PyRef call = text_object(name_of(kind.call));
  PyRef process = text_object("process");
  for (Call& one : inputs_) {
    one.drive = PyRef::steal(PyObject_CallFunctionObjArgs(make_drive.get(), call.get(), nullptr));
    one.context = PyRef::share(PyTuple_GetItem(contexts.get(), &one - inputs_));
  }
  inputs_[0].function = PyRef::share(object.callable());
  inputs_[1].function =
      PyRef::steal(PyObject_CallFunctionObjArgs(find_second.get(), object.object(), kind_name.get(), nullptr));
  on_timer_.drive = PyRef::steal(PyObject_CallFunctionObjArgs(make_drive.get(), process.get(), nullptr));
  on_timer_.function = PyRef::steal(PyObject_CallFunctionObjArgs(find_timer.get(), object.object(), nullptr));
  on_timer_.context = PyRef::share(PyTuple_GetItem(contexts.get(), 2));
  const bool good =
      inputs_[0].drive && inputs_[1].drive && inputs_[1].function && on_timer_.drive && on_timer_.function;
  return good ? Status() : refused(CLUTCH_ERR_LOAD);
}

Status EventsExecutor::check(const clutch_batch& batch, const KeyedBatch& keyed, const Failures& failures) const {
  if (function_.states != nullptr && !keyed.has_keys()) {
    return failures.plain(CLUTCH_ERR_DATA, "is keyed, and its batch has no keys; give the key of each row",
                          CLUTCH_ORIGIN_HOST);
  }
  if (function_.kind->broadcast && keyed.operator_key() < 0) {
    return failures.plain(CLUTCH_ERR_DATA,
                          "has broadcast state, which is kept under the empty key; give the batch that key as its last",
                          CLUTCH_ORIGIN_HOST);
  }
  if (batch.timestamps == nullptr) return {};
  columnar::Field times{"timestamps", {}, true};
  times.type.id = columnar::TypeId::kInt64;
  Status status = columnar::validate(times, *batch.timestamps, columnar::Depth::kStructure);
  if (status.ok() && batch.timestamps->length != keyed.rows()) {
    status = Status(CLUTCH_ERR_DATA, "timestamps has " + std::to_string(batch.timestamps->length) + " entries for " +
                                         std::to_string(keyed.rows()) + " rows");
  }
  if (status.ok()) return {};
  return failures.plain(status.code(), "input: " + std::string(status.message()), CLUTCH_ORIGIN_HOST);
}

Status EventsExecutor::run(const Gil& gil, const Host& host, const clutch_batch& batch, Watch& watch,
                           clutch_error* error) {
  const FunctionSpec& spec = *function_.spec;
  CLUTCH_ASSIGN_OR_RETURN(const KeyedBatch keyed, KeyedBatch::make(spec, batch));
  Failures failures(*interpreter_, spec, host, batch, watch);
  CLUTCH_RETURN_IF_ERROR(check(batch, keyed, failures));
  Running running(function_, host, batch, keyed, failures, watch);
  KeyStates* states = function_.states.get();
  const auto events = [&]() -> Status {
    CLUTCH_RETURN_IF_ERROR(function_.timers.begin(spec, batch, keyed.groups()));
    function_.yields.begin(host, watch.context);
    if (states != nullptr) {
      const int32_t own = function_.kind->broadcast ? keyed.operator_key() : -1;
      CLUTCH_RETURN_IF_ERROR(states->begin(gil, host, batch, keyed, own, failures));
    }
    if (!function_.inputs.bind(*batch.rows)) return failures.group(gil, "reading the rows", "the batch");
    if (const std::string why = function_.inputs.unreadable(keyed.rows()); !why.empty()) {
      return failures.plain(CLUTCH_ERR_DATA, "input: " + why, CLUTCH_ORIGIN_HOST);
    }
    CLUTCH_RETURN_IF_ERROR(run_timers(gil, running, failures));
    CLUTCH_RETURN_IF_ERROR(run_rows(gil, running, failures, keyed.rows(), error));
    if (states != nullptr) CLUTCH_RETURN_IF_ERROR(states->flush(gil, keyed, failures));
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
  if (states != nullptr) states->end();
  if (!status.ok()) function_.yields.clear();
  return status;
}

Status EventsExecutor::run_timers(const Gil& gil, Running& running, Failures& failures) {
  PyRef first = PyRef::steal(running.start_timers());
  bool fatal = false;
  if (!first || running.stopped()) return running.failed(gil, fatal);
  if (first.get() == function_.end.get()) return {};
  if (on_timer_.function.get() == Py_None) {
    return failures.plain(CLUTCH_ERR_UNSUPPORTED,
                          "has no on_timer(), and a timer of its keys fires; define on_timer(timestamp, ctx)");
  }
  if (!drive(on_timer_, std::move(first), running)) return running.failed(gil, fatal);
  // From here on a row may be taken back, and what the timers did may not.
  if (function_.goes_on && !function_.states->end_row()) return failures.group(gil, "storing the state", "its timers");
  return {};
}

Status EventsExecutor::run_rows(const Gil& gil, Running& running, Failures& failures, int64_t rows,
                                clutch_error* error) {
  for (int64_t row = 0; row < rows;) {
    PyRef first = PyRef::steal(running.start_rows(row));
    if (first && drive(inputs_[running.input()], std::move(first), running)) {
      row = running.row();
      continue;
    }
    bool fatal = false;
    Status status = running.failed(gil, fatal);
    if (fatal || !function_.goes_on) return status;
    CLUTCH_RETURN_IF_ERROR(running.undo_row(gil));
    CLUTCH_RETURN_IF_ERROR(failures.drop_row(running.row(), status, error));
    row = running.row() + 1;
  }
  return {};
}

bool EventsExecutor::drive(const Call& call, PyRef first, Running& running) {
  PyObject* stack[7] = {nullptr,     call.function.get(), first.get(),       function_.end.get(),
                        feed_.get(), emit_.get(),         call.context.get()};
  const PyRef finished = PyRef::steal(slots().vectorcall(call.drive.get(), stack + 1, 6 | kArgsOffset, nullptr));
  if (running.thrown != nullptr) {
    PyErr_Clear();
    std::rethrow_exception(running.thrown);
  }
  return finished && !running.stopped();
}

int32_t EventsExecutor::emit(const Host& host, const clutch_batch& batch, clutch_error* error) {
  return function_.yields.emit(host, batch, error);
}

}  // namespace clutch::pyembed
