// The result rows of a batch while they are made: columns, and which input row each came from.
#pragma once

#include <memory>
#include <vector>

#include "clutch/columnar/owned.h"
#include "convert/convert.h"
#include "loading/spec.h"

namespace clutch::pyembed {

class Outputs {
 public:
  static Result<Outputs> make(const FunctionSpec& spec, const Module& module);

  Writer& writer() { return *writer_; }
  columnar::ArrayBuilder& builder() { return *builder_; }
  bool has_writer() const { return writer_ != nullptr; }  // false for filters, which give their input

  // Of stream.key_by over values of the input: the writer takes keys alone, and finish_rows puts the input's values
  // beside them, which need not become objects and columns again.
  bool only_keys() const { return only_keys_; }

  // Input rows of the output, for shapes that do not give one row for each.
  void push_origin(int64_t row) { origin_.push<int32_t>(static_cast<int32_t>(row)); }
  int64_t origin_count() const { return origin_.size() / static_cast<int64_t>(sizeof(int32_t)); }

  // Room for as many result rows.
  void reserve(int64_t rows) {
    if (builder_ != nullptr) builder_->reserve(rows);
  }
  // The full path of a place below the result: ".b[3].c" of column "a" gives "a.b[3].c".
  std::string column_path(const FunctionSpec& spec, const std::string& below) const;

  // Take back everything but the first `count` rows.
  void truncate_rows(int64_t count);
  // A null row in place of a result.
  void append_null_row();
  // A row to row function that gives nothing for this input row.
  void skip_row(int64_t row) { skipped_.push_back(static_cast<int32_t>(row)); }

  // The finished rows, and their origin: released where every input row gave one. `input_rows` counts the input.
  struct Finished {
    columnar::Array rows;  // released for filters
    columnar::Array origin;
    int64_t length = 0;
  };
  Finished finish(int64_t input_rows);
  // The same for the rows `input` of a batch, also where only_keys(). Fails where memory is short.
  Result<Finished> finish_rows(const ArrowArray& input);

  // Start over.
  void clear();

 private:
  std::unique_ptr<Writer> writer_;
  std::unique_ptr<columnar::ArrayBuilder> builder_;
  bool single_ = false;  // one column, whose value is the result itself
  bool one_to_one_ = false;
  bool only_keys_ = false;
  columnar::Field value_;  // of only_keys()
  columnar::Buffer origin_;
  std::vector<int32_t> skipped_;  // ascending
};

}  // namespace clutch::pyembed
