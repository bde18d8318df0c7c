// Build one array of any type, value by value. One class for all types: the caller chose the right append when it
// planned, so appends do not look at the type.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "clutch/columnar/buffer.h"
#include "clutch/columnar/owned.h"
#include "clutch/columnar/type.h"

namespace clutch::columnar {

class ArrayBuilder {
 public:
  explicit ArrayBuilder(const Field& field);

  const Field& field() const { return field_; }
  int64_t length() const { return length_; }
  int64_t null_count() const { return null_count_; }
  ArrayBuilder& child(size_t i) { return children_[i]; }
  size_t child_count() const { return children_.size(); }

  // Room for `rows` more values, so that appends of fixed width do not grow.
  void reserve(int64_t rows);

  // A null of any type; children of fixed_size_list and struct get the nulls they need.
  void append_null();

  // Fixed width types other than bool: T has exactly the width of the type.
  template <typename T>
  void append(T value) {
    mark_valid();
    data_.push(value);
    ++length_;
  }
  void append_bool(bool value);
  // fixed_size_binary and decimal: exactly byte_width bytes.
  void append_fixed(const void* bytes);
  // utf8, binary and their large forms. Fails with CLUTCH_ERR_VALUE where 32-bit offsets would overflow.
  Status append_bytes(std::string_view bytes);
  // struct: after one append to each child. list, map: after the items were appended to child(0). The number of
  // items is taken from the child's length; list offsets over 2^31-1 fail with CLUTCH_ERR_VALUE.
  void append_struct();
  Status append_list();

  // Undo everything appended since the array (with its children) had this many values; for a row that failed halfway.
  void truncate(int64_t length);

  // The finished array; the builder is empty and can be used again. Validity is absent when there are no nulls.
  Array finish();

  // For loops that write many values at once: the raw parts. Keep length and nulls right with advance().
  Buffer& data() { return data_; }
  Buffer& offsets() { return offsets_; }
  // Count `rows` values, all valid, whose data the caller has written.
  void advance(int64_t rows);

 private:
  void mark_valid() {
    if (has_validity_) set_validity(true);
  }
  void set_validity(bool valid);

  Field field_;
  int64_t length_ = 0;
  int64_t null_count_ = 0;
  bool has_validity_ = false;  // a validity buffer is only made at the first null
  Buffer validity_;
  Buffer offsets_;
  Buffer data_;
  std::vector<ArrayBuilder> children_;
};

// Wrap finished parts into an array that owns them. `buffers` in Arrow's order for the type, validity first where the
// type has one (an empty Buffer becomes NULL).
Array make_array(int64_t length, int64_t null_count, std::vector<Buffer> buffers, std::vector<Array> children);

// A struct array (a batch) of these columns, all of the same length.
Array make_batch(int64_t length, std::vector<Array> columns);

}  // namespace clutch::columnar
