// What the application's store is told, and what becomes of a batch when the store fails or gives nonsense.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "conform/plain_store.h"
#include "keyed.h"

namespace clutch::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

const auto kNone = std::nullopt;

// Fails in the call that the test names, and keeps the last commit as text.
class TellingStore final : public tool::PlainStore {
 public:
  std::string failing;
  std::vector<std::string> committed;
  uint64_t commits = 0;
  std::function<void(clutch_app_state_value*)> spoil_values;
  std::function<void(clutch_app_page&)> spoil_page;
  std::function<uint64_t(const clutch_app_timer*&)> spoil_due;

  void declare(uint32_t state, const clutch_state_declaration& declaration) override {
    fail_in("declare");
    declared.emplace_back(std::string(declaration.name.data, declaration.name.size), declaration.ttl_update);
    PlainStore::declare(state, declaration);
  }
  void read(uint32_t state, const clutch_bytes* keys, uint64_t n_keys, int64_t now_ms,
            clutch_app_state_value* ret_values) override {
    fail_in("read");
    PlainStore::read(state, keys, n_keys, now_ms, ret_values);
    if (spoil_values) spoil_values(ret_values);
  }
  void read_page(const clutch_app_page_request& request, clutch_app_page& ret_page) override {
    fail_in("read_page");
    PlainStore::read_page(request, ret_page);
    if (spoil_page) spoil_page(ret_page);
  }
  void look_up(uint32_t state, const clutch_app_entry_name* names, uint64_t n_names, int64_t now_ms,
               clutch_app_state_value* ret_values) override {
    fail_in("look_up");
    PlainStore::look_up(state, names, n_names, now_ms, ret_values);
  }
  void commit(const clutch_app_commit& commit) override {
    fail_in("commit");
    ++commits;
    committed.clear();
    for (uint64_t i = 0; i < commit.n_changes; ++i) {
      const clutch_app_state_change& change = commit.changes[i];
      committed.push_back(std::to_string(change.state) + " " + text(change.key) + " op" + std::to_string(change.op) +
                          (change.map_key.data != nullptr ? " " + text(change.map_key) : "") + " " +
                          text(change.value));
    }
    for (uint64_t i = 0; i < commit.n_timers; ++i) {
      const clutch_app_timer& timer = commit.timers[i];
      committed.push_back(std::string(timer.op == CLUTCH_TIMER_DELETE ? "delete " : "register ") + text(timer.key) +
                          "@" + std::to_string(timer.time_ms));
    }
    PlainStore::commit(commit);
  }
  uint64_t due(int64_t event_ms, int64_t processing_ms, const clutch_app_timer*& ret_timers) override {
    fail_in("due");
    if (spoil_due) return spoil_due(ret_timers);
    return PlainStore::due(event_ms, processing_ms, ret_timers);
  }
  std::optional<int64_t> next(int32_t domain) override {
    fail_in("next");
    return PlainStore::next(domain);
  }

  std::vector<std::pair<std::string, int32_t>> declared;

 private:
  static std::string text(const clutch_bytes& bytes) {
    return std::string(reinterpret_cast<const char*>(bytes.data), bytes.size);
  }
  void fail_in(const std::string& call) const {
    if (failing == call) throw Error(CLUTCH_ERR_DATA, "the disk is full");
  }
};

struct StoreTest : public ::testing::Test {
  Keyed keyed;
  TellingStore store;
  std::unique_ptr<FakeHost> host = std::make_unique<FakeHost>(std::vector<FakePlugin*>{&keyed.plugin});

  StoreTest() { keyed.states = {{"v", CLUTCH_STATE_VALUE}, {"l", CLUTCH_STATE_LIST}, {"m", CLUTCH_STATE_MAP}}; }
  Function open() { return host->open(keyed_spec().state_store(store.table())); }
  // Run one batch with this body; the sentence if it failed.
  template <typename Body>
  std::string run(const Function& function, KeyedBatch batch, Body body) {
    keyed.plugin.submit = [&](const clutch_batch& taken, clutch_error* error) -> int32_t { return body(taken, error); };
    try {
      batch.call(function);
    } catch (const Error& error) {
      return error.what();
    }
    return {};
  }
};

TEST_F(StoreTest, IsToldAllChangesOfABatchAtOnce) {
  const Function function = open();
  EXPECT_THAT(store.declared, ElementsAre(Pair("v", 0), Pair("l", 0), Pair("m", 0)));
  run(function, KeyedBatch({1, 2}, {"a", "b"}), [&](const clutch_batch& batch, clutch_error* error) {
    keyed.change(batch, 2,
                 {{1, CLUTCH_STATE_OP_PUT, "k", "1"},
                  {0, CLUTCH_STATE_OP_REMOVE, "z", kNone},
                  {1, CLUTCH_STATE_OP_PUT, "", "0"},
                  {1, CLUTCH_STATE_OP_PUT, "k", "2"}},
                 error);
    keyed.change(batch, 0, {{1, CLUTCH_STATE_OP_PUT, kNone, "x"}, {0, CLUTCH_STATE_OP_CLEAR, kNone, kNone}}, error);
    keyed.change(batch, 1, {{0, CLUTCH_STATE_OP_PUT, kNone, "5"}, {0, CLUTCH_STATE_OP_APPEND, kNone, "6"}}, error);
    return keyed.set_timers(batch, {{0, 7, 0, 0}, {0, 8, 0, 0}}, error);
  });
  EXPECT_THAT(store.committed, ElementsAre("0 a op3 ", "0 b op0 x", "1 a op3 ", "1 a op1 5", "1 a op1 6", "2 a op2 z ",
                                           "2 b op0  0", "2 b op0 k 2", "register a@7", "register a@8"));
  run(function, std::move(KeyedBatch({1}, {"c"}).watermark(7)), [&](const clutch_batch& batch, clutch_error* error) {
    return keyed.set_timers(batch, {{0, 9, 0, 0}, {1, 8, 0, 1}}, error);
  });
  EXPECT_THAT(store.committed, ElementsAre("delete a@7", "register c@9", "delete a@8"));
  EXPECT_EQ(store.commits, 2u);
  run(function, KeyedBatch({1}, {"c"}), [](const clutch_batch&, clutch_error*) { return CLUTCH_OK; });
  EXPECT_EQ(store.commits, 2u);  // Nothing changed.
}

TEST_F(StoreTest, TimersOfBeforeAreKnownWhenTheFunctionOpens) {
  const uint8_t key[] = {'a'};
  const clutch_app_timer timer{{key, 1}, 5, CLUTCH_TIMER_EVENT_TIME, CLUTCH_TIMER_REGISTER};
  clutch_app_commit before{};
  before.timers = &timer;
  before.n_timers = 1;
  store.commit(before);
  const Function function = open();
  int64_t time = 0;
  ASSERT_EQ(clutch_app_function_next_timer(function.get(), CLUTCH_APP_EVENT_TIME, &time), CLUTCH_OK);
  EXPECT_EQ(time, 5);
  int64_t fired = 0;
  run(function, std::move(KeyedBatch({}, {}).watermark(5)), [&](const clutch_batch& batch, clutch_error*) {
    fired = batch.timers->length;
    return CLUTCH_OK;
  });
  EXPECT_EQ(fired, 1);
  EXPECT_EQ(clutch_app_function_next_timer(function.get(), CLUTCH_APP_EVENT_TIME, &time), CLUTCH_ERR_NOT_FOUND);
}

TEST_F(StoreTest, AFailedDeclarationKeepsTheFunctionFromOpening) {
  store.failing = "declare";
  try {
    open();
    FAIL() << "opened";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "the application's state store did not take state \"v\": the disk is full");
    EXPECT_EQ(error.code(), CLUTCH_ERR_DATA);
  }
}

TEST_F(StoreTest, AFailedCommitFailsTheBatchAndNothingIsKept) {
  const Function function = open();
  const auto write = [&](const clutch_batch& batch, clutch_error* error) {
    keyed.plugin.emit(batch, batch_of(1, int64_column({1})));
    return keyed.change(batch, 0, {{0, CLUTCH_STATE_OP_PUT, kNone, "x"}}, error);
  };
  store.failing = "commit";
  EXPECT_EQ(run(function, KeyedBatch({1}, {"a"}), write),
            "function \"keyed\": the application's state store did not commit the batch: the disk is full");
  EXPECT_EQ(function.metrics().batches_failed, 1u);
  EXPECT_EQ(function.metrics().rows_out, 0u);
  store.failing.clear();
  const auto look = [&](const clutch_batch& batch, clutch_error*) {
    EXPECT_THAT(keyed.read(batch, 0), ElementsAre(Pair(kNone, 0)));
    return CLUTCH_OK;
  };
  EXPECT_EQ(run(function, KeyedBatch({1}, {"a"}), look), "");
}

TEST_F(StoreTest, AFailedReadIsThePluginsErrorAndTheBatchs) {
  const Function function = open();
  store.failing = "read";
  EXPECT_EQ(run(function, KeyedBatch({1}, {"a"}),
                [&](const clutch_batch& batch, clutch_error* error) {
                  ArrowArray out{};
                  return keyed.state().read(batch.context, 0, &out, error);
                }),
            "the application's state store did not read state \"v\": the disk is full");
  store.failing = "read_page";
  EXPECT_EQ(run(function, KeyedBatch({1}, {"a"}),
                [&](const clutch_batch& batch, clutch_error* error) {
                  ArrowArray out{};
                  clutch_bytes next{};
                  return keyed.state().read_page(batch.context, 2, 0, {}, 10, &out, &next, error);
                }),
            "the application's state store did not read a page of state \"m\": the disk is full");
  store.failing = "look_up";
  EXPECT_EQ(run(function, KeyedBatch({1}, {"a"}),
                [&](const clutch_batch& batch, clutch_error* error) {
                  ArrowArray out{};
                  const columnar::Array keys = batch_of(1, int32_column({0}), bytes_column({"k"}));
                  return keyed.state().lookup(batch.context, 2, keys.get(), &out, error);
                }),
            "the application's state store did not look up entries of state \"m\": the disk is full");
  store.failing = "due";
  EXPECT_EQ(run(function, KeyedBatch({1}, {"a"}), [](const clutch_batch&, clutch_error*) { return CLUTCH_OK; }),
            "the application's state store did not give the timers that are due: the disk is full");
}

TEST_F(StoreTest, AnUnknownNextTimerIsToldToWhoAsks) {
  const Function function = open();
  store.failing = "next";
  EXPECT_EQ(run(function, KeyedBatch({1}, {"a"}),
                [&](const clutch_batch& batch, clutch_error* error) {
                  return keyed.set_timers(batch, {{0, 5, 0, 0}}, error);
                }),
            "");
  int64_t time = 0;
  EXPECT_EQ(clutch_app_function_next_timer(function.get(), CLUTCH_APP_EVENT_TIME, &time), CLUTCH_ERR_DATA);
  EXPECT_EQ(host->log().back().text,
            "the application's state store did not say when the next timer is due: the disk is full");
}

TEST_F(StoreTest, NonsenseIsRefused) {
  const Function function = open();
  const auto read = [&](const clutch_batch& batch, clutch_error* error) {
    ArrowArray out{};
    return keyed.state().read(batch.context, 0, &out, error);
  };
  const auto page = [&](const clutch_batch& batch, clutch_error* error) {
    ArrowArray out{};
    clutch_bytes next{};
    return keyed.state().read_page(batch.context, 2, 0, {}, 10, &out, &next, error);
  };
  const auto nothing = [](const clutch_batch&, clutch_error*) { return CLUTCH_OK; };
  const std::string head = "the application's state store ";
  store.spoil_values = [](clutch_app_state_value* values) { values[0] = {nullptr, 3, 0}; };
  EXPECT_EQ(run(function, KeyedBatch({1}, {"a"}), read),
            head + "gave a value of 3 bytes of state \"v\" without data; where there is no value, size is 0");
  store.spoil_page = [](clutch_app_page& given) { given = {nullptr, 0, 1, 0}; };
  EXPECT_EQ(run(function, KeyedBatch({1}, {"a"}), page),
            head + "gave an empty page of state \"m\" and says that there is more; a page has one entry at least");
  const uint8_t letters[] = {'b', 'a'};
  const clutch_app_state_entry entries[] = {{{letters, 1}, {letters, 1}}, {{letters + 1, 1}, {letters, 1}}};
  store.spoil_page = [&](clutch_app_page& given) { given = {entries, 2, 0, 0}; };
  EXPECT_EQ(run(function, KeyedBatch({1}, {"a"}), page),
            head + "gave entries of state \"m\" out of order; give them by the bytes of their keys");
  store.spoil_page = [&](clutch_app_page& given) { given = {nullptr, 2, 0, 0}; };
  EXPECT_EQ(run(function, KeyedBatch({1}, {"a"}), page),
            head + "gave a page of 2 entries of state \"m\" without entries");
  std::vector<clutch_app_timer> due = {{{letters, 1}, 5, 2, 0}};
  store.spoil_due = [&](const clutch_app_timer*& timers) {
    timers = due.data();
    return due.size();
  };
  EXPECT_EQ(run(function, KeyedBatch({1}, {"a"}), nothing), head + "gave a timer of domain 2; there are 0 and 1");
  due = {{{letters, 1}, 5000, 1, 0}};
  EXPECT_EQ(run(function, KeyedBatch({1}, {"a"}), nothing), head + "gave a timer of time 5000, which is not due yet");
  due = {{{letters, 1}, 5, 1, 0}, {{letters, 1}, 5, 1, 0}};
  EXPECT_EQ(run(function, KeyedBatch({1}, {"a"}), nothing),
            head + "gave timers out of order; give each once, event time first, by time and key");
}

TEST_F(StoreTest, ATableWithAHoleIsRefused) {
  clutch_app_state_store table = *store.table();
  table.due = nullptr;
  const auto sentence = [&] {
    try {
      host->open(keyed_spec().state_store(&table));
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_EQ(sentence(), "spec: state_store: due is NULL; a store has all of them");
  table.struct_size = 8;
  EXPECT_EQ(sentence(), "spec: state_store: struct_size is 8; set it to sizeof(clutch_app_state_store), which is " +
                            std::to_string(sizeof(table)));
}

TEST_F(StoreTest, AStatusThatMeansNothingIsRefused) {
  clutch_app_state_store table = *store.table();
  table.declare = [](void*, uint32_t, const clutch_state_declaration*, clutch_app_error*) { return int32_t{7}; };
  EXPECT_THROW(
      {
        try {
          host->open(keyed_spec().state_store(&table));
        } catch (const Error& error) {
          EXPECT_STREQ(
              error.what(),
              "the application's state store answered 7 when it was to take state \"v\"; return CLUTCH_OK or a "
              "negative status");
          throw;
        }
      },
      Error);
  table.declare = [](void*, uint32_t, const clutch_state_declaration*, clutch_app_error*) {
    return int32_t{CLUTCH_ERR_DATA};
  };
  EXPECT_THROW(
      {
        try {
          host->open(keyed_spec().state_store(&table));
        } catch (const Error& error) {
          EXPECT_STREQ(
              error.what(),
              "the application's state store did not take state \"v\": CLUTCH_ERR_DATA, and it gave no reason; "
              "say it by clutch_app_error_set");
          throw;
        }
      },
      Error);
}

}  // namespace
}  // namespace clutch::testing
