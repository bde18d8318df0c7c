// What a vectorized function gave, as Arrow columns: numpy arrays become columns without a copy where nobody else can
// change them.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "clutch/columnar/owned.h"
#include "columns/arguments.h"
#include "convert/convert.h"

namespace clutch::pyembed {

// Why a column was not made. A Python error is set, or `mismatch` says what does not fit.
struct ResultFault {
  int64_t row = -1;
  std::string column{};
  bool raised = false;
  Mismatch mismatch{};
};

class ResultColumn {
 public:
  // Fails with CLUTCH_ERR_UNSUPPORTED as Writer::make.
  static Result<std::unique_ptr<ResultColumn>> make(const columnar::Field& field, Style style, const Module& module);

  // As python/results.py describes it; NULL with a Python error set.
  PyRef plan() const;

  // Take the arrays of a column from what python/results.py gave. False with a Python error set.
  bool collect(PyObject* value);
  // The column, once the caller holds nothing but what collect() took. False with `fault` filled. Throws bad_alloc.
  bool finish(int64_t rows, columnar::Array& ret_column, ResultFault& fault);
  void clear();

 private:
  ResultColumn(const columnar::Field& field, Style style) : field_(field), style_(style) {}
  bool finish_struct(int64_t rows, columnar::Array& ret_column, ResultFault& fault);
  bool finish_objects(PyObject* const* values, int64_t rows, columnar::Array& ret_column, ResultFault& fault);
  // A bit a row, empty where no row is null.
  bool find_nulls(const uint8_t* data, int64_t rows, columnar::Buffer& ret_validity, int64_t& ret_nulls,
                  ResultFault& fault);
  // Nobody but this column can reach the memory of its array.
  bool owns_memory() const;

  columnar::Field field_;
  Style style_;
  const char* class_ = "o";
  std::string typestr_;
  std::unique_ptr<Writer> writer_;  // of objects, and of a null that does not fit
  std::unique_ptr<columnar::ArrayBuilder> builder_;
  std::vector<std::unique_ptr<ResultColumn>> children_;
  PyRef array_;
  PyRef mask_;
  bool as_struct_ = false;  // this batch's value came as columns
};

}  // namespace clutch::pyembed
