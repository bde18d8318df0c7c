#include "worker/worker.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "clutch/abi/spec.h"
#include "clutch/abi/status.h"
#include "clutch/ext/log.h"
#include "clutch/pyembed.h"
#include "worker/fork_guard.h"

namespace clutch::pyproc {
namespace {

constexpr int kExitStart = 1;
constexpr int kExitProtocol = 2;

std::vector<clutch_option> options_of(const Options& options) {
  std::vector<clutch_option> out;
  out.reserve(options.size());
  for (const auto& [key, value] : options) out.push_back({str_of(key), str_of(value)});
  return out;
}

clutch_options span_of(const std::vector<clutch_option>& options) { return {options.data(), options.size()}; }

std::string_view option(const Options& options, std::string_view key) {
  for (const auto& [name, value] : options) {
    if (name == key) return value;
  }
  return {};
}

int32_t log_level(std::string_view name) {
  constexpr std::string_view kNames[] = {"trace", "debug", "info", "warn", "error"};
  for (int32_t level = 0; level < 5; ++level) {
    if (name == kNames[level]) return level;
  }
  return name == "off" ? CLUTCH_LOG_PLUGIN_MISBEHAVING + 1 : CLUTCH_LOG_INFO;
}

int64_t log_rate(std::string_view text) {
  const std::string digits(text);
  return digits.empty() ? 1000 : std::strtoll(digits.c_str(), nullptr, 10);
}

// What a runtime said, or a sentence for one that said nothing.
Status said(int32_t code, clutch_error& error, const char* what) {
  if (code >= 0) return {};
  if (!error.status.ok()) return std::move(error.status);
  return Status(code, std::string(what) + " failed with status " + std::to_string(code) + " and did not say why",
                CLUTCH_ORIGIN_PLUGIN);
}

void add_fact(void* sink, clutch_str key, clutch_str value) noexcept {
  static_cast<Options*>(sink)->emplace_back(std::string(view_of(key)), std::string(view_of(value)));
}

}  // namespace

void Worker::give_up(const char* why) {
  std::fprintf(stderr, "clutch worker: %s\n", why);
  std::fflush(nullptr);
  _exit(kExitProtocol);
}

int Worker::run() {
  if (const Status opened = link_.open(kControlFd, kProgressFd); !opened.ok()) {
    std::fprintf(stderr, "clutch worker: %s\n", std::string(opened.message()).c_str());
    return kExitProtocol;
  }
  // What C code prints would otherwise wait in a buffer that a crash takes along.
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  guard_against_forks();
  if (!configure()) return kExitStart;
  Message message;
  for (;;) {
    link_.page().phase.store(static_cast<uint32_t>(Phase::kIdle), std::memory_order_relaxed);
    // The end of ctl without a shutdown: the supervisor is gone, and so is the reason to run anything.
    if (!link_.next(message)) Watch::leave();
    if (handle(message) == Next::kLeave) return 0;
  }
}

bool Worker::configure() {
  Message message;
  if (!link_.next(message)) Watch::leave();
  Configure configuration;
  Ready ready;
  ready.pid = getpid();
  if (message.header().type != FrameType::kConfigure) give_up("the first message is not the configuration");
  link_.set_epoch(message.header().epoch);
  Result<std::vector<uint8_t>> body = read_body(message);
  ready.error = body.ok() ? decode(*body, configuration) : body.status();
  if (ready.error.ok()) ready.error = watch_.start(link_.fd());
  if (ready.error.ok()) {
    log_.configure(log_level(option(configuration.options, "clutch.log.level")),
                   log_rate(option(configuration.options, "clutch.log.rate")));
    configuration.options.emplace_back(CLUTCH_PYEMBED_PROGRESS,
                                       std::to_string(reinterpret_cast<uintptr_t>(&link_.page().row)));
    host_ = make_host(services_);
    const std::vector<clutch_option> options = options_of(configuration.options);
    const clutch_options span = span_of(options);
    clutch_error error;
    watch_.enter();
    ready.error = said(api_.runtime_open(&host_, &span, &runtime_, &error), error, "opening the runtime");
    if (ready.error.ok() && api_.runtime_describe != nullptr) {
      api_.runtime_describe(runtime_, add_fact, &ready.facts);
    }
    watch_.exit();
  }
  fit(ready.error, kMaxBodyBytes / 2);
  const bool ok = ready.error.ok();
  must(link_.send_body(FrameType::kReady, encode(ready)));
  return ok;
}

Worker::Next Worker::handle(Message& message) {
  switch (message.header().type) {
    case FrameType::kBatchSubmit: {
      BatchSubmit submit;
      if (!message.read(submit)) give_up("a BatchSubmit has the wrong size");
      run_batch(submit);
      return Next::kGoOn;
    }
    case FrameType::kOpenFunction:
      open_function(message);
      return Next::kGoOn;
    case FrameType::kCloseFunction: {
      CloseFunction close;
      if (!message.read(close)) give_up("a CloseFunction has the wrong size");
      close_function(close.function);
      return Next::kGoOn;
    }
    case FrameType::kAddArena:
      add_arena(message);
      return Next::kGoOn;
    case FrameType::kDropArena: {
      DropArena drop;
      if (!message.read(drop)) give_up("a DropArena has the wrong size");
      arenas_.drop(drop.arena);
      return Next::kGoOn;
    }
    case FrameType::kShutdown:
      shut_down();
      return Next::kLeave;
    default:
      give_up("a message is not known; host and worker are of different versions of Clutch");
  }
}

void Worker::open_function(const Message& message) {
  link_.page().phase.store(static_cast<uint32_t>(Phase::kOpening), std::memory_order_relaxed);
  OpenFunction spec;
  FunctionOpened answer;
  Result<std::vector<uint8_t>> body = read_body(message);
  answer.error = body.ok() ? decode(*body, spec) : body.status();
  answer.function = spec.function;
  auto context = std::make_unique<clutch_function_context>();
  context->by_group = takes_rows_by_group(spec);
  if (answer.error.ok()) answer.error = open_function(spec, *context);
  fork_guard_check();
  if (answer.error.ok()) {
    answer.states = context->states;
    answer.side_outputs.assign(context->side_outputs.begin(), context->side_outputs.end());
    functions_[spec.function] = std::move(context);
  }
  fit(answer.error, kMaxBodyBytes / 2);
  log_.flush();
  must(link_.send_body(FrameType::kFunctionOpened, encode(answer)));
}

Status Worker::open_function(OpenFunction& spec, clutch_function_context& context) {
  context.number = spec.function;
  context.name = spec.name;
  context.input = std::move(spec.input);
  context.output = std::move(spec.output);
  context.batch.function = &context;
  context.batch.page = &link_.page();
  context.batch.host = this;

  std::vector<std::vector<clutch_option>> step_options;
  std::vector<clutch_step> steps;
  std::vector<const clutch_step*> pointers;
  step_options.reserve(spec.steps.size());
  steps.reserve(spec.steps.size());
  for (const StepSpec& step : spec.steps) {
    step_options.push_back(options_of(step.options));
    clutch_step out = {};
    out.struct_size = sizeof(out);
    out.name = str_of(step.name);
    out.kind = str_of(step.kind);
    out.kind_revision = step.kind_revision;
    out.payload_format = str_of(step.payload_format);
    out.payload = {reinterpret_cast<const uint8_t*>(step.payload.data()), step.payload.size()};
    out.options = span_of(step_options.back());
    steps.push_back(out);
    pointers.push_back(&steps.back());
  }
  const std::vector<clutch_option> options = options_of(spec.options);
  const columnar::Schema input = columnar::export_field(context.input);
  const columnar::Schema output = columnar::export_field(context.output);
  clutch_spec native = {};
  native.struct_size = sizeof(native);
  native.name = str_of(spec.name);
  native.steps = pointers.data();
  native.n_steps = pointers.size();
  native.input = input.get();
  native.output = output.get();
  native.on_error = spec.on_error;
  native.options = span_of(options);

  clutch_function_info info = {};
  info.struct_size = sizeof(info);
  clutch_error error;
  watch_.enter();
  const int32_t code = api_.function_open(runtime_, &native, &context, &context.handle, &info, &error);
  watch_.exit();
  context.opening = false;
  return said(code, error, "opening the function");
}

void Worker::close_function(uint64_t number) {
  link_.page().phase.store(static_cast<uint32_t>(Phase::kClosing), std::memory_order_relaxed);
  FunctionClosed answer;
  answer.function = number;
  const auto it = functions_.find(number);
  if (it == functions_.end()) {
    answer.error = Status(CLUTCH_ERR_ARGUMENT, "function " + std::to_string(number) + " is not open in this worker",
                          CLUTCH_ORIGIN_TRANSPORT);
  } else {
    clutch_error error;
    watch_.enter();
    answer.error = said(api_.function_close(it->second->handle, &error), error, "closing the function");
    watch_.exit();
    fork_guard_check();
    functions_.erase(it);
  }
  fit(answer.error, kMaxBodyBytes / 2);
  log_.flush();
  must(link_.send_body(FrameType::kFunctionClosed, encode(answer)));
}

void Worker::add_arena(const Message& message) {
  AddArena add;
  if (!message.read(add)) give_up("an AddArena has the wrong size");
  if (const Status added = arenas_.add(add, message.attached); !added.ok()) {
    give_up(std::string(added.message()).c_str());
  }
}

void Worker::shut_down() {
  watch_.shutting_down();
  link_.page().phase.store(static_cast<uint32_t>(Phase::kClosing), std::memory_order_relaxed);
  watch_.enter();
  for (auto& [number, function] : functions_) {
    clutch_error error;
    const Status closed = said(api_.function_close(function->handle, &error), error, "closing the function");
    fork_guard_check();
    if (!closed.ok()) log_.write(CLUTCH_LOG_WARN, number, "worker", closed.message());
  }
  api_.runtime_close(runtime_);
  watch_.exit();
  log_.flush();
}

}  // namespace clutch::pyproc
