#include "state_fixture.h"

namespace clutch::engine {
namespace {

TEST_F(State, ValuesAreKeptByStateKeyAndNamespace) {
  const StateId a = declare("a", StateKind::kValue);
  const StateId b = declare("b", StateKind::kValue);
  EXPECT_EQ(got(backend_.value({a, "k"})), std::nullopt);
  done(backend_.set_value({a, "k"}, "1"));
  done(backend_.set_value({b, "k"}, "2"));
  done(backend_.set_value({a, "k", "w"}, "3"));
  done(backend_.set_value({a, "kw"}, "4"));
  done(backend_.set_value({a, "k"}, ""));
  EXPECT_EQ(got(backend_.value({a, "k"})), "");
  EXPECT_EQ(got(backend_.value({b, "k"})), "2");
  EXPECT_EQ(got(backend_.value({a, "k", "w"})), "3");
  EXPECT_EQ(got(backend_.value({a, "kw"})), "4");
  done(backend_.clear({a, "k"}));
  EXPECT_EQ(got(backend_.value({a, "k"})), std::nullopt);
  EXPECT_EQ(got(backend_.value({a, "k", "w"})), "3");
  EXPECT_EQ(backend_.cell_count(), 3U);
}

TEST_F(State, ListsKeepTheirOrder) {
  const StateId list = declare("list", StateKind::kList);
  append({list, "k"}, {});
  EXPECT_EQ(backend_.cell_count(), 0U);
  append({list, "k"}, {"b", "a"});
  append({list, "k"}, {"b"});
  EXPECT_EQ(got(backend_.list({list, "k"})), (Strings{"b", "a", "b"}));
  EXPECT_EQ(got(backend_.list({list, "other"})), Strings{});
  done(backend_.clear({list, "k"}));
  EXPECT_EQ(got(backend_.list({list, "k"})), Strings{});
}

TEST_F(State, MergedListsMove) {
  const StateId list = declare("list", StateKind::kList);
  append({list, "k", "w1"}, {"a"});
  append({list, "k", "w2"}, {"b", "c"});
  append({list, "k", "w4"}, {"d"});
  append({list, "other", "w2"}, {"x"});
  const std::vector<std::string_view> from{"w2", "w3", "w4"};
  done(backend_.merge_lists({list, "k", "w1"}, from));
  EXPECT_EQ(got(backend_.list({list, "k", "w1"})), (Strings{"a", "b", "c", "d"}));
  EXPECT_EQ(got(backend_.list({list, "k", "w2"})), Strings{});
  EXPECT_EQ(got(backend_.list({list, "other", "w2"})), (Strings{"x"}));
  EXPECT_EQ(backend_.cell_count(), 2U);
}

TEST_F(State, MapsAreReadByEntryAndByPage) {
  const StateId map = declare("map", StateKind::kMap);
  EXPECT_EQ(got(backend_.entry({map, "k"}, "x")), std::nullopt);
  for (const char* field : {"c", "a", "b", "d"}) done(backend_.set_entry({map, "k"}, field, std::string(field) + "!"));
  done(backend_.set_entry({map, "k"}, "a", "again"));
  EXPECT_EQ(got(backend_.entry({map, "k"}, "a")), "again");
  EXPECT_EQ(got(backend_.entries({map, "k"}, std::nullopt, 2)), (StateBackend::Entries{{"a", "again"}, {"b", "b!"}}));
  EXPECT_EQ(got(backend_.entries({map, "k"}, "b", 5)), (StateBackend::Entries{{"c", "c!"}, {"d", "d!"}}));
  EXPECT_EQ(got(backend_.entries({map, "k"}, "d", 5)), StateBackend::Entries{});
  for (const char* field : {"a", "b", "c", "d", "missing"}) done(backend_.remove_entry({map, "k"}, field));
  EXPECT_EQ(backend_.cell_count(), 0U);
}

TEST_F(State, ANameIsOneState) {
  const StateId a = declare("a", StateKind::kValue);
  EXPECT_EQ(declare("a", StateKind::kValue), a);
  EXPECT_EQ(
      backend_.declare({"a", StateKind::kMap, {}}).status().message(),
      "the state \"a\" is a value state and cannot be a map state, too; give the states of one operator different "
      "names");
  EXPECT_EQ(backend_.declare({"a", StateKind::kValue, StateTtl{.duration = 5}}).status().message(),
            "the state \"a\" has another time to live already; give the states of one operator different names");
  EXPECT_EQ(backend_.declare({"b", StateKind::kValue, StateTtl{.duration = 0}}).status().message(),
            "the state \"b\" cannot live for 0 ms; give a time to live of at least 1 ms");
}

TEST_F(State, RefusesWhatWasNotDeclaredSo) {
  const StateId a = declare("a", StateKind::kValue);
  EXPECT_EQ(backend_.value({7, "k"}).status().message(), "there is no state number 7 but 1 states; declare it first");
  EXPECT_EQ(backend_.list({a, "k"}).status().code(), CLUTCH_ERR_ARGUMENT);
  EXPECT_EQ(backend_.set_entry({a, "k"}, "f", "x").code(), CLUTCH_ERR_ARGUMENT);
  EXPECT_EQ(backend_.cell_count(), 0U);
}

TEST_F(State, RefusesKeysOfOtherSubtasks) {
  const KeyGroups groups = *KeyGroups::make(2);
  std::string key;
  while (groups.subtask_of(groups.group_of(key)) != 1) key += "k";
  MemoryBackend first(groups, 0, clock_);
  const StateId a = got(first.declare({"a", StateKind::kValue, {}}));
  const Status status = first.set_value({a, key}, "x");
  EXPECT_EQ(status.code(), CLUTCH_ERR_ARGUMENT);
  EXPECT_EQ(status.message(), "key group " + std::to_string(groups.group_of(key)) +
                                  " is not held here but 0 to 63; send every key to the subtask of its key group");
  EXPECT_EQ(first.snapshot(64).status().code(), CLUTCH_ERR_ARGUMENT);
}

}  // namespace
}  // namespace clutch::engine
