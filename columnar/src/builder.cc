#include "clutch/columnar/builder.h"

#include <cstring>
#include <limits>

#include "array_node.h"
#include "bits.h"

namespace clutch::columnar {
namespace {

bool has_offsets(Layout layout) {
  return layout == Layout::kBytes || layout == Layout::kLargeBytes || layout == Layout::kList ||
         layout == Layout::kLargeList;
}

}  // namespace

ArrayBuilder::ArrayBuilder(const Field& field)
    : field_(field),
      layout_(layout_of(field.type)),
      wide_(layout_ == Layout::kLargeBytes || layout_ == Layout::kLargeList),
      width_(byte_width(field.type)),
      max_offset_(wide_ ? std::numeric_limits<int64_t>::max() : std::numeric_limits<int32_t>::max()) {
  children_.reserve(field.type.children.size());
  for (const Field& child : field.type.children) children_.emplace_back(child);
  if (has_offsets(layout_)) push_offset(0);
}

int64_t ArrayBuilder::offset_at(int64_t i) const {
  if (wide_) {
    int64_t offset;
    std::memcpy(&offset, offsets_.data() + i * 8, sizeof offset);
    return offset;
  }
  int32_t offset;
  std::memcpy(&offset, offsets_.data() + i * 4, sizeof offset);
  return offset;
}

void ArrayBuilder::reserve(int64_t rows) {
  if (has_validity_) validity_.reserve(bytes_for_bits(rows) + 1);
  switch (layout_) {
    case Layout::kNull:
      break;
    case Layout::kBits:
      data_.reserve(bytes_for_bits(rows) + 1);
      break;
    case Layout::kFixed:
      data_.reserve(rows * width_);
      break;
    case Layout::kBytes:
    case Layout::kList:
      offsets_.reserve(rows * 4);
      break;
    case Layout::kLargeBytes:
    case Layout::kLargeList:
      offsets_.reserve(rows * 8);
      break;
    case Layout::kFixedList:
      children_[0].reserve(rows * field_.type.width);
      break;
    case Layout::kStruct:
      for (ArrayBuilder& child : children_) child.reserve(rows);
      break;
  }
}

void ArrayBuilder::start_validity() {
  has_validity_ = true;
  validity_.clear();
  append_ones(validity_, 0, length_);
}

void ArrayBuilder::mark_null() {
  if (!has_validity_) start_validity();
  set_validity(false);
  ++null_count_;
}

void ArrayBuilder::append_null() {
  if (layout_ == Layout::kNull) {
    ++null_count_;
    ++length_;
    return;
  }
  mark_null();
  switch (layout_) {
    case Layout::kNull:
      break;
    case Layout::kBits:
      push_bit(data_, false);
      break;
    case Layout::kFixed:
      data_.append_zeros(width_);
      break;
    case Layout::kBytes:
    case Layout::kLargeBytes:
    case Layout::kList:
    case Layout::kLargeList:
      push_offset(offset_at(length_));
      break;
    case Layout::kFixedList:
      for (int32_t i = 0; i < field_.type.width; ++i) children_[0].append_null();
      break;
    case Layout::kStruct:
      for (ArrayBuilder& child : children_) child.append_null();
      break;
  }
  ++length_;
}

Status ArrayBuilder::append_list() {
  const int64_t end = children_[0].length();
  if (layout_ == Layout::kFixedList) {
    const int64_t items = end - length_ * field_.type.width;
    if (items != field_.type.width) {
      return Status(CLUTCH_ERR_VALUE, "a value of " + to_string(field_.type) + " has " +
                                          std::to_string(field_.type.width) + " items, not " + std::to_string(items));
    }
  } else {
    if (end > max_offset_) return too_long(end - offset_at(length_));
    push_offset(end);
  }
  mark_valid();
  ++length_;
  return {};
}

Status ArrayBuilder::too_long(int64_t count) const {
  const bool list = layout_ == Layout::kList || layout_ == Layout::kLargeList;
  return Status(CLUTCH_ERR_VALUE, "a column of " + to_string(field_.type) + " cannot hold more than " +
                                      std::to_string(max_offset_) + (list ? " items" : " bytes") +
                                      " in one batch, and another " + std::to_string(count) +
                                      " do not fit; use smaller batches or the large form of the type");
}

void ArrayBuilder::append_valid_bits(int64_t rows) {
  if (has_validity_) append_ones(validity_, length_, rows);
}

void ArrayBuilder::advance(int64_t rows) {
  if (layout_ == Layout::kNull) {
    null_count_ += rows;
  } else {
    append_valid_bits(rows);
  }
  length_ += rows;
}

void ArrayBuilder::truncate(int64_t length) {
  if (layout_ == Layout::kNull) {
    null_count_ = length;
  } else if (has_validity_ && length < length_) {
    null_count_ -= (length_ - length) - count_ones(validity_.data(), length, length_ - length);
    truncate_bits(validity_, length);
  }
  switch (layout_) {
    case Layout::kNull:
      break;
    case Layout::kBits:
      truncate_bits(data_, length);
      break;
    case Layout::kFixed:
      data_.resize(length * width_);
      break;
    case Layout::kBytes:
    case Layout::kLargeBytes:
      data_.resize(offset_at(length));
      offsets_.resize((length + 1) * (wide_ ? 8 : 4));
      break;
    case Layout::kList:
    case Layout::kLargeList:
      children_[0].truncate(offset_at(length));
      offsets_.resize((length + 1) * (wide_ ? 8 : 4));
      break;
    case Layout::kFixedList:
      children_[0].truncate(length * field_.type.width);
      break;
    case Layout::kStruct:
      for (ArrayBuilder& child : children_) child.truncate(length);
      break;
  }
  length_ = length;
}

Array ArrayBuilder::finish() {
  const bool dictionary = field_.type.id == TypeId::kDictionary;
  Array array = make_node(length_, null_count_, buffer_count(layout_),
                          dictionary ? 0 : static_cast<int64_t>(children_.size()), dictionary);
  if (null_count_ > 0 && layout_ != Layout::kNull) put_buffer(array, 0, validity_);
  switch (layout_) {
    case Layout::kBits:
    case Layout::kFixed:
      put_buffer(array, 1, data_);
      break;
    case Layout::kBytes:
    case Layout::kLargeBytes:
      put_buffer(array, 1, offsets_);
      put_buffer(array, 2, data_);
      push_offset(0);
      break;
    case Layout::kList:
    case Layout::kLargeList:
      put_buffer(array, 1, offsets_);
      push_offset(0);
      break;
    default:
      break;
  }
  if (dictionary) {
    *array->dictionary = children_[0].finish().detach();
  } else {
    for (size_t i = 0; i < children_.size(); ++i) *array->children[i] = children_[i].finish().detach();
  }
  length_ = 0;
  null_count_ = 0;
  has_validity_ = false;
  return array;
}

}  // namespace clutch::columnar
