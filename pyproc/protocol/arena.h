// How Arrow arrays lie in an arena: a header, the data of all buffers, then tables that say what is where.
//
//   ArenaHeader | buffer data, each at a multiple of 64, slack zeroed | SectionEntry[] | NodeEntry[] | BufferEntry[]
//
// A section is one Arrow array with a meaning: the rows of the batch, its timestamps, the rows of one emit, changes of
// a state. Its nodes are the array and its children in depth-first order (a dictionary is a child after the others),
// its buffers in the same order, validity first where the type has one. Offsets of arrays are always 0. There are no
// types in an arena: each side knows the schema of every section from what was agreed when the function opened.
//
// The host writes IN and the worker reads it without a copy. The worker writes OUT; the host believes nothing in it and
// copies first the tables, then the buffers, and validates the copies.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "clutch/abi/arrow.h"
#include "clutch/columnar/owned.h"
#include "clutch/columnar/result.h"
#include "clutch/columnar/type.h"

namespace clutch::pyproc {

inline constexpr uint32_t kArenaMagic = 0x31414c43;  // "CLA1"
inline constexpr int64_t kArenaAlign = 64;

enum class SectionKind : uint32_t {
  // IN
  kRows = 1,           // in the function's input schema
  kTimestamps = 2,     // int64
  kRowKinds = 3,       // int8
  kKeys = 4,           // binary
  kKeyIndex = 5,       // int32
  kTimers = 6,         // struct<key_index: int32, time_ms: int64, domain: int8>
  kStateValues = 7,    // id: state; struct<value: binary, version: int64>, a row for each key
  kRowFlags = 8,       // int8
  kMerges = 9,         // struct<into: int32, from: int32>
  kStateEntries = 10,  // id: list or map state; a first page of all keys, as clutch_host_state.read_page gives it

  // IN, answers to ReadState (descriptor.h)
  kStatePage = 11,    // id: state; struct<map_key: binary, value: binary>
  kStateCursor = 12,  // id: state; binary, one row: cursor of the page behind kStatePage; empty at the end
  kStateFound = 13,   // id: state; struct<value: binary>, a row for each name

  // OUT, in the order in which they happened
  kEmit = 16,          // id: tag (worker's number); schema of that output; followed by its kOrigin
  kOrigin = 17,        // id: as its kEmit; int32
  kStateChanges = 18,  // id: state; struct<key: int32, op: int8, map_key: binary, value: binary>
  kTimerChanges = 19,  // struct<key: int32, time_ms: int64, domain: int8, op: int8>

  // OUT, while the batch runs: what a ReadState asks for
  kStateNames = 20,  // id: state; struct<key: int32, name: binary>: keys of a map, or one row with a cursor
};

// Flag of a section: the array is "released" in the sense of clutch_host.emit and has no nodes. On kEmit: the input
// rows that origin names. On kOrigin: one output row for every input row, in order.
inline constexpr uint32_t kSectionImplied = 1u;

struct ArenaHeader {
  uint32_t magic;
  uint32_t sections;
  uint32_t nodes;
  uint32_t buffers;
  uint64_t tables;  // offset of the first table; the tables follow each other without gaps
  uint64_t bytes;   // of everything, this header included
};

struct SectionEntry {
  SectionKind kind;
  uint32_t id;
  uint32_t flags;
  uint32_t nodes;    // of this section; they follow those of the section before
  uint32_t buffers;  // likewise
  uint32_t reserved0;
};

struct NodeEntry {
  int64_t length;
  int64_t null_count;
};

struct BufferEntry {
  uint64_t offset;  // from the start of the arena
  uint64_t size;    // (unit: bytes); 0: absent
};

static_assert(sizeof(ArenaHeader) == 32 && sizeof(SectionEntry) == 24);
static_assert(sizeof(NodeEntry) == 16 && sizeof(BufferEntry) == 16);

// Fields of the sections whose schema is always the same.
const columnar::Field& timestamps_field();
const columnar::Field& row_kinds_field();
const columnar::Field& keys_field();
const columnar::Field& key_index_field();
const columnar::Field& timers_field();
const columnar::Field& row_flags_field();
const columnar::Field& merges_field();
const columnar::Field& state_values_field();
const columnar::Field& state_entries_field();
const columnar::Field& state_page_field();
const columnar::Field& state_cursor_field();
const columnar::Field& state_found_field();
const columnar::Field& state_names_field();
const columnar::Field& origin_field();
const columnar::Field& state_changes_field();
const columnar::Field& timer_changes_field();

// Writes sections one after the other. The arrays given are read at once; they must be valid (they come from this
// process), may have any offset, and null_count -1.
class ArenaWriter {
 public:
  ArenaWriter() = default;
  // Start writing at `arena`; forgets what was written before.
  void start(std::span<uint8_t> arena);

  // Upper bound of the bytes that add() of this array takes, tables and alignment included. O(columns), and for nested
  // and binary types a look at the first and last offset.
  static uint64_t bytes_for(const columnar::Field& field, const ArrowArray& array);
  static constexpr uint64_t kImpliedBytes = sizeof(SectionEntry);
  // Bytes an arena needs before the first section.
  static constexpr uint64_t kEmptyBytes = 64;

  // Bytes used if it were finished now.
  uint64_t used() const;
  uint64_t capacity() const { return arena_.size(); }
  // True if a section of this many bytes (bytes_for) fits.
  bool fits(uint64_t bytes) const { return bytes <= capacity() && used() + 64 <= capacity() - bytes; }

  // Add an array; the caller has made sure that it fits.
  void add(SectionKind kind, uint32_t id, const columnar::Field& field, const ArrowArray& array);
  void add_implied(SectionKind kind, uint32_t id);

  // Write tables and header. Gives the used bytes, for the descriptor.
  uint64_t finish();

  // Go on in a larger arena: copies what was written so far.
  void move_to(std::span<uint8_t> larger);

 private:
  void put_array(const columnar::Field& field, const ArrowArray& array, int64_t start, int64_t length);
  uint8_t* open_buffer(int64_t size);

  std::span<uint8_t> arena_;
  uint64_t data_end_ = 0;
  std::vector<SectionEntry> sections_;
  std::vector<NodeEntry> nodes_;
  std::vector<BufferEntry> buffers_;
};

// One section found by ArenaReader.
struct Section {
  SectionKind kind;
  uint32_t id;
  bool implied;
  std::span<const NodeEntry> nodes;
  std::span<const BufferEntry> buffers;
};

struct ReadLimits {
  uint32_t sections = 4096;
  uint32_t nodes = 1u << 20;
  uint32_t buffers = 1u << 21;
};

// Reads an arena. The tables are copied before they are looked at, so a peer that rewrites them changes nothing.
class ArenaReader {
 public:
  // `used`: the descriptor's number of bytes; at most arena.size(). CLUTCH_ERR_PROTOCOL says what is wrong.
  Status open(std::span<const uint8_t> arena, uint64_t used, const ReadLimits& limits = {});

  const std::vector<Section>& sections() const { return sections_; }

  // The array of a section as a look into the arena, for the trusted direction: valid as long as the arena. Structure
  // is checked, contents are not.
  Result<columnar::Array> view(const Section& section, const columnar::Field& field) const;

  // The array of a section as a private copy, fully validated (validate_untrusted). CLUTCH_ERR_PROTOCOL or
  // CLUTCH_ERR_DATA names what was wrong. `validate_ns`, if given, gets the time that validation took added.
  Result<columnar::Array> copy(const Section& section, const columnar::Field& field,
                               int64_t* validate_ns = nullptr) const;

 private:
  std::span<const uint8_t> arena_;
  std::vector<uint8_t> tables_;
  std::vector<Section> sections_;
};

}  // namespace clutch::pyproc
