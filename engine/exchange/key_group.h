// Key groups: the unit in which keys are given to subtasks, and in which keyed state is stored and moved.
#pragma once

#include <cstdint>
#include <string_view>

#include "clutch/columnar/result.h"

namespace clutch::engine {

inline constexpr int32_t kDefaultMaxParallelism = 128;
inline constexpr int32_t kHighestMaxParallelism = 32768;

// MurmurHash3 (32 bits, seed 0) of the bytes. Never changes: snapshots rely on it.
uint32_t hash_key(std::string_view key);

// Key groups [first, last] of one subtask.
struct KeyGroupRange {
  int32_t first;
  int32_t last;

  bool contains(int32_t group) const { return first <= group && group <= last; }
  int32_t size() const { return last - first + 1; }
  bool operator==(const KeyGroupRange&) const = default;
};

// How `max_parallelism` key groups lie on `parallelism` subtasks, by Flink's formulas: a plain value.
class KeyGroups {
 public:
  // CLUTCH_ERR_VALUE unless 1 <= parallelism <= max_parallelism <= kHighestMaxParallelism.
  static Result<KeyGroups> make(int32_t parallelism, int32_t max_parallelism = kDefaultMaxParallelism);

  int32_t parallelism() const { return parallelism_; }
  int32_t max_parallelism() const { return max_parallelism_; }

  // Bytes of a key are those of columnar::RowCodec, so the type counts and floats are told apart by their bits.
  int32_t group_of(std::string_view key) const { return group_of(hash_key(key)); }
  int32_t group_of(uint32_t hash) const { return static_cast<int32_t>(hash % static_cast<uint32_t>(max_parallelism_)); }
  int32_t subtask_of(int32_t group) const {
    return static_cast<int32_t>(static_cast<int64_t>(group) * parallelism_ / max_parallelism_);
  }
  // The groups for which subtask_of() is this subtask. Never empty.
  KeyGroupRange range_of(int32_t subtask) const;

 private:
  KeyGroups(int32_t parallelism, int32_t max_parallelism)
      : parallelism_(parallelism), max_parallelism_(max_parallelism) {}

  int32_t parallelism_;
  int32_t max_parallelism_;
};

}  // namespace clutch::engine
