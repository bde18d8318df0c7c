#include "runtime/sender.h"

#include <chrono>
#include <utility>

#include "clutch/columnar/builder.h"
#include "clutch/columnar/view.h"
#include "exchange/share.h"
#include "exchange/size.h"

namespace clutch::engine {

Sender::Sender(Shape shape, std::vector<Target> targets)
    : shape_(std::move(shape)),
      field_((shape_.drops_key ? shape_.type.without_key() : shape_.type).field()),
      targets_(std::move(targets)) {}

Status Sender::split(columnar::Array batch, std::vector<Part>& out) {
  if (!shape_.by_column) return shape_.partitioner->split(std::move(batch), out);
  const int64_t rows = batch->length;
  std::vector<columnar::Array> columns = take_columns(std::move(batch));
  const columnar::Array column = std::move(columns.back());
  columns.pop_back();
  const auto* destinations = columnar::ArrayView(*column).values<int32_t>();
  return split_rows(field_, columnar::make_batch(rows, std::move(columns)), {destinations, static_cast<size_t>(rows)},
                    static_cast<int32_t>(targets_.size()), out);
}

Status Sender::send(columnar::Array batch) {
  parts_.clear();
  CLUTCH_RETURN_IF_ERROR(split(std::move(batch), parts_));
  for (Part& part : parts_) {
    if (shape_.drops_key) {
      const int64_t rows = part.batch->length;
      std::vector<columnar::Array> columns = take_columns(std::move(part.batch));
      columns.erase(columns.begin() + 1);
      part.batch = columnar::make_batch(rows, std::move(columns));
    }
    const int64_t bytes = batch_bytes(field_, *part.batch);
    CLUTCH_RETURN_IF_ERROR(put(targets_[static_cast<size_t>(part.destination)], std::move(part.batch), bytes));
  }
  return {};
}

Status Sender::signal(TimeSignal signal) {
  if (shape_.feeds_back) return {};
  for (const Target& target : targets_) {
    if (target.gate != nullptr) CLUTCH_RETURN_IF_ERROR(put(target, signal, 0));
  }
  return {};
}

Status Sender::pass(Barrier barrier) {
  for (const Target& target : targets_) {
    if (target.gate != nullptr) CLUTCH_RETURN_IF_ERROR(put(target, barrier, 0));
  }
  return {};
}

Status Sender::put(const Target& target, StreamElement element, int64_t bytes) {
  const auto start = std::chrono::steady_clock::now();
  Status status = target.gate->put(target.channel, std::move(element), bytes);
  blocked_ns_ += (std::chrono::steady_clock::now() - start).count();
  return status;
}

void Sender::close() {
  for (const Target& target : targets_) {
    if (target.gate != nullptr) target.gate->close(target.channel);
  }
}

}  // namespace clutch::engine
