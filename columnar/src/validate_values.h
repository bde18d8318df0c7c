// Checks of single values, after the structure of their array was found right.
#pragma once

#include <cstdint>
#include <string>

#include "clutch/columnar/result.h"
#include "clutch/columnar/type.h"
#include "path.h"

namespace clutch::columnar {

// An array on its way through validation.
struct Column {
  const Field& field;
  const ArrowArray& array;
  const Path& path;
  int64_t row_base;  // row of this array that is row 0 of the batch; 0 inside lists
};

Status broken(const Path& path, const std::string& what);
Status broken_row(const Column& column, int64_t row, std::string value, const std::string& what);

// True if no byte has its high bit set.
bool is_ascii(const uint8_t* data, int64_t size);

// UTF-8, decimal digits, time of day, whole days, indices of the dictionary. Rows that are null are not looked at.
Status check_values(const Column& column);

}  // namespace clutch::columnar
