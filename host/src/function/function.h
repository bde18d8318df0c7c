// One opened function: brings batches to the plugin and their results back.
#pragma once

#include <array>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "clutch/abi/plugin.h"
#include "clutch/clutch.h"
#include "clutch/columnar/owned.h"
#include "clutch/columnar/result.h"
#include "function/context.h"
#include "function/gate.h"
#include "function/shape.h"
#include "function/slot.h"
#include "log/log.h"
#include "service/keyed_store.h"

namespace clutch::host {

// A batch as an application hands it in.
struct BatchRequest {
  columnar::Array rows;
  columnar::Array timestamps;
  columnar::Array row_kinds;
  columnar::Array keys;
  columnar::Array key_index;
  columnar::Array row_flags;
  columnar::Array merges;
  uint32_t flags = 0;  // CLUTCH_APP_*
  int64_t timeout_ms = 0;
  int64_t processing_time_ms = 0;
  int64_t watermark_ms = 0;
};

inline constexpr int64_t kMillisecond = 1'000'000;  // (unit: ns)
// How long a plugin may stay silent after a batch's deadline before the batch is given up.
inline constexpr int64_t kDeadlineGrace = 2000 * kMillisecond;

// now + timeout, without overflow; kForever for a negative timeout.
inline int64_t time_after(int64_t now_ns, int64_t timeout_ms) {
  if (timeout_ms < 0 || timeout_ms > (kForever - now_ns) / kMillisecond) return kForever;
  return now_ns + timeout_ms * kMillisecond;
}

// Objects that outlive every function of a host, because plugins keep handles to them.
struct HandlePools {
  HandlePool<BatchSlot> slots;
  HandlePool<FunctionContext> contexts;
};

// When rows that are given one by one are closed into a batch, unless a batcher says otherwise.
struct BatchingLimits {
  int64_t max_rows = 1000;
  int64_t max_bytes = 1 << 20;
  int64_t max_age_ns = 1000 * kMillisecond;
};

struct FunctionSetup {
  std::string name;
  std::string plugin;  // Id.
  std::string mode;
  std::string asked_mode;
  std::string decision_text;
  std::string decision_json;
  const clutch_plugin_api* api = nullptr;
  clutch_runtime* runtime = nullptr;
  ControlGate* control = nullptr;  // Of the runtime.
  Logger* logger = nullptr;
  HandlePools* pools = nullptr;
  columnar::Field input;
  columnar::Field output;
  BatchingLimits batching;
  void (*completed)(void* self, uint64_t sequence) = nullptr;
  void* completed_self = nullptr;
  std::optional<clutch_app_state_store> state_store;  // None: the host's own.
};

// All methods but close() may be called from every thread. The mutex is never held while the plugin or the application
// runs; `gate_` keeps submit and poll of the plugin apart.
class Function final : private BatchOwner {
 public:
  // Open a function at the plugin. `spec` lives for the call.
  static Result<std::unique_ptr<Function>> open(FunctionSetup setup, const clutch_spec& spec);
  // Cancels what is in flight, waits for it, closes the function at the plugin. If a batch does not end within
  // kCloseTimeout the function stays open and CLUTCH_ERR_DEADLINE is returned; any other status: it is gone.
  Status close();
  ~Function();
  Function(const Function&) = delete;
  Function& operator=(const Function&) = delete;

  Result<std::unique_ptr<clutch_app_result>> call(BatchRequest request);
  Result<uint64_t> submit(BatchRequest request);
  // Nothing when `timeout_ms` (negative: none) is over before the batch is.
  Result<std::unique_ptr<clutch_app_result>> await(uint64_t sequence, int64_t timeout_ms, bool& ret_pending);
  Result<std::unique_ptr<clutch_app_result>> await_any(int64_t timeout_ms, uint64_t& ret_sequence, bool& ret_pending);
  void cancel(uint64_t sequence);

  // Cancel a submitted batch and drop what it gives; nobody will await it.
  void forget(uint64_t sequence);

  bool idle() const;
  // submit would not wait.
  bool has_room() const;
  // Batches run on threads of the plugin, so submit returns before they are over.
  bool asynchronous() const { return max_in_flight_ > 1; }
  // The status of the call, CLUTCH_ERR_NOT_FOUND if there is no timer.
  int32_t next_timer(int32_t domain, int64_t& ret_time_ms) const;
  clutch_app_metrics metrics() const;
  const NamedMetrics& named_metrics() const { return context_->metrics(); }

  const FunctionSetup& setup() const { return setup_; }
  const Shape& shape() const { return *shape_; }
  uint32_t max_in_flight() const { return max_in_flight_; }
  bool closed() const { return function_ == nullptr; }

 private:
  using Lock = std::unique_lock<std::mutex>;

  explicit Function(FunctionSetup setup);
  Status check(const BatchRequest& request) const;
  // Hand a checked batch to the plugin. Its outcome goes to `direct`, or to a ticket in tickets_ if that is nullptr.
  Status start(BatchRequest request, Ticket* direct, uint64_t* ret_sequence = nullptr);
  BatchSlot& take_slot();
  Status fill(BatchSlot& slot, BatchRequest& request, Staged& staged);
  void run(BatchSlot& slot, clutch_batch_context* context, const Status& filled);
  void batch_over(BatchSlot& slot, Staged staged, int32_t status) override;
  Status conclude(BatchSlot& slot, Staged& staged, int32_t status) const;
  // Let the result know the event times that its rows come from.
  void keep_times(BatchSlot& slot, Staged& staged) const;
  // Give the store what the batch changed. It needs no lock: no other batch with keys is in flight.
  Status commit(BatchSlot& slot, StagedStates& staged);
  // Ask the store for the earliest timers. Without the lock, inside the opening or a batch with keys.
  void look_at_timers();
  void count(const BatchSlot& slot, const Staged& staged, const Status& outcome, int64_t input_rows);
  // Lend this thread to the plugin for a moment, from inside the gate. False if the plugin needs no thread now.
  bool poll(Lock& lock, int64_t until_ns);
  // Until done() or the time has come. Lends the thread at least once if the plugin wants it.
  template <typename Done>
  bool wait(Lock& lock, int64_t until_ns, Done done);
  // Nobody waits for this batch any more: ask the plugin to end it. Its late output is dropped.
  Status give_up(Lock& lock, Ticket& ticket);
  // Outcome of a batch that is over.
  static Result<std::unique_ptr<clutch_app_result>> take(Ticket& ticket);
  Status closed_error() const;

  const FunctionSetup setup_;
  ShapePtr shape_;
  FunctionContext* context_ = nullptr;
  clutch_function* function_ = nullptr;
  uint32_t max_in_flight_ = 1;
  // Of the one batch with keys in flight, and its commit.
  std::unique_ptr<KeyedStore> store_;
  std::vector<clutch_app_state_change> changes_;  // Scratch.

  mutable std::mutex mutex_;  // Guards what follows.
  std::condition_variable changed_;
  Gate gate_;  // Around submit and poll of the plugin.
  bool closing_ = false;
  bool exclusive_ = false;  // A batch with keys is in flight.
  uint32_t in_flight_ = 0;
  uint32_t calling_back_ = 0;  // Threads inside setup_.completed.
  uint64_t sequence_ = 0;
  uint64_t completions_ = 0;
  int64_t watermark_ms_;
  std::vector<BatchSlot*> slots_;
  std::vector<BatchSlot*> free_slots_;
  std::unordered_map<uint64_t, Ticket> tickets_;  // Submitted and not taken.
  struct NextTimer {
    int32_t status = CLUTCH_ERR_NOT_FOUND;
    int64_t time_ms = 0;
  };
  std::array<NextTimer, 2> next_timers_;  // By domain, as of the last commit.
  clutch_app_metrics metrics_{};
};

}  // namespace clutch::host
