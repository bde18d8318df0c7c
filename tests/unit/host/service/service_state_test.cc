#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "conform/plain_store.h"
#include "keyed.h"
#include "service/key_table.h"
#include "service/memory_store.h"

namespace clutch::testing {
namespace {

using ::testing::AnyOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;
using ::testing::ThrowsMessage;

const auto kNone = std::nullopt;

// Run one batch with this body; the body's outcome is the batch's.
template <typename Body>
void run(Keyed& keyed, const Function& function, KeyedBatch batch, Body body) {
  keyed.plugin.submit = [&](const clutch_batch& taken, clutch_error* error) -> int32_t { return body(taken, error); };
  batch.call(function);
}

// With the host's store and with one of the application: nobody can tell them apart.
class ServiceState : public ::testing::TestWithParam<const char*> {
 protected:
  Function open(const FakeHost& host) {
    Spec spec = keyed_spec();
    if (std::string_view(GetParam()) == "application") spec.state_store(store_.table());
    return host.open(spec);
  }
  bool counts_versions() const { return std::string_view(GetParam()) == "host"; }

 private:
  tool::PlainStore store_;
};

INSTANTIATE_TEST_SUITE_P(Stores, ServiceState, ::testing::Values("host", "application"),
                         [](const auto& test) { return std::string(test.param); });

TEST_P(ServiceState, ValuesAreCommittedWithTheBatchAndSeenByTheNext) {
  Keyed keyed;
  keyed.states = {{"count", CLUTCH_STATE_VALUE}};
  const FakeHost host({&keyed.plugin});
  const Function function = open(host);
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
    if (counts_versions()) {
      EXPECT_GT(version, 0);
    }
    if (!counts_versions()) {
      EXPECT_EQ(version, -1);
    }
    return keyed.change(batch, 0, {{1, CLUTCH_STATE_OP_CLEAR, kNone, kNone}}, error);
  });
  run(keyed, function, KeyedBatch({1}, {"b"}), [&](const clutch_batch& batch, clutch_error* error) {
    EXPECT_THAT(keyed.read(batch, 0), ElementsAre(Pair(kNone, 0)));
    return keyed.change(batch, 0, {{0, CLUTCH_STATE_OP_PUT, kNone, "three"}}, error);
  });
  run(keyed, function, KeyedBatch({1}, {"b"}), [&](const clutch_batch& batch, clutch_error*) {
    const auto values = keyed.read(batch, 0);
    EXPECT_EQ(values[0].first, "three");
    // A version never comes back, also not after a clear.
    if (counts_versions()) {
      EXPECT_GT(values[0].second, version);
    }
    return CLUTCH_OK;
  });
}

TEST_P(ServiceState, AFailedBatchChangesNothing) {
  Keyed keyed;
  keyed.states = {{"count", CLUTCH_STATE_VALUE}};
  const FakeHost host({&keyed.plugin});
  const Function function = open(host);
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

TEST_P(ServiceState, MapsAreReadInPagesThroughTheChangesOfTheBatch) {
  Keyed keyed;
  keyed.states = {{"seen", CLUTCH_STATE_MAP}};
  const FakeHost host({&keyed.plugin});
  const Function function = open(host);
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

TEST_P(ServiceState, WhatAllKeysHaveIsReadAtOnce) {
  constexpr uint64_t kLarge = 1 << 20;
  Keyed keyed;
  keyed.states = {{"seen", CLUTCH_STATE_MAP}, {"items", CLUTCH_STATE_LIST}, {"last", CLUTCH_STATE_VALUE}};
  const FakeHost host({&keyed.plugin});
  const Function function = open(host);
  run(keyed, function, KeyedBatch({1, 2, 3}, {"a", "b", "c"}), [&](const clutch_batch& batch, clutch_error* error) {
    EXPECT_THAT(keyed.all_keys(batch, 0, kLarge), ElementsAre());
    keyed.change(batch, 1, {{2, CLUTCH_STATE_OP_APPEND, kNone, "1"}, {0, CLUTCH_STATE_OP_APPEND, kNone, "2"}}, error);
    return keyed.change(
        batch, 0,
        {{0, CLUTCH_STATE_OP_PUT, "y", "1"}, {0, CLUTCH_STATE_OP_PUT, "x", "2"}, {2, CLUTCH_STATE_OP_PUT, "z", "3"}},
        error);
  });
  run(keyed, function, KeyedBatch({1, 2, 3}, {"c", "b", "a"}), [&](const clutch_batch& batch, clutch_error* error) {
    EXPECT_THAT(keyed.all_keys(batch, 0, kLarge), ElementsAre("0 z=3", "2 x=2", "2 y=1"));
    EXPECT_THAT(keyed.all_keys(batch, 1, kLarge), ElementsAre("0 1", "2 2"));
    keyed.change(batch, 0, {{1, CLUTCH_STATE_OP_PUT, "w", "4"}, {2, CLUTCH_STATE_OP_REMOVE, "x", kNone}}, error);
    EXPECT_THAT(keyed.all_keys(batch, 0, kLarge), ElementsAre("0 z=3", "1 w=4", "2 y=1"));
    keyed.change(batch, 0, {{0, CLUTCH_STATE_OP_PUT, "a", "5"}, {0, CLUTCH_STATE_OP_PUT, "c", "6"}}, error);
    keyed.change(batch, 1, {{2, CLUTCH_STATE_OP_APPEND, kNone, "7"}}, error);
    EXPECT_THAT(keyed.all_keys(batch, 0, 1), ElementsAre("0 a=5", "...", "0 c=6", "0 z=3", "1 w=4", "2 y=1"));
    EXPECT_THAT(keyed.all_keys(batch, 1, 1), ElementsAre("0 1", "2 2", "...", "2 7"));
    EXPECT_THAT(
        [&] { (void)keyed.all_keys(batch, 2, kLarge); },
        ThrowsMessage<std::runtime_error>(HasSubstr("state \"last\" is a value state, which has no pages; use read")));
    return CLUTCH_OK;
  });
}

// A worker that broke its promises may pass on any bytes as a cursor.
TEST_P(ServiceState, ACursorThatNobodyGaveReadsWhatIsThereOrNothing) {
  Keyed keyed;
  keyed.states = {{"seen", CLUTCH_STATE_MAP}, {"items", CLUTCH_STATE_LIST}};
  const FakeHost host({&keyed.plugin});
  const Function function = open(host);
  const auto change = [&](const clutch_batch& batch, const std::string& name, clutch_error* error) {
    keyed.change(batch, 0, {{0, CLUTCH_STATE_OP_PUT, name, name}}, error);
    return keyed.change(batch, 1, {{0, CLUTCH_STATE_OP_APPEND, kNone, name}}, error);
  };
  run(keyed, function, KeyedBatch({1}, {"a"}),
      [&](const clutch_batch& batch, clutch_error* error) { return change(batch, "b", error); });
  run(keyed, function, KeyedBatch({1}, {"a"}), [&](const clutch_batch& batch, clutch_error* error) {
    change(batch, "c", error);
    const std::string zeros(16, '\0');
    const std::string ones(16, '\xff');
    for (const std::string& cursor :
         {std::string("?"), std::string("k"), zeros.substr(8), zeros + "x", ones, zeros.substr(8) + ones.substr(8),
          ones.substr(8) + zeros.substr(8), std::string(70'000, 'z'), std::string(70'000, 'a')}) {
      for (const uint32_t state : {0U, 1U}) {
        for (const std::string& entry : keyed.pages(batch, state, 0, 1, nullptr, cursor)) {
          EXPECT_THAT(entry, AnyOf("b=b", "c=c", "b", "c"));
        }
      }
    }
    return CLUTCH_OK;
  });
}

TEST_P(ServiceState, ListsAppendAndAreReplaced) {
  Keyed keyed;
  keyed.states = {{"items", CLUTCH_STATE_LIST}};
  const FakeHost host({&keyed.plugin});
  const Function function = open(host);
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

TEST_P(ServiceState, ExpiresByTheProcessingTimeOfTheBatch) {
  Keyed keyed;
  keyed.states = {{"count", CLUTCH_STATE_VALUE, 100}, {"items", CLUTCH_STATE_LIST, 100}};
  const FakeHost host({&keyed.plugin});
  const Function function = open(host);
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

TEST(ServiceMemoryStore, ExpiredKeysThatNobodyTouchesAreSweptAway) {
  host::MemoryStore store;
  ASSERT_TRUE(store.declare({"count", CLUTCH_STATE_VALUE, 100}).ok());
  const auto put = [&](const std::string& key, int64_t now_ms) {
    const clutch_app_state_change change{0, CLUTCH_STATE_OP_PUT, host::to_bytes(key), {}, host::to_bytes("x")};
    clutch_app_commit commit{};
    commit.now_ms = now_ms;
    commit.changes = &change;
    commit.n_changes = 1;
    ASSERT_TRUE(store.commit(commit).ok());
  };
  for (int i = 0; i < 50; ++i) put("old" + std::to_string(i), 0);
  EXPECT_EQ(store.key_count(0), 50u);
  // Each commit looks at a few places of the table, which has 256.
  for (int i = 0; i < 100; ++i) put("young", 1000);
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

TEST_P(ServiceState, DeclarationsMustAgree) {
  Keyed keyed;
  keyed.states = {{"v", CLUTCH_STATE_VALUE}, {"v", CLUTCH_STATE_LIST}};
  const FakeHost host({&keyed.plugin});
  try {
    open(host);
    FAIL() << "opened";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "state \"v\" is declared twice, with different kinds or times to live");
  }
  keyed.states = {{"v", CLUTCH_STATE_VALUE}, {"v", CLUTCH_STATE_VALUE}};
  open(host);
}

TEST_P(ServiceState, NeedsKeys) {
  Keyed keyed;
  keyed.states = {{"v", CLUTCH_STATE_VALUE}};
  const FakeHost host({&keyed.plugin});
  const Function function = open(host);
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

}  // namespace
}  // namespace clutch::testing
