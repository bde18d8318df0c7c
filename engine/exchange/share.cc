#include "exchange/share.h"

#include <cassert>

namespace clutch::engine {
namespace {

// What a view holds beside the pointers of the array it looks at.
struct Node {
  std::shared_ptr<const columnar::Array> owner;
  std::vector<ArrowArray> arrays;  // children, then the dictionary
  std::vector<ArrowArray*> children;
};

void release_node(ArrowArray* array) {
  const std::unique_ptr<Node> node(static_cast<Node*>(array->private_data));
  for (ArrowArray& below : node->arrays) {
    if (below.release != nullptr) below.release(&below);
  }
  array->release = nullptr;
}

ArrowArray view_of(const ArrowArray& array, const std::shared_ptr<const columnar::Array>& owner) {
  auto node = std::make_unique<Node>();
  node->owner = owner;
  node->arrays.reserve(static_cast<size_t>(array.n_children) + 1);
  for (int64_t i = 0; i < array.n_children; ++i) node->arrays.push_back(view_of(*array.children[i], owner));
  for (ArrowArray& child : node->arrays) node->children.push_back(&child);
  ArrowArray view = array;
  view.children = array.n_children > 0 ? node->children.data() : nullptr;
  if (array.dictionary != nullptr) {
    node->arrays.push_back(view_of(*array.dictionary, owner));
    view.dictionary = &node->arrays.back();
  }
  view.release = release_node;
  view.private_data = node.release();
  return view;
}

void narrow(ArrowArray& array, int64_t start, int64_t length) {
  if (start == 0 && length == array.length) return;
  array.offset += start;
  array.length = length;
  if (array.null_count > 0) array.null_count = -1;  // not computed
}

}  // namespace

columnar::Array Shared::slice(int64_t start, int64_t length) const {
  ArrowArray view = view_of(**owner_, owner_);
  narrow(view, start, length);
  return columnar::Array(std::move(view));
}

std::vector<columnar::Array> Shared::columns() const { return take_columns(view()); }

std::vector<columnar::Array> take_columns(columnar::Array batch) {
  std::vector<columnar::Array> columns;
  columns.reserve(static_cast<size_t>(batch->n_children));
  for (int64_t i = 0; i < batch->n_children; ++i) {
    columns.emplace_back(std::move(*batch->children[i]));
    narrow(*columns.back(), batch->offset, batch->length);
  }
  return columns;
}

}  // namespace clutch::engine
