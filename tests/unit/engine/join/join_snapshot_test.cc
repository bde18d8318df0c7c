// Rows that wait in interval joins as bytes: joins that go on from them, of any number, give what one gives that was
// never interrupted.
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <random>
#include <set>

#include "exchange/batches.h"
#include "join/interval_join.h"

namespace clutch::engine {
namespace {

constexpr int32_t kGroups = 8;
using Pairs = std::multiset<std::pair<int64_t, int64_t>>;  // numbers of rows

// The joins of all subtasks.
class Fleet {
 public:
  Fleet(JoinInterval interval, int32_t parallelism) : groups_(*KeyGroups::make(parallelism, kGroups)) {
    for (int32_t subtask = 0; subtask < parallelism; ++subtask) {
      joins_.push_back(std::make_unique<IntervalJoin>(interval, batch_field(), batch_field()));
    }
  }

  // A row that has this number.
  Pairs add(JoinSide side, const std::string& key, int64_t number, int64_t time) {
    IntervalJoin& join = *joins_[static_cast<size_t>(groups_.subtask_of(groups_.group_of(key)))];
    const std::string_view keys[] = {key};
    const int32_t index[] = {0};
    const int64_t times[] = {time};
    Joined out;
    EXPECT_TRUE(join.add(side, batch_of(number, 1), keys, index, times, out).ok());
    Pairs pairs;
    for (const JoinedPair& pair : out.pairs) {
      pairs.emplace(number_of(join, JoinSide::kLeft, pair.left), number_of(join, JoinSide::kRight, pair.right));
    }
    join.settle();
    return pairs;
  }
  void advance_watermark(int64_t watermark) {
    for (const auto& join : joins_) join->advance_watermark(watermark);
  }
  std::map<int32_t, std::string> snapshot() const {
    std::map<int32_t, std::string> out;
    for (const auto& join : joins_) {
      Result<std::map<int32_t, std::string>> groups = join->snapshot(groups_);
      EXPECT_TRUE(groups.ok()) << groups.status().message();
      for (auto& [group, bytes] : *groups) {
        EXPECT_TRUE(out.emplace(group, bytes).second) << "two joins have group " << group;
      }
    }
    return out;
  }
  Status restore(const std::map<int32_t, std::string>& snapshot) {
    for (const auto& [group, bytes] : snapshot) {
      CLUTCH_RETURN_IF_ERROR(joins_[static_cast<size_t>(groups_.subtask_of(group))]->restore(groups_, group, bytes));
    }
    return {};
  }
  size_t rows() const {
    size_t rows = 0;
    for (const auto& join : joins_) rows += join->rows();
    return rows;
  }

 private:
  static int64_t number_of(const IntervalJoin& join, JoinSide side, RowShelf::Row row) {
    return rows_of(join.shelf(side).batch(row.array))[static_cast<size_t>(row.row)];
  }

  KeyGroups groups_;
  std::vector<std::unique_ptr<IntervalJoin>> joins_;
};

TEST(JoinSnapshot, JoinsGoOnWhereOthersWere) {
  std::mt19937 random(20261124);
  const auto pick = [&](int64_t low, int64_t high) {
    return std::uniform_int_distribution<int64_t>(low, high)(random);
  };
  size_t restored_rows = 0;
  for (int run = 0; run < 60; ++run) {
    const int64_t lower = pick(-8, 8);
    const JoinInterval interval{lower, lower + pick(0, 9)};
    Fleet unbroken(interval, 1);
    auto fleet = std::make_unique<Fleet>(interval, static_cast<int32_t>(pick(1, kGroups)));
    int64_t clock = 0;
    int64_t watermark = kMinWatermark;
    for (int64_t number = 0; number < 200; ++number) {
      clock += pick(0, 2);
      if (pick(0, 5) == 0) {
        watermark = std::max(watermark, clock - pick(0, 6));
        unbroken.advance_watermark(watermark);
        fleet->advance_watermark(watermark);
      }
      const JoinSide side = pick(0, 1) == 0 ? JoinSide::kLeft : JoinSide::kRight;
      const std::string key = "key " + std::to_string(pick(0, 3));
      const int64_t time = clock - pick(-3, 8);
      ASSERT_EQ(fleet->add(side, key, number, time), unbroken.add(side, key, number, time)) << run << " " << number;
      if (pick(0, 19) > 0) continue;
      const std::map<int32_t, std::string> snapshot = fleet->snapshot();
      auto next = std::make_unique<Fleet>(interval, static_cast<int32_t>(pick(1, kGroups)));
      const Status restored = next->restore(snapshot);
      ASSERT_TRUE(restored.ok()) << restored.message();
      next->advance_watermark(watermark);
      ASSERT_EQ(next->snapshot(), snapshot);
      ASSERT_LE(next->rows(), fleet->rows()) << "what is over is not kept";
      restored_rows += next->rows();
      fleet = std::move(next);
    }
  }
  EXPECT_GT(restored_rows, 1000U);
}

TEST(JoinSnapshot, BytesThatAreDamagedAreRefused) {
  const JoinInterval interval{-5, 5};
  Fleet fleet(interval, 1);
  for (int64_t number = 0; number < 30; ++number) {
    fleet.add(number % 3 == 0 ? JoinSide::kLeft : JoinSide::kRight, "key " + std::to_string(number % 4), number,
              number);
  }
  const std::map<int32_t, std::string> snapshot = fleet.snapshot();
  for (const auto& [group, bytes] : snapshot) {
    for (size_t size = 0; size < bytes.size(); ++size) {
      EXPECT_EQ(Fleet(interval, 1).restore({{group, bytes.substr(0, size)}}).code(), CLUTCH_ERR_DATA) << size;
    }
    EXPECT_NE(Fleet(interval, 1).restore({{group, bytes + "x"}}).message().find("something follows its end"),
              std::string::npos);
    const int32_t other = (group + 1) % kGroups;
    EXPECT_EQ(Fleet(interval, 1).restore({{other, bytes}}).message(),
              "the snapshot of key group " + std::to_string(other) + " holds a key of group " + std::to_string(group) +
                  "; restore with the max parallelism it was taken with");
    std::string newer = bytes;
    newer[0] = 2;
    EXPECT_NE(Fleet(interval, 1).restore({{group, newer}}).message().find("its version is not 1"), std::string::npos);
  }
  std::mt19937 random(7);
  for (int run = 0; run < 3000; ++run) {
    std::map<int32_t, std::string> damaged = snapshot;
    for (auto& [group, bytes] : damaged) bytes[random() % bytes.size()] = static_cast<char>(random());
    Fleet after(interval, 1);
    if (!after.restore(damaged).ok()) continue;
    after.add(JoinSide::kLeft, "key 1", 100, 30);
    after.advance_watermark(kMaxWatermark);
  }
}

TEST(JoinSnapshot, TheShapeSaysWhatIsJoined) {
  columnar::Field text = batch_field();
  text.type = *columnar::parse_type("string");
  columnar::Field number = batch_field();
  number.type = *columnar::parse_type("int64");
  EXPECT_EQ(IntervalJoin({-5, 3}, text, number).shape(),
            "rows of an interval join of left string and right int64, -5 ms to 3 ms behind the left");
}

}  // namespace
}  // namespace clutch::engine
