#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "exchange/key_group.h"

namespace clutch::engine {
namespace {

TEST(HashKey, IsMurmur3) {
  EXPECT_EQ(hash_key(""), 0U);
  EXPECT_EQ(hash_key("hello"), 0x248bfa47U);
  EXPECT_EQ(hash_key("hello, world"), 0x149bbb7fU);
  EXPECT_EQ(hash_key("The quick brown fox jumps over the lazy dog"), 0x2e4ff723U);
}

TEST(KeyGroups, RangesAreThoseOfTheFormulaForAllParallelisms) {
  for (const int32_t groups : {1, 2, 7, 128, 200}) {
    for (int32_t parallelism = 1; parallelism <= groups; ++parallelism) {
      const KeyGroups layout = *KeyGroups::make(parallelism, groups);
      int32_t next = 0;
      for (int32_t subtask = 0; subtask < parallelism; ++subtask) {
        const KeyGroupRange range = layout.range_of(subtask);
        ASSERT_EQ(range.first, next);
        ASSERT_GE(range.size(), 1);
        for (int32_t group = range.first; group <= range.last; ++group) {
          ASSERT_EQ(layout.subtask_of(group), subtask) << groups << " groups on " << parallelism;
        }
        next = range.last + 1;
      }
      ASSERT_EQ(next, groups);
    }
  }
}

TEST(KeyGroups, TheGroupOfAKeyDoesNotDependOnTheParallelism) {
  const KeyGroups one = *KeyGroups::make(1);
  const KeyGroups many = *KeyGroups::make(16);
  EXPECT_EQ(one.max_parallelism(), 128);
  for (int i = 0; i < 500; ++i) {
    const std::string key = std::to_string(i);
    EXPECT_EQ(one.group_of(key), many.group_of(key));
    EXPECT_TRUE(many.range_of(many.subtask_of(many.group_of(key))).contains(many.group_of(key)));
  }
}

TEST(KeyGroups, KeysSpreadOverAllGroups) {
  const KeyGroups layout = *KeyGroups::make(4);
  std::vector<int> keys(128, 0);
  for (int i = 0; i < 12'800; ++i) ++keys[static_cast<size_t>(layout.group_of("key " + std::to_string(i)))];
  for (const int count : keys) {
    EXPECT_GT(count, 50);
    EXPECT_LT(count, 150);
  }
}

TEST(KeyGroups, RefusesParallelismsThatDoNotFit) {
  EXPECT_EQ(
      KeyGroups::make(129).status().message(),
      "a keyed operator cannot have the parallelism 129 with 128 key groups; give a parallelism from 1 to the max "
      "parallelism");
  EXPECT_FALSE(KeyGroups::make(0).ok());
  EXPECT_EQ(KeyGroups::make(1, 32769).status().message(),
            "the max parallelism cannot be 32769; give a number from 1 to 32768");
  EXPECT_FALSE(KeyGroups::make(1, 0).ok());
}

}  // namespace
}  // namespace clutch::engine
