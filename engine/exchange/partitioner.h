// Which subtasks of the next operator a batch goes to.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "clutch/columnar/owned.h"
#include "clutch/columnar/result.h"
#include "clutch/columnar/type.h"
#include "exchange/key_bytes.h"
#include "exchange/key_group.h"
#include "exchange/split.h"

namespace clutch::engine {

enum class Partitioning : uint8_t {
  kForward,    // to the subtask with the sender's number
  kRebalance,  // row by row to all receivers in turn
  kRescale,    // row by row to the sender's own share of the receivers in turn
  kShuffle,    // each row to a random receiver
  kBroadcast,  // every row to all receivers
  kGlobal,     // every row to the first receiver
};

// The edge of the graph that a sender stands at.
struct Edge {
  int32_t sender;     // its number among the senders
  int32_t senders;    // parallelism of the operator before
  int32_t receivers;  // parallelism of the operator behind
};

// The receivers [first, last] that kRescale gives to the sender: Flink's pointwise distribution.
struct ReceiverRange {
  int32_t first;
  int32_t last;
  bool operator==(const ReceiverRange&) const = default;
};
ReceiverRange rescale_range(const Edge& edge);

// One sender's partitioner: it keeps whose turn it is. Not thread-safe. Batches are struct arrays of one type; what is
// said of the parts in split.h holds here, but that every part of a broadcast is the whole batch, of which all share
// the buffers.
class Partitioner {
 public:
  // `seed` starts the random numbers of kShuffle (together with the sender's number) and nothing else; turns start at
  // the sender's number, so that senders of few rows do not all begin at the same receiver. CLUTCH_ERR_VALUE for
  // kForward between different parallelisms.
  static Result<Partitioner> make(Partitioning partitioning, Edge edge, columnar::Field batch, uint64_t seed = 0);

  // By the key group of the key column, whose bytes are those of KeyBytes. CLUTCH_ERR_UNSUPPORTED for a key of a type
  // with a dictionary.
  static Result<Partitioner> hash(KeyGroups groups, columnar::Field batch, size_t key_column);

  // Append the parts of a batch.
  Status split(columnar::Array batch, std::vector<Part>& out);

 private:
  struct Hash {
    KeyGroups groups;
    size_t column;
    KeyBytes bytes;
  };

  Partitioner(columnar::Field batch, int32_t receivers) : batch_(std::move(batch)), receivers_(receivers) {}
  void broadcast(columnar::Array batch, std::vector<Part>& out) const;
  void by_key(const ArrowArray& batch);
  void in_turn();
  void at_random();

  columnar::Field batch_;
  int32_t receivers_;
  Partitioning partitioning_ = Partitioning::kForward;
  std::optional<Hash> hash_;   // decides instead of partitioning_
  ReceiverRange range_{0, 0};  // kForward, kRebalance, kRescale: the receivers that take turns
  int32_t next_ = 0;           // whose turn it is
  uint64_t random_ = 0;        // state of the random numbers
  std::string key_;            // bytes of the key being hashed
  std::vector<int32_t> receivers_of_rows_;
};

}  // namespace clutch::engine
