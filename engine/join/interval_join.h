// The interval join: every left row with every right row of its key whose timestamp is near its own.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "clutch/columnar/result.h"
#include "clutch/columnar/type.h"
#include "exchange/key_group.h"
#include "join/row_shelf.h"
#include "time/timestamp.h"

namespace clutch::engine {

// left + lower <= right <= left + upper, in milliseconds.
struct JoinInterval {
  int64_t lower;
  int64_t upper;

  // An exclusive bound leaves its own millisecond out. CLUTCH_ERR_VALUE where nothing lies between the bounds.
  static Result<JoinInterval> make(int64_t lower, int64_t upper, bool lower_exclusive, bool upper_exclusive);
};

enum class JoinSide : uint8_t { kLeft = 0, kRight = 1 };

struct JoinedPair {
  RowShelf::Row left;
  RowShelf::Row right;
  int64_t left_timestamp;
  int64_t right_timestamp;
};

// What rows gave. Both grow; rows of pairs are good until the next settle().
struct Joined {
  std::vector<JoinedPair> pairs;  // the pairs of an added row by the time of the other row
  std::vector<int32_t> late;      // of the added batch: rows behind the watermark, which join nothing and are not kept
};

// Keeps the rows of both sides in memory, by key, until the watermark says that nothing can join them any more; that
// is looked at now and then, so up to twice as many rows are kept as needed. Semantics are Flink's. Adding a row costs
// O(log n) of the rows of its key, and O(n) where it is older than most. Not thread-safe.
class IntervalJoin {
 public:
  IntervalJoin(JoinInterval interval, columnar::Field left, columnar::Field right)
      : interval_(interval), shelves_{RowShelf(std::move(left)), RowShelf(std::move(right))} {}

  // Rows of one side: `keys` are the distinct keys of the batch, `key_index` the position of each row's key.
  // CLUTCH_ERR_VALUE, naming the row, for one without a timestamp: nothing of the batch is kept then.
  Status add(JoinSide side, columnar::Array batch, std::span<const std::string_view> keys,
             std::span<const int32_t> key_index, std::span<const int64_t> timestamps, Joined& out);

  void advance_watermark(int64_t watermark);
  int64_t watermark() const { return watermark_; }

  const RowShelf& shelf(JoinSide side) const { return shelves_[static_cast<size_t>(side)]; }
  // Free what no row is kept of; call it when the pairs have been used.
  void settle();

  size_t rows() const { return rows_; }

  // What it joins, in words: rows are of no use to a join of other types or another interval.
  std::string shape() const;
  // The rows that may still join something, as bytes by key group, in the order in which they came. Without the
  // watermark. CLUTCH_ERR_UNSUPPORTED for types with a dictionary.
  //   version (1 byte, 1) | number of keys | for each, in order: key | for each side: number of rows | for each: time |
  //   row
  // Numbers, times and bytes are written as state/coding.h says, rows as columnar::RowCodec does.
  Result<std::map<int32_t, std::string>> snapshot(const KeyGroups& groups) const;
  // Take in a key group of which nothing is here yet. CLUTCH_ERR_DATA says what is wrong with the bytes, which may come
  // from anywhere; the join is of no use then.
  Status restore(const KeyGroups& groups, int32_t group, std::string_view snapshot);

 private:
  struct Kept {
    int64_t time;
    RowShelf::Row row;
  };
  // By time; rows of one time in the order in which they came. What is before `first` is gone.
  struct Rows {
    std::vector<Kept> kept;
    size_t first = 0;

    std::span<const Kept> live() const { return std::span(kept).subspan(first); }
    void insert(Kept row);
  };
  using PerKey = std::array<Rows, 2>;  // by side

  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view key) const { return std::hash<std::string_view>()(key); }
  };
  using Keys = std::unordered_map<std::string, PerKey, Hash, std::equal_to<>>;

  void join(JoinSide side, const Kept& row, const Rows& others, Joined& out) const;
  // The watermark from which on a row is not needed.
  int64_t end_of(JoinSide side, int64_t time) const;
  void sweep();

  JoinInterval interval_;
  int64_t watermark_ = kMinWatermark;
  std::array<RowShelf, 2> shelves_;  // by side
  Keys keys_;
  std::vector<PerKey*> of_batch_;  // by position in `keys` of add()
  size_t rows_ = 0;
  size_t sweep_at_ = 1024;  // rows
};

}  // namespace clutch::engine
