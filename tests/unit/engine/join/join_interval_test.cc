// The interval join: its rules one by one, then against a model that looks at every row on random streams.
#include <gtest/gtest.h>

#include <random>
#include <set>
#include <tuple>

#include "exchange/batches.h"
#include "join/interval_join.h"

namespace clutch::engine {
namespace {

struct Row {
  std::string key;
  int64_t time;
};

// One side's batches in, pairs out as "left row > right row".
class Fixture {
 public:
  explicit Fixture(JoinInterval interval) : join_(interval, batch_field(), batch_field()) {}

  std::vector<std::pair<int64_t, int64_t>> add(JoinSide side, const std::vector<Row>& rows) {
    std::vector<std::string_view> keys;
    std::vector<int32_t> index;
    std::vector<int64_t> times;
    for (const Row& row : rows) {
      const auto known = std::find(keys.begin(), keys.end(), row.key);
      index.push_back(static_cast<int32_t>(known - keys.begin()));
      if (known == keys.end()) keys.push_back(row.key);
      times.push_back(row.time);
    }
    Joined out;
    int64_t& next = next_[static_cast<size_t>(side)];
    status_ = join_.add(side, batch_of(next, static_cast<int64_t>(rows.size())), keys, index, times, out);
    next += static_cast<int64_t>(rows.size());
    late_ = out.late;
    std::vector<std::pair<int64_t, int64_t>> pairs;
    for (const JoinedPair& pair : out.pairs) {
      pairs.emplace_back(number(JoinSide::kLeft, pair.left), number(JoinSide::kRight, pair.right));
    }
    join_.settle();
    return pairs;
  }

  IntervalJoin join_;
  std::vector<int32_t> late_;
  Status status_;

 private:
  int64_t number(JoinSide side, RowShelf::Row row) const {
    return rows_of(join_.shelf(side).batch(row.array))[static_cast<size_t>(row.row)];
  }
  std::array<int64_t, 2> next_{};
};

using Pairs = std::vector<std::pair<int64_t, int64_t>>;
constexpr JoinSide kLeft = JoinSide::kLeft;
constexpr JoinSide kRight = JoinSide::kRight;

TEST(IntervalJoin, JoinsWhatLiesBetweenTheBoundsAndIsOfOneKey) {
  Fixture f(*JoinInterval::make(-2, 1, false, false));
  EXPECT_EQ(f.add(kLeft, {{"a", 10}, {"b", 10}}), Pairs{});
  EXPECT_EQ(f.add(kRight, {{"a", 7}, {"a", 8}, {"a", 11}, {"a", 12}, {"b", 10}, {"c", 10}}),
            (Pairs{{0, 1}, {0, 2}, {1, 4}}));
  EXPECT_EQ(f.add(kLeft, {{"a", 11}}), (Pairs{{2, 2}, {2, 3}})) << "10 to 12, by time";
}

TEST(IntervalJoin, AnExclusiveBoundLeavesItsMillisecondOut) {
  Fixture f(*JoinInterval::make(-2, 2, true, true));
  f.add(kLeft, {{"a", 10}});
  EXPECT_EQ(f.add(kRight, {{"a", 8}, {"a", 9}, {"a", 11}, {"a", 12}}), (Pairs{{0, 1}, {0, 2}}));
}

TEST(IntervalJoin, RefusesBoundsWithNothingBetween) {
  EXPECT_EQ(JoinInterval::make(5, 4, false, false).status().message(),
            "nothing lies between the bounds 5 ms and 4 ms of an interval join; give a lower bound that is not above "
            "the upper one");
  EXPECT_EQ(JoinInterval::make(5, 5, true, false).status().message(),
            "nothing lies between the bounds 5 ms (exclusive) and 5 ms of an interval join; give a lower bound that is "
            "not above the upper one");
  EXPECT_TRUE(JoinInterval::make(5, 5, false, false).ok());
}

TEST(IntervalJoin, RefusesARowWithoutATimestampAndKeepsNothingOfItsBatch) {
  Fixture f(*JoinInterval::make(0, 0, false, false));
  f.add(kRight, {{"a", 1}, {"a", kNoTimestamp}});
  EXPECT_EQ(f.status_.code(), CLUTCH_ERR_VALUE);
  EXPECT_EQ(f.status_.message(),
            "row 1 of the right input of an interval join has no timestamp; assign timestamps and watermarks to the "
            "stream before the join");
  EXPECT_EQ(f.join_.rows(), 0U);
  EXPECT_EQ(f.add(kLeft, {{"a", 1}}), Pairs{});
}

TEST(IntervalJoin, ARowBehindTheWatermarkIsLateAndOneAtItIsNot) {
  Fixture f(*JoinInterval::make(-5, 5, false, false));
  f.add(kLeft, {{"a", 10}});
  f.join_.advance_watermark(12);
  EXPECT_EQ(f.add(kRight, {{"a", 11}, {"a", 12}}), (Pairs{{0, 1}}));
  EXPECT_EQ(f.late_, (std::vector<int32_t>{0}));
  f.join_.advance_watermark(3);
  EXPECT_EQ(f.join_.watermark(), 12) << "never falls";
}

TEST(IntervalJoin, ARowWhoseIntervalIsOverJoinsNothing) {
  Fixture f(*JoinInterval::make(0, 5, false, false));
  f.add(kLeft, {{"a", 10}});
  f.join_.advance_watermark(14);
  EXPECT_EQ(f.add(kRight, {{"a", 15}}), (Pairs{{0, 0}}));
  f.join_.advance_watermark(15);
  EXPECT_EQ(f.add(kRight, {{"a", 15}}), Pairs{}) << "its timer has removed the left row, as in Flink";
}

TEST(IntervalJoin, KeepsAtMostTwiceWhatItNeeds) {
  Fixture f(*JoinInterval::make(0, 10, false, false));
  for (int64_t time = 0; time < 200'000; time += 100) {
    std::vector<Row> rows;
    for (int64_t i = 0; i < 100; ++i) rows.push_back({"key " + std::to_string((time + i) % 997), time + i});
    f.add(kLeft, rows);
    f.join_.advance_watermark(time);
    ASSERT_LE(f.join_.rows(), 2048U + 200U);
  }
  EXPECT_LE(f.join_.shelf(kLeft).batches(), 25U);
}

TEST(IntervalJoin, EqualsAModelOnRandomStreams) {
  std::mt19937 random(20261123);
  const auto pick = [&](int64_t low, int64_t high) {
    return std::uniform_int_distribution<int64_t>(low, high)(random);
  };
  for (int run = 0; run < 60; ++run) {
    const int64_t lower = pick(-8, 8);
    const JoinInterval interval{lower, lower + pick(0, 9)};
    Fixture f(interval);
    struct Known {
      Row row;
      int64_t number;
    };
    std::array<std::vector<Known>, 2> known;
    std::array<int64_t, 2> next{};
    int64_t clock = 0;
    int64_t watermark = kMinWatermark;
    for (int step = 0; step < 40; ++step) {
      clock += pick(0, 4);
      if (pick(0, 3) == 0) {
        watermark = std::max(watermark, clock - pick(0, 6));
        f.join_.advance_watermark(watermark);
      }
      const JoinSide side = pick(0, 1) == 0 ? kLeft : kRight;
      const auto own = static_cast<size_t>(side);
      std::vector<Row> rows;
      for (int64_t i = pick(0, 6); i > 0; --i)
        rows.push_back({std::string(1, static_cast<char>('a' + pick(0, 2))), clock - pick(-3, 8)});
      std::multiset<std::pair<int64_t, int64_t>> expected;
      std::vector<int32_t> late;
      for (size_t i = 0; i < rows.size(); ++i) {
        const int64_t number = next[own]++;
        if (rows[i].time < watermark) {
          late.push_back(static_cast<int32_t>(i));
          continue;
        }
        for (const Known& other : known[1 - own]) {
          const int64_t left = side == kLeft ? rows[i].time : other.row.time;
          const int64_t right = side == kLeft ? other.row.time : rows[i].time;
          const int64_t other_reach = std::max<int64_t>(0, side == kLeft ? -interval.lower : interval.upper);
          if (other.row.key != rows[i].key || right < left + interval.lower || right > left + interval.upper) continue;
          if (other.row.time + other_reach <= watermark) continue;
          if (side == kLeft) expected.insert({number, other.number});
          if (side == kRight) expected.insert({other.number, number});
        }
        known[own].push_back({rows[i], number});
      }
      const Pairs pairs = f.add(side, rows);
      ASSERT_EQ((std::multiset<std::pair<int64_t, int64_t>>(pairs.begin(), pairs.end())), expected)
          << "run " << run << " step " << step;
      ASSERT_EQ(f.late_, late);
    }
  }
}

}  // namespace
}  // namespace clutch::engine
