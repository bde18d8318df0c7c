#include <cstdlib>
#include <new>
#include <utility>

#include "array_node.h"
#include "bits.h"
#include "clutch/columnar/builder.h"
#include "clutch/columnar/ops.h"

namespace clutch::columnar {
namespace {

// Head of the block behind private_data. Behind it lie: ArrowArray[n_children + dictionary], then the pointers
// children[n_children], buffers[n_buffers], owned[n_buffers].
struct Node {
  int64_t n_buffers;
  int64_t n_arrays;  // children and dictionary
  uint8_t** owned;

  ArrowArray* arrays() { return reinterpret_cast<ArrowArray*>(this + 1); }
};
static_assert(alignof(Node) == alignof(ArrowArray) && sizeof(Node) % alignof(ArrowArray) == 0);

void release_node(ArrowArray* array) {
  auto* node = static_cast<Node*>(array->private_data);
  for (int64_t i = 0; i < node->n_arrays; ++i) {
    ArrowArray& child = node->arrays()[i];
    if (child.release != nullptr) child.release(&child);
  }
  for (int64_t i = 0; i < node->n_buffers; ++i) Buffer::free_memory(node->owned[i]);
  std::free(node);
  array->release = nullptr;
}

void release_view(ArrowArray* array) {
  std::free(array->private_data);
  array->private_data = nullptr;
  array->release = nullptr;
}

// A copy of the structs of `array` and everything below that owns only these structs.
Array view_of(const ArrowArray& array) {
  ArrowArray view = array;
  view.release = release_view;
  view.private_data = nullptr;
  const bool dictionary = array.dictionary != nullptr;
  const int64_t arrays = array.n_children + (dictionary ? 1 : 0);
  if (arrays == 0) return Array(std::move(view));

  // Why: a node of its own for each nested array, so that a consumer may move a child out and keep it.
  Array node = make_node(array.length, array.null_count, 0, array.n_children, dictionary);
  for (int64_t i = 0; i < array.n_children; ++i) *node->children[i] = view_of(*array.children[i]).detach();
  if (dictionary) *node->dictionary = view_of(*array.dictionary).detach();
  node->offset = array.offset;
  node->n_buffers = array.n_buffers;
  node->buffers = array.buffers;
  return node;
}

}  // namespace

Array make_node(int64_t length, int64_t null_count, int64_t n_buffers, int64_t n_children, bool dictionary) {
  const int64_t n_arrays = n_children + (dictionary ? 1 : 0);
  const size_t size = sizeof(Node) + static_cast<size_t>(n_arrays) * sizeof(ArrowArray) +
                      static_cast<size_t>(n_children + 2 * n_buffers) * sizeof(void*);
  auto* node = static_cast<Node*>(std::calloc(1, size));
  if (node == nullptr) throw std::bad_alloc();
  auto** children = reinterpret_cast<ArrowArray**>(node->arrays() + n_arrays);
  auto** buffers = const_cast<const void**>(reinterpret_cast<void**>(children + n_children));
  node->n_buffers = n_buffers;
  node->n_arrays = n_arrays;
  node->owned = reinterpret_cast<uint8_t**>(children + n_children + n_buffers);
  for (int64_t i = 0; i < n_children; ++i) children[i] = node->arrays() + i;

  ArrowArray array = {};
  array.length = length;
  array.null_count = null_count;
  array.n_buffers = n_buffers;
  array.n_children = n_children;
  array.buffers = n_buffers > 0 ? buffers : nullptr;
  array.children = n_children > 0 ? children : nullptr;
  array.dictionary = dictionary ? node->arrays() + n_children : nullptr;
  array.release = release_node;
  array.private_data = node;
  return Array(std::move(array));
}

void put_buffer(Array& array, int64_t i, Buffer& buffer) {
  auto* node = static_cast<Node*>(array->private_data);
  node->owned[i] = buffer.detach();
  array->buffers[i] = node->owned[i];
}

Array make_array(int64_t length, int64_t null_count, std::vector<Buffer> buffers, std::vector<Array> children,
                 Array dictionary) {
  Array array = make_node(length, null_count, static_cast<int64_t>(buffers.size()),
                          static_cast<int64_t>(children.size()), !dictionary.empty());
  for (size_t i = 0; i < buffers.size(); ++i) put_buffer(array, static_cast<int64_t>(i), buffers[i]);
  for (size_t i = 0; i < children.size(); ++i) *array->children[i] = children[i].detach();
  if (!dictionary.empty()) *array->dictionary = dictionary.detach();
  return array;
}

Array make_batch(int64_t length, std::vector<Array> columns) {
  Array batch = make_node(length, 0, 1, static_cast<int64_t>(columns.size()), false);
  for (size_t i = 0; i < columns.size(); ++i) *batch->children[i] = columns[i].detach();
  return batch;
}

Array slice(const ArrowArray& array, int64_t start, int64_t length) {
  Array view = view_of(array);
  view->offset += start;
  view->length = length;
  if (array.n_buffers == 0) {
    view->null_count = length;
  } else if (array.null_count == 0 || array.buffers[0] == nullptr) {
    view->null_count = 0;
  } else if (start != 0 || length != array.length || array.null_count < 0) {
    view->null_count = length - count_ones(static_cast<const uint8_t*>(array.buffers[0]), array.offset + start, length);
  }
  return view;
}

}  // namespace clutch::columnar
