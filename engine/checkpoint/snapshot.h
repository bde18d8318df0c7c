// What a job keeps of itself at a batch border: state, timers and source positions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "clutch/columnar/result.h"

namespace clutch::engine {

// Of one operator or source in one subtask. Its name is the node's uid, or "node N" by the id, and what the operator is
// where a node is several; the subtasks of an operator have parts of one name.
struct SnapshotPart {
  std::string name;
  int32_t subtask = 0;
  int32_t parallelism = 1;
  std::string bytes;
};

// As bytes: version (1 byte, 1) | max parallelism | number of parts | for each: name | subtask | parallelism | bytes.
// Numbers and bytes are written as state/coding.h says; parts stand by name and subtask.
struct Snapshot {
  int32_t max_parallelism = 128;
  std::vector<SnapshotPart> parts;

  std::string encode() const;
  // CLUTCH_ERR_DATA says what is wrong with the bytes, which may come from anywhere.
  static Result<Snapshot> decode(std::string_view bytes);

  // The parts of a name.
  std::vector<const SnapshotPart*> named(std::string_view name) const;
};

}  // namespace clutch::engine
