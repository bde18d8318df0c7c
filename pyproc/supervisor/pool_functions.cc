// Opening and closing functions in all workers.
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>

#include "supervisor/pool.h"

namespace clutch::pyproc {
namespace {

// Nothing waits without looking again.
constexpr std::chrono::milliseconds kLook{500};

}  // namespace

void Pool::open_missing() {
  std::vector<std::pair<WorkerPtr, uint64_t>> missing;
  {
    const Lock lock(mutex_);
    for (auto& [id, function] : functions_) {
      if (function->phase == Function::Phase::kClosing || !function->failed.ok()) continue;
      // While one worker is stopped because the function does not open, no other one should try.
      const bool on_trial = std::any_of(workers_.begin(), workers_.end(), [key = id](const WorkerPtr& worker) {
        const auto found = worker->functions.find(key);
        return worker->life.state() == WorkerState::kStopping && found != worker->functions.end() &&
               found->second.state == Opening::State::kSent && found->second.order == worker->head();
      });
      if (on_trial) continue;
      for (const WorkerPtr& worker : workers_) {
        if (worker->spare || worker->life.state() != WorkerState::kReady || worker->functions.count(id) != 0) continue;
        missing.emplace_back(worker, id);
      }
    }
  }
  for (const auto& [worker, id] : missing) send_open(worker, id);
}

void Pool::send_open(const WorkerPtr& worker, uint64_t id) {
  std::shared_ptr<const Bytes> message;
  const std::lock_guard sending(worker->send_mutex);
  {
    const Lock lock(mutex_);
    const auto function = functions_.find(id);
    if (function == functions_.end() || function->second->phase == Function::Phase::kClosing) return;
    if (worker->life.state() != WorkerState::kReady || worker->functions.count(id) != 0) return;
    message = function->second->message;
    if (worker->head() == 0) worker->head_since = now_ns();
    worker->functions.emplace(id, Opening{Opening::State::kSent, worker->next_order++});
  }
  if (const Status sent = worker->send_body_locked(FrameType::kOpenFunction, *message); !sent.ok()) {
    const Lock lock(mutex_);
    cannot_send(*worker, sent);
    loop_->wake();
  }
}

Result<Function*> Pool::open(OpenFunction&& request, clutch_function_context* context) {
  const int64_t begun = now_ns();
  CLUTCH_RETURN_IF_ERROR(ensure_loop());
  auto owned = std::make_unique<Function>();
  Function& function = *owned;
  function.name = request.name;
  function.input = request.input;
  function.output = request.output;
  function.by_group = takes_rows_by_group(request);
  function.any_order = gives_rows_in_any_order(request);
  function.same_schema = request.input.type == request.output.type;
  function.on_error = request.on_error;
  function.context = context;
  function.bell_fd = Fd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  function.bell = function.bell_fd.get();
  if (function.bell < 0) {
    return Status(CLUTCH_ERR_LOAD,
                  "cannot open function \"" + function.name + "\": no descriptor is free: " + std::strerror(errno),
                  CLUTCH_ORIGIN_HOST);
  }
  {
    const Lock lock(mutex_);
    function.id = request.function = next_function_++;
    function.message = std::make_shared<const Bytes>(encode(request));
    functions_.emplace(function.id, std::move(owned));
  }
  open_missing();
  loop_->wake();

  Lock lock(mutex_);
  Status status = wait_opened(lock, function);
  if (status.ok()) {
    lock.unlock();
    status = declare(function);
    lock.lock();
  }
  if (status.ok()) {
    function.phase = Function::Phase::kOpen;
    const int64_t now = now_ns();
    // Only after a slow one, so that many quick ones do not put the spare off for ever.
    if (now - begun > kSpareDelay) spares_at_ = now + kSpareDelay;
    loop_->arm(std::max(now, spares_at_));
    return &function;
  }
  function.phase = Function::Phase::kClosing;
  // What close() says after a failed open is in the log; the reason why it failed is the answer.
  const Status closed = shut(lock, function);
  functions_.erase(function.id);
  return status.with(CLUTCH_DETAIL_FUNCTION, std::string(request.name));
}

Status Pool::wait_opened(Lock& lock, Function& function) {
  while (true) {
    if (!function.failed.ok()) return function.failed;
    const auto opened = std::count_if(workers_.begin(), workers_.end(), [&](const WorkerPtr& worker) {
      return !worker->spare && worker->life.state() == WorkerState::kReady && worker->open_for(function.id);
    });
    if (static_cast<uint32_t>(opened) >= options_.workers) return {};
    CLUTCH_RETURN_IF_ERROR(hopeless(function, now_ns()));
    changed_.wait_for(lock, kLook);
  }
}

// Tell the host about states and side outputs, and learn its numbers for them.
Status Pool::declare(Function& function) {
  function.host_tags.assign(1, CLUTCH_TAG_MAIN);
  clutch_error* none = nullptr;
  for (const StateDeclaration& state : function.states) {
    if (host_.state() == nullptr) {
      return {CLUTCH_ERR_UNSUPPORTED,
              "function \"" + function.name + "\" declares the state '" + state.name + "', and this host has no state",
              CLUTCH_ORIGIN_HOST};
    }
    clutch_state_declaration declaration{};
    declaration.struct_size = sizeof(declaration);
    declaration.state_kind = state.state_kind;
    declaration.name = to_str(state.name);
    declaration.ttl_ms = state.ttl_ms;
    declaration.ttl_update = state.ttl_update;
    declaration.ttl_visibility = state.ttl_visibility;
    uint32_t number = 0;
    const int32_t code = host_.state()->declare(function.context, &declaration, &number, none);
    if (code != CLUTCH_OK) {
      return {code, "function \"" + function.name + "\": the host refused the state '" + state.name + "'",
              CLUTCH_ORIGIN_HOST};
    }
    function.host_states.push_back(number);
  }
  for (const SideOutput& side : function.side_outputs) {
    uint32_t tag = 0;
    int32_t code = CLUTCH_ERR_UNSUPPORTED;
    if (host_.side_output() != nullptr) {
      const columnar::Schema schema = columnar::export_field(side.schema);
      code = host_.side_output()->declare(function.context, to_str(side.name), schema.get(), &tag, none);
    }
    if (code != CLUTCH_OK) {
      return {code, "function \"" + function.name + "\": the host refused the side output '" + side.name + "'",
              CLUTCH_ORIGIN_HOST};
    }
    function.host_tags.push_back(tag);
  }
  return {};
}

// Close it in every worker that has it, and wait until none has.
Status Pool::shut(Lock& lock, Function& function) {
  while (true) {
    std::vector<WorkerPtr> to_close;
    bool somewhere = function.completing > 0;
    for (const WorkerPtr& worker : workers_) {
      const auto found = worker->functions.find(function.id);
      if (found == worker->functions.end()) continue;
      somewhere = true;
      if (found->second.state != Opening::State::kOpened) continue;
      if (worker->life.state() != WorkerState::kReady || worker->hang_up_at != kNever) continue;
      to_close.push_back(worker);
    }
    if (!somewhere) return function.close_error;
    lock.unlock();
    for (const WorkerPtr& worker : to_close) {
      const std::lock_guard sending(worker->send_mutex);
      {
        const Lock marking(mutex_);
        if (worker->head() == 0) worker->head_since = now_ns();
        worker->functions[function.id] = {Opening::State::kClosing, worker->next_order++};
      }
      CloseFunction message;
      message.function = function.id;
      if (const Status sent = worker->send_locked(message); !sent.ok()) {
        const Lock marking(mutex_);
        cannot_send(*worker, sent);
        // It was not asked, so what ends it did not happen in close().
        const auto found = worker->functions.find(function.id);
        if (found != worker->functions.end()) found->second = {Opening::State::kOpened, 0};
        loop_->wake();
      }
    }
    if (!to_close.empty()) loop_->arm(0);
    lock.lock();
    changed_.wait_for(lock, kLook);
  }
}

Status Pool::close(Function* function) {
  Lock lock(mutex_);
  function->phase = Function::Phase::kClosing;
  Status status = shut(lock, *function);
  functions_.erase(function->id);
  return status;
}

}  // namespace clutch::pyproc
