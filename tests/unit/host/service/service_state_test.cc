#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "keyed.h"

namespace clutch::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

const auto kNone = std::nullopt;

// Run one batch with this body; the body's outcome is the batch's.
template <typename Body>
void run(Keyed& keyed, const Function& function, KeyedBatch batch, Body body) {
  keyed.plugin.submit = [&](const clutch_batch& taken, clutch_error* error) -> int32_t { return body(taken, error); };
  batch.call(function);
}

TEST(ServiceState, ValuesAreCommittedWithTheBatchAndSeenByTheNext) {
  Keyed keyed;
  keyed.states = {{"count", CLUTCH_STATE_VALUE}};
  const FakeHost host({&keyed.plugin});
  const Function function = host.open(keyed_spec());
  run(keyed, function, KeyedBatch({1, 2, 3}, {"b", "a", "b"}), [&](const clutch_batch& batch, clutch_error* error) {
    EXPECT_EQ(batch.keys->length, 2);  // Distinct, in the order of the rows.
    EXPECT_EQ(batch.key_index->length, 3);
    const int32_t* index = columnar::ArrayView(*batch.key_index).values<int32_t>();
    EXPECT_THAT(std::vector<int32_t>(index, index + 3), ElementsAre(0, 1, 0));
    EXPECT_THAT(keyed.read(batch, 0), ElementsAre(Pair(kNone, 0), Pair(kNone, 0)));
    const int32_t status = keyed.change(batch, 0, {{0, CLUTCH_STATE_OP_PUT, kNone, "two"}}, error);
    // What the batch wrote it reads, with no version to rely on.
    EXPECT_THAT(keyed.read(batch, 0), ElementsAre(Pair("two", -1), Pair(kNone, 0)));
    return status;
  });
  int64_t version = 0;
  run(keyed, function, KeyedBatch({1, 1}, {"a", "b"}), [&](const clutch_batch& batch, clutch_error* error) {
    const auto values = keyed.read(batch, 0);
    EXPECT_EQ(values[0].first, kNone);
    EXPECT_EQ(values[1].first, "two");
    version = values[1].second;
    EXPECT_GT(version, 0);
    return keyed.change(batch, 0, {{1, CLUTCH_STATE_OP_CLEAR, kNone, kNone}}, error);
  });
  run(keyed, function, KeyedBatch({1}, {"b"}), [&](const clutch_batch& batch, clutch_error* error) {
    EXPECT_THAT(keyed.read(batch, 0), ElementsAre(Pair(kNone, 0)));
    return keyed.change(batch, 0, {{0, CLUTCH_STATE_OP_PUT, kNone, "three"}}, error);
  });
  run(keyed, function, KeyedBatch({1}, {"b"}), [&](const clutch_batch& batch, clutch_error*) {
    const auto values = keyed.read(batch, 0);
    EXPECT_EQ(values[0].first, "three");
    EXPECT_GT(values[0].second, version);  // A version never comes back, also not after a clear.
    return CLUTCH_OK;
  });
}

TEST(ServiceState, AFailedBatchChangesNothing) {
  Keyed keyed;
  keyed.states = {{"count", CLUTCH_STATE_VALUE}};
  const FakeHost host({&keyed.plugin});
  const Function function = host.open(keyed_spec());
  EXPECT_THROW(run(keyed, function, KeyedBatch({1}, {"a"}),
                   [&](const clutch_batch& batch, clutch_error* error) {
                     keyed.change(batch, 0, {{0, CLUTCH_STATE_OP_PUT, kNone, "x"}}, error);
                     keyed.set_timers(batch, {{0, 5, 0, 0}}, error);
                     keyed.plugin.fail(error, CLUTCH_ERR_USER, "no");
                     return CLUTCH_ERR_USER;
                   }),
               Error);
  run(keyed, function, KeyedBatch({1}, {"a"}), [&](const clutch_batch& batch, clutch_error*) {
    EXPECT_THAT(keyed.read(batch, 0), ElementsAre(Pair(kNone, 0)));
    EXPECT_EQ(batch.timers, nullptr);
    return CLUTCH_OK;
  });
  int64_t time = 0;
  EXPECT_EQ(clutch_app_function_next_timer(function.get(), CLUTCH_APP_EVENT_TIME, &time), CLUTCH_ERR_NOT_FOUND);
}

TEST(ServiceState, MapsAreReadInPagesThroughTheChangesOfTheBatch) {
  Keyed keyed;
  keyed.states = {{"seen", CLUTCH_STATE_MAP}};
  const FakeHost host({&keyed.plugin});
  const Function function = host.open(keyed_spec());
  run(keyed, function, KeyedBatch({1}, {"a"}), [&](const clutch_batch& batch, clutch_error* error) {
    return keyed.change(batch, 0,
                        {{0, CLUTCH_STATE_OP_PUT, "", "empty"},
                         {0, CLUTCH_STATE_OP_PUT, "b", "1"},
                         {0, CLUTCH_STATE_OP_PUT, "c", "2"},
                         {0, CLUTCH_STATE_OP_PUT, "e", "3"}},
                        error);
  });
  run(keyed, function, KeyedBatch({1}, {"a"}), [&](const clutch_batch& batch, clutch_error* error) {
    int pages = 0;
    EXPECT_THAT(keyed.pages(batch, 0, 0, 1, &pages), ElementsAre("=empty", "b=1", "c=2", "e=3"));
    EXPECT_EQ(pages, 4);
    keyed.change(batch, 0,
                 {{0, CLUTCH_STATE_OP_REMOVE, "c", kNone},
                  {0, CLUTCH_STATE_OP_PUT, "b", "new"},
                  {0, CLUTCH_STATE_OP_PUT, "d", "4"}},
                 error);
    EXPECT_THAT(keyed.pages(batch, 0, 0, 1), ElementsAre("=empty", "b=new", "d=4", "e=3"));
    EXPECT_THAT(keyed.pages(batch, 0, 0, 1 << 20, &pages), ElementsAre("=empty", "b=new", "d=4", "e=3"));
    EXPECT_EQ(pages, 1);
    const columnar::Array keys = batch_of(3, int32_column({0, 0, 0}), bytes_column({"c", "d", "nowhere"}));
    ArrowArray raw{};
    EXPECT_EQ(keyed.state().lookup(batch.context, 0, keys.get(), &raw, error), CLUTCH_OK);
    const columnar::Array found(std::move(raw));
    const columnar::ArrayView values(*found->children[0]);
    EXPECT_TRUE(values.is_null(0));
    EXPECT_EQ(values.bytes_at<int32_t>(1), "4");
    EXPECT_TRUE(values.is_null(2));
    return keyed.change(batch, 0, {{0, CLUTCH_STATE_OP_CLEAR, kNone, kNone}, {0, CLUTCH_STATE_OP_PUT, "z", "9"}},
                        error);
  });
  run(keyed, function, KeyedBatch({1}, {"a"}), [&](const clutch_batch& batch, clutch_error*) {
    EXPECT_THAT(keyed.pages(batch, 0, 0, 100), ElementsAre("z=9"));
    return CLUTCH_OK;
  });
}

TEST(ServiceState, ListsAppendAndAreReplaced) {
  Keyed keyed;
  keyed.states = {{"items", CLUTCH_STATE_LIST}};
  const FakeHost host({&keyed.plugin});
  const Function function = host.open(keyed_spec());
  const auto append = [](const char* value) { return Change{0, CLUTCH_STATE_OP_APPEND, kNone, value}; };
  run(keyed, function, KeyedBatch({1}, {"a"}), [&](const clutch_batch& batch, clutch_error* error) {
    return keyed.change(batch, 0, {append("1"), append("2"), append("3")}, error);
  });
  run(keyed, function, KeyedBatch({1}, {"a"}), [&](const clutch_batch& batch, clutch_error* error) {
    keyed.change(batch, 0, {append("4")}, error);
    EXPECT_THAT(keyed.pages(batch, 0, 0, 1), ElementsAre("1", "2", "3", "4"));
    keyed.change(batch, 0, {{0, CLUTCH_STATE_OP_PUT, kNone, "5"}, append("6")}, error);
    EXPECT_THAT(keyed.pages(batch, 0, 0, 1), ElementsAre("5", "6"));
    return CLUTCH_OK;
  });
  run(keyed, function, KeyedBatch({1}, {"a"}), [&](const clutch_batch& batch, clutch_error*) {
    EXPECT_THAT(keyed.pages(batch, 0, 0, 100), ElementsAre("5", "6"));
    return CLUTCH_OK;
  });
}

TEST(ServiceState, ExpiresByTheProcessingTimeOfTheBatch) {
  Keyed keyed;
  keyed.states = {{"count", CLUTCH_STATE_VALUE, 100}, {"items", CLUTCH_STATE_LIST, 100}};
  const FakeHost host({&keyed.plugin});
  const Function function = host.open(keyed_spec());
  run(keyed, function, KeyedBatch({1}, {"a"}), [&](const clutch_batch& batch, clutch_error* error) {
    keyed.change(batch, 1, {{0, CLUTCH_STATE_OP_APPEND, kNone, "old"}}, error);
    return keyed.change(batch, 0, {{0, CLUTCH_STATE_OP_PUT, kNone, "x"}}, error);
  });
  run(keyed, function, std::move(KeyedBatch({1}, {"a"}).at(1099)), [&](const clutch_batch& batch, clutch_error* error) {
    EXPECT_EQ(keyed.read(batch, 0)[0].first, "x");
    return keyed.change(batch, 1, {{0, CLUTCH_STATE_OP_APPEND, kNone, "young"}}, error);
  });
  run(keyed, function, std::move(KeyedBatch({1}, {"a"}).at(1100)), [&](const clutch_batch& batch, clutch_error*) {
    EXPECT_EQ(keyed.read(batch, 0)[0].first, kNone);
    EXPECT_THAT(keyed.pages(batch, 1, 0, 100), ElementsAre("young"));
    return CLUTCH_OK;
  });
}

TEST(ServiceState, ExpiredKeysThatNobodyTouchesAreSweptAway) {
  host::StateStore store;
  const host::StateInfo info{"count", CLUTCH_STATE_VALUE, 100};
  ASSERT_TRUE(store.declare(info).ok());
  const auto put = [&](const std::string& key, int64_t now_ms) {
    host::StateChanges changes(1);
    changes[0][key].value = "x";
    store.commit(changes, now_ms);
  };
  for (int i = 0; i < 50; ++i) put("old" + std::to_string(i), 0);
  for (int i = 0; i < 60; ++i) put("young", 1000);
  EXPECT_EQ(store.key_count(0), 1u);
}

struct BadChange {
  const char* name;
  uint32_t state;
  Change change;
  const char* sentence;
};

class ServiceStateRefuses : public ::testing::TestWithParam<BadChange> {};

TEST_P(ServiceStateRefuses, Change) {
  const BadChange& bad = GetParam();
  Keyed keyed;
  keyed.states = {{"v", CLUTCH_STATE_VALUE}, {"l", CLUTCH_STATE_LIST}, {"m", CLUTCH_STATE_MAP}};
  const FakeHost host({&keyed.plugin});
  const Function function = host.open(keyed_spec());
  try {
    run(keyed, function, KeyedBatch({1}, {"a"}), [&](const clutch_batch& batch, clutch_error* error) {
      return keyed.change(batch, bad.state, {bad.change}, error);
    });
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), bad.sentence);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Sentences, ServiceStateRefuses,
    ::testing::Values(
        BadChange{
            "state", 3, {0, CLUTCH_STATE_OP_PUT, kNone, "x"}, "state 3 was not declared; the function declared 3"},
        BadChange{
            "key", 0, {1, CLUTCH_STATE_OP_PUT, kNone, "x"}, "function \"keyed\": key 1 is used, the batch has 1 keys"},
        BadChange{"append",
                  0,
                  {0, CLUTCH_STATE_OP_APPEND, kNone, "x"},
                  "state \"v\" change 0: op 1 is not one of this kind of state"},
        BadChange{"op", 1, {0, 9, kNone, "x"}, "state \"l\" change 0: op 9 is not one of this kind of state"},
        BadChange{"map_key", 2, {0, CLUTCH_STATE_OP_PUT, kNone, "x"}, "state \"m\" change 0: map_key is null"},
        BadChange{"value",
                  0,
                  {0, CLUTCH_STATE_OP_PUT, kNone, kNone},
                  "state \"v\" change 0: value is null; use op clear or remove"}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(ServiceState, DeclarationsMustAgree) {
  Keyed keyed;
  keyed.states = {{"v", CLUTCH_STATE_VALUE}, {"v", CLUTCH_STATE_LIST}};
  const FakeHost host({&keyed.plugin});
  try {
    host.open(keyed_spec());
    FAIL() << "opened";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "state \"v\" is declared twice, with different kinds or times to live");
  }
  keyed.states = {{"v", CLUTCH_STATE_VALUE}, {"v", CLUTCH_STATE_VALUE}};
  host.open(keyed_spec());
}

TEST(ServiceState, NeedsKeys) {
  Keyed keyed;
  keyed.states = {{"v", CLUTCH_STATE_VALUE}};
  const FakeHost host({&keyed.plugin});
  const Function function = host.open(keyed_spec());
  keyed.plugin.submit = [&](const clutch_batch& batch, clutch_error* error) {
    ArrowArray out{};
    return keyed.state().read(batch.context, 0, &out, error);
  };
  try {
    function.call(numbers({1}));
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "the batch has no keys, so it has no state");
  }
}

TEST(ServiceKeys, RefusesKeysThatDoNotFitTheRows) {
  Keyed keyed;
  const FakeHost host({&keyed.plugin});
  const Function function = host.open(keyed_spec());
  const auto sentence = [&](KeyedBatch batch) {
    try {
      batch.call(function);
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_EQ(sentence(KeyedBatch({1, 2}, {"a"})),
            "function \"keyed\": input: keys has 1 entries for 2 rows; give one a row, or the distinct keys with "
            "key_index");
  KeyedBatch high({1}, {"a"});
  columnar::Array index = int32_column({1});
  high.options.key_index = index.get();
  EXPECT_EQ(sentence(std::move(high)), "function \"keyed\": input: key_index of row 0 is 1, keys has 1 entries");
  KeyedBatch twice({1}, {"a", "a"});
  columnar::Array first = int32_column({0});
  twice.options.key_index = first.get();
  EXPECT_THAT(sentence(std::move(twice)), HasSubstr("keys has the key at 1 twice; beside key_index it holds each key"));
  EXPECT_EQ(first.empty(), true);  // Moved in also where the call fails.
}

columnar::Array merges_of(const std::vector<int32_t>& into, const std::vector<int32_t>& from) {
  return batch_of(static_cast<int64_t>(into.size()), int32_column(into), int32_column(from));
}

TEST(ServiceKeys, GivesFlagsAndMergesToThePlugin) {
  Keyed keyed;
  std::vector<int32_t> seen;
  keyed.plugin.submit = [&](const clutch_batch& batch, clutch_error*) {
    seen = {columnar::ArrayView(*batch.row_flags).values<int8_t>()[0],
            columnar::ArrayView(*batch.merges->children[0]).values<int32_t>()[0],
            columnar::ArrayView(*batch.merges->children[1]).values<int32_t>()[0]};
    return int32_t{CLUTCH_OK};
  };
  const FakeHost host({&keyed.plugin});
  const Function function = host.open(keyed_spec());
  KeyedBatch batch({1}, {"a", "b"});
  columnar::Array index = int32_column({0});
  columnar::Array flags = int8_column({CLUTCH_ROW_SKIP});
  columnar::Array merges = merges_of({0}, {1});
  batch.options.key_index = index.get();
  batch.options.row_flags = flags.get();
  batch.options.merges = merges.get();
  batch.call(function);
  EXPECT_EQ(seen, (std::vector<int32_t>{CLUTCH_ROW_SKIP, 0, 1}));
  EXPECT_TRUE(merges.empty());
}

TEST(ServiceKeys, TakesOptionsOfTheFirstReleaseWithoutLookingBehindThem) {
  Keyed keyed;
  const ArrowArray* seen = nullptr;
  keyed.plugin.submit = [&](const clutch_batch& batch, clutch_error*) {
    seen = batch.row_flags;
    return int32_t{CLUTCH_OK};
  };
  const FakeHost host({&keyed.plugin});
  const Function function = host.open(keyed_spec());
  KeyedBatch batch({1}, {"a"});
  columnar::Array flags = int8_column({CLUTCH_ROW_SKIP});
  batch.options.row_flags = flags.get();
  batch.options.struct_size = offsetof(clutch_app_batch_options, row_flags);
  batch.call(function);
  EXPECT_EQ(seen, nullptr);
  EXPECT_FALSE(flags.empty());
}

TEST(ServiceKeys, RefusesMergesThatNameNoTwoKeys) {
  Keyed keyed;
  const FakeHost host({&keyed.plugin});
  const Function function = host.open(keyed_spec());
  const auto sentence = [&](bool with_index, columnar::Array merges) {
    KeyedBatch batch({1}, with_index ? std::vector<std::string>{"a", "b"} : std::vector<std::string>{"a"});
    columnar::Array index = int32_column({0});
    if (with_index) batch.options.key_index = index.get();
    batch.options.merges = merges.get();
    try {
      batch.call(function);
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  const std::string prefix = "function \"keyed\": input: ";
  EXPECT_EQ(sentence(false, merges_of({0}, {1})),
            prefix + "merges name positions in keys; give the distinct keys with key_index");
  EXPECT_EQ(sentence(true, merges_of({0}, {2})),
            prefix + "merge 0 is of key 2 into key 0; give two different positions of the 2 keys");
  EXPECT_EQ(sentence(true, merges_of({0, 1}, {1, 1})),
            prefix + "merge 1 is of key 1 into key 1; give two different positions of the 2 keys");
}

TEST(ServiceKeys, OriginsOfAggregatesArePositionsOfKeys) {
  Keyed keyed;
  int32_t last = 1;
  keyed.plugin.submit = [&](const clutch_batch& batch, clutch_error* error) {
    return keyed.plugin.emit(batch, batch_of(2, int64_column({7, 8})), int32_column({0, last}), CLUTCH_TAG_MAIN, error);
  };
  const FakeHost host({&keyed.plugin});
  const Function function =
      host.open(Spec(CLUTCH_KIND_TABLE_AGGREGATE, imported("m:f")).name("sum").input("x: int64").output("x: int64"));
  EXPECT_EQ(KeyedBatch({1, 2, 3}, {"a", "b", "a"}).call(function).origin(1), 1);
  last = 2;  // A row of the input, but no key.
  try {
    KeyedBatch({1, 2, 3}, {"a", "b", "a"}).call(function);
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("origin names group 2, the batch has 2 groups"));
  }
}

TEST(ServiceKeys, BatchesWithKeysRunOneAtATime) {
  Keyed keyed;
  keyed.plugin.max_in_flight = 3;
  Worker worker(keyed.plugin);
  keyed.plugin.submit = [&](const clutch_batch& batch, clutch_error* error) { return worker.take(batch, error); };
  const FakeHost host({&keyed.plugin});
  const Function function = host.open(keyed_spec());
  KeyedBatch first({1}, {"a"});
  function.submit(std::move(first.rows), first.options);
  KeyedBatch second({1}, {"a"});
  second.options.timeout_ms = 20;
  EXPECT_THROW(function.submit(std::move(second.rows), second.options), Error);
  EXPECT_THROW(function.submit(numbers({1}), Milliseconds(20)), Error);
  worker.finish(1);
  function.await(1);
  EXPECT_EQ(function.submit(numbers({1})), 2u);
  EXPECT_EQ(function.submit(numbers({1})), 3u);
  worker.finish(2);
  worker.finish(3);
}

}  // namespace
}  // namespace clutch::testing
