// The columns of a batch as Python parts (python/columns.py says what these are), which become arrays without a copy
// where numpy has the type.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "columns/kept.h"
#include "convert/convert.h"

namespace clutch::pyembed {

enum class Style : uint8_t { kPandas, kNumpy, kArrow };

// What one batch's parts are made with.
struct PartMaker {
  std::shared_ptr<Kept> kept;
  int64_t count;                // rows
  PyObject* new_objects;        // callable: an array of so many objects
  std::string failed_column{};  // of a part that could not be made
  int64_t failed_row = -1;
};

class ArgumentColumn {
 public:
  // Plan a column for the styles numpy and pandas. Fails with CLUTCH_ERR_UNSUPPORTED as Reader::make.
  static Result<std::unique_ptr<ArgumentColumn>> make(const columnar::Field& field, Style style, const Module& module);

  // As python/columns.py describes it; NULL with a Python error set.
  PyRef plan() const;
  // Rows [first, first + maker.count) of an array. `parent_nulls` (a byte a row, or NULL) makes more rows null. NULL
  // with a Python error set.
  PyRef part(PartMaker& maker, const ArrowArray& array, int64_t first, const uint8_t* parent_nulls);

 private:
  enum class Form : uint8_t { kFixed, kBool, kDays, kObjects, kStruct, kDecoded };
  ArgumentColumn(const columnar::Field& field, Form form) : field_(field), form_(form) {}
  PyRef fixed_part(PartMaker& maker, const ArrowArray& array, int64_t first, const uint8_t* parent_nulls) const;
  PyRef objects_part(PartMaker& maker, const ArrowArray& array, int64_t first, const uint8_t* parent_nulls);
  PyRef struct_part(PartMaker& maker, const ArrowArray& array, int64_t first, const uint8_t* parent_nulls);
  PyRef decoded_part(PartMaker& maker, const ArrowArray& array, int64_t first, const uint8_t* parent_nulls);

  columnar::Field field_;
  Form form_;
  std::string typestr_;
  bool lists_ = false;
  PyRef zone_;  // NULL: none
  std::unique_ptr<Reader> reader_;
  std::unique_ptr<Writer> writer_;  // kDecoded
  std::vector<std::unique_ptr<ArgumentColumn>> children_;
};

// numpy's name of the type in the array interface, empty where it has none of the same layout.
std::string typestr_of(const columnar::Type& type);

}  // namespace clutch::pyembed
