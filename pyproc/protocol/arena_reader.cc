// Reading arenas: the tables, and arrays as views or as private copies.
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <memory>
#include <new>
#include <string>

#include "clutch/columnar/validate.h"
#include "protocol/arena.h"

namespace clutch::pyproc {
namespace {

using columnar::Array;
using columnar::Extent;
using columnar::Field;
using columnar::TypeId;

Status broken(std::string what) {
  return {CLUTCH_ERR_PROTOCOL, "the worker's answer is malformed: " + std::move(what), CLUTCH_ORIGIN_TRANSPORT};
}

struct FreeDeleter {
  void operator()(uint8_t* memory) const { std::free(memory); }
};

// Everything one array consists of, in one place. The base and each array inside of it hold it: a consumer may move
// arrays out, and release the base before them.
struct ArrayParts {
  std::atomic<size_t> holders = 0;
  std::vector<ArrowArray> nodes;      // never grows after it was sized: children point into it
  std::vector<ArrowArray*> pointers;  // likewise
  std::vector<const void*> buffers;   // likewise
  std::unique_ptr<uint8_t, FreeDeleter> memory;

  size_t next_node = 0;
  size_t next_pointer = 0;
  size_t next_buffer = 0;
};

void release_array(ArrowArray* array) {
  auto* parts = static_cast<ArrayParts*>(array->private_data);
  for (int64_t i = 0; i < array->n_children; ++i) {
    if (array->children[i]->release != nullptr) array->children[i]->release(array->children[i]);
  }
  if (array->dictionary != nullptr && array->dictionary->release != nullptr) {
    array->dictionary->release(array->dictionary);
  }
  array->release = nullptr;
  if (parts->holders.fetch_sub(1, std::memory_order_acq_rel) == 1) delete parts;
}

uint32_t buffer_count(const columnar::Type& type) {
  switch (type.id) {
    case TypeId::kNull:
      return 0;
    case TypeId::kStruct:
    case TypeId::kFixedSizeList:
      return 1;
    case TypeId::kUtf8:
    case TypeId::kBinary:
    case TypeId::kLargeUtf8:
    case TypeId::kLargeBinary:
      return 3;
    default:
      return 2;
  }
}

// Number of nodes and buffers that an array of this type has.
void measure(const Field& field, size_t& nodes, size_t& buffers) {
  ++nodes;
  buffers += buffer_count(field.type);
  for (const Field& child : field.type.children) measure(child, nodes, buffers);
}

// Lay out the ArrowArray structs of `field`; buffer pointers are those in parts.buffers already.
ArrowArray* lay_out(const Field& field, std::span<const NodeEntry> nodes, ArrayParts& parts) {
  const size_t index = parts.next_node++;
  ArrowArray& array = parts.nodes[index];
  array.length = nodes[index].length;
  array.null_count = nodes[index].null_count;
  array.offset = 0;
  array.n_buffers = buffer_count(field.type);
  array.buffers = parts.buffers.data() + parts.next_buffer;
  parts.next_buffer += static_cast<size_t>(array.n_buffers);
  array.dictionary = nullptr;
  array.release = release_array;
  array.private_data = &parts;
  const bool dictionary = field.type.id == TypeId::kDictionary;
  const size_t n_children = dictionary ? 0 : field.type.children.size();
  array.n_children = static_cast<int64_t>(n_children);
  array.children = n_children == 0 ? nullptr : parts.pointers.data() + parts.next_pointer;
  parts.next_pointer += n_children;
  for (size_t i = 0; i < n_children; ++i) array.children[i] = lay_out(field.type.children[i], nodes, parts);
  if (dictionary) array.dictionary = lay_out(field.type.children[0], nodes, parts);
  return &array;
}

Status check_shape(const Section& section, const Field& field) {
  size_t nodes = 0;
  size_t buffers = 0;
  measure(field, nodes, buffers);
  if (section.nodes.size() == nodes && section.buffers.size() == buffers) return {};
  return broken("a section has " + std::to_string(section.nodes.size()) + " arrays with " +
                std::to_string(section.buffers.size()) + " buffers where its schema has " + std::to_string(nodes) +
                " with " + std::to_string(buffers));
}

std::unique_ptr<ArrayParts> make_parts(const Section& section) {
  auto parts = std::make_unique<ArrayParts>();
  parts->nodes.resize(section.nodes.size());
  parts->pointers.resize(section.nodes.size());
  parts->buffers.resize(section.buffers.size());
  return parts;
}

Array finish(std::unique_ptr<ArrayParts> parts, const Section& section, const Field& field) {
  lay_out(field, section.nodes, *parts);
  parts->holders.store(parts->nodes.size(), std::memory_order_relaxed);
  // The parts belong to the arrays from here on.
  return Array(std::move(parts.release()->nodes[0]));
}

int64_t now_ns() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return int64_t{1000000000} * now.tv_sec + now.tv_nsec;
}

uint64_t aligned(uint64_t bytes) { return (bytes + kArenaAlign - 1) & ~static_cast<uint64_t>(kArenaAlign - 1); }

template <typename T>
std::span<const T> table(const std::vector<uint8_t>& bytes, size_t offset, size_t count) {
  return {reinterpret_cast<const T*>(bytes.data() + offset), count};
}

}  // namespace

Status ArenaReader::open(std::span<const uint8_t> arena, uint64_t used, const ReadLimits& limits) {
  arena_ = arena;
  sections_.clear();
  ArenaHeader header;
  if (used > arena.size() || used < sizeof(header)) {
    return broken("it claims " + std::to_string(used) + " bytes of an arena of " + std::to_string(arena.size()));
  }
  std::memcpy(&header, arena.data(), sizeof(header));
  if (header.magic != kArenaMagic || header.bytes != used) return broken("its header does not fit its descriptor");
  if (header.sections > limits.sections || header.nodes > limits.nodes || header.buffers > limits.buffers) {
    return broken("it has " + std::to_string(header.sections) + " sections, " + std::to_string(header.nodes) +
                  " arrays and " + std::to_string(header.buffers) + " buffers, more than a batch can have");
  }
  const size_t node_table = header.sections * sizeof(SectionEntry);
  const size_t buffer_table = node_table + header.nodes * sizeof(NodeEntry);
  const size_t size = buffer_table + header.buffers * sizeof(BufferEntry);
  if (header.tables < sizeof(header) || header.tables % 8 != 0 || header.tables > used ||
      used - header.tables != size) {
    return broken("its tables do not lie where its header says");
  }
  tables_.assign(arena.data() + header.tables, arena.data() + used);
  const auto entries = table<SectionEntry>(tables_, 0, header.sections);
  const auto nodes = table<NodeEntry>(tables_, node_table, header.nodes);
  const auto buffers = table<BufferEntry>(tables_, buffer_table, header.buffers);

  // The sum bounds what copying can cost, also when buffers overlap.
  uint64_t total = 0;
  for (const BufferEntry& buffer : buffers) {
    if (buffer.size == 0) continue;
    if (buffer.offset % kArenaAlign != 0 || buffer.offset > header.tables ||
        buffer.size > header.tables - buffer.offset) {
      return broken("a buffer of " + std::to_string(buffer.size) + " bytes at " + std::to_string(buffer.offset) +
                    " does not lie in the arena's data");
    }
    total += buffer.size;
    if (total > header.tables) return broken("its buffers overlap");
  }
  size_t next_node = 0;
  size_t next_buffer = 0;
  sections_.reserve(entries.size());
  for (const SectionEntry& entry : entries) {
    const bool implied = (entry.flags & kSectionImplied) != 0;
    if (entry.nodes > nodes.size() - next_node || entry.buffers > buffers.size() - next_buffer ||
        implied != (entry.nodes == 0)) {
      return broken("a section has more arrays than the arena");
    }
    sections_.push_back({entry.kind, entry.id, implied, nodes.subspan(next_node, entry.nodes),
                         buffers.subspan(next_buffer, entry.buffers)});
    next_node += entry.nodes;
    next_buffer += entry.buffers;
  }
  if (next_node != nodes.size() || next_buffer != buffers.size()) return broken("arrays belong to no section");
  return {};
}

Result<Array> ArenaReader::view(const Section& section, const Field& field) const {
  CLUTCH_RETURN_IF_ERROR(check_shape(section, field));
  auto parts = make_parts(section);
  for (size_t i = 0; i < section.buffers.size(); ++i) {
    const BufferEntry& buffer = section.buffers[i];
    parts->buffers[i] = buffer.size == 0 ? nullptr : arena_.data() + buffer.offset;
  }
  return finish(std::move(parts), section, field);
}

Result<Array> ArenaReader::copy(const Section& section, const Field& field, int64_t* validate_ns) const {
  CLUTCH_RETURN_IF_ERROR(check_shape(section, field));
  auto parts = make_parts(section);
  uint64_t total = 0;
  for (const BufferEntry& buffer : section.buffers) total += aligned(buffer.size);
  if (total > 0) {
    parts->memory.reset(static_cast<uint8_t*>(std::aligned_alloc(kArenaAlign, total)));
    if (!parts->memory) {
      return Status(CLUTCH_ERR_MEMORY, "no memory for " + std::to_string(total) + " bytes of output",
                    CLUTCH_ORIGIN_HOST);
    }
  }
  std::vector<Extent> extents(section.buffers.size());
  uint8_t* out = parts->memory.get();
  for (size_t i = 0; i < section.buffers.size(); ++i) {
    const BufferEntry& buffer = section.buffers[i];
    if (buffer.size == 0) {
      extents[i] = {nullptr, 0};
      continue;
    }
    std::memcpy(out, arena_.data() + buffer.offset, buffer.size);
    const uint64_t whole = aligned(buffer.size);
    std::memset(out + buffer.size, 0, whole - buffer.size);
    parts->buffers[i] = out;
    extents[i] = {out, static_cast<int64_t>(buffer.size)};
    out += whole;
  }
  Array array = finish(std::move(parts), section, field);
  const int64_t start = validate_ns == nullptr ? 0 : now_ns();
  CLUTCH_RETURN_IF_ERROR(columnar::validate_untrusted(field, *array.get(), extents));
  if (validate_ns != nullptr) *validate_ns += now_ns() - start;
  return array;
}

}  // namespace clutch::pyproc
