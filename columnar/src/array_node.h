// Memory of one ArrowArray that owns its buffers: one block for everything but the buffers themselves.
#pragma once

#include <cstdint>

#include "clutch/columnar/buffer.h"
#include "clutch/columnar/owned.h"

namespace clutch::columnar {

// An array with room for this many buffers (NULL), children (released) and, if asked, a dictionary (released). The
// caller fills the children by assigning to *array->children[i]. Throws std::bad_alloc.
Array make_node(int64_t length, int64_t null_count, int64_t n_buffers, int64_t n_children, bool dictionary);

// Give a buffer to an array from make_node.
void put_buffer(Array& array, int64_t i, Buffer& buffer);

}  // namespace clutch::columnar
