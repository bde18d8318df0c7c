#include <gmock/gmock.h>

#include "function_store.h"
#include "state_fixture.h"

namespace clutch::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr int32_t kPut = CLUTCH_STATE_OP_PUT;
constexpr int32_t kAppend = CLUTCH_STATE_OP_APPEND;
constexpr int32_t kRemove = CLUTCH_STATE_OP_REMOVE;
constexpr int32_t kClear = CLUTCH_STATE_OP_CLEAR;
constexpr int32_t kTouch = CLUTCH_STATE_OP_TOUCH;
constexpr int64_t kAll = INT64_MAX;

// A key that this subtask does not hold.
std::string foreign(const FunctionStore& store) {
  std::string key = "k";
  while (store.holds(key)) key += "k";
  return key;
}

TEST(FunctionState, KeepsValuesListsAndMapsByKey) {
  FunctionStore store(1, 0);
  store.declare_all();
  ASSERT_EQ(store.commit({{0, kPut, "a", {}, "1"},
                          {0, kPut, "b", {}, ""},
                          {1, kAppend, "a", {}, "x"},
                          {1, kAppend, "a", {}, "y"},
                          {2, kPut, "a", "k", "1"},
                          {2, kPut, "a", "", "0"},
                          {2, kRemove, "a", "nowhere", ""}}),
            CLUTCH_OK);
  EXPECT_EQ(store.value("a"), "1");
  EXPECT_EQ(store.value("b"), "");
  EXPECT_EQ(store.value("c"), std::nullopt);
  EXPECT_THAT(store.pages(1, "a"), ElementsAre("x", "y"));
  EXPECT_THAT(store.pages(2, "a"), ElementsAre("=0", "k=1"));
  ASSERT_EQ(store.commit({{0, kClear, "a", {}, ""}, {1, kClear, "a", {}, ""}, {2, kRemove, "a", "", ""}}), CLUTCH_OK);
  EXPECT_EQ(store.value("a"), std::nullopt);
  EXPECT_THAT(store.pages(1, "a"), IsEmpty());
  EXPECT_THAT(store.pages(2, "a"), ElementsAre("k=1"));
}

TEST(FunctionState, LooksUpEntriesOfManyKeys) {
  FunctionStore store(1, 0);
  store.declare_all();
  store.commit({{2, kPut, "a", "k", "1"}, {2, kPut, "", "k", "own"}});
  const std::string a = "a", empty, k = "k", other = "other";
  const clutch_app_entry_name names[] = {{lent(a), lent(k)}, {lent(empty), lent(k)}, {lent(a), lent(other)}};
  clutch_app_state_value found[3] = {};
  ASSERT_EQ(store.table.look_up(store.table.self, 2, names, 3, 1000, found, nullptr), CLUTCH_OK);
  EXPECT_EQ(taken({found[0].data, found[0].size}), "1");
  EXPECT_EQ(taken({found[1].data, found[1].size}), "own");
  EXPECT_EQ(found[2].data, nullptr);
}

TEST(FunctionState, ACommitIsAllOrNothing) {
  FunctionStore store(2, 0);
  store.declare_all();
  std::string key = "a";
  while (!store.holds(key)) key += "a";
  store.commit({{0, kPut, key, {}, "before"}});
  const std::string before = got(store.state.snapshot(store.groups.group_of(key)));
  // Each is bad in one place, behind changes that are good.
  EXPECT_EQ(store.commit({{0, kPut, key, {}, "x"}, {0, kPut, foreign(store), {}, "x"}}), CLUTCH_ERR_ARGUMENT);
  EXPECT_EQ(store.commit({{0, kPut, key, {}, "x"}, {7, kPut, key, {}, "x"}}), CLUTCH_ERR_ARGUMENT);
  EXPECT_EQ(store.commit({{0, kPut, key, {}, "x"}, {0, 9, key, {}, "x"}}), CLUTCH_ERR_ARGUMENT);
  EXPECT_EQ(store.commit({{0, kPut, key, {}, "x"}, {0, kAppend, key, {}, "x"}}), CLUTCH_ERR_ARGUMENT);
  EXPECT_EQ(store.commit({{0, kPut, key, {}, "x"}, {1, kAppend, "", {}, "x"}, {2, kPut, "", {}, "x"}}),
            CLUTCH_ERR_ARGUMENT);
  EXPECT_EQ(store.commit({{0, kPut, key, {}, "x"}}, {{foreign(store), 1, 0, 0}}), CLUTCH_ERR_ARGUMENT);
  EXPECT_EQ(store.commit({{0, kPut, key, {}, "x"}}, {{key, 1, 2, 0}}), CLUTCH_ERR_ARGUMENT);
  EXPECT_EQ(store.value(key), "before");
  EXPECT_EQ(got(store.state.snapshot(store.groups.group_of(key))), before);
  EXPECT_THAT(store.pages(1, ""), IsEmpty());
  EXPECT_EQ(store.state.timer_count(), 0u);
}

TEST(FunctionState, TimersComeInOrderAcrossKeyGroups) {
  FunctionStore store(1, 0);
  store.declare_all();
  store.commit({}, {{"b", 5, 0, 0},
                    {"a", 5, 0, 0},
                    {"c", 4, 0, 0},
                    {"c", 9, 0, 0},
                    {"", 5, 0, 0},
                    {"a", 5, 0, 0},
                    {"a", 700, 1, 0},
                    {"d", 600, 1, 0}});
  EXPECT_EQ(store.state.next_timer(TimerDomain::kEventTime), 4);
  EXPECT_EQ(store.state.next_timer(TimerDomain::kProcessingTime), 600);
  EXPECT_THAT(store.due(5, 650), ElementsAre("c@4", "@5", "a@5", "b@5", "d~600"));
  store.commit({}, {{"c", 4, 0, 1}, {"", 5, 0, 1}, {"nobody", 4, 0, 1}});
  EXPECT_THAT(store.due(kAll, 0), ElementsAre("a@5", "b@5", "c@9"));
  EXPECT_EQ(store.state.next_timer(TimerDomain::kEventTime), 5);
  int64_t time = 0;
  EXPECT_EQ(store.table.next(store.table.self, CLUTCH_TIMER_PROCESSING_TIME, &time, nullptr), CLUTCH_OK);
  EXPECT_EQ(time, 600);
  store.commit({}, {{"a", 700, 1, 1}, {"d", 600, 1, 1}});
  EXPECT_EQ(store.table.next(store.table.self, CLUTCH_TIMER_PROCESSING_TIME, &time, nullptr), CLUTCH_ERR_NOT_FOUND);
}

TEST(FunctionState, TimersBehindTheWatermarkFireWithTheNextOne) {
  FunctionStore store(1, 0);
  store.declare_all();
  store.commit({}, {{"a", 3, 0, 0}, {"a", 30, 1, 0}});
  EXPECT_THAT(store.due(5, 0), ElementsAre("a@3"));
  store.commit({}, {{"a", 3, 0, 1}, {"b", 4, 0, 0}});
  EXPECT_THAT(store.due(5, 30), ElementsAre("a~30"));
  EXPECT_THAT(store.due(6, 0), ElementsAre("b@4"));
}

TEST(FunctionState, TheEmptyKeyIsOfEverySubtask) {
  for (const int32_t subtask : {0, 1, 2, 3}) {
    FunctionStore store(4, subtask);
    store.declare_all();
    ASSERT_EQ(store.commit({{0, kPut, "", {}, "own"}, {2, kPut, "", "rule", "1"}}), CLUTCH_OK);
    EXPECT_EQ(store.value(""), "own");
    FunctionStore after(2, subtask / 2);
    done(after.state.restore_own(got(store.state.snapshot_own())));
    after.declare_all();
    EXPECT_EQ(after.value(""), "own");
    EXPECT_THAT(after.pages(2, ""), ElementsAre("rule=1"));
    // It is in no key group.
    for (int32_t group = store.range.first; group <= store.range.last; ++group) {
      done(after.range.contains(group) ? after.state.restore(group, got(store.state.snapshot(group))) : Status());
    }
    EXPECT_EQ(after.value(""), "own");
  }
}

TEST(FunctionState, StateAndTimersMoveWithTheirKeyGroup) {
  FunctionStore all(1, 0);
  all.declare_all();
  std::vector<FunctionStore::Change> changes;
  std::vector<FunctionStore::TimerChange> timers;
  for (int i = 0; i < 40; ++i) {
    const std::string key = "key" + std::to_string(i);
    changes.push_back({0, kPut, key, {}, std::to_string(i)});
    timers.push_back({key, i, i % 2, 0});
  }
  ASSERT_EQ(all.commit(changes, timers), CLUTCH_OK);
  size_t timer_count = 0;
  for (const int32_t subtask : {0, 1, 2}) {
    FunctionStore part(3, subtask);
    for (int32_t group = part.range.first; group <= part.range.last; ++group) {
      done(part.state.restore(group, got(all.state.snapshot(group))));
      EXPECT_EQ(got(part.state.snapshot(group)), got(all.state.snapshot(group)));
    }
    part.declare_all();
    for (int i = 0; i < 40; ++i) {
      const std::string key = "key" + std::to_string(i);
      if (part.holds(key)) {
        EXPECT_EQ(part.value(key), std::to_string(i));
      }
    }
    timer_count += part.state.timer_count();
    for (const std::string& timer : part.due(kAll, kAll))
      EXPECT_TRUE(part.holds(timer.substr(0, timer.find_first_of("@~"))));
  }
  EXPECT_EQ(timer_count, 40u);
}

TEST(FunctionState, ReadsSnapshotsOfBackendsWithoutTimers) {
  FunctionStore before(1, 0);
  before.declare_all();
  before.commit({{0, kPut, "a", {}, "1"}}, {{"a", 5, 0, 0}});
  const int32_t group = before.groups.group_of("a");
  FunctionStore after(1, 0);
  after.declare_all();
  after.commit({}, {{"a", 9, 0, 0}});
  done(after.state.restore(group, got(before.backend.snapshot(group))));
  EXPECT_EQ(after.value("a"), "1");
  EXPECT_EQ(after.state.timer_count(), 0u);
}

TEST(FunctionState, RefusesSnapshotsThatAreNone) {
  FunctionStore store(1, 0);
  store.declare_all();
  store.commit({{0, kPut, "a", {}, "1"}}, {{"a", 5, 0, 0}, {"a", 6, 1, 0}});
  const int32_t group = store.groups.group_of("a");
  const std::string good = got(store.state.snapshot(group));
  for (size_t size = 0; size < good.size(); ++size) {
    const Status status = store.state.restore(group, std::string_view(good).substr(0, size));
    EXPECT_EQ(status.code(), CLUTCH_ERR_DATA) << size;
    EXPECT_THAT(std::string(status.message()), HasSubstr("the snapshot of a key group cannot be read: "));
  }
  EXPECT_EQ(store.state.restore(group, good + "x").code(), CLUTCH_ERR_DATA);
  const Status version = store.state.restore(group, "\x03");
  EXPECT_EQ(std::string(version.message()),
            "the snapshot of a key group cannot be read: its version is neither 1 nor 2 at byte 1 of 1; restore from "
            "another checkpoint");
  const Status other = store.state.restore((group + 1) % 8, good);
  EXPECT_EQ(other.code(), CLUTCH_ERR_DATA);
  EXPECT_THAT(std::string(other.message()), HasSubstr("restore with the max parallelism it was taken with"));
  EXPECT_EQ(got(store.state.snapshot(group)), good);
}

TEST(FunctionState, TouchesRefreshWhatIsDeclaredToLiveByReads) {
  for (const bool reads_count : {false, true}) {
    FunctionStore store(1, 0);
    clutch_state_declaration declaration{};
    declaration.struct_size = sizeof(declaration);
    declaration.name = {"value", 5};
    declaration.ttl_ms = 100;
    declaration.ttl_update = reads_count ? 1 : 0;
    ASSERT_EQ(store.table.declare(store.table.self, 0, &declaration, nullptr), CLUTCH_OK);
    store.commit({{0, kPut, "a", {}, "1"}, {0, kPut, "", {}, "2"}}, {}, 1000);
    store.commit({{0, kTouch, "a", {}, ""}, {0, kTouch, "", {}, ""}}, {}, 1050);
    EXPECT_EQ(store.value("a", 1099), "1");
    EXPECT_EQ(store.value("a", 1100).has_value(), reads_count);
    EXPECT_EQ(store.value("", 1100).has_value(), reads_count);
    EXPECT_EQ(store.value("a", 1150), std::nullopt);
  }
}

TEST(FunctionState, SaysWhyInTheErrorOfTheCall) {
  FunctionStore store(1, 0);
  EXPECT_EQ(store.declare(0, "s", CLUTCH_STATE_VALUE), CLUTCH_OK);
  EXPECT_EQ(store.declare(1, "s", CLUTCH_STATE_LIST), CLUTCH_ERR_ARGUMENT);
  clutch_app_state_value value{};
  const clutch_bytes key{nullptr, 0};
  EXPECT_EQ(store.table.read(store.table.self, 3, &key, 1, 0, &value, nullptr), CLUTCH_ERR_ARGUMENT);
}

}  // namespace
}  // namespace clutch::engine
