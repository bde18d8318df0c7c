// Structure of arrays: counts, pointers, sizes, offsets, nulls. What the values are is in validate_values.cc.
#include "clutch/columnar/validate.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>

#include "access.h"
#include "validate_values.h"

namespace clutch::columnar {
namespace {

// Rows that take no bytes cost an untrusted sender nothing and the reader time; more than these are refused.
constexpr int64_t kMaxFreeRows = int64_t{1} << 24;

std::string count_of(int64_t count, const std::string& thing) {
  if (count == 1) return "1 " + thing;
  return std::to_string(count) + " " + (thing == "child" ? "children" : thing + "s");
}

// Alignment that typed reads of a buffer need.
int64_t alignment_of(const Type& type, Layout layout, int64_t buffer) {
  if (buffer != 1) return 1;
  switch (layout) {
    case Layout::kBytes:
    case Layout::kList:
      return 4;
    case Layout::kLargeBytes:
    case Layout::kLargeList:
      return 8;
    case Layout::kFixed:
      if (type.id == TypeId::kFixedSizeBinary) return 1;
      if (type.id == TypeId::kIntervalDayTime) return 4;
      return std::min(byte_width(type), 8);
    default:
      return 1;
  }
}

bool takes_no_bytes(const Type& type, Layout layout) {
  return layout == Layout::kNull || (layout == Layout::kFixed && byte_width(type) == 0) ||
         (layout == Layout::kFixedList && type.width == 0) || (layout == Layout::kStruct && type.children.empty());
}

// One array on its way; rows are counted from the start of the buffers where a name says "end".
struct Node : Column {
  Layout layout;
  int64_t end;  // offset + length: rows the buffers must have
};

class Validator {
 public:
  explicit Validator(Depth depth) : full_(depth == Depth::kFull) {}
  explicit Validator(std::span<const Extent> extents) : full_(true), untrusted_(true), extents_(extents) {}

  Status check_root(const Field& field, const ArrowArray& array);

 private:
  Status check(const Field& field, const ArrowArray& array, const Path& path, int64_t row_base, int depth);
  Status check_counts(const Node& node) const;
  Status check_null_count(const Node& node) const;
  Status take_extents(const Node& node);
  Status check_buffers(const Node& node) const;
  Status require_buffer(const Node& node, int64_t buffer, int64_t items, int64_t bytes_of_item) const;
  Status check_size(const Node& node, int64_t buffer, int64_t bytes) const;
  Status check_offsets(const Node& node) const;
  Status check_monotonic(const Node& node) const;
  Status check_child_lengths(const Node& node) const;
  Status recount_nulls(const Node& node) const;
  Status check_nested(const Node& node, int depth);
  Status check_required_children(const Node& node) const;
  Status check_required(const Node& parent, size_t i, const Path& path, int64_t start, int64_t count,
                        int64_t row_base) const;

  bool full_;
  bool untrusted_ = false;
  std::span<const Extent> extents_;
  size_t used_extents_ = 0;
  std::array<int64_t, 3> sizes_ = {};  // of the buffers of the node being checked; only if untrusted
};

Status Validator::check_counts(const Node& node) const {
  const ArrowArray& array = node.array;
  const Type& type = node.field.type;
  if (array.n_buffers != buffer_count(node.layout)) {
    return broken(node.path, "has " + count_of(array.n_buffers, "buffer") + "; " + to_string(type) + " has " +
                                 std::to_string(buffer_count(node.layout)));
  }
  if (array.n_buffers > 0 && array.buffers == nullptr) return broken(node.path, "the buffers are a NULL pointer");
  const auto children = static_cast<int64_t>(child_count(type));
  if (array.n_children != children) {
    return broken(node.path, "has " + count_of(array.n_children, "child") + "; " + to_string(type) + " has " +
                                 std::to_string(children));
  }
  if (children > 0 && array.children == nullptr) return broken(node.path, "the children are a NULL pointer");
  for (int64_t i = 0; i < children; ++i) {
    if (array.children[i] == nullptr) return broken(node.path, "child " + std::to_string(i) + " is a NULL pointer");
  }
  const bool dictionary = type.id == TypeId::kDictionary;
  if (dictionary && array.dictionary == nullptr) return broken(node.path, "the dictionary is a NULL pointer");
  if (!dictionary && array.dictionary != nullptr) {
    return broken(node.path, "is dictionary encoded; the agreed type is " + to_string(type));
  }
  return {};
}

Status Validator::check_null_count(const Node& node) const {
  const ArrowArray& array = node.array;
  if (array.null_count < (untrusted_ ? 0 : -1) || array.null_count > array.length) {
    return broken(node.path,
                  "null_count " + std::to_string(array.null_count) + " does not fit " + count_of(array.length, "row"));
  }
  if (node.layout == Layout::kNull) {
    if (array.null_count == -1 || array.null_count == array.length) return {};
    return broken(node.path, "null_count " + std::to_string(array.null_count) + " of a null column with " +
                                 count_of(array.length, "row") + "; all of them are null");
  }
  if (array.null_count > 0 && array.buffers[0] == nullptr) {
    return broken(node.path, "null_count is " + std::to_string(array.null_count) + ", but there is no validity bitmap");
  }
  return {};
}

// The sizes of this node's buffers, which must be the buffers the array points at.
Status Validator::take_extents(const Node& node) {
  if (!untrusted_) return {};
  const auto count = static_cast<size_t>(node.array.n_buffers);
  if (count > extents_.size() - used_extents_) {
    return Status(CLUTCH_ERR_ARGUMENT, "the array has more buffers than the " +
                                           count_of(static_cast<int64_t>(extents_.size()), "extent") + " given");
  }
  for (size_t i = 0; i < count; ++i) {
    const Extent& extent = extents_[used_extents_ + i];
    const void* buffer = node.array.buffers[i];
    if (extent.size < 0) {
      return broken(node.path, "buffer " + std::to_string(i) + " has size " + std::to_string(extent.size));
    }
    if (buffer != nullptr && extent.size > 0 && buffer != extent.data) {
      return broken(node.path, "buffer " + std::to_string(i) + " is not where its extent says");
    }
    sizes_[i] = buffer != nullptr ? extent.size : 0;
  }
  used_extents_ += count;
  return {};
}

Status Validator::check_size(const Node& node, int64_t buffer, int64_t bytes) const {
  if (bytes == 0) return {};
  const void* address = node.array.buffers[buffer];
  const auto name = [&] { return "buffer " + std::to_string(buffer); };
  if (address == nullptr) {
    return broken(node.path, name() + " is a NULL pointer; it needs " + count_of(bytes, "byte"));
  }
  if (untrusted_ && bytes > sizes_[static_cast<size_t>(buffer)]) {
    return broken(node.path, name() + " has " + count_of(sizes_[static_cast<size_t>(buffer)], "byte") + "; it needs " +
                                 std::to_string(bytes));
  }
  const int64_t alignment = alignment_of(node.field.type, node.layout, buffer);
  if (reinterpret_cast<uintptr_t>(address) % static_cast<uintptr_t>(alignment) != 0) {
    return broken(node.path, name() + " starts at an address that is not a multiple of " + std::to_string(alignment) +
                                 "; copy it to aligned memory");
  }
  return {};
}

Status Validator::require_buffer(const Node& node, int64_t buffer, int64_t items, int64_t bytes_of_item) const {
  int64_t bytes = 0;
  if (__builtin_mul_overflow(items, bytes_of_item, &bytes)) {
    return broken(node.path, count_of(items, "item") + " of " + count_of(bytes_of_item, "byte") +
                                 " are more than memory can hold");
  }
  return check_size(node, buffer, bytes);
}

Status Validator::check_buffers(const Node& node) const {
  if (node.layout == Layout::kNull || node.end == 0) return {};
  if (node.array.buffers[0] != nullptr) {
    CLUTCH_RETURN_IF_ERROR(check_size(node, 0, bytes_for_bits(node.end)));
  }
  switch (node.layout) {
    case Layout::kBits:
      return check_size(node, 1, bytes_for_bits(node.end));
    case Layout::kFixed:
      return require_buffer(node, 1, node.end, byte_width(node.field.type));
    case Layout::kBytes:
    case Layout::kLargeBytes:
    case Layout::kList:
    case Layout::kLargeList:
      if (node.end == INT64_MAX) return broken(node.path, "offset and length overflow");
      CLUTCH_RETURN_IF_ERROR(require_buffer(node, 1, node.end + 1, wide_offsets(node.layout) ? 8 : 4));
      return check_offsets(node);
    default:
      return {};
  }
}

// The first and the last offset always, those between them at full depth.
Status Validator::check_offsets(const Node& node) const {
  const ArrowArray& array = node.array;
  const bool wide = wide_offsets(node.layout);
  const int64_t first = load_offset(array.buffers[1], wide, array.offset);
  const int64_t last = load_offset(array.buffers[1], wide, node.end);
  if (first < 0) {
    return broken_row(node, 0, std::to_string(first), "offset " + std::to_string(first) + " is negative");
  }
  if (full_) CLUTCH_RETURN_IF_ERROR(check_monotonic(node));
  if (last < first) {
    return broken(node.path,
                  "the last offset, " + std::to_string(last) + ", is smaller than the first, " + std::to_string(first));
  }
  const bool list = node.layout == Layout::kList || node.layout == Layout::kLargeList;
  int64_t limit = INT64_MAX;
  if (list) {
    limit = array.children[0]->length;
  } else if (untrusted_) {
    limit = sizes_[2];
  } else if (array.buffers[2] == nullptr) {
    limit = 0;
  }
  if (last > limit) {
    return broken(node.path, "the last offset, " + std::to_string(last) + ", is over the " +
                                 count_of(limit, list ? "item" : "byte") + " there are");
  }
  return {};
}

Status Validator::check_monotonic(const Node& node) const {
  const bool wide = wide_offsets(node.layout);
  const void* offsets = node.array.buffers[1];
  bool falls = false;
  if (wide) {
    for (int64_t i = node.array.offset; i < node.end; ++i) {
      falls |= load<int64_t>(offsets, i + 1) < load<int64_t>(offsets, i);
    }
  } else {
    for (int64_t i = node.array.offset; i < node.end; ++i) {
      falls |= load<int32_t>(offsets, i + 1) < load<int32_t>(offsets, i);
    }
  }
  if (!falls) return {};
  int64_t i = node.array.offset;
  while (load_offset(offsets, wide, i + 1) >= load_offset(offsets, wide, i)) ++i;
  const std::string value = std::to_string(load_offset(offsets, wide, i + 1));
  return broken_row(
      node, i - node.array.offset, value,
      "offset " + value + " is smaller than the one before it, " + std::to_string(load_offset(offsets, wide, i)));
}

Status Validator::check_child_lengths(const Node& node) const {
  if (node.layout != Layout::kStruct && node.layout != Layout::kFixedList) return {};
  int64_t needed = node.end;
  if (node.layout == Layout::kFixedList && __builtin_mul_overflow(needed, int64_t{node.field.type.width}, &needed)) {
    return broken(node.path, count_of(node.end, "row") + " of " + std::to_string(node.field.type.width) +
                                 " items are more than memory can hold");
  }
  for (size_t i = 0; i < node.field.type.children.size(); ++i) {
    const int64_t length = node.array.children[i]->length;
    if (length >= needed) continue;
    const Path path =
        node.layout == Layout::kStruct ? node.path.field(node.field.type.children[i].name) : node.path.item();
    return broken(path, "has " + count_of(length, "row") + "; it needs " + std::to_string(needed));
  }
  return {};
}

Status Validator::recount_nulls(const Node& node) const {
  const ArrowArray& array = node.array;
  if (node.layout == Layout::kNull || array.buffers[0] == nullptr || array.null_count < 0) return {};
  const int64_t nulls =
      array.length - count_ones(static_cast<const uint8_t*>(array.buffers[0]), array.offset, array.length);
  if (nulls == array.null_count) return {};
  return broken(node.path, "null_count is " + std::to_string(array.null_count) + ", but the validity bitmap has " +
                               count_of(nulls, "null"));
}

// No null among these rows of child `i`, which belong to a valid row of the parent.
Status Validator::check_required(const Node& parent, size_t i, const Path& path, int64_t start, int64_t count,
                                 int64_t row_base) const {
  const ArrowArray& child = *parent.array.children[i];
  const int64_t found = find_zero(validity_of(child), child.offset + start, count);
  if (found == count) return {};
  const Column column{parent.field.type.children[i], child, path, row_base};
  return broken_row(column, start + found, "null", "is null, but the column is declared not null");
}

// Fields that are not nullable hold no null, except where their parent is null itself.
Status Validator::check_required_children(const Node& node) const {
  for (size_t i = 0; i < child_count(node.field.type); ++i) {
    const Field& field = node.field.type.children[i];
    const ArrowArray& child = *node.array.children[i];
    if (field.nullable || field.type.id == TypeId::kNull || validity_of(child) == nullptr) continue;
    const bool in_rows = node.layout == Layout::kStruct;
    const Path path = in_rows ? node.path.field(field.name) : node.path.item();
    const int64_t row_base = in_rows ? node.row_base + node.array.offset : 0;
    for (int64_t row = 0; row < node.array.length; ++row) {
      if (!valid_at(node.array, row)) continue;
      int64_t start = node.array.offset + row;
      int64_t count = 1;
      if (node.layout == Layout::kFixedList) {
        count = node.field.type.width;
        start *= count;
      } else if (!in_rows) {
        const bool wide = wide_offsets(node.layout);
        const int64_t first = load_offset(node.array.buffers[1], wide, start);
        count = load_offset(node.array.buffers[1], wide, start + 1) - first;
        start = first;
      }
      CLUTCH_RETURN_IF_ERROR(check_required(node, i, path, start, count, row_base));
    }
  }
  return {};
}

Status Validator::check_nested(const Node& node, int depth) {
  const Type& type = node.field.type;
  if (type.id == TypeId::kDictionary) {
    return check(type.children[0], *node.array.dictionary, node.path.dictionary(), 0, depth + 1);
  }
  const bool in_rows = node.layout == Layout::kStruct;
  for (size_t i = 0; i < type.children.size(); ++i) {
    const Path path = in_rows ? node.path.field(type.children[i].name) : node.path.item();
    const int64_t row_base = in_rows ? node.row_base + node.array.offset : 0;
    CLUTCH_RETURN_IF_ERROR(check(type.children[i], *node.array.children[i], path, row_base, depth + 1));
  }
  return {};
}

Status Validator::check(const Field& field, const ArrowArray& array, const Path& path, int64_t row_base, int depth) {
  if (depth > kMaxNesting) {
    return broken(path, "nests deeper than " + std::to_string(kMaxNesting) + " levels");
  }
  if (array.length < 0) return broken(path, "length " + std::to_string(array.length) + " is negative");
  if (array.offset < 0) return broken(path, "offset " + std::to_string(array.offset) + " is negative");
  Node node{{field, array, path, row_base}, layout_of(field.type), 0};
  if (__builtin_add_overflow(array.offset, array.length, &node.end)) {
    return broken(
        path, "offset " + std::to_string(array.offset) + " and length " + std::to_string(array.length) + " overflow");
  }
  CLUTCH_RETURN_IF_ERROR(check_counts(node));
  CLUTCH_RETURN_IF_ERROR(check_null_count(node));
  CLUTCH_RETURN_IF_ERROR(take_extents(node));
  if (untrusted_ && node.end > kMaxFreeRows && takes_no_bytes(field.type, node.layout)) {
    return broken(
        path, count_of(node.end, "row") + " without bytes; at most " + std::to_string(kMaxFreeRows) + " are accepted");
  }
  CLUTCH_RETURN_IF_ERROR(check_buffers(node));
  CLUTCH_RETURN_IF_ERROR(check_child_lengths(node));
  if (full_) CLUTCH_RETURN_IF_ERROR(recount_nulls(node));
  CLUTCH_RETURN_IF_ERROR(check_nested(node, depth));
  if (!full_) return {};
  CLUTCH_RETURN_IF_ERROR(check_required_children(node));
  return check_values(node);
}

Status Validator::check_root(const Field& field, const ArrowArray& array) {
  const Path root{nullptr, Path::Step::kRoot, field.name};
  CLUTCH_RETURN_IF_ERROR(check(field, array, root, 0, 0));
  if (full_ && !field.nullable && field.type.id != TypeId::kNull && validity_of(array) != nullptr) {
    const int64_t row = find_zero(validity_of(array), array.offset, array.length);
    if (row < array.length) {
      return broken_row(Column{field, array, root, 0}, row, "null", "is null, but the column is declared not null");
    }
  }
  if (untrusted_ && used_extents_ != extents_.size()) {
    return Status(CLUTCH_ERR_ARGUMENT, count_of(static_cast<int64_t>(extents_.size()), "extent") + " given for " +
                                           count_of(static_cast<int64_t>(used_extents_), "buffer"));
  }
  return {};
}

}  // namespace

Status validate(const Field& field, const ArrowArray& array, Depth depth) {
  return Validator(depth).check_root(field, array);
}

Status validate_untrusted(const Field& field, const ArrowArray& array, std::span<const Extent> extents) {
  return Validator(extents).check_root(field, array);
}

}  // namespace clutch::columnar
