// What a description means: operators with the types of their inputs and outputs, joined by arcs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "clutch/columnar/result.h"
#include "job/description.h"
#include "runtime/batch.h"

namespace clutch::engine {

// A node may be several operators: a source with watermarks, watermarks with Python timestamps.
enum class Role : uint8_t {
  kSource,
  kPython,
  kKeyBy,       // adds the column `key`
  kTimestamps,  // Python gives the column `timestamp` anew
  kWatermarks,
  kPartition,  // adds the column `partition`, by which its only arc is split
  kWindow,
  kIntervalJoin,
  kIteration,  // joins what is fed back to its input
  kSink,
};

struct Vertex {
  Role role = Role::kSource;
  size_t node = 0;                 // in the description
  const CodeSpec* code = nullptr;  // of kKeyBy, kTimestamps, kPartition
  const WatermarkSpec* watermarks = nullptr;
  int32_t receivers = 0;  // of kPartition
  std::vector<BatchType> inputs;
  BatchType output;
  std::vector<std::pair<std::string, BatchType>> sides;
};

struct Arc {
  size_t from = 0;
  size_t to = 0;
  size_t input = 0;            // of `to`
  std::optional<size_t> side;  // of `from`; nothing: the main output
  Shipping shipping = Shipping::kForward;
  bool drops_key = false;  // the receiver has no use for it
  bool feedback = false;   // back into a kIteration
};

// Vertices stand behind those that feed them, but that a kPartition stands behind what it feeds, and a kIteration
// before what feeds it back. Refers to the description, which must outlive it.
struct Graph {
  std::vector<Vertex> vertices;
  std::vector<Arc> arcs;

  // CLUTCH_ERR_CONFIG: a cycle outside of iterations, an input without an edge, types that do not agree, a keyed
  // function without keys, partitioning that cannot be.
  static Result<Graph> make(const JobDescription& job);
};

}  // namespace clutch::engine
