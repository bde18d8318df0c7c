#include "app/batcher.h"

#include <algorithm>

#include "clutch/columnar/ops.h"
#include "clutch/columnar/validate.h"
#include "function/gate.h"

namespace clutch::host {
namespace {

// About what rows take: their share of the columns' buffers is not known without a walk, so fixed width counts 8 and
// text its bytes.
int64_t bytes_of(const columnar::Field& field, const ArrowArray& array, int64_t start, int64_t count) {
  const int64_t first = array.offset + start;
  switch (columnar::layout_of(field.type)) {
    case columnar::Layout::kBytes: {
      const auto* offsets = static_cast<const int32_t*>(array.buffers[1]) + first;
      return count * 4 + (count > 0 ? offsets[count] - offsets[0] : 0);
    }
    case columnar::Layout::kLargeBytes: {
      const auto* offsets = static_cast<const int64_t*>(array.buffers[1]) + first;
      return count * 8 + (count > 0 ? offsets[count] - offsets[0] : 0);
    }
    case columnar::Layout::kStruct: {
      int64_t bytes = 0;
      for (int64_t i = 0; i < array.n_children; ++i) {
        bytes += bytes_of(field.type.children[static_cast<size_t>(i)], *array.children[i], first, count);
      }
      return bytes;
    }
    default:
      return count * 8;
  }
}

}  // namespace

Batcher::Batcher(Function& function, const BatchingLimits& limits, int64_t timeout_ms)
    : function_(function), limits_(limits), timeout_ms_(timeout_ms), builder_(function.shape().input) {}

Batcher::~Batcher() {
  // Nobody takes these results any more; the function would keep them until it is closed.
  for (const Submitted& batch : submitted_) {
    if (batch.sequence != 0) function_.forget(batch.sequence);
  }
}

void Batcher::close_chunk() {
  if (builder_.rows() == 0) return;
  chunk_rows_ += builder_.rows();
  chunk_bytes_ += builder_.bytes();
  chunks_.push_back(builder_.finish());
}

Status Batcher::submit() {
  if (open_rows() == 0) return {};
  close_chunk();
  const clutch_app_row_span span{next_row_, static_cast<uint64_t>(chunk_rows_)};
  BatchRequest request;
  request.timeout_ms = timeout_ms_;
  if (chunks_.size() == 1) {
    request.rows = std::move(chunks_.front());
  } else {
    std::vector<const ArrowArray*> parts;
    for (const columnar::Array& chunk : chunks_) parts.push_back(chunk.get());
    CLUTCH_ASSIGN_OR_RETURN(request.rows, columnar::concatenate(function_.shape().input, parts));
  }
  chunks_.clear();
  chunk_rows_ = 0;
  chunk_bytes_ = 0;
  next_row_ += span.count;
  Result<uint64_t> sequence = function_.submit(std::move(request));
  submitted_.push_back({span, sequence.ok() ? *sequence : 0, sequence.status()});
  return {};
}

Status Batcher::added(int64_t before) {
  if (before == 0) first_ns_ = monotonic_ns();
  if (open_rows() >= limits_.max_rows || open_bytes() >= limits_.max_bytes) return submit();
  if (function_.asynchronous() && function_.idle()) return submit();
  if (monotonic_ns() >= next_deadline() && function_.has_room()) return submit();
  return {};
}

Status Batcher::push(const clutch_app_value* values, uint64_t count) {
  const int64_t before = open_rows();
  CLUTCH_RETURN_IF_ERROR(builder_.add(values, count));
  return added(before);
}

Status Batcher::push_rows(const ArrowArray& rows, int64_t start, int64_t count) {
  CLUTCH_RETURN_IF_ERROR(columnar::validate(function_.shape().input, rows, columnar::Depth::kStructure));
  if (start < 0 || count < 0 || start > rows.length || count > rows.length - start) {
    return argument_error("rows " + std::to_string(start) + " to " + std::to_string(start + count) +
                          " are pushed, the array has " + std::to_string(rows.length));
  }
  for (int64_t done = 0; done < count;) {
    const int64_t before = open_rows();
    const int64_t part = std::min(count - done, std::max<int64_t>(limits_.max_rows - before, 1));
    close_chunk();
    const columnar::Array view = columnar::slice(rows, start + done, part);
    CLUTCH_ASSIGN_OR_RETURN(columnar::Array copied, columnar::copy(function_.shape().input, *view));
    chunk_bytes_ += bytes_of(function_.shape().input, rows, start + done, part);
    chunk_rows_ += part;
    chunks_.push_back(std::move(copied));
    done += part;
    CLUTCH_RETURN_IF_ERROR(added(before));
  }
  return {};
}

Status Batcher::poll() {
  if (open_rows() == 0 || !function_.has_room()) return {};
  if (!function_.idle() && monotonic_ns() < next_deadline()) return {};
  return submit();
}

Status Batcher::flush() { return submit(); }

int64_t Batcher::next_deadline() const {
  if (open_rows() == 0 || limits_.max_age_ns == kForever) return kForever;
  return first_ns_ + limits_.max_age_ns;
}

Result<std::unique_ptr<clutch_app_result>> Batcher::next(int64_t timeout_ms, clutch_app_row_span& ret_span,
                                                         bool& ret_pending) {
  ret_span = {0, 0};
  ret_pending = false;
  CLUTCH_RETURN_IF_ERROR(poll());
  if (submitted_.empty()) {
    return Status(CLUTCH_ERR_NOT_FOUND, "the batcher has submitted no batch whose result was not taken",
                  CLUTCH_ORIGIN_HOST);
  }
  Submitted& oldest = submitted_.front();
  if (oldest.sequence == 0) {
    ret_span = oldest.span;
    Status failed = std::move(oldest.failed);
    submitted_.pop_front();
    return failed;
  }
  Result<std::unique_ptr<clutch_app_result>> result = function_.await(oldest.sequence, timeout_ms, ret_pending);
  if (ret_pending) return result;
  ret_span = oldest.span;
  submitted_.pop_front();
  return result;
}

}  // namespace clutch::host
