// The place of one batch in flight: its input, and everything it has given so far. Plugins hold it as
// clutch_batch_context.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "clutch/abi/batch.h"
#include "clutch/ext/metrics.h"
#include "function/error.h"
#include "function/handle.h"
#include "function/input.h"
#include "function/result.h"
#include "function/shape.h"
#include "log/log.h"
#include "service/state_store.h"
#include "service/timer_store.h"

namespace clutch::host {

class BatchSlot;

// What a batch has given. Committed as a whole or dropped as a whole.
struct Staged {
  std::unique_ptr<clutch_app_result> result;
  Status refused;  // The first output that did not fit; the batch cannot succeed any more.
  std::array<int64_t, CLUTCH_STAGE_COUNT> stage_ns{};
  StateChanges state;
  std::vector<TimerChange> timers;
  std::vector<Timer> fired;
  std::vector<Timer> fired_inside;  // Registered and fired in the batch: they have the places behind those of `fired`.
  std::vector<bool> dead;           // By input row; empty until the first dead letter.
};

// Where a batch's outcome is put for the one who waits for it. Guarded by the owner's mutex.
struct Ticket {
  BatchSlot* slot = nullptr;  // While the batch is in flight.
  uint64_t sequence = 0;
  int64_t deadline_ns = 0;  // 0: none.
  bool awaited = false;     // A thread waits for it.
  bool over = false;
  Status outcome;
  std::unique_ptr<clutch_app_result> result;
};

// Takes over when a batch is over.
class BatchOwner {
 public:
  // `status` is what the plugin reported. Called once a batch, from any thread, with no lock held. The slot is stale;
  // its job still belongs to the batch.
  virtual void batch_over(BatchSlot& slot, Staged staged, int32_t status) = 0;

 protected:
  ~BatchOwner() = default;
};

class alignas(kHandleAlign) BatchSlot {
 public:
  // A batch that lives in a slot. Set by the owner before begin(), unchanged until batch_over().
  struct Job {
    BatchOwner* owner = nullptr;
    ShapePtr shape;
    StateStore* states = nullptr;
    Logger* logger = nullptr;
    InputRef input;
    clutch_batch batch{};
    clutch_error error;
    int64_t started_ns = 0;
    bool exclusive = false;    // Has keys.
    bool in_flight = false;    // Guarded by the owner's mutex.
    Ticket* ticket = nullptr;  // Nobody waits any more if nullptr. Guarded by the owner's mutex.
  };
  Job job;

  // Start a batch; returns its handle.
  clutch_batch_context* begin(Staged staged);
  void cancel() { cancelled_.store(true, std::memory_order_relaxed); }

  // End the batch that `handle` names and hand it to its owner. False if it is over already.
  static bool complete(clutch_batch_context* handle, int32_t status);

  // Call use(slot) -> Status with the slot locked if the handle is still good. Fills `error` on failure.
  template <typename Use>
  static int32_t with(clutch_batch_context* handle, clutch_error* error, Use use) noexcept;

  static bool cancelled(clutch_batch_context* handle);

  // With the slot locked, inside with(). A chunk that is refused is left to the caller, to be released unlocked.
  Status emit(uint32_t tag, Chunk& chunk);
  Status add_dead_letter(int64_t row, clutch_error** ret_error);
  Status take_lease(BatchInput** ret_input);
  void add_stage(uint32_t stage, int64_t duration_ns) {
    if (stage < CLUTCH_STAGE_COUNT) staged_.stage_ns[stage] += duration_ns;
  }
  Staged& staged() { return staged_; }
  std::string& page_cursor() { return page_cursor_; }
  // Bytes of a key of this batch. CLUTCH_ERR_DATA if the position is out of range.
  Result<std::string> key(int64_t position) const;
  // Groups of a kind that takes rows by group.
  int64_t group_count() const { return job.input->keys.empty() ? 1 : job.input->keys->length; }
  int64_t key_count() const { return job.input->keys.empty() ? 0 : job.input->keys->length; }

 private:
  bool current(clutch_batch_context* handle) const {
    return active_ && generation_.load(std::memory_order_relaxed) % kHandleAlign == handle_generation(handle);
  }
  Status check_emit(uint32_t tag, Chunk& chunk);
  Status check_origin(const OutputShape& output, const Outputs& before, const Chunk& chunk) const;
  Status expand_selection(Chunk& chunk) const;

  std::mutex mutex_;  // Guards what follows, and job while the batch runs.
  std::atomic<uint64_t> generation_{1};
  std::atomic<bool> cancelled_{false};
  bool active_ = false;
  Staged staged_;
  std::string page_cursor_;
};

Status stale_batch();
// For the entries of the plugin's tables: a C++ exception as a status.
Status current_exception_status() noexcept;

template <typename Use>
int32_t BatchSlot::with(clutch_batch_context* handle, clutch_error* error, Use use) noexcept {
  try {
    if (handle == nullptr) return fill_error(error, argument_error("the batch context is NULL"));
    auto* slot = handle_object<BatchSlot>(handle);
    Status status;
    {
      const std::scoped_lock lock(slot->mutex_);
      status = slot->current(handle) ? use(*slot) : stale_batch();
    }
    return status.ok() ? CLUTCH_OK : fill_error(error, status);
  } catch (...) {
    return fill_error(error, current_exception_status());
  }
}

}  // namespace clutch::host
