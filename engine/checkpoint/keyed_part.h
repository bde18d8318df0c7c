// What a snapshot keeps of an operator that holds rows or windows by key itself, beside what its function holds.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "clutch/columnar/result.h"
#include "exchange/key_group.h"
#include "time/timestamp.h"

namespace clutch::engine {

// As bytes: version (1 byte, 1) | shape | watermark | function | number of groups | for each: number | bytes. Written
// as state/coding.h says.
struct KeyedPart {
  // What the operator is, for people too: bytes of one shape mean nothing to an operator of another.
  std::string shape;
  int64_t watermark = kMinWatermark;
  std::string function;                   // FunctionStore::snapshot(); empty where the function keeps nothing
  std::map<int32_t, std::string> groups;  // by key group; those that hold nothing may be missing

  std::string encode() const;
  // CLUTCH_ERR_DATA says what is wrong with the bytes, which may come from anywhere; CLUTCH_ERR_CONFIG that they are of
  // another shape than `shape`.
  static Result<KeyedPart> decode(std::string_view bytes, std::string_view shape);
};

// CLUTCH_ERR_DATA: the snapshot of a key group has a key of another one.
Status key_of_another_group(int32_t group, int32_t of_key);

}  // namespace clutch::engine
