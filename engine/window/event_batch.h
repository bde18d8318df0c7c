// What a runtime is told about windows: one batch of events for the kinds stream.window.* (docs/kinds.md).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "clutch/columnar/owned.h"
#include "clutch/columnar/result.h"
#include "clutch/columnar/type.h"
#include "window/key_table.h"
#include "window/window.h"

namespace clutch::engine {

enum class WindowOp : int8_t {
  kAdd = 0,    // the row's value goes into the cell
  kFire = 1,   // the result for the row's window from the cell
  kPurge = 2,  // the cell's contents are gone
  kMerge = 3,  // the contents of cell `other` go into the cell
  kClear = 4,  // the row's window is over
  kCell = 5,   // names a cell: the contents of the row's key under the row's window
};

// Gathers events in order and gives them as columns. A cell is the contents of one window of one key; it gets its
// number, and its kCell event, when it is first named in a batch.
class WindowEventBatch {
 public:
  // `keys` must outlive it.
  explicit WindowEventBatch(const KeyTable& keys) : keys_(&keys) {}

  // `value`: position of the row's value among those given to finish().
  void add(KeyId key, Window state, int32_t value) { append(WindowOp::kAdd, key, state, {}, kNone, value); }
  // `timestamp` is that of what the window gives.
  void fire(KeyId key, Window state, Window window, int64_t timestamp) {
    append(WindowOp::kFire, key, state, window, timestamp);
  }
  void purge(KeyId key, Window state) { append(WindowOp::kPurge, key, state, {}, kNone); }
  void merge(KeyId key, Window into, Window from);
  void clear(KeyId key, Window state, Window window) {
    append(WindowOp::kClear, key, state, window, window.max_timestamp());
  }

  int64_t size() const { return static_cast<int64_t>(ops_.size()); }

  // A column of values, which events without a value are null in.
  struct Values {
    const columnar::Field* field;
    const ArrowArray* array;
  };
  // What the batch is submitted with. Nothing is left of the events.
  struct Columns {
    columnar::Array rows;        // struct of the columns of values, op, cell, other, start, end
    columnar::Array keys;        // binary, distinct
    columnar::Array key_index;   // int32
    columnar::Array timestamps;  // int64, null but for fire and clear
  };
  Result<Columns> finish(std::span<const Values> values);

 private:
  static constexpr int64_t kNone = kNoTimestamp;
  static constexpr int32_t kNoValue = -1;
  struct CellName {
    KeyId key;
    Window state;
    bool operator==(const CellName&) const = default;
  };
  static size_t hash_of(const CellName& name) {
    uint64_t mixed = name.key * 0x9e3779b97f4a7c15ULL ^ static_cast<uint64_t>(name.state.start);
    mixed = (mixed ^ (mixed >> 29)) * 0xbf58476d1ce4e5b9ULL ^ static_cast<uint64_t>(name.state.end);
    return static_cast<size_t>(mixed ^ (mixed >> 32));
  }

  void append(WindowOp op, KeyId key, Window state, Window window, int64_t timestamp, int32_t value = kNoValue);
  int32_t cell_of(KeyId key, Window state);
  void grow();
  size_t slot_of(const CellName& name) const;  // the cell's, or the free one that it gets
  void push(WindowOp op, KeyId key, int32_t cell, int32_t other, Window window, int64_t timestamp, int32_t value);

  const KeyTable* keys_;
  std::vector<CellName> cells_;
  std::vector<int32_t> slots_;   // hash table of cells_; kNoValue: free
  std::vector<int32_t> places_;  // by key: in `keys` of the batch; kNoValue: not there
  std::vector<KeyId> used_;      // by place
  std::vector<int8_t> ops_;
  std::vector<int32_t> cell_;
  std::vector<int32_t> other_;
  std::vector<int64_t> start_;
  std::vector<int64_t> end_;
  std::vector<int32_t> key_index_;
  std::vector<int64_t> timestamps_;
  std::vector<int32_t> values_;
};

}  // namespace clutch::engine
