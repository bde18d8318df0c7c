// The distinct keys of a batch.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "clutch/columnar/owned.h"
#include "clutch/columnar/result.h"
#include "clutch/columnar/type.h"
#include "exchange/key_bytes.h"

namespace clutch::engine {

// What a keyed function gets beside its rows.
struct IndexedKeys {
  columnar::Array keys;   // binary: the distinct keys, in the order of their first rows
  columnar::Array index;  // int32: the place of each row's key
};

// Finds the distinct keys of batches of one type; keeps its tables for the next batch. Values of up to eight bytes are
// told apart by themselves, others by their bytes; nothing is allocated for a row.
class KeyIndexer {
 public:
  // CLUTCH_ERR_UNSUPPORTED for a type with a dictionary.
  static Result<KeyIndexer> make(columnar::Field key);

  // `shared_row` says of each row whether its key is the empty byte string and not that of the column; empty: of none.
  // With `with_shared` that key is there in every case, as the last one.
  Result<IndexedKeys> index(const ArrowArray& keys, bool with_shared = false, std::span<const int8_t> shared_row = {});

 private:
  KeyIndexer(columnar::Field key, KeyBytes bytes);

  struct Slot {
    uint32_t epoch = 0;  // filled in the batch of this number, else free
    int32_t key = 0;
    uint64_t hash = 0;
  };

  uint64_t word_at(const ArrowArray& keys, int64_t row) const;
  int32_t find_bytes(std::string_view bytes);
  template <typename Same>
  int32_t find(uint64_t hash, Same same);
  void begin(int64_t rows);
  void grow();
  std::string_view bytes_of(size_t key) const;
  Result<columnar::Array> distinct_keys(const ArrowArray& keys, bool with_shared);

  columnar::Field key_;
  KeyBytes bytes_;
  int32_t width_;  // of a value; 0: told apart by bytes
  std::vector<Slot> slots_;
  uint32_t epoch_ = 0;
  std::vector<uint64_t> words_;     // of the distinct keys, if width_
  std::vector<int64_t> first_row_;  // of the distinct keys, if width_
  std::string text_;                // bytes of the distinct keys, one behind the other, if not
  std::vector<size_t> ends_;        // in text_
  size_t distinct_ = 0;
  int32_t null_place_ = -1;  // of the null key, if width_
};

}  // namespace clutch::engine
