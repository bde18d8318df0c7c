// Time to live: what refreshes it, and whether what has expired is seen. In both kinds of stores.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "conform/plain_store.h"
#include "keyed.h"

namespace clutch::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const auto kNone = std::nullopt;

class ServiceTtl : public ::testing::TestWithParam<const char*> {
 protected:
  ServiceTtl() {
    keyed_.states = {{"v", CLUTCH_STATE_VALUE, 100, update_, visibility_},
                     {"l", CLUTCH_STATE_LIST, 100, update_, visibility_},
                     {"m", CLUTCH_STATE_MAP, 100, update_, visibility_}};
  }
  void open(int32_t update, int32_t visibility) {
    for (auto& state : keyed_.states) {
      state.ttl_update = update;
      state.ttl_visibility = visibility;
    }
    Spec spec = keyed_spec();
    if (std::string_view(GetParam()) == "application") spec.state_store(store_.table());
    function_.emplace(host_.open(spec));
  }
  template <typename Body>
  void at(int64_t now_ms, Body body) {
    keyed_.plugin.submit = [&](const clutch_batch& batch, clutch_error* error) -> int32_t {
      body(batch, error);
      return CLUTCH_OK;
    };
    KeyedBatch({1}, {"a"}).at(now_ms).call(*function_);
  }
  // Write one value to each state.
  void write(int64_t now_ms) {
    at(now_ms, [&](const clutch_batch& batch, clutch_error* error) {
      keyed_.change(batch, 0, {{0, CLUTCH_STATE_OP_PUT, kNone, "x"}}, error);
      keyed_.change(batch, 1, {{0, CLUTCH_STATE_OP_APPEND, kNone, "x"}}, error);
      keyed_.change(batch, 2, {{0, CLUTCH_STATE_OP_PUT, "k", "x"}, {0, CLUTCH_STATE_OP_PUT, "l", "y"}}, error);
    });
  }
  // As a runtime does that has read them all, in the map the entry "k" alone.
  void touch(int64_t now_ms) {
    at(now_ms, [&](const clutch_batch& batch, clutch_error* error) {
      keyed_.change(batch, 0, {{0, CLUTCH_STATE_OP_TOUCH, kNone, kNone}}, error);
      keyed_.change(batch, 1, {{0, CLUTCH_STATE_OP_TOUCH, kNone, kNone}}, error);
      keyed_.change(batch, 2, {{0, CLUTCH_STATE_OP_TOUCH, "k", kNone}}, error);
    });
  }
  // What the states have, as "v=x", "l=x", "k=x".
  std::vector<std::string> seen(int64_t now_ms) {
    std::vector<std::string> out;
    at(now_ms, [&](const clutch_batch& batch, clutch_error*) {
      if (const auto value = keyed_.read(batch, 0)[0].first) out.push_back("v=" + *value);
      for (const std::string& item : keyed_.pages(batch, 1, 0, 1)) out.push_back("l=" + item);
      for (const std::string& entry : keyed_.pages(batch, 2, 0, 1)) out.push_back(entry);
    });
    return out;
  }

 private:
  int32_t update_ = 0;
  int32_t visibility_ = 0;
  tool::PlainStore store_;

 protected:
  Keyed keyed_;
  FakeHost host_{{&keyed_.plugin}};
  std::optional<Function> function_;
};

INSTANTIATE_TEST_SUITE_P(Stores, ServiceTtl, ::testing::Values("host", "application"),
                         [](const auto& test) { return std::string(test.param); });

TEST_P(ServiceTtl, WritesAloneCountByDefault) {
  open(CLUTCH_STATE_TTL_ON_CREATE_AND_WRITE, CLUTCH_STATE_TTL_NEVER_RETURN_EXPIRED);
  write(1000);
  touch(1050);
  EXPECT_THAT(seen(1099), ElementsAre("v=x", "l=x", "k=x", "l=y"));
  EXPECT_THAT(seen(1100), IsEmpty());
}

TEST_P(ServiceTtl, ReadsCountWhereTheyAreDeclaredTo) {
  open(CLUTCH_STATE_TTL_ON_READ_AND_WRITE, CLUTCH_STATE_TTL_NEVER_RETURN_EXPIRED);
  write(1000);
  // Reads of the runtime are not the user's.
  EXPECT_THAT(seen(1050), ElementsAre("v=x", "l=x", "k=x", "l=y"));
  touch(1050);
  EXPECT_THAT(seen(1100), ElementsAre("v=x", "l=x", "k=x"));
  EXPECT_THAT(seen(1149), ElementsAre("v=x", "l=x", "k=x"));
  EXPECT_THAT(seen(1150), IsEmpty());
}

TEST_P(ServiceTtl, ATouchDoesNotWakeWhatHasExpired) {
  open(CLUTCH_STATE_TTL_ON_READ_AND_WRITE, CLUTCH_STATE_TTL_NEVER_RETURN_EXPIRED);
  write(1000);
  touch(1100);
  EXPECT_THAT(seen(1100), IsEmpty());
}

TEST_P(ServiceTtl, WhatHasExpiredIsSeenUntilItIsTouched) {
  open(CLUTCH_STATE_TTL_ON_CREATE_AND_WRITE, CLUTCH_STATE_TTL_RETURN_EXPIRED);
  write(1000);
  EXPECT_THAT(seen(1200), ElementsAre("v=x", "l=x", "k=x", "l=y"));
  at(1200, [&](const clutch_batch& batch, clutch_error* error) {
    keyed_.change(batch, 0, {{0, CLUTCH_STATE_OP_TOUCH, kNone, kNone}}, error);
    // The batch itself goes on to see it.
    EXPECT_EQ(keyed_.read(batch, 0)[0].first, "x");
  });
  touch(1200);
  EXPECT_THAT(seen(1200), ElementsAre("l=y"));
}

TEST_P(ServiceTtl, ADeclarationOfTheFirstReleaseHasTheDefaults) {
  keyed_.plugin.open = [&](const clutch_spec&, clutch_function_context* context, clutch_error* error) {
    clutch_state_declaration declaration{};
    declaration.struct_size = offsetof(clutch_state_declaration, ttl_update);
    declaration.name = host::to_str("v");
    declaration.ttl_ms = 100;
    declaration.ttl_update = 77;  // Behind its end.
    uint32_t number = 0;
    return keyed_.state().declare(context, &declaration, &number, error);
  };
  open(0, 0);
  at(1000, [&](const clutch_batch& batch, clutch_error* error) {
    keyed_.change(batch, 0, {{0, CLUTCH_STATE_OP_PUT, kNone, "x"}}, error);
  });
  at(1099, [&](const clutch_batch& batch, clutch_error*) { EXPECT_EQ(keyed_.read(batch, 0)[0].first, "x"); });
  at(1100, [&](const clutch_batch& batch, clutch_error*) { EXPECT_EQ(keyed_.read(batch, 0)[0].first, kNone); });
}

TEST_P(ServiceTtl, RefusesOptionsThatDoNotExist) {
  const auto sentence = [&](int32_t update, int32_t visibility) {
    try {
      open(update, visibility);
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_EQ(sentence(2, 0),
            "state \"v\" is declared with ttl_update 2; there are 0 (on create and write) and 1 (on read and write)");
  EXPECT_EQ(
      sentence(0, -1),
      "state \"v\" is declared with ttl_visibility -1; there are 0 (expired values are never seen) and 1 (they are "
      "seen once more)");
}

}  // namespace
}  // namespace clutch::testing
