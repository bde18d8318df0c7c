#include <cstring>
#include <vector>

#include "access.h"
#include "clutch/columnar/ops.h"
#include "gather.h"

namespace clutch::columnar {
namespace {

template <size_t kWidth>
void copy_rows(uint8_t* to, const uint8_t* from, std::span<const int32_t> rows) {
  for (const int32_t row : rows) {
    std::memcpy(to, from + row * static_cast<int64_t>(kWidth), kWidth);
    to += kWidth;
  }
}

}  // namespace

Status Gather::begin(ArrayBuilder& out, const ArrowArray& array, const ArrowArray* previous) {
  if (out.field_.type.id != TypeId::kDictionary) {
    for (size_t i = 0; i < out.children_.size(); ++i) {
      const ArrowArray* before = previous != nullptr ? previous->children[i] : nullptr;
      CLUTCH_RETURN_IF_ERROR(begin(out.children_[i], *array.children[i], before));
    }
    return {};
  }
  const ArrowArray& values = *array.dictionary;
  const Field& field = out.field_.type.children[0];
  if (previous != nullptr && equal(field, *previous->dictionary, values)) return {};

  ArrayBuilder& all = out.children_[0];
  out.index_shift_ = all.length();
  CLUTCH_RETURN_IF_ERROR(begin(all, values, nullptr));
  CLUTCH_RETURN_IF_ERROR(append_range(all, values, 0, values.length));
  const int64_t highest = highest_index(out.field_.type.index);
  if (all.length() - 1 > highest) {
    return Status(CLUTCH_ERR_VALUE, "the dictionaries together have " + std::to_string(all.length()) +
                                        " values, and the indices of " + to_string(out.field_.type) + " end at " +
                                        std::to_string(highest) + "; use a wider type of index");
  }
  return {};
}

// Returns the number of nulls in the range.
int64_t Gather::append_validity_range(ArrayBuilder& out, const ArrowArray& array, int64_t start, int64_t length) {
  const uint8_t* validity = validity_of(array);
  const int64_t at = array.offset + start;
  const int64_t nulls = validity == nullptr ? 0 : length - count_ones(validity, at, length);
  if (nulls == 0) {
    out.append_valid_bits(length);
    return 0;
  }
  if (!out.has_validity_) out.start_validity();
  append_bits(out.validity_, out.length_, validity, at, length);
  out.null_count_ += nulls;
  return nulls;
}

void Gather::append_validity_rows(ArrayBuilder& out, const ArrowArray& array, std::span<const int32_t> rows,
                                  int64_t base) {
  const uint8_t* validity = validity_of(array);
  if (validity == nullptr) {
    out.append_valid_bits(static_cast<int64_t>(rows.size()));
    return;
  }
  const int64_t before = out.length_;
  for (const int32_t row : rows) {
    if (bit_at(validity, array.offset + base + row)) {
      out.mark_valid();
    } else {
      out.mark_null();
    }
    ++out.length_;
  }
  out.length_ = before;
}

Status Gather::append_indices(ArrayBuilder& out, const ArrowArray& array, int64_t start, int64_t length) {
  const TypeId type = out.field_.type.index;
  for (int64_t i = start; i < start + length; ++i) {
    const bool valid = valid_at(array, i);
    const int64_t index = valid ? load_index(array.buffers[1], type, array.offset + i) + out.index_shift_ : 0;
    out.data_.append(&index, out.width_);  // Little-endian: the low bytes come first.
  }
  return {};
}

// What a row holds besides its validity; out.length_ is not counted up.
Status Gather::append_slots(ArrayBuilder& out, const ArrowArray& array, int64_t start, int64_t length, bool nulls) {
  const int64_t at = array.offset + start;
  switch (out.layout_) {
    case Layout::kNull:
      out.null_count_ += length;
      return {};
    case Layout::kBits:
      append_bits(out.data_, out.length_, static_cast<const uint8_t*>(array.buffers[1]), at, length);
      return {};
    case Layout::kFixed:
      if (out.index_shift_ != 0) return append_indices(out, array, start, length);
      if (out.width_ > 0) {
        out.data_.append(static_cast<const uint8_t*>(array.buffers[1]) + at * out.width_, length * out.width_);
      }
      return {};
    case Layout::kFixedList: {
      const int64_t width = out.field_.type.width;
      return append_range(out.children_[0], *array.children[0], at * width, length * width);
    }
    case Layout::kStruct:
      for (size_t i = 0; i < out.children_.size(); ++i) {
        CLUTCH_RETURN_IF_ERROR(append_range(out.children_[i], *array.children[i], at, length));
      }
      return {};
    default:
      break;
  }
  if (nulls) {
    out.offsets_.reserve(length * (out.wide_ ? 8 : 4));
    for (int64_t i = 0; i < length; ++i) CLUTCH_RETURN_IF_ERROR(append_slot(out, array, start + i));
    return {};
  }
  const void* offsets = array.buffers[1];
  const bool list = out.layout_ == Layout::kList || out.layout_ == Layout::kLargeList;
  const int64_t first = load_offset(offsets, out.wide_, at);
  const int64_t count = load_offset(offsets, out.wide_, at + length) - first;
  const int64_t have = list ? out.children_[0].length() : out.data_.size();
  if (count > out.max_offset_ - have) return out.too_long(count);
  if (list) {
    CLUTCH_RETURN_IF_ERROR(append_range(out.children_[0], *array.children[0], first, count));
  } else if (count > 0) {
    out.data_.append(static_cast<const uint8_t*>(array.buffers[2]) + first, count);
  }
  const int64_t shift = have - first;
  const int64_t size = out.offsets_.size();
  out.offsets_.resize(size + length * (out.wide_ ? 8 : 4));
  uint8_t* to = out.offsets_.data() + size;
  for (int64_t i = 1; i <= length; ++i) {
    if (out.wide_) {
      const int64_t end = load<int64_t>(offsets, at + i) + shift;
      std::memcpy(to + (i - 1) * 8, &end, sizeof end);
    } else {
      const auto end = static_cast<int32_t>(load<int32_t>(offsets, at + i) + shift);
      std::memcpy(to + (i - 1) * 4, &end, sizeof end);
    }
  }
  return {};
}

// One row with offsets; nulls become empty.
Status Gather::append_slot(ArrayBuilder& out, const ArrowArray& array, int64_t row) {
  const bool list = out.layout_ == Layout::kList || out.layout_ == Layout::kLargeList;
  int64_t have = list ? out.children_[0].length() : out.data_.size();
  if (valid_at(array, row)) {
    const int64_t at = array.offset + row;
    const int64_t first = load_offset(array.buffers[1], out.wide_, at);
    const int64_t count = load_offset(array.buffers[1], out.wide_, at + 1) - first;
    if (count > out.max_offset_ - have) return out.too_long(count);
    if (list) {
      CLUTCH_RETURN_IF_ERROR(append_range(out.children_[0], *array.children[0], first, count));
    } else if (count > 0) {
      out.data_.append(static_cast<const uint8_t*>(array.buffers[2]) + first, count);
    }
    have += count;
  }
  out.push_offset(have);
  return {};
}

Status Gather::append_range(ArrayBuilder& out, const ArrowArray& array, int64_t start, int64_t length) {
  if (length == 0) return {};
  const int64_t nulls = out.layout_ == Layout::kNull ? 0 : append_validity_range(out, array, start, length);
  CLUTCH_RETURN_IF_ERROR(append_slots(out, array, start, length, nulls > 0));
  out.length_ += length;
  return {};
}

Status Gather::fixed_rows(ArrayBuilder& out, const ArrowArray& array, std::span<const int32_t> rows, int64_t base) {
  if (out.width_ == 0) return {};
  if (out.index_shift_ != 0) {
    for (const int32_t row : rows) CLUTCH_RETURN_IF_ERROR(append_indices(out, array, base + row, 1));
    return {};
  }
  const int64_t size = out.data_.size();
  out.data_.resize(size + static_cast<int64_t>(rows.size()) * out.width_);
  uint8_t* to = out.data_.data() + size;
  const uint8_t* from = static_cast<const uint8_t*>(array.buffers[1]) + (array.offset + base) * out.width_;
  switch (out.width_) {
    case 1:
      copy_rows<1>(to, from, rows);
      break;
    case 2:
      copy_rows<2>(to, from, rows);
      break;
    case 4:
      copy_rows<4>(to, from, rows);
      break;
    case 8:
      copy_rows<8>(to, from, rows);
      break;
    case 16:
      copy_rows<16>(to, from, rows);
      break;
    default:
      for (const int32_t row : rows) {
        std::memcpy(to, from + static_cast<int64_t>(row) * out.width_, static_cast<size_t>(out.width_));
        to += out.width_;
      }
  }
  return {};
}

Status Gather::append_rows(ArrayBuilder& out, const ArrowArray& array, std::span<const int32_t> rows, int64_t base) {
  const auto count = static_cast<int64_t>(rows.size());
  if (count == 0) return {};
  if (out.layout_ != Layout::kNull) append_validity_rows(out, array, rows, base);
  switch (out.layout_) {
    case Layout::kNull:
      out.null_count_ += count;
      break;
    case Layout::kBits: {
      const auto* bits = static_cast<const uint8_t*>(array.buffers[1]);
      for (const int32_t row : rows) {
        out.push_bit(out.data_, bit_at(bits, array.offset + base + row));
        ++out.length_;
      }
      return {};
    }
    case Layout::kFixed:
      CLUTCH_RETURN_IF_ERROR(fixed_rows(out, array, rows, base));
      break;
    case Layout::kStruct:
      for (size_t i = 0; i < out.children_.size(); ++i) {
        CLUTCH_RETURN_IF_ERROR(append_rows(out.children_[i], *array.children[i], rows, base + array.offset));
      }
      break;
    case Layout::kFixedList: {
      const int64_t width = out.field_.type.width;
      for (const int32_t row : rows) {
        const int64_t first = (array.offset + base + row) * width;
        CLUTCH_RETURN_IF_ERROR(append_range(out.children_[0], *array.children[0], first, width));
      }
      break;
    }
    default:
      out.offsets_.reserve(count * (out.wide_ ? 8 : 4));
      for (const int32_t row : rows) CLUTCH_RETURN_IF_ERROR(append_slot(out, array, base + row));
  }
  out.length_ += count;
  return {};
}

Result<Array> take(const Field& field, const ArrowArray& array, std::span<const int32_t> rows) {
  ArrayBuilder out(field);
  CLUTCH_RETURN_IF_ERROR(Gather::begin(out, array, nullptr));
  CLUTCH_RETURN_IF_ERROR(Gather::append_rows(out, array, rows, 0));
  return out.finish();
}

Result<Array> gather(const Field& field, std::span<const ArrowArray* const> arrays, std::span<const RowAt> rows) {
  ArrayBuilder out(field);
  const ArrowArray* previous = nullptr;
  std::vector<int32_t> run;
  for (size_t first = 0; first < rows.size();) {
    const uint32_t from = rows[first].array;
    run.clear();
    size_t end = first;
    for (; end < rows.size() && rows[end].array == from; ++end) run.push_back(rows[end].row);
    CLUTCH_RETURN_IF_ERROR(Gather::begin(out, *arrays[from], previous));
    CLUTCH_RETURN_IF_ERROR(Gather::append_rows(out, *arrays[from], run, 0));
    previous = arrays[from];
    first = end;
  }
  return out.finish();
}

Result<Array> copy(const Field& field, const ArrowArray& array) {
  ArrayBuilder out(field);
  CLUTCH_RETURN_IF_ERROR(Gather::begin(out, array, nullptr));
  CLUTCH_RETURN_IF_ERROR(Gather::append_range(out, array, 0, array.length));
  return out.finish();
}

Result<Array> concatenate(const Field& field, std::span<const ArrowArray* const> arrays) {
  ArrayBuilder out(field);
  int64_t length = 0;
  for (const ArrowArray* array : arrays) length += array->length;
  out.reserve(length);
  const ArrowArray* previous = nullptr;
  for (const ArrowArray* array : arrays) {
    CLUTCH_RETURN_IF_ERROR(Gather::begin(out, *array, previous));
    CLUTCH_RETURN_IF_ERROR(Gather::append_range(out, *array, 0, array->length));
    previous = array;
  }
  return out.finish();
}

}  // namespace clutch::columnar
