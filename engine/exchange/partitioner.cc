#include "exchange/partitioner.h"

#include "exchange/share.h"

namespace clutch::engine {
namespace {

// SplitMix64. Why not <random>: its distributions differ between standard libraries, and a seed must mean the same rows
// everywhere.
uint64_t next_random(uint64_t& state) {
  uint64_t z = state += 0x9e3779b97f4a7c15U;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9U;
  z = (z ^ z >> 27) * 0x94d049bb133111ebU;
  return z ^ z >> 31;
}

}  // namespace

ReceiverRange rescale_range(const Edge& edge) {
  const int64_t sender = edge.sender;
  if (edge.senders >= edge.receivers) {
    const auto receiver = static_cast<int32_t>(((sender + 1) * edge.receivers - 1) / edge.senders);
    return {receiver, receiver};
  }
  const auto first_of = [&edge](int64_t index) {
    return static_cast<int32_t>((index * edge.receivers + edge.senders - 1) / edge.senders);
  };
  return {first_of(sender), first_of(sender + 1) - 1};
}

Result<Partitioner> Partitioner::make(Partitioning partitioning, Edge edge, columnar::Field batch, uint64_t seed) {
  if (partitioning == Partitioning::kForward && edge.senders != edge.receivers) {
    return Status(CLUTCH_ERR_VALUE, "forward partitioning cannot lead from " + std::to_string(edge.senders) + " to " +
                                        std::to_string(edge.receivers) +
                                        " subtasks; use another partitioning, such as broadcast, rebalance, shuffle or "
                                        "rescale, or give both operators one parallelism");
  }
  Partitioner made(std::move(batch), edge.receivers);
  made.partitioning_ = partitioning;
  made.range_ = {0, edge.receivers - 1};
  if (partitioning == Partitioning::kGlobal) made.range_ = {0, 0};
  if (partitioning == Partitioning::kForward) made.range_ = {edge.sender, edge.sender};
  if (partitioning == Partitioning::kRescale) made.range_ = rescale_range(edge);
  made.next_ = made.range_.first + edge.sender % (made.range_.last - made.range_.first + 1);
  made.random_ = seed ^ static_cast<uint64_t>(edge.sender) * 0xd1342543de82ef95U;
  return made;
}

Result<Partitioner> Partitioner::hash(KeyGroups groups, columnar::Field batch, size_t key_column) {
  CLUTCH_ASSIGN_OR_RETURN(KeyBytes bytes, KeyBytes::make(batch.type.children[key_column]));
  Partitioner made(std::move(batch), groups.parallelism());
  made.hash_ = Hash{groups, key_column, std::move(bytes)};
  return made;
}

Status Partitioner::split(columnar::Array batch, std::vector<Part>& out) {
  if (batch->length == 0) return {};
  if (!hash_.has_value() && partitioning_ == Partitioning::kBroadcast) {
    broadcast(std::move(batch), out);
    return {};
  }
  receivers_of_rows_.resize(static_cast<size_t>(batch->length));
  if (hash_.has_value()) {
    by_key(*batch);
  } else if (partitioning_ == Partitioning::kShuffle) {
    at_random();
  } else {
    in_turn();
  }
  return split_rows(batch_, std::move(batch), receivers_of_rows_, receivers_, out);
}

void Partitioner::broadcast(columnar::Array batch, std::vector<Part>& out) const {
  const Shared shared(std::move(batch));
  for (int32_t receiver = 0; receiver < receivers_; ++receiver) out.push_back({receiver, shared.view()});
}

void Partitioner::by_key(const ArrowArray& batch) {
  const ArrowArray& keys = *batch.children[hash_->column];
  for (size_t row = 0; row < receivers_of_rows_.size(); ++row) {
    key_.clear();
    hash_->bytes.append(keys, batch.offset + static_cast<int64_t>(row), key_);
    receivers_of_rows_[row] = hash_->groups.subtask_of(hash_->groups.group_of(key_));
  }
}

void Partitioner::in_turn() {
  for (int32_t& receiver : receivers_of_rows_) {
    receiver = next_;
    next_ = next_ == range_.last ? range_.first : next_ + 1;
  }
}

void Partitioner::at_random() {
  for (int32_t& receiver : receivers_of_rows_) {
    receiver = static_cast<int32_t>(next_random(random_) % static_cast<uint64_t>(receivers_));
  }
}

}  // namespace clutch::engine
