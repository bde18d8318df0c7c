#include "runtime/hosted_function.h"

#include <chrono>
#include <exception>
#include <utility>

namespace clutch::engine {
namespace {

Status take_status(int32_t code, clutch_app_error* raw) {
  if (raw == nullptr) return Status(code, clutch_app_status_name(code));
  Status status(clutch_app_error_code(raw), clutch_app_error_message(raw), clutch_app_error_origin(raw));
  for (uint64_t i = 0; i < clutch_app_error_detail_count(raw); ++i) {
    status.with(clutch_app_error_detail_key(raw, i), clutch_app_error_detail_value(raw, i));
  }
  clutch_app_error_free(raw);
  return status;
}

ArrowArray* or_null(columnar::Array& array) { return array.empty() ? nullptr : array.get(); }

}  // namespace

Result<columnar::Array> FunctionResult::take_rows() {
  ArrowArray rows{};
  const int32_t status = clutch_app_result_take_rows(result_.get(), &rows);
  if (status < 0) return Status(status, "the rows of a result cannot be taken");
  return columnar::Array(std::move(rows));
}

Result<std::unique_ptr<HostedFunction>> HostedFunction::open(const Host& host, const FunctionDefinition& definition,
                                                             Waker* waker, Lane* lane) {
  std::unique_ptr<HostedFunction> opened(new HostedFunction(definition.timeout_ms, waker, lane));
  clutch_app_error* error = nullptr;
  int32_t status = CLUTCH_OK;
  const auto open = [&] {
    status = definition.with_spec([&](Spec& spec) {
      if (waker != nullptr) spec.completed([](void* self, uint64_t) { static_cast<Waker*>(self)->wake(); }, waker);
      return spec.with_raw([&](const clutch_app_spec* raw) {
        return clutch_app_function_open(host.get(), raw, &opened->function_, &error);
      });
    });
  };
  if (lane == nullptr) {
    open();
  } else {
    CLUTCH_RETURN_IF_ERROR(lane->run(open));
  }
  if (status < 0) return take_status(status, error);
  return opened;
}

HostedFunction::~HostedFunction() {
  if (function_ == nullptr) return;
  end_lane_batches();
  close_in_lane(function_, nullptr);
}

Result<uint64_t> HostedFunction::submit(columnar::Array rows, BatchExtras extras) {
  if (!uses_lane()) return submit_now(std::move(rows), std::move(extras));
  lane_batches_.push_back({++lane_number_, std::move(rows), std::move(extras), std::nullopt});
  LaneBatch& batch = lane_batches_.back();  // stays where it is until it is awaited
  Status posted;
  try {
    posted = lane_->post([this, &batch] { run_in_lane(batch); });
  } catch (...) {
    lane_batches_.pop_back();  // nobody will run it
    throw;
  }
  if (posted.ok()) return lane_number_;
  lane_batches_.pop_back();
  return posted;
}

void HostedFunction::run_in_lane(LaneBatch& batch) {
  // An exception would end the program here, and not the job.
  Result<uint64_t> submitted = [&]() -> Result<uint64_t> {
    try {
      return submit_now(std::move(batch.rows), std::move(batch.extras));
    } catch (const std::exception& error) {
      return Status(CLUTCH_ERR_MEMORY, std::string("a batch could not be handed to its function: ") + error.what());
    }
  }();
  {
    const std::scoped_lock lock(lane_mutex_);
    batch.submitted.emplace(std::move(submitted));
  }
  // Outside of the lock, which the other thread would only wake up to wait for. The lane closes the function behind
  // this, so all of it is still there.
  ran_.notify_one();
  if (waker_ != nullptr) waker_->wake();
}

Result<uint64_t> HostedFunction::submit_now(columnar::Array rows, BatchExtras extras) {
  // Announced first: cancel() either sees the number, or is seen here.
  submitted_.fetch_add(1);
  if (cancelled_.load()) return Status(CLUTCH_ERR_CANCELLED, "the job is being cancelled", CLUTCH_ORIGIN_HOST);
  clutch_app_batch_options options{};
  options.struct_size = sizeof(options);
  options.timeout_ms = timeout_ms_;
  options.processing_time_ms = extras.processing_time;
  if (extras.watermark.has_value()) {
    options.flags = CLUTCH_APP_HAS_WATERMARK;
    options.watermark_ms = *extras.watermark;
  }
  options.timestamps = or_null(extras.timestamps);
  options.keys = or_null(extras.keys);
  options.key_index = or_null(extras.key_index);
  uint64_t sequence = 0;
  clutch_app_error* error = nullptr;
  const int32_t status = clutch_app_function_submit(function_, rows.get(), &options, &sequence, &error);
  if (status < 0) return take_status(status, error);
  return sequence;
}

Result<std::optional<FunctionResult>> HostedFunction::await(uint64_t sequence, bool wait) {
  if (!uses_lane()) return await_now(sequence, wait);
  if (lane_batches_.empty() || lane_batches_.front().number != sequence) {
    return Status(CLUTCH_ERR_INTERNAL, "batch " + std::to_string(sequence) + " is not the oldest one");
  }
  LaneBatch& oldest = lane_batches_.front();
  {
    std::unique_lock lock(lane_mutex_);
    if (wait) ran_.wait(lock, [&] { return oldest.submitted.has_value(); });
    if (!oldest.submitted.has_value()) return std::optional<FunctionResult>();
  }
  const Result<uint64_t> submitted = *std::move(oldest.submitted);
  lane_batches_.pop_front();
  if (!submitted.ok()) return submitted.status();
  return await_now(*submitted, true);
}

Result<std::optional<FunctionResult>> HostedFunction::await_now(uint64_t sequence, bool wait) {
  clutch_app_error* error = nullptr;
  clutch_app_result* result = nullptr;
  const int32_t status = clutch_app_function_await(function_, sequence, wait ? -1 : 0, &result, &error);
  if (status == CLUTCH_PENDING) return std::optional<FunctionResult>();
  awaited_.store(sequence);
  if (status < 0) return take_status(status, error);
  return std::optional<FunctionResult>(FunctionResult(result));
}

std::optional<int64_t> HostedFunction::next_timer(int32_t domain) const {
  int64_t time = 0;
  if (clutch_app_function_next_timer(function_, domain, &time) < 0) return std::nullopt;
  return time;
}

void HostedFunction::cancel() {
  cancelled_.store(true);
  const std::scoped_lock lock(mutex_);
  if (function_ == nullptr) return;
  const uint64_t last = submitted_.load();
  for (uint64_t sequence = awaited_.load() + 1; sequence <= last; ++sequence) {
    clutch_app_function_cancel(function_, sequence);
  }
}

// What was not awaited ends soon.
void HostedFunction::end_lane_batches() {
  std::unique_lock lock(lane_mutex_);
  while (!lane_batches_.empty() && !lane_batches_.back().submitted.has_value()) {
    lock.unlock();
    // Again and again: a batch may begin just when the order has passed it by.
    cancel();
    lock.lock();
    ran_.wait_for(lock, std::chrono::milliseconds(10), [this] { return lane_batches_.back().submitted.has_value(); });
  }
}

Status HostedFunction::close() {
  end_lane_batches();
  clutch_app_function* closing = nullptr;
  {
    const std::scoped_lock lock(mutex_);
    closing = std::exchange(function_, nullptr);
  }
  clutch_app_error* error = nullptr;
  const int32_t status = close_in_lane(closing, &error);
  return status < 0 ? take_status(status, error) : Status();
}

int32_t HostedFunction::close_in_lane(clutch_app_function* closing, clutch_app_error** error) {
  int32_t status = CLUTCH_OK;
  const auto close = [&] { status = clutch_app_function_close(closing, error); };
  // Without a thread nothing was opened in one.
  if (lane_ == nullptr || !lane_->run(close).ok()) close();
  return status;
}

std::string explain(const Host& host, const FunctionDefinition& definition, Format format) {
  clutch_app_error* error = nullptr;
  char* text = nullptr;
  const int32_t status = definition.with_spec([&](const Spec& spec) {
    return spec.with_raw([&](const clutch_app_spec* raw) {
      return clutch_app_explain_spec(host.get(), raw, static_cast<int32_t>(format), &text, &error);
    });
  });
  if (status < 0) return std::string(take_status(status, error).message());
  std::string out(text);
  clutch_app_text_free(text);
  return out;
}

}  // namespace clutch::engine
