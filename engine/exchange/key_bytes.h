// The bytes of a key: what decides its key group, and what keyed functions know it by.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "clutch/columnar/result.h"
#include "clutch/columnar/row_codec.h"
#include "clutch/columnar/type.h"

namespace clutch::engine {

// True for the type whose values are pickles of any Python object.
bool is_pickle(const columnar::Type& type);

// Bytes of columnar::RowCodec; of a key of type pickle the pickle itself.
class KeyBytes {
 public:
  // CLUTCH_ERR_UNSUPPORTED for a type with a dictionary.
  static Result<KeyBytes> make(const columnar::Field& key);

  // Append the bytes of one row, counted from the array's offset. A null among pickles has those of None.
  void append(const ArrowArray& keys, int64_t row, std::string& out) const;

 private:
  explicit KeyBytes(std::optional<columnar::RowCodec> codec) : codec_(std::move(codec)) {}

  std::optional<columnar::RowCodec> codec_;  // nothing: pickles
};

}  // namespace clutch::engine
