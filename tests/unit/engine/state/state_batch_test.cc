// The calls of a backend that are about many cells: looking changes nothing, applying is all or nothing.
#include <gmock/gmock.h>

#include "state_fixture.h"

namespace clutch::engine {
namespace {

using Op = StateChange::Op;
using testing::ElementsAre;
using testing::Pair;

class StateBatch : public State {
 protected:
  using View = StateBackend::View;
  std::vector<View> look(StateId state, const std::vector<std::string_view>& keys, int64_t now = 1000) {
    std::vector<View> values(keys.size());
    done(backend_.look(state, keys, now, values));
    return values;
  }
};

TEST_F(StateBatch, LooksAtWhatIsToBeSeenAndNothingElse) {
  const StateId value = declare("value", StateKind::kValue, StateTtl{10, StateTtl::Refresh::kOnReadAndWrite});
  done(backend_.set_value({value, "a"}, "1"));
  EXPECT_THAT(look(value, {"a", "b"}, 1009), ElementsAre("1", std::nullopt));
  EXPECT_THAT(look(value, {"a"}, 1010), ElementsAre(std::nullopt));  // The look at 1009 was no read.
  EXPECT_EQ(backend_.cell_count(), 1u);
  clock_.advance(5);
  EXPECT_EQ(got(backend_.value({value, "a"})), "1");  // This one is.
  EXPECT_THAT(look(value, {"a"}, 1014), ElementsAre("1"));
}

TEST_F(StateBatch, ShowsWhatHasExpiredWhereItIsToBeSeenUntilItIsTouched) {
  StateTtl ttl{.duration = 10};
  ttl.visibility = StateTtl::Visibility::kExpiredIfNotCleanedUp;
  const StateId value = declare("value", StateKind::kValue, ttl);
  done(backend_.set_value({value, "a"}, "1"));
  EXPECT_THAT(look(value, {"a"}, 2000), ElementsAre("1"));
  const StateChange touch{{value, "a"}, Op::kTouch};
  done(backend_.apply({&touch, 1}, 2000));
  EXPECT_THAT(look(value, {"a"}, 2000), ElementsAre(std::nullopt));
  EXPECT_EQ(backend_.cell_count(), 0u);
}

TEST_F(StateBatch, PagesOfAListWithExpiredItemsCountThoseThatAreSeen) {
  const StateId list = declare("list", StateKind::kList, StateTtl{10});
  append({list, "a"}, {"old"});
  clock_.advance(8);
  append({list, "a"}, {"x", "y", "z"});
  StatePage page;
  done(backend_.look_page({.at = {list, "a"}, .first = 1, .max_bytes = 1}, 1010, page));
  EXPECT_THAT(page.entries, ElementsAre(Pair("", "y")));
  EXPECT_TRUE(page.more);
  done(backend_.look_page({.at = {list, "a"}, .first = 2}, 1010, page));
  EXPECT_THAT(page.entries, ElementsAre(Pair("", "z")));
  EXPECT_FALSE(page.more);
}

TEST_F(StateBatch, AppliesInOrder) {
  const StateId value = declare("value", StateKind::kValue);
  const StateId map = declare("map", StateKind::kMap);
  const StateChange changes[] = {
      {{value, "a"}, Op::kSet, {}, "1"},    {{value, "a"}, Op::kClear},       {{value, "b"}, Op::kSet, {}, "2"},
      {{map, "a"}, Op::kSet, "x", "1"},     {{map, "a"}, Op::kClear},         {{map, "a"}, Op::kSet, "y", "2"},
      {{map, "a"}, Op::kRemove, "nowhere"}, {{value, "b"}, Op::kSet, {}, "3"}};
  done(backend_.apply(changes, 1000));
  EXPECT_THAT(look(value, {"a", "b"}), ElementsAre(std::nullopt, "3"));
  EXPECT_THAT(got(backend_.entries({map, "a"}, std::nullopt, 10)), ElementsAre(Pair("y", "2")));
}

TEST_F(StateBatch, RefusesAllOfABatchWithOneBadChange) {
  const StateId value = declare("value", StateKind::kValue);
  const StateId list = declare("list", StateKind::kList);
  const StateId map = declare("map", StateKind::kMap);
  const auto sentence = [&](const StateChange& bad) {
    const StateChange changes[] = {{{value, "a"}, Op::kSet, {}, "1"}, bad};
    const Status status = backend_.apply(changes, 1000);
    EXPECT_EQ(status.code(), CLUTCH_ERR_ARGUMENT);
    EXPECT_EQ(backend_.cell_count(), 0u);
    return std::string(status.message());
  };
  const std::string tail = "; its kind does not have that";
  EXPECT_EQ(sentence({{value, "a"}, Op::kAppend}), "the state \"value\" cannot be changed by appending" + tail);
  EXPECT_EQ(sentence({{list, "a"}, Op::kRemove, "x"}),
            "the state \"list\" cannot be changed by removing an entry" + tail);
  EXPECT_EQ(sentence({{value, "a"}, Op::kSet, "x"}),
            "the state \"value\" cannot be changed by setting an entry" + tail);
  EXPECT_EQ(sentence({{map, "a"}, Op::kSet}), "the state \"map\" cannot be changed by setting a value" + tail);
  EXPECT_EQ(sentence({{value, "a"}, Op::kTouch, "x"}),
            "the state \"value\" cannot be changed by touching an entry" + tail);
  EXPECT_EQ(sentence({{9, "a"}, Op::kClear}), "there is no state number 9 but 3 states; declare it first");
}

}  // namespace
}  // namespace clutch::engine
