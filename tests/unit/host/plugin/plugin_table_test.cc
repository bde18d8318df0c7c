#include "plugin/table.h"

#include <gtest/gtest.h>

namespace clutch::host {
namespace {

constexpr uint32_t kUpToSubmit =
    offsetof(clutch_plugin_api, function_submit) + sizeof(clutch_plugin_api::function_submit);

const void* no_extension(const char*) { return nullptr; }
int32_t open_runtime(const clutch_host*, const clutch_options*, clutch_runtime**, clutch_error*) { return CLUTCH_OK; }
int32_t probe(clutch_runtime*, const clutch_spec*, clutch_error*) { return CLUTCH_OK; }
void describe(clutch_runtime*, clutch_fact_sink, void*) {}
void close_runtime(clutch_runtime*) {}
int32_t open_function(clutch_runtime*, const clutch_spec*, clutch_function_context*, clutch_function**,
                      clutch_function_info*, clutch_error*) {
  return CLUTCH_OK;
}
int32_t submit(clutch_function*, const clutch_batch*, clutch_error*) { return 42; }
int32_t poll(clutch_function*, int64_t) { return CLUTCH_PENDING; }
void cancel(clutch_function*, uint64_t) {}
int32_t close_function(clutch_function*, clutch_error*) { return CLUTCH_OK; }

clutch_plugin_api whole_table() {
  clutch_plugin_api api{};
  api.struct_size = sizeof api;
  api.get_extension = no_extension;
  api.runtime_open = open_runtime;
  api.runtime_probe = probe;
  api.runtime_describe = describe;
  api.runtime_close = close_runtime;
  api.function_open = open_function;
  api.function_submit = submit;
  api.function_poll = poll;
  api.function_cancel = cancel;
  api.function_close = close_function;
  return api;
}

TEST(AdoptTable, TakesAWholeTableAsItIs) {
  const Result<clutch_plugin_api> api = adopt_table(whole_table());
  ASSERT_TRUE(api.ok()) << api.status().message();
  EXPECT_EQ(api->function_poll, &poll);
  EXPECT_EQ(api->function_close, &close_function);
}

// A plugin of an earlier level, seen from a host whose table has grown: what lies behind its end is never read.
TEST(AdoptTable, FillsSlotsBehindTheEndOfAnOlderTableWithStubs) {
  clutch_plugin_api older = whole_table();
  older.struct_size = kUpToSubmit;
  const Result<clutch_plugin_api> api = adopt_table(older, kUpToSubmit);
  ASSERT_TRUE(api.ok()) << api.status().message();
  EXPECT_EQ(api->function_submit(nullptr, nullptr, nullptr), 42);
  EXPECT_EQ(api->function_poll, nullptr);
  EXPECT_NE(api->function_cancel, &cancel);
  api->function_cancel(nullptr, 1);
  EXPECT_EQ(api->function_close(nullptr, nullptr), CLUTCH_ERR_UNSUPPORTED);
  EXPECT_EQ(api->struct_size, sizeof(clutch_plugin_api));
}

TEST(AdoptTable, TakesATableThatIsLargerThanItsOwn) {
  struct {
    clutch_plugin_api api = whole_table();
    void* of_a_later_level = nullptr;
  } newer;
  newer.api.struct_size = sizeof newer;
  EXPECT_TRUE(adopt_table(newer.api).ok());
}

TEST(AdoptTable, RefusesLessThanLevelOne) {
  clutch_plugin_api api = whole_table();
  api.struct_size = kFirstTableSize - 1;
  EXPECT_EQ(adopt_table(api).status().message(), "its table has " + std::to_string(kFirstTableSize - 1) +
                                                     " bytes; level 1 of the contract has " +
                                                     std::to_string(kFirstTableSize));
  api.struct_size = 0;
  EXPECT_FALSE(adopt_table(api).ok());
}

}  // namespace
}  // namespace clutch::host
