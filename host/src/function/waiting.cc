// The half of Function that waits: calls, results, cancelling, opening and closing.
#include <algorithm>
#include <limits>

#include "function/function.h"
#include "service/application_store.h"
#include "service/memory_store.h"

namespace clutch::host {
namespace {

// A thread that lends itself to the plugin looks up this often, so that others get their turn.
constexpr int64_t kPollSlice = 2 * kMillisecond;
// How long to wait for news when the plugin has no use for the thread.
constexpr int64_t kIdleSlice = 1 * kMillisecond;
constexpr int64_t kCloseTimeout = 60'000 * kMillisecond;
constexpr uint32_t kMaxInFlight = 64;

int64_t given_up_at(const Ticket& ticket) {
  return ticket.deadline_ns == 0 ? kForever : ticket.deadline_ns + kDeadlineGrace;
}

}  // namespace

Function::Function(FunctionSetup setup)
    : setup_(std::move(setup)), watermark_ms_(std::numeric_limits<int64_t>::min()) {}

Result<std::unique_ptr<Function>> Function::open(FunctionSetup setup, const clutch_spec& spec) {
  std::unique_ptr<Function> function(new Function(std::move(setup)));
  const FunctionSetup& fixed = function->setup_;
  function->context_ = fixed.pools->contexts.acquire();
  FunctionContext& context = *function->context_;
  if (fixed.state_store) {
    function->store_ = std::make_unique<ApplicationStore>(*fixed.state_store);
  } else {
    function->store_ = std::make_unique<MemoryStore>();
  }
  context.begin(fixed.name, *fixed.logger, *function->store_,
                {std::string(), fixed.output, columnar::export_field(fixed.output)});
  clutch_error error;
  clutch_function_info info{};
  info.struct_size = sizeof(info);
  info.max_in_flight = 1;
  int32_t status = CLUTCH_OK;
  {
    const ControlGate::Inside inside(*fixed.control);
    status = fixed.api->function_open(fixed.runtime, &spec, context.handle(), &function->function_, &info, &error);
  }
  if (status == CLUTCH_OK && function->function_ == nullptr) {
    status = CLUTCH_ERR_PROTOCOL;
    error.set(status, CLUTCH_ORIGIN_PLUGIN,
              "plugin \"" + fixed.plugin + "\" says that function \"" + fixed.name + "\" is open, but gave none");
  }
  if (status != CLUTCH_OK) {
    function->function_ = nullptr;
    Status out = take_status(status, error, "plugin \"" + fixed.plugin + "\"");
    if (out.detail(CLUTCH_DETAIL_FUNCTION).empty()) out.with(CLUTCH_DETAIL_FUNCTION, fixed.name);
    return out;
  }
  function->max_in_flight_ = std::clamp<uint32_t>(info.max_in_flight, 1, kMaxInFlight);
  auto shape = std::make_shared<Shape>();
  shape->name = fixed.name;
  shape->input = fixed.input;
  shape->input_schema = columnar::export_field(fixed.input);
  shape->outputs = context.opened();
  const clutch_str kind = spec.steps[0]->kind;
  shape->by_group = takes_rows_by_group({kind.data, kind.size});
  shape->any_order = gives_rows_in_any_order({kind.data, kind.size});
  shape->output_is_input = fixed.input.type == fixed.output.type;
  function->shape_ = std::move(shape);
  function->look_at_timers();
  return function;
}

Function::~Function() {
  if (context_ == nullptr || function_ != nullptr) return;
  context_->end();
  setup_.pools->contexts.recycle(context_);
  for (BatchSlot* slot : slots_) {
    slot->job = BatchSlot::Job();
    setup_.pools->slots.recycle(slot);
  }
}

Status Function::close() {
  std::vector<uint64_t> running;
  {
    const std::scoped_lock lock(mutex_);
    closing_ = true;
    for (BatchSlot* slot : slots_) {
      if (!slot->job.in_flight) continue;
      slot->cancel();
      running.push_back(slot->job.batch.sequence);
    }
    changed_.notify_all();
  }
  for (const uint64_t sequence : running) setup_.api->function_cancel(function_, sequence);
  {
    Lock lock(mutex_);
    const int64_t until_ns = monotonic_ns() + kCloseTimeout;
    if (!wait(lock, until_ns, [&] { return in_flight_ == 0 && calling_back_ == 0 && gate_.open(); })) {
      return {CLUTCH_ERR_DEADLINE,
              "function \"" + setup_.name + "\": " + std::to_string(in_flight_) +
                  " batches did not end within a minute of being cancelled; the function cannot be closed",
              CLUTCH_ORIGIN_PLUGIN};
    }
  }
  clutch_error error;
  int32_t status = CLUTCH_OK;
  {
    const ControlGate::Inside inside(*setup_.control);
    status = setup_.api->function_close(function_, &error);
  }
  function_ = nullptr;
  if (status >= 0) return {};
  Status out = take_status(status, error, "plugin \"" + setup_.plugin + "\"");
  if (out.detail(CLUTCH_DETAIL_FUNCTION).empty()) out.with(CLUTCH_DETAIL_FUNCTION, setup_.name);
  return out;
}

bool Function::poll(Lock& lock, int64_t until_ns) {
  if (setup_.api->function_poll == nullptr || in_flight_ == 0) return false;
  const uint64_t before = completions_;
  lock.unlock();
  const int32_t status = setup_.api->function_poll(function_, std::min(until_ns, monotonic_ns() + kPollSlice));
  lock.lock();
  // The plugin has nothing to do on this thread: what is in flight comes through another one.
  if (status == CLUTCH_OK && completions_ == before && in_flight_ > 0) {
    wait_until(changed_, lock, std::min(until_ns, monotonic_ns() + kIdleSlice));
  }
  return true;
}

template <typename Done>
bool Function::wait(Lock& lock, int64_t until_ns, Done done) {
  const bool lends = setup_.api->function_poll != nullptr;
  bool lent = false;
  while (!done()) {
    const bool late = until_ns != kForever && monotonic_ns() >= until_ns;
    if (late && (lent || !lends)) return false;
    if (lends && in_flight_ > 0 && gate_.open()) {
      gate_.enter_open();
      poll(lock, until_ns);
      gate_.leave(changed_);
      lent = true;
      continue;
    }
    if (late) return false;
    wait_until(changed_, lock, until_ns);
  }
  return true;
}

Status Function::give_up(Lock& lock, Ticket& ticket) {
  const uint64_t sequence = ticket.sequence;
  ticket.slot->cancel();
  ticket.slot->job.ticket = nullptr;
  lock.unlock();
  setup_.api->function_cancel(function_, sequence);
  Status status(CLUTCH_ERR_DEADLINE,
                "function \"" + setup_.name + "\" batch " + std::to_string(sequence) +
                    ": the plugin did not end it in time and is silent since; the batch is given up",
                CLUTCH_ORIGIN_PLUGIN);
  status.with(CLUTCH_DETAIL_FUNCTION, setup_.name);
  return std::move(status).with(CLUTCH_DETAIL_BATCH, std::to_string(sequence));
}

Result<std::unique_ptr<clutch_app_result>> Function::take(Ticket& ticket) {
  if (!ticket.outcome.ok()) return std::move(ticket.outcome);
  return std::move(ticket.result);
}

Result<std::unique_ptr<clutch_app_result>> Function::call(BatchRequest request) {
  CLUTCH_RETURN_IF_ERROR(check(request));
  Ticket ticket;
  CLUTCH_RETURN_IF_ERROR(start(std::move(request), &ticket));
  Lock lock(mutex_);
  if (!wait(lock, given_up_at(ticket), [&] { return ticket.over; })) return give_up(lock, ticket);
  return take(ticket);
}

Result<uint64_t> Function::submit(BatchRequest request) {
  CLUTCH_RETURN_IF_ERROR(check(request));
  uint64_t sequence = 0;
  CLUTCH_RETURN_IF_ERROR(start(std::move(request), nullptr, &sequence));
  return sequence;
}

Result<std::unique_ptr<clutch_app_result>> Function::await(uint64_t sequence, int64_t timeout_ms, bool& ret_pending) {
  ret_pending = false;
  const int64_t until_ns = time_after(monotonic_ns(), timeout_ms);
  Lock lock(mutex_);
  const auto found = tickets_.find(sequence);
  if (found == tickets_.end()) {
    return Status(CLUTCH_ERR_NOT_FOUND,
                  "function \"" + setup_.name + "\": batch " + std::to_string(sequence) +
                      " was never submitted, or its result was taken before",
                  CLUTCH_ORIGIN_HOST);
  }
  Ticket& ticket = found->second;
  if (ticket.awaited) {
    return argument_error("function \"" + setup_.name + "\": batch " + std::to_string(sequence) +
                          " is awaited by another thread already");
  }
  ticket.awaited = true;
  const bool over = wait(lock, std::min(until_ns, given_up_at(ticket)), [&] { return ticket.over; });
  ticket.awaited = false;
  if (!over && monotonic_ns() < given_up_at(ticket)) {
    ret_pending = true;
    return std::unique_ptr<clutch_app_result>();
  }
  Ticket mine = std::move(ticket);
  tickets_.erase(sequence);
  if (!over) return give_up(lock, mine);
  return take(mine);
}

Result<std::unique_ptr<clutch_app_result>> Function::await_any(int64_t timeout_ms, uint64_t& ret_sequence,
                                                               bool& ret_pending) {
  ret_pending = false;
  ret_sequence = 0;
  const int64_t until_ns = time_after(monotonic_ns(), timeout_ms);
  Lock lock(mutex_);
  // The first one submitted among those that are over, or whose time has come.
  Ticket* ready = nullptr;
  bool any = false;
  int64_t next_ns = kForever;
  const auto look = [&] {
    ready = nullptr;
    any = false;
    next_ns = kForever;
    for (auto& [sequence, ticket] : tickets_) {
      if (ticket.awaited) continue;
      any = true;
      next_ns = std::min(next_ns, given_up_at(ticket));
      if (!ticket.over && given_up_at(ticket) > monotonic_ns()) continue;
      if (ready == nullptr || sequence < ready->sequence) ready = &ticket;
    }
    return ready != nullptr || !any;
  };
  while (!look()) {
    const int64_t wake_ns = std::min(until_ns, next_ns);
    if (wait(lock, wake_ns, look)) break;
    if (monotonic_ns() < until_ns) continue;
    ret_pending = true;
    return std::unique_ptr<clutch_app_result>();
  }
  if (ready == nullptr) {
    return Status(CLUTCH_ERR_NOT_FOUND, "function \"" + setup_.name + "\": no batch is submitted", CLUTCH_ORIGIN_HOST);
  }
  ret_sequence = ready->sequence;
  Ticket mine = std::move(*ready);
  tickets_.erase(ret_sequence);
  if (!mine.over) return give_up(lock, mine);
  return take(mine);
}

void Function::cancel(uint64_t sequence) {
  {
    const std::scoped_lock lock(mutex_);
    const auto slot = std::find_if(slots_.begin(), slots_.end(), [&](const BatchSlot* candidate) {
      return candidate->job.in_flight && candidate->job.batch.sequence == sequence;
    });
    if (slot == slots_.end()) return;
    (*slot)->cancel();
  }
  setup_.api->function_cancel(function_, sequence);
}

void Function::forget(uint64_t sequence) {
  Ticket dropped;  // Its result is released without the lock.
  {
    const std::scoped_lock lock(mutex_);
    const auto found = tickets_.find(sequence);
    if (found == tickets_.end() || found->second.awaited) return;
    dropped = std::move(found->second);
    tickets_.erase(found);
    if (dropped.over) return;
    dropped.slot->cancel();
    dropped.slot->job.ticket = nullptr;
  }
  setup_.api->function_cancel(function_, sequence);
}

bool Function::has_room() const {
  const std::scoped_lock lock(mutex_);
  return in_flight_ < max_in_flight_ && !exclusive_ && gate_.open();
}

bool Function::idle() const {
  const std::scoped_lock lock(mutex_);
  return in_flight_ == 0 && gate_.open();
}

int32_t Function::next_timer(int32_t domain, int64_t& ret_time_ms) const {
  const std::scoped_lock lock(mutex_);
  const NextTimer& next = next_timers_[static_cast<size_t>(domain)];
  if (next.status == CLUTCH_OK) ret_time_ms = next.time_ms;
  return next.status;
}

clutch_app_metrics Function::metrics() const {
  clutch_app_metrics out{};
  {
    const std::scoped_lock lock(mutex_);
    out = metrics_;
    out.in_flight = in_flight_;
  }
  const std::optional<NamedMetric> restarts = context_->metrics().find(kRestartsMetric);
  out.restarts = restarts ? static_cast<uint64_t>(restarts->sum) : 0;
  return out;
}

}  // namespace clutch::host
