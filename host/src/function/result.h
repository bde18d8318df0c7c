// What one batch gave. It is filled while the batch runs and belongs to the application afterwards.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "clutch/columnar/owned.h"
#include "clutch/columnar/result.h"
#include "function/error.h"
#include "function/shape.h"

namespace clutch::host {

// One emit: rows with the input row each came from.
struct Chunk {
  columnar::Array rows;
  columnar::Array origin;  // Released: row i came from input row i.
};

// Where the event times of output rows come from.
struct SourceTimes {
  columnar::Array rows;                        // Of the input rows, int64; empty: none has any.
  std::vector<std::optional<int64_t>> timers;  // Of those that fired, in order; none for one of processing time.

  std::optional<int64_t> of(int32_t origin) const;
};

class Outputs {
 public:
  void add(Chunk chunk) {
    length_ += chunk.rows->length;
    chunks_.push_back(std::move(chunk));
  }
  int64_t length() const { return length_; }
  // The origin of the last row so far, INT32_MIN if there is none.
  int32_t last_origin() const;

  // All rows as one array: the only chunk, several joined, or none as an empty one. After take(), an empty one.
  Result<const ArrowArray*> rows(const columnar::Field& field);
  // `length()` numbers, or nullptr for "row i came from input row i".
  Result<const int32_t*> origin();
  // `length()` event times, int64.
  Result<const ArrowArray*> timestamps(const SourceTimes& source);
  Result<columnar::Array> take(const columnar::Field& field);

 private:
  Status join(const columnar::Field& field);

  std::vector<Chunk> chunks_;
  int64_t length_ = 0;
  std::vector<int32_t> joined_origin_;
  bool origin_is_joined_ = false;
  columnar::Array timestamps_;  // Made when asked for.
};

struct DeadLetterRow {
  int64_t row;
  std::unique_ptr<clutch_error> staged;     // While the batch runs; the plugin holds its address.
  std::unique_ptr<clutch_app_error> error;  // Afterwards.
};

}  // namespace clutch::host

struct clutch_app_result {
  clutch::host::ShapePtr shape;
  uint64_t sequence = 0;
  clutch::host::SourceTimes times;
  clutch::host::Outputs main;
  std::vector<clutch::host::Outputs> sides;  // By tag - 1; empty until the first side output comes.
  std::vector<clutch::host::DeadLetterRow> dead_letters;
  clutch::columnar::Array dead_letter_rows;

  clutch::host::Outputs& output(uint32_t tag) {
    if (tag == 0) return main;
    if (sides.empty()) sides.resize(shape->outputs.size() - 1);
    return sides[tag - 1];
  }
  // Make the dead letters final: in order of their row, with the row's values taken from the input.
  clutch::Status settle_dead_letters(const ArrowArray& input);
};
