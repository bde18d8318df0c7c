// Batches of single rows in the C++ face; part of clutch/clutch.hpp.
//
//   clutch::Batcher batcher(function, {});
//   batcher.push("word", 1);
//   while (auto batch = batcher.next()) use(batch->output().column<int64_t>(0));
#pragma once

#include "clutch/clutch.hpp"

namespace clutch {

// One batch that a batcher closed: rows [first, first + count) of all that were pushed.
class Batched {
 public:
  Batched(clutch_app_row_span span, Output output) : span_(span), output_(std::move(output)) {}
  Batched(clutch_app_row_span span, Error error) : span_(span), error_(std::move(error)) {}

  uint64_t first() const { return span_.first; }
  uint64_t count() const { return span_.count; }
  bool ok() const { return output_.has_value(); }
  // Throws the error of a batch that failed.
  Output& output() {
    if (!output_.has_value()) throw Error(*error_);
    return *output_;
  }

 private:
  clutch_app_row_span span_;
  std::optional<Output> output_;
  std::optional<Error> error_;
};

struct BatcherSettings {
  int64_t max_rows = 0;                  // 0: python.fn-execution.bundle.size
  int64_t max_bytes = 0;                 // 0: clutch.batch.max-bytes
  std::chrono::microseconds max_age{0};  // 0: python.fn-execution.bundle.time; negative: no limit
  Milliseconds timeout{0};               // Deadline of each batch.
};

// See clutch_app_batcher_settings for when batches close. The function must outlive the batcher.
class Batcher {
 public:
  explicit Batcher(const Function& function, const BatcherSettings& settings = {}) {
    clutch_app_batcher_settings raw{};
    raw.struct_size = sizeof(raw);
    raw.max_rows = settings.max_rows;
    raw.max_bytes = settings.max_bytes;
    raw.max_age_us = settings.max_age.count();
    raw.timeout_ms = settings.timeout.count();
    clutch_app_error* error = nullptr;
    clutch_app_batcher* batcher = nullptr;
    detail::check(clutch_app_batcher_open(function.get(), &raw, &batcher, &error), error);
    batcher_.reset(batcher);
  }

  // One row, a value for each column: numbers, bool, text, std::optional of those, std::nullopt.
  template <typename... Values>
  void push(const Values&... values) {
    const clutch_app_value row[] = {detail::to_value(values)...};
    clutch_app_error* error = nullptr;
    detail::check(clutch_app_batcher_push(batcher_.get(), row, sizeof...(Values), &error), error);
  }
  void push_rows(const ArrowArray& rows, int64_t start, int64_t count) {
    clutch_app_error* error = nullptr;
    detail::check(clutch_app_batcher_push_rows(batcher_.get(), &rows, start, count, &error), error);
  }
  void poll() {
    clutch_app_error* error = nullptr;
    detail::check(clutch_app_batcher_poll(batcher_.get(), &error), error);
  }
  void flush() {
    clutch_app_error* error = nullptr;
    detail::check(clutch_app_batcher_flush(batcher_.get(), &error), error);
  }
  // CLOCK_MONOTONIC, ns; INT64_MAX: nothing waits.
  int64_t next_deadline() const { return clutch_app_batcher_next_deadline(batcher_.get()); }

  // The oldest submitted batch, waiting up to `timeout` (negative: as long as it takes). Nothing if none is submitted
  // or it is not over yet.
  std::optional<Batched> next(Milliseconds timeout = Milliseconds(-1)) {
    clutch_app_row_span span{};
    clutch_app_result* result = nullptr;
    clutch_app_error* raw = nullptr;
    const int32_t status = clutch_app_batcher_next(batcher_.get(), timeout.count(), &span, &result, &raw);
    if (status == CLUTCH_OK) return Batched(span, Output(result));
    if (status == CLUTCH_PENDING) return std::nullopt;
    Error error = detail::take_error(status, raw);
    if (span.count == 0) {
      if (status == CLUTCH_ERR_NOT_FOUND) return std::nullopt;
      throw Error(std::move(error));
    }
    return Batched(span, std::move(error));
  }

 private:
  struct Close {
    void operator()(clutch_app_batcher* batcher) const { clutch_app_batcher_close(batcher); }
  };
  std::unique_ptr<clutch_app_batcher, Close> batcher_;
};

}  // namespace clutch
