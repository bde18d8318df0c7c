// Makes batches of single rows. Belongs to one thread at a time; runs nothing by itself.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "app/value.h"
#include "clutch/clutch.h"
#include "clutch/columnar/owned.h"
#include "clutch/columnar/result.h"
#include "function/function.h"

namespace clutch::host {

class Batcher {
 public:
  // max_age_ns kForever: no limit.
  Batcher(Function& function, const BatchingLimits& limits, int64_t timeout_ms);
  ~Batcher();
  Batcher(const Batcher&) = delete;
  Batcher& operator=(const Batcher&) = delete;

  Status push(const clutch_app_value* values, uint64_t count);
  Status push_rows(const ArrowArray& rows, int64_t start, int64_t count);
  Status poll();
  Status flush();
  int64_t next_deadline() const;
  Result<std::unique_ptr<clutch_app_result>> next(int64_t timeout_ms, clutch_app_row_span& ret_span, bool& ret_pending);

 private:
  struct Submitted {
    clutch_app_row_span span;
    uint64_t sequence;  // 0: it could not be submitted, for the reason `failed`.
    Status failed;
  };

  int64_t open_rows() const { return chunk_rows_ + builder_.rows(); }
  int64_t open_bytes() const { return chunk_bytes_ + builder_.bytes(); }
  Status added(int64_t before);
  void close_chunk();
  Status submit();

  Function& function_;
  const BatchingLimits limits_;
  const int64_t timeout_ms_;
  RowBuilder builder_;
  std::vector<columnar::Array> chunks_;  // Rows that came as slices, and those built before them.
  int64_t chunk_rows_ = 0;
  int64_t chunk_bytes_ = 0;
  int64_t first_ns_ = 0;  // When the open batch got its first row.
  uint64_t next_row_ = 0;
  std::deque<Submitted> submitted_;
};

}  // namespace clutch::host
