#include <random>

#include "state_fixture.h"

namespace clutch::engine {
namespace {

class Snapshot : public State {
 protected:
  // States of all kinds with some keys; the order in which they are written does not matter.
  void fill(int keys) {
    const StateId value = declare("value", StateKind::kValue);
    const StateId list = declare("list", StateKind::kList);
    const StateId map = declare("map", StateKind::kMap, StateTtl{.duration = 100});
    for (int i = 0; i < keys; ++i) {
      const std::string key = "key " + std::to_string(i);
      done(backend_.set_value({value, key}, std::to_string(i)));
      append({list, key, "window"}, {key, "", "more"});
      done(backend_.set_entry({map, key}, "a", std::string(300, 'x')));
      done(backend_.set_entry({map, key}, std::string("\0b", 2), ""));
    }
  }
};

TEST_F(Snapshot, RestoresOnAnotherParallelismWhatWasThere) {
  fill(200);
  const KeyGroups three = *KeyGroups::make(3);
  size_t cells = 0;
  for (int32_t subtask = 0; subtask < 3; ++subtask) {
    MemoryBackend other(three, subtask, clock_);
    const KeyGroupRange range = three.range_of(subtask);
    for (int32_t group = range.first; group <= range.last; ++group) {
      const std::string bytes = got(backend_.snapshot(group));
      done(other.restore(group, bytes));
      EXPECT_EQ(got(other.snapshot(group)), bytes);
    }
    cells += other.cell_count();
    const StateId value = got(other.declare({"value", StateKind::kValue, {}}));
    const StateId list = got(other.declare({"list", StateKind::kList, {}}));
    for (int i = 0; i < 200; ++i) {
      const std::string key = "key " + std::to_string(i);
      if (!range.contains(three.group_of(key))) continue;
      EXPECT_EQ(got(other.value({value, key})), std::to_string(i));
      EXPECT_EQ(got(other.list({list, key, "window"})), (Strings{key, "", "more"}));
    }
  }
  EXPECT_EQ(cells, backend_.cell_count());
}

TEST_F(Snapshot, KeepsAgesAndLeavesOutWhatHasExpired) {
  const StateTtl ttl{.duration = 10};
  const StateId a = declare("a", StateKind::kValue, ttl);
  const int32_t group = groups_.group_of("k");
  done(backend_.set_value({a, "k"}, "1"));
  clock_.advance(6);
  const std::string bytes = got(backend_.snapshot(group));
  MemoryBackend other(groups_, 0, clock_);
  done(other.restore(group, bytes));
  const StateId restored = got(other.declare({"a", StateKind::kValue, ttl}));
  clock_.advance(3);
  EXPECT_EQ(got(other.value({restored, "k"})), "1");
  clock_.advance(1);
  EXPECT_EQ(got(other.value({restored, "k"})), std::nullopt);
  EXPECT_LT(got(backend_.snapshot(group)).size(), bytes.size());
  EXPECT_EQ(backend_.cell_count(), 0U);
}

TEST_F(Snapshot, ReplacesWhatTheGroupHad) {
  const StateId a = declare("a", StateKind::kValue);
  const int32_t group = groups_.group_of("k");
  const std::string nothing = got(backend_.snapshot(group));
  done(backend_.set_value({a, "k"}, "1"));
  done(backend_.restore(group, nothing));
  EXPECT_EQ(got(backend_.value({a, "k"})), std::nullopt);
}

TEST_F(Snapshot, RefusesAStateOfAnotherKindAndAKeyOfAnotherGroup) {
  const StateId a = declare("a", StateKind::kValue);
  done(backend_.set_value({a, "k"}, "1"));
  const int32_t group = groups_.group_of("k");
  const std::string bytes = got(backend_.snapshot(group));
  MemoryBackend other(groups_, 0, clock_);
  const StateId list = got(other.declare({"a", StateKind::kList, {}}));
  const std::vector<std::string_view> items{"kept"};
  done(other.append({list, "k"}, items));
  EXPECT_EQ(
      other.restore(group, bytes).message(),
      "the state \"a\" is a value state and cannot be a list state, too; give the states of one operator different "
      "names");
  EXPECT_EQ(got(other.list({list, "k"})), (Strings{"kept"}));
  const int32_t wrong = (group + 1) % groups_.max_parallelism();
  EXPECT_EQ(backend_.restore(wrong, bytes).message(), "the snapshot of key group " + std::to_string(wrong) +
                                                          " holds a key of group " + std::to_string(group) +
                                                          "; restore with the max parallelism it was taken with");
}

TEST_F(Snapshot, BrokenBytesAreRefusedAndChangeNothing) {
  fill(1);
  const int32_t group = groups_.group_of("key 0");
  const std::string bytes = got(backend_.snapshot(group));
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_EQ(backend_.restore(group, std::string_view(bytes).substr(0, size)).code(), CLUTCH_ERR_DATA) << size;
  }
  EXPECT_EQ(backend_.restore(group, bytes + "x").message(),
            "the snapshot of a key group cannot be read: something follows its end at byte " +
                std::to_string(bytes.size()) + " of " + std::to_string(bytes.size() + 1) +
                "; restore from another checkpoint");
  EXPECT_EQ(got(backend_.snapshot(group)), bytes);
  std::mt19937 random(5);
  for (int i = 0; i < 5000; ++i) {
    std::string damaged = bytes;
    for (int j = 0; j < 3; ++j) damaged[random() % damaged.size()] = static_cast<char>(random());
    MemoryBackend other(groups_, 0, clock_);
    if (other.restore(group, damaged).ok()) continue;  // other contents, but contents
    EXPECT_EQ(other.cell_count(), 0U);
  }
}

}  // namespace
}  // namespace clutch::engine
