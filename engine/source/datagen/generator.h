// Values of one generated column, each made from its row's number alone: the same in every run, on whichever subtask.
#pragma once

#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>

#include "clutch/columnar/builder.h"
#include "clutch/columnar/result.h"
#include "clutch/columnar/type.h"

namespace clutch::engine {

class Generator {
 public:
  virtual ~Generator() = default;
  // How many rows it has values for; nothing: any number.
  virtual std::optional<int64_t> rows() const { return std::nullopt; }
  virtual Status append(int64_t row, columnar::ArrayBuilder& out) const = 0;
};

// A generator from the members of one object of `fields`:
//   kind "sequence"  `start`, `end` (inclusive; absent: without end), integers
//   kind "random"    `min`, `max` (both inclusive) of numbers, dates and timestamps (in their own unit); `length` of
//                    text and bytes; `null_rate`, from 0 to 1
// @param seed  Makes the random numbers of this column.
Result<std::unique_ptr<Generator>> make_generator(const nlohmann::json& members, const columnar::Field& column,
                                                  uint64_t seed, std::string_view place);

}  // namespace clutch::engine
