// The parts of a batch that shapes by group have beside its rows, checked once.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "clutch/abi/batch.h"
#include "clutch/columnar/result.h"
#include "loading/spec.h"
#include "state/coder.h"

namespace clutch::pyembed {

struct Merge {
  int32_t into;
  int32_t from;
};

class KeyedBatch {
 public:
  // Look at a batch; the host owns what it points to. CLUTCH_ERR_DATA if the parts do not fit to each other.
  static Result<KeyedBatch> make(const FunctionSpec& spec, const clutch_batch& batch);

  bool has_keys() const { return keys_ != nullptr; }
  // Groups of the batch: its keys, or one.
  int32_t groups() const { return groups_; }
  int64_t rows() const { return rows_; }
  int32_t group_of(int64_t row) const { return index_ == nullptr ? 0 : index_[row]; }
  bool skipped(int64_t row) const { return flags_ != nullptr && (flags_[row] & CLUTCH_ROW_SKIP) != 0; }
  bool any_flags() const { return flags_ != nullptr; }
  // The row takes back an earlier one.
  bool retracts(int64_t row) const { return kinds_ != nullptr && (kinds_[row] == 1 || kinds_[row] == 3); }
  bool any_kinds() const { return kinds_ != nullptr; }
  const std::vector<Merge>& merges() const { return merges_; }
  // Bytes of a key.
  std::string key(int32_t group) const;
  // The key as Python sees it, decoded by `coder`, or as text where that is NULL. Empty with a Python error set.
  PyRef key_object(int32_t group, Coder* coder) const;
  // The last key that has no bytes, which stands for the operator itself; -1 if there is none.
  int32_t operator_key() const;
  // "group", or "key 'abc'"; bytes that are no plain text as x'00ff'.
  std::string key_text(int32_t group) const;

 private:
  const ArrowArray* keys_ = nullptr;
  const int32_t* index_ = nullptr;
  const int8_t* kinds_ = nullptr;
  const int8_t* flags_ = nullptr;
  std::vector<Merge> merges_;
  int32_t groups_ = 1;
  int64_t rows_ = 0;
};

}  // namespace clutch::pyembed
