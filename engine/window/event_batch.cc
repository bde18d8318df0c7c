#include "window/event_batch.h"

#include <algorithm>

#include "clutch/columnar/builder.h"
#include "clutch/columnar/ops.h"
#include "clutch/columnar/type.h"

namespace clutch::engine {
namespace {

columnar::Field column(const char* type, bool nullable = false) { return {"", *columnar::parse_type(type), nullable}; }

template <typename T>
columnar::Array array_of(const char* type, std::vector<T>& values) {
  columnar::ArrayBuilder out(column(type));
  out.reserve(static_cast<int64_t>(values.size()));
  for (const T value : values) out.append(value);
  values.clear();
  return out.finish();
}

}  // namespace

size_t WindowEventBatch::slot_of(const CellName& name) const {
  const size_t mask = slots_.size() - 1;
  size_t at = hash_of(name) & mask;
  while (slots_[at] != kNoValue && !(cells_[static_cast<size_t>(slots_[at])] == name)) at = (at + 1) & mask;
  return at;
}

void WindowEventBatch::grow() {
  constexpr size_t kFewest = 64;
  slots_.assign(std::max(kFewest, slots_.size() * 2), kNoValue);
  for (size_t cell = 0; cell < cells_.size(); ++cell) slots_[slot_of(cells_[cell])] = static_cast<int32_t>(cell);
}

int32_t WindowEventBatch::cell_of(KeyId key, Window state) {
  if (cells_.size() * 2 >= slots_.size()) grow();
  int32_t& slot = slots_[slot_of({key, state})];
  if (slot != kNoValue) return slot;
  slot = static_cast<int32_t>(cells_.size());
  cells_.push_back({key, state});
  push(WindowOp::kCell, key, slot, -1, state, kNone, kNoValue);
  return slot;
}

void WindowEventBatch::append(WindowOp op, KeyId key, Window state, Window window, int64_t timestamp, int32_t value) {
  const int32_t cell = cell_of(key, state);
  push(op, key, cell, -1, window, timestamp, value);
}

void WindowEventBatch::merge(KeyId key, Window into, Window from) {
  const int32_t other = cell_of(key, from);
  const int32_t cell = cell_of(key, into);
  push(WindowOp::kMerge, key, cell, other, {}, kNone, kNoValue);
}

void WindowEventBatch::push(WindowOp op, KeyId key, int32_t cell, int32_t other, Window window, int64_t timestamp,
                            int32_t value) {
  if (places_.size() <= key) places_.resize(key + 1, kNoValue);
  int32_t& place = places_[key];
  if (place == kNoValue) {
    place = static_cast<int32_t>(used_.size());
    used_.push_back(key);
  }
  ops_.push_back(static_cast<int8_t>(op));
  cell_.push_back(cell);
  other_.push_back(other);
  start_.push_back(window.start);
  end_.push_back(window.end);
  key_index_.push_back(place);
  timestamps_.push_back(timestamp);
  values_.push_back(value);
}

Result<WindowEventBatch::Columns> WindowEventBatch::finish(std::span<const Values> values) {
  const int64_t count = size();
  std::vector<columnar::Array> columns;
  for (const Values& of : values) {
    columnar::ArrayBuilder nothing(*of.field);
    nothing.append_null();
    columnar::Array null = nothing.finish();
    const ArrowArray* arrays[] = {of.array, null.get()};
    std::vector<columnar::RowAt> rows;
    rows.reserve(values_.size());
    for (const int32_t value : values_) {
      rows.push_back(value == kNoValue ? columnar::RowAt{1, 0} : columnar::RowAt{0, value});
    }
    Result<columnar::Array> column = columnar::gather(*of.field, arrays, rows);
    if (!column.ok()) return column.status();
    columns.push_back(std::move(*column));
  }
  Columns out;
  columns.push_back(array_of("int8", ops_));
  columns.push_back(array_of("int32", cell_));
  columns.push_back(array_of("int32", other_));
  columns.push_back(array_of("int64", start_));
  columns.push_back(array_of("int64", end_));
  out.rows = columnar::make_batch(count, std::move(columns));
  out.key_index = array_of("int32", key_index_);

  columnar::ArrayBuilder keys(column("binary"));
  for (const KeyId key : used_) CLUTCH_RETURN_IF_ERROR(keys.append_bytes(keys_->key(key)));
  out.keys = keys.finish();

  columnar::ArrayBuilder timestamps(column("int64", true));
  timestamps.reserve(count);
  for (const int64_t timestamp : timestamps_) {
    if (timestamp == kNone) {
      timestamps.append_null();
    } else {
      timestamps.append(timestamp);
    }
  }
  out.timestamps = timestamps.finish();
  timestamps_.clear();
  values_.clear();
  // A table that one big batch made is not swept for many small ones.
  if (slots_.size() > 16 * cells_.size()) {
    slots_.clear();
  } else {
    std::fill(slots_.begin(), slots_.end(), kNoValue);
  }
  cells_.clear();
  for (const KeyId key : used_) places_[key] = kNoValue;
  used_.clear();
  return out;
}

}  // namespace clutch::engine
