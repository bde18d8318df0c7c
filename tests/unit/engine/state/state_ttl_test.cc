#include "state_fixture.h"

namespace clutch::engine {
namespace {

constexpr StateTtl kTen{.duration = 10};
constexpr StateTtl kReadsCount{.duration = 10, .refresh = StateTtl::Refresh::kOnReadAndWrite};
constexpr StateTtl kSeenOnce{.duration = 10, .visibility = StateTtl::Visibility::kExpiredIfNotCleanedUp};

TEST_F(State, ValuesExpireTheDurationAfterTheLastWrite) {
  const StateId a = declare("a", StateKind::kValue, kTen);
  done(backend_.set_value({a, "k"}, "1"));
  clock_.advance(9);
  EXPECT_EQ(got(backend_.value({a, "k"})), "1");
  done(backend_.set_value({a, "k"}, "2"));
  clock_.advance(9);
  EXPECT_EQ(got(backend_.value({a, "k"})), "2");
  clock_.advance(1);
  EXPECT_EQ(got(backend_.value({a, "k"})), std::nullopt);
  EXPECT_EQ(backend_.cell_count(), 0U);
}

TEST_F(State, ReadsCountWhereTheyShould) {
  const StateId a = declare("a", StateKind::kValue, kReadsCount);
  done(backend_.set_value({a, "k"}, "1"));
  for (int i = 0; i < 5; ++i) {
    clock_.advance(9);
    EXPECT_EQ(got(backend_.value({a, "k"})), "1");
  }
  clock_.advance(10);
  EXPECT_EQ(got(backend_.value({a, "k"})), std::nullopt);
}

TEST_F(State, ExpiredIsSeenOnceMoreWhereThatIsAskedFor) {
  const StateId a = declare("a", StateKind::kValue, kSeenOnce);
  done(backend_.set_value({a, "k"}, "1"));
  clock_.advance(10);
  EXPECT_EQ(got(backend_.value({a, "k"})), "1");
  EXPECT_EQ(got(backend_.value({a, "k"})), std::nullopt);
}

TEST_F(State, ItemsOfListsAndEntriesOfMapsExpireEachOnItsOwn) {
  const StateId list = declare("list", StateKind::kList, kTen);
  const StateId map = declare("map", StateKind::kMap, kTen);
  append({list, "k"}, {"old"});
  done(backend_.set_entry({map, "k"}, "old", "1"));
  clock_.advance(5);
  append({list, "k"}, {"new"});
  done(backend_.set_entry({map, "k"}, "new", "2"));
  clock_.advance(5);
  EXPECT_EQ(got(backend_.list({list, "k"})), (Strings{"new"}));
  EXPECT_EQ(got(backend_.entry({map, "k"}, "old")), std::nullopt);
  EXPECT_EQ(got(backend_.entries({map, "k"}, std::nullopt, 9)), (StateBackend::Entries{{"new", "2"}}));
  clock_.advance(5);
  EXPECT_EQ(got(backend_.list({list, "k"})), Strings{});
  EXPECT_EQ(got(backend_.entries({map, "k"}, std::nullopt, 9)), StateBackend::Entries{});
  EXPECT_EQ(backend_.cell_count(), 0U);
}

TEST_F(State, MergedItemsKeepTheirAges) {
  const StateId list = declare("list", StateKind::kList, kTen);
  append({list, "k", "w1"}, {"old"});
  clock_.advance(5);
  append({list, "k", "w2"}, {"new"});
  const std::vector<std::string_view> from{"w1"};
  done(backend_.merge_lists({list, "k", "w2"}, from));
  clock_.advance(5);
  EXPECT_EQ(got(backend_.list({list, "k", "w2"})), (Strings{"new"}));
}

TEST_F(State, SweepingAllGroupsForgetsWhatNobodyReads) {
  const StateId a = declare("a", StateKind::kValue, kTen);
  const StateId b = declare("b", StateKind::kValue);
  for (int i = 0; i < 300; ++i) {
    done(backend_.set_value({a, std::to_string(i)}, "x"));
    done(backend_.set_value({b, std::to_string(i)}, "x"));
  }
  clock_.advance(10);
  size_t gone = 0;
  for (int i = 0; i < groups_.max_parallelism(); ++i) gone += backend_.sweep();
  EXPECT_EQ(gone, 300U);
  EXPECT_EQ(backend_.cell_count(), 300U);
}

}  // namespace
}  // namespace clutch::engine
