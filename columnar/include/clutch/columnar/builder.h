// Build one array of any type, value by value. One class for all types: the caller chose the right append when it
// planned, so appends do not look at the type. A dictionary is built as its indices (append), its values are child(0).
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
  void append_bool(bool value) {
    mark_valid();
    push_bit(data_, value);
    ++length_;
  }
  // fixed_size_binary and decimal: exactly byte_width bytes.
  void append_fixed(const void* bytes) {
    mark_valid();
    data_.append(bytes, width_);
    ++length_;
  }
  // utf8, binary and their large forms. Fails with CLUTCH_ERR_VALUE where 32-bit offsets would overflow.
  Status append_bytes(std::string_view bytes) {
    const auto count = static_cast<int64_t>(bytes.size());
    if (count > max_offset_ - data_.size()) return too_long(count);
    mark_valid();
    data_.append(bytes.data(), count);
    push_offset(data_.size());
    ++length_;
    return {};
  }
  // struct: after one append to each child. list, map: after the items were appended to child(0). The number of
  // items is taken from the child's length; list offsets over 2^31-1 fail with CLUTCH_ERR_VALUE. fixed_size_list: the
  // same, and fails with CLUTCH_ERR_VALUE unless exactly `width` items were appended.
  void append_struct() {
    mark_valid();
    ++length_;
  }
  Status append_list();

  // Undo everything appended since the array (with its children) had this many values; for a row that failed halfway.
  // A dictionary keeps its values.
  void truncate(int64_t length);

  // The finished array; the builder is empty and can be used again. Validity is absent when there are no nulls.
  Array finish();

  // For loops that write many values at once: the raw parts. Keep length and nulls right with advance(). offsets()
  // starts with the leading 0 that Arrow wants; bool is one bit a value.
  Buffer& data() { return data_; }
  Buffer& offsets() { return offsets_; }
  // Count `rows` values, all valid, whose data the caller has written. (A null type counts that many nulls.)
  void advance(int64_t rows);

 private:
  void mark_valid() {
    if (has_validity_) set_validity(true);
  }
  void set_validity(bool valid) { push_bit(validity_, valid); }
  // Append bit length_ to a bitmap whose unused bits are kept zero.
  void push_bit(Buffer& bits, bool value) {
    if ((length_ & 7) == 0) bits.push<uint8_t>(0);
    bits.data()[length_ >> 3] = static_cast<uint8_t>(bits.data()[length_ >> 3] | (value ? 1 : 0) << (length_ & 7));
  }
  void push_offset(int64_t end) {
    if (wide_) {
      offsets_.push<int64_t>(end);
    } else {
      offsets_.push<int32_t>(static_cast<int32_t>(end));
    }
  }
  int64_t offset_at(int64_t i) const;
  void start_validity();
  void mark_null();
  void append_valid_bits(int64_t rows);
  Status too_long(int64_t count) const;

  friend class Gather;  // copies whole ranges of other arrays into a builder

  Field field_;
  Layout layout_;
  bool wide_;           // 64-bit offsets
  int32_t width_;       // bytes of a fixed-width value
  int64_t max_offset_;  // the highest end an offset can hold
  int64_t length_ = 0;
  int64_t null_count_ = 0;
  int64_t index_shift_ = 0;    // Gather: what to add to the indices of the dictionary array being copied
  bool has_validity_ = false;  // a validity buffer is only made at the first null
  Buffer validity_;
  Buffer offsets_;
  Buffer data_;
  std::vector<ArrayBuilder> children_;
};

// Wrap finished parts into an array that owns them. `buffers` in Arrow's order for the type, validity first where the
// type has one (an empty Buffer becomes NULL).
Array make_array(int64_t length, int64_t null_count, std::vector<Buffer> buffers, std::vector<Array> children,
                 Array dictionary = Array());

// A struct array (a batch) of these columns, all of the same length.
Array make_batch(int64_t length, std::vector<Array> columns);

}  // namespace clutch::columnar
