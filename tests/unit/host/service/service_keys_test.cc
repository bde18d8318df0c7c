#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "keyed.h"

namespace clutch::testing {
namespace {

using ::testing::HasSubstr;

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
