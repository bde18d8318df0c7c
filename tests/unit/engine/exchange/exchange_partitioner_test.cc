#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <set>

#include "batches.h"
#include "exchange/partitioner.h"

namespace clutch::engine {
namespace {

using Rows = std::vector<int64_t>;
using ByDestination = std::map<int32_t, Rows>;

ByDestination split(Partitioner& partitioner, columnar::Array batch) {
  std::vector<Part> parts;
  const Status status = partitioner.split(std::move(batch), parts);
  EXPECT_TRUE(status.ok()) << status.message();
  ByDestination out;
  int32_t before = -1;
  for (const Part& part : parts) {
    EXPECT_GT(part.destination, before);
    before = part.destination;
    EXPECT_GT(part.batch->length, 0);
    out[part.destination] = rows_of(*part.batch);
  }
  return out;
}

Partitioner made(Partitioning partitioning, Edge edge, uint64_t seed = 0) {
  return *Partitioner::make(partitioning, edge, batch_field(), seed);
}

TEST(Partitioner, ForwardHandsTheBatchOnWithoutCopying) {
  Partitioner partitioner = made(Partitioning::kForward, {.sender = 1, .senders = 3, .receivers = 3});
  columnar::Array batch = batch_of(0, 5);
  const void* memory = batch->children[1]->buffers[1];
  std::vector<Part> parts;
  ASSERT_TRUE(partitioner.split(std::move(batch), parts).ok());
  ASSERT_EQ(parts.size(), 1U);
  EXPECT_EQ(parts[0].destination, 1);
  EXPECT_EQ(parts[0].batch->children[1]->buffers[1], memory);
}

TEST(Partitioner, ForwardRefusesDifferentParallelisms) {
  EXPECT_EQ(Partitioner::make(Partitioning::kForward, {.sender = 0, .senders = 2, .receivers = 3}, batch_field())
                .status()
                .message(),
            "forward partitioning cannot lead from 2 to 3 subtasks; use another partitioning, such as broadcast, "
            "rebalance, shuffle or rescale, or give both operators one parallelism");
}

TEST(Partitioner, RebalanceTakesTurnsOverTheBordersOfBatches) {
  Partitioner partitioner = made(Partitioning::kRebalance, {.sender = 1, .senders = 2, .receivers = 3});
  EXPECT_EQ(split(partitioner, batch_of(0, 4)), (ByDestination{{0, {2}}, {1, {0, 3}}, {2, {1}}}));
  EXPECT_EQ(split(partitioner, batch_of(4, 2)), (ByDestination{{0, {5}}, {2, {4}}}));
}

TEST(Partitioner, RescaleStaysInTheSendersShare) {
  Partitioner partitioner = made(Partitioning::kRescale, {.sender = 1, .senders = 2, .receivers = 5});
  EXPECT_EQ(rescale_range({.sender = 1, .senders = 2, .receivers = 5}), (ReceiverRange{3, 4}));
  EXPECT_EQ(split(partitioner, batch_of(0, 3)), (ByDestination{{3, {1}}, {4, {0, 2}}}));
}

TEST(Partitioner, RescaleSharesAreFlinksPointwiseDistribution) {
  for (int32_t senders = 1; senders <= 12; ++senders) {
    for (int32_t receivers = 1; receivers <= 12; ++receivers) {
      std::set<int32_t> reached;
      for (int32_t sender = 0; sender < senders; ++sender) {
        const ReceiverRange range = rescale_range({sender, senders, receivers});
        ASSERT_LE(range.first, range.last);
        for (int32_t i = range.first; i <= range.last; ++i) {
          // What Flink says from the receivers' side where there are fewer of them.
          if (senders > receivers) {
            EXPECT_LE(i * senders / receivers, sender);
            EXPECT_GT((i + 1) * senders / receivers, sender);
          } else {
            EXPECT_TRUE(reached.insert(i).second) << "two senders share a receiver";
          }
          reached.insert(i);
        }
      }
      EXPECT_EQ(reached.size(), static_cast<size_t>(receivers)) << senders << " to " << receivers;
      EXPECT_EQ(*reached.rbegin(), receivers - 1);
    }
  }
}

TEST(Partitioner, ShuffleIsEvenAndRepeatable) {
  const Edge edge{.sender = 0, .senders = 2, .receivers = 4};
  Partitioner first = made(Partitioning::kShuffle, edge, 42);
  Partitioner second = made(Partitioning::kShuffle, edge, 42);
  Partitioner other_seed = made(Partitioning::kShuffle, edge, 43);
  Partitioner other_sender = made(Partitioning::kShuffle, {.sender = 1, .senders = 2, .receivers = 4}, 42);
  const ByDestination rows = split(first, batch_of(0, 4000));
  EXPECT_EQ(rows, split(second, batch_of(0, 4000)));
  EXPECT_NE(rows, split(other_seed, batch_of(0, 4000)));
  EXPECT_NE(rows, split(other_sender, batch_of(0, 4000)));
  EXPECT_NE(rows, split(first, batch_of(0, 4000)));
  for (const auto& [destination, part] : rows) {
    EXPECT_GT(part.size(), 900U) << destination;
    EXPECT_LT(part.size(), 1100U) << destination;
  }
}

TEST(Partitioner, BroadcastGivesEverythingToAll) {
  Partitioner partitioner = made(Partitioning::kBroadcast, {.sender = 0, .senders = 1, .receivers = 3});
  EXPECT_EQ(split(partitioner, batch_of(5, 2)), (ByDestination{{0, {5, 6}}, {1, {5, 6}}, {2, {5, 6}}}));
}

TEST(Partitioner, HashSendsAKeyToTheSubtaskOfItsGroup) {
  const KeyGroups groups = *KeyGroups::make(5);
  const auto codec = *columnar::RowCodec::make(batch_field().type.children[0]);
  Partitioner partitioner = *Partitioner::hash(groups, batch_field(), 0);
  const columnar::Array whole = batch_of(0, 900, 61);
  ByDestination expected;
  for (int64_t row = 100; row < 800; ++row) {
    std::string key;
    codec.encode(*whole->children[0], row, key);
    expected[groups.subtask_of(groups.group_of(key))].push_back(row);
  }
  EXPECT_EQ(expected.size(), 5U);
  EXPECT_EQ(split(partitioner, columnar::slice(*whole, 100, 700)), expected);
}

TEST(Partitioner, EveryRowArrivesOnceAndInOrder) {
  for (const Partitioning partitioning : {Partitioning::kRebalance, Partitioning::kShuffle, Partitioning::kRescale}) {
    Partitioner partitioner = made(partitioning, {.sender = 2, .senders = 4, .receivers = 9}, 1);
    Rows all;
    for (const auto& [destination, rows] : split(partitioner, batch_of(0, 333))) {
      EXPECT_TRUE(std::is_sorted(rows.begin(), rows.end()));
      all.insert(all.end(), rows.begin(), rows.end());
    }
    std::sort(all.begin(), all.end());
    Rows expected(333);
    std::iota(expected.begin(), expected.end(), 0);
    EXPECT_EQ(all, expected);
  }
}

TEST(Partitioner, NothingIsMadeOfAnEmptyBatch) {
  for (const Partitioning partitioning : {Partitioning::kForward, Partitioning::kBroadcast, Partitioning::kShuffle}) {
    Partitioner partitioner = made(partitioning, {.sender = 0, .senders = 2, .receivers = 2});
    EXPECT_EQ(split(partitioner, batch_of(0, 0)), ByDestination{});
  }
}

TEST(Partitioner, RefusesAKeyWhoseBytesMeanNothing) {
  const columnar::Field field = columnar::struct_of({{"key", *columnar::parse_type("dictionary<int32, string>")}});
  EXPECT_EQ(Partitioner::hash(*KeyGroups::make(2), field, 0).status().code(), CLUTCH_ERR_UNSUPPORTED);
}

TEST(SplitRows, RefusesADestinationThatDoesNotExist) {
  for (const int32_t wrong : {3, -1}) {
    std::vector<Part> parts;
    const std::vector<int32_t> destinations{0, 1, wrong};
    EXPECT_EQ(split_rows(batch_field(), batch_of(0, 3), destinations, 3, parts).message(),
              "row 2 was sent to partition " + std::to_string(wrong) +
                  " of 3; the partitioner must give a number from 0 to 2");
    EXPECT_TRUE(parts.empty());
  }
}

}  // namespace
}  // namespace clutch::engine
