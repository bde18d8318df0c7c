// An opened function of libclutch, with Status in the place of exceptions.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "clutch/columnar/owned.h"
#include "clutch/columnar/result.h"
#include "runtime/function_definition.h"
#include "runtime/lane.h"
#include "runtime/waker.h"

namespace clutch::engine {

// What one batch gave.
class FunctionResult {
 public:
  explicit FunctionResult(clutch_app_result* result) : result_(result) {}

  int64_t row_count() const { return clutch_app_result_row_count(result_.get()); }
  uint64_t dead_letters() const { return clutch_app_result_dead_letter_count(result_.get()); }
  // The rows of the main output, moved out; origin() and row_count() are gone with them.
  Result<columnar::Array> take_rows();
  // nullptr: row i came from input row i.
  const int32_t* origin() const { return clutch_app_result_origin(result_.get()); }
  // Borrowed: times of the rows, each that of its input row or of the timer that gave it. nullptr: memory is out.
  const ArrowArray* timestamps() const { return clutch_app_result_timestamps(result_.get()); }
  // nullptr where the function has no such side output.
  const ArrowSchema* side_schema(const std::string& tag) const {
    return clutch_app_result_side_schema(result_.get(), tag.c_str());
  }
  const ArrowArray* side_rows(const std::string& tag) const {
    return clutch_app_result_side_rows(result_.get(), tag.c_str());
  }
  const int32_t* side_origin(const std::string& tag) const {
    return clutch_app_result_side_origin(result_.get(), tag.c_str());
  }
  const ArrowArray* side_timestamps(const std::string& tag) const {
    return clutch_app_result_side_timestamps(result_.get(), tag.c_str());
  }

 private:
  struct Free {
    void operator()(clutch_app_result* result) const { clutch_app_result_free(result); }
  };
  std::unique_ptr<clutch_app_result, Free> result_;
};

// What goes with a batch beside its rows. Arrays may be empty.
struct BatchExtras {
  columnar::Array timestamps;
  columnar::Array keys;
  columnar::Array key_index;
  std::optional<int64_t> watermark;
  int64_t processing_time = 0;  // 0: now
};

// Used by the thread of its subtask, but for cancel(). Errors keep the details of libclutch.
class HostedFunction {
 public:
  // `waker` is woken when a submitted batch is over. Batches of a function that takes one at a time, which may keep its
  // caller busy, run in `lane`, as do open and close. Both may be nullptr, and outlive the function.
  static Result<std::unique_ptr<HostedFunction>> open(const Host& host, const FunctionDefinition& definition,
                                                      Waker* waker, Lane* lane);
  HostedFunction(const HostedFunction&) = delete;
  HostedFunction& operator=(const HostedFunction&) = delete;
  ~HostedFunction();

  size_t max_in_flight() const { return clutch_app_function_max_in_flight(function_); }
  std::string mode() const { return clutch_app_function_mode(function_); }
  std::string plugin() const { return clutch_app_function_plugin(function_); }

  // CLUTCH_ERR_CANCELLED after cancel(). The sequence number awaits the batch.
  Result<uint64_t> submit(columnar::Array rows, BatchExtras extras);
  // The result of the oldest batch that was not awaited; nothing: it is not over. Waits as long as it takes, or not at
  // all.
  Result<std::optional<FunctionResult>> await(uint64_t sequence, bool wait);
  // CLUTCH_APP_EVENT_TIME or CLUTCH_APP_PROCESSING_TIME.
  std::optional<int64_t> next_timer(int32_t domain) const;

  // From any thread, any number of times: batches that run end soon with CLUTCH_ERR_CANCELLED, no others begin.
  void cancel();

  // The user's close() runs; its error is told. Batches in flight are cancelled and awaited.
  Status close();

 private:
  // A batch of the lane.
  struct LaneBatch {
    uint64_t number;  // what submit() gave
    columnar::Array rows;
    BatchExtras extras;
    std::optional<Result<uint64_t>> submitted;  // the number of libclutch, once it ran
  };

  HostedFunction(int64_t timeout_ms, Waker* waker, Lane* lane) : timeout_ms_(timeout_ms), waker_(waker), lane_(lane) {}
  bool uses_lane() const { return lane_ != nullptr && max_in_flight() == 1; }
  Result<uint64_t> submit_now(columnar::Array rows, BatchExtras extras);
  Result<std::optional<FunctionResult>> await_now(uint64_t sequence, bool wait);
  void run_in_lane(LaneBatch& batch);
  void end_lane_batches();
  int32_t close_in_lane(clutch_app_function* closing, clutch_app_error** error);

  // Guards function_ between close() and cancel(); the others are of the thread that closes.
  mutable std::mutex mutex_;
  clutch_app_function* function_ = nullptr;
  const int64_t timeout_ms_;
  Waker* const waker_;
  Lane* const lane_;
  std::mutex
      lane_mutex_;  // guards `submitted` of the batches, of which the subtask's thread alone adds and removes any
  std::condition_variable ran_;
  std::deque<LaneBatch> lane_batches_;
  uint64_t lane_number_ = 0;
  std::atomic<bool> cancelled_ = false;
  // libclutch numbers the batches of a function 1, 2, 3, ...; so the number of one that is being submitted is known.
  std::atomic<uint64_t> submitted_ = 0;
  std::atomic<uint64_t> awaited_ = 0;
};

// Which plugin takes a function, and why, or why none does.
std::string explain(const Host& host, const FunctionDefinition& definition, Format format);

}  // namespace clutch::engine
