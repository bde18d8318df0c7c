// Rows value by value, columns of the C++ face, and batches of single rows.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fake_plugin.h"

namespace clutch::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Optional;

template <typename Act>
Error error_of(Act act) {
  try {
    act();
  } catch (const Error& error) {
    return error;
  }
  return Error(CLUTCH_OK, "nothing was thrown");
}

// A builder of these columns that is freed at the end.
struct Builder {
  clutch_app_builder* raw = nullptr;
  explicit Builder(const char* text) {
    clutch_app_error* error = nullptr;
    detail::check(clutch_app_builder_open(text, &raw, &error), error);
  }
  ~Builder() { clutch_app_builder_free(raw); }
  Builder(const Builder&) = delete;
  Builder& operator=(const Builder&) = delete;

  template <typename... Values>
  void add(const Values&... values) const {
    const clutch_app_value row[] = {detail::to_value(values)...};
    clutch_app_error* error = nullptr;
    detail::check(clutch_app_builder_add(raw, row, sizeof...(Values), &error), error);
  }
  Rows finish() const {
    ArrowArray rows{};
    detail::check(clutch_app_builder_finish(raw, &rows, nullptr), nullptr);
    return Rows(std::move(rows));
  }
};

TEST(AppRows, AreBuiltAndReadValueByValue) {
  const char* columns =
      "b: bool, i: int16, u: uint64, f: float32, d: double, s: string, x: fixed_size_binary[2], t: "
      "timestamp[ms], n: int64";
  ArrowSchema schema{};
  ASSERT_EQ(clutch_app_schema_parse(columns, &schema, nullptr), CLUTCH_OK);
  const Builder builder(columns);
  builder.add(true, -5, 7u, 0.5, 2, "héllo", "ab", int64_t{1700000000000}, std::nullopt);
  const Rows rows = builder.finish();
  EXPECT_EQ(detail::take_text(clutch_app_row_text(&schema, rows.get(), 0)).substr(0, 20), "{'b': true, 'i': -5,");
  const auto value = [&](int64_t column) {
    clutch_app_value out{};
    clutch_app_error* error = nullptr;
    detail::check(clutch_app_value_read(&schema, rows.get(), column, 0, &out, &error), error);
    return out;
  };
  EXPECT_EQ(value(0).kind, CLUTCH_APP_VALUE_BOOL);
  EXPECT_EQ(value(0).integer, 1);
  EXPECT_EQ(value(1).integer, -5);
  EXPECT_EQ(value(2).integer, 7);
  EXPECT_EQ(value(3).real, 0.5);
  EXPECT_EQ(value(4).real, 2);
  EXPECT_EQ(std::string(value(5).data, value(5).size), "héllo");
  EXPECT_EQ(std::string(value(6).data, value(6).size), "ab");
  EXPECT_EQ(value(7).integer, 1700000000000);
  EXPECT_EQ(value(8).kind, CLUTCH_APP_VALUE_NULL);
  EXPECT_STREQ(error_of([&] { value(9); }).what(), "column 9 is asked for, the rows have 9");
  schema.release(&schema);
}

TEST(AppRows, RefuseValuesThatDoNotFit) {
  const Builder builder("i: int8 not null, s: string, l: list<int64>");
  const auto sentence = [&](const auto&... values) {
    return std::string(error_of([&] { builder.add(values...); }).what());
  };
  EXPECT_EQ(sentence(300, "a", nullptr), "column \"i\": integer 300 does not fit int8; it is out of range");
  EXPECT_EQ(sentence("x", "a", nullptr), "column \"i\": bytes 'x' does not fit int8; give a number");
  EXPECT_EQ(sentence(nullptr, "a", nullptr), "column \"i\": null null does not fit int8; the column is not null");
  EXPECT_EQ(sentence(1, 2, nullptr), "column \"s\": integer 2 does not fit string; give a value of that type");
  EXPECT_EQ(sentence(1, "\xff", nullptr), "column \"s\": the text is not UTF-8; use type binary for bytes");
  EXPECT_EQ(sentence(1, "a", 5),
            "column \"l\" has type list<int64>, which is not built value by value; give Arrow rows");
  EXPECT_EQ(sentence(1, "a"), "a row of 2 values is given, the columns are 3");
  builder.add(1, "a", nullptr);
  EXPECT_EQ(builder.finish().size(), 1);  // Rows that were refused left nothing.
}

TEST(AppColumns, RoundTrip) {
  FakePlugin plugin;
  plugin.submit = [&](const clutch_batch& batch, clutch_error* error) { return plugin.emit(batch, {}, {}, 0, error); };
  const FakeHost host({&plugin});
  const Function same = host.open(
      Spec("stream.filter", imported("m:f")).input("i: int32, d: double, b: bool, s: string, o: string, v: int64"));
  const Output output = same.call(
      columns(std::vector<int32_t>{1, 2, 3}, std::vector<double>{0.5, 1, 2}, std::vector<bool>{true, false, true},
              std::vector<std::string>{"a", "", "ccc"}, std::vector<std::optional<std::string>>{"x", std::nullopt, "z"},
              std::vector<int64_t>{7, 8, 9}));
  EXPECT_THAT(output.column<int32_t>(0), ElementsAre(1, 2, 3));
  EXPECT_THAT(output.column<int64_t>("i"), ElementsAre(1, 2, 3));
  EXPECT_THAT(output.column<double>("i"), ElementsAre(1, 2, 3));
  EXPECT_THAT(output.column<double>("d"), ElementsAre(0.5, 1, 2));
  EXPECT_THAT(output.column<bool>("b"), ElementsAre(true, false, true));
  EXPECT_THAT(output.column<std::string>("s"), ElementsAre("a", "", "ccc"));
  EXPECT_THAT(output.column<std::optional<std::string_view>>("o"),
              ElementsAre(Optional(std::string_view("x")), std::nullopt, Optional(std::string_view("z"))));
  EXPECT_STREQ(error_of([&] { output.column<std::string>("o"); }).what(),
               "column 4 has a null in row 1; read it as std::optional");
  EXPECT_STREQ(error_of([&] { output.column<int32_t>("v"); }).what(),
               "column 5 has Arrow type \"l\", which does not fit the C++ type asked for");
  EXPECT_STREQ(error_of([&] { output.column<int32_t>("w"); }).what(), "the result has no column \"w\"");
  EXPECT_THROW(columns(std::vector<int>{1}, std::vector<int>{1, 2}), std::invalid_argument);
}

struct BatcherTest : public ::testing::Test {
  FakePlugin plugin;
  std::vector<int64_t> sizes;  // Of the batches the plugin got.

  BatcherTest() {
    plugin.submit = [this](const clutch_batch& batch, clutch_error*) {
      sizes.push_back(batch.rows->length);
      return plugin.double_rows(batch);
    };
  }
};

TEST_F(BatcherTest, ClosesOnRows) {
  const FakeHost host({&plugin});
  const Function function = host.open(doubling());
  BatcherSettings settings;
  settings.max_rows = 3;
  Batcher batcher(function, settings);
  for (int64_t i = 0; i < 7; ++i) batcher.push(i);
  EXPECT_THAT(sizes, ElementsAre(3, 3));
  EXPECT_GT(batcher.next_deadline(), host::monotonic_ns());
  auto first = batcher.next();
  ASSERT_TRUE(first.has_value());
  EXPECT_EQ(first->first(), 0u);
  EXPECT_EQ(first->count(), 3u);
  EXPECT_THAT(first->output().column<int64_t>(0), ElementsAre(0, 2, 4));
  batcher.flush();
  EXPECT_EQ(batcher.next_deadline(), INT64_MAX);
  EXPECT_THAT(batcher.next()->output().column<int64_t>(0), ElementsAre(6, 8, 10));
  const auto last = batcher.next();
  EXPECT_EQ(last->first(), 6u);
  EXPECT_EQ(last->count(), 1u);
  EXPECT_FALSE(batcher.next().has_value());
}

TEST_F(BatcherTest, ClosesOnBytes) {
  const FakeHost host({&plugin});
  const Function function = host.open(doubling());
  BatcherSettings settings;
  settings.max_bytes = 16;
  Batcher batcher(function, settings);
  for (int64_t i = 0; i < 4; ++i) batcher.push(i);
  EXPECT_THAT(sizes, ElementsAre(2, 2));
}

TEST_F(BatcherTest, ClosesOnAgeAndWhenIdle) {
  const FakeHost host({&plugin});
  const Function function = host.open(doubling());
  BatcherSettings settings;
  settings.max_age = std::chrono::microseconds(1);
  {
    Batcher batcher(function, settings);
    batcher.push(1);
    batcher.push(2);  // Surely more than a microsecond later, or with the next one.
    while (host::monotonic_ns() < batcher.next_deadline() && batcher.next_deadline() != INT64_MAX) continue;
    if (sizes.empty()) batcher.push(3);
    EXPECT_FALSE(sizes.empty());  // One, or two where a push itself took longer than the age.
  }
  sizes.clear();
  settings.max_age = std::chrono::microseconds(-1);
  Batcher batcher(function, settings);
  batcher.push(1);
  batcher.push(2);
  EXPECT_THAT(sizes, ElementsAre());  // It would run on this thread: push does not make batches of one row.
  EXPECT_EQ(batcher.next_deadline(), INT64_MAX);
  batcher.poll();
  EXPECT_THAT(sizes, ElementsAre(2));
}

TEST_F(BatcherTest, APluginThatWorksElsewhereGetsTheFirstRowAtOnceAndTheRestTogether) {
  plugin.max_in_flight = 2;
  Worker worker(plugin);
  plugin.submit = [&](const clutch_batch& batch, clutch_error* error) {
    sizes.push_back(batch.rows->length);
    return worker.take(batch, error);
  };
  const FakeHost host({&plugin});
  const Function function = host.open(doubling());
  BatcherSettings settings;
  settings.max_age = std::chrono::microseconds(-1);  // However slow this machine is.
  Batcher batcher(function, settings);
  for (int64_t i = 0; i < 5; ++i) batcher.push(i);
  EXPECT_THAT(sizes, ElementsAre(1));
  EXPECT_FALSE(batcher.next(Milliseconds(0)).has_value());
  worker.finish(1);
  EXPECT_THAT(batcher.next()->output().column<int64_t>(0), ElementsAre(0));
  batcher.poll();  // Where next() has not sent the others already.
  EXPECT_THAT(sizes, ElementsAre(1, 4));
  worker.finish(2);
  EXPECT_THAT(batcher.next()->output().column<int64_t>(0), ElementsAre(2, 4, 6, 8));
}

TEST_F(BatcherTest, TakesSlicesOfArrowRows) {
  const FakeHost host({&plugin});
  const Function function = host.open(doubling());
  BatcherSettings settings;
  settings.max_rows = 4;
  Batcher batcher(function, settings);
  const Rows rows = numbers({10, 11, 12, 13, 14, 15});
  batcher.push(1);
  batcher.push_rows(*rows.get(), 1, 5);
  batcher.push(2);
  batcher.flush();
  EXPECT_THAT(sizes, ElementsAre(4, 3));
  EXPECT_THAT(batcher.next()->output().column<int64_t>(0), ElementsAre(2, 22, 24, 26));
  EXPECT_THAT(batcher.next()->output().column<int64_t>(0), ElementsAre(28, 30, 4));
  EXPECT_STREQ(error_of([&] { batcher.push_rows(*rows.get(), 5, 2); }).what(),
               "rows 5 to 7 are pushed, the array has 6");
}

TEST_F(BatcherTest, AFailedBatchIsNamedByItsRows) {
  plugin.submit = [&](const clutch_batch& batch, clutch_error* error) {
    if (batch.sequence == 1) return plugin.double_rows(batch);
    plugin.fail(error, CLUTCH_ERR_USER, "no");
    return CLUTCH_ERR_USER;
  };
  const FakeHost host({&plugin});
  const Function function = host.open(doubling());
  BatcherSettings settings;
  settings.max_rows = 2;
  Batcher batcher(function, settings);
  for (int64_t i = 0; i < 4; ++i) batcher.push(i);
  EXPECT_TRUE(batcher.next()->ok());
  auto failed = batcher.next();
  EXPECT_FALSE(failed->ok());
  EXPECT_EQ(failed->first(), 2u);
  EXPECT_EQ(failed->count(), 2u);
  EXPECT_STREQ(error_of([&] { failed->output(); }).what(), "no");
  EXPECT_EQ(error_of([&] { batcher.push("text"); }).code(), CLUTCH_ERR_VALUE);
}

}  // namespace
}  // namespace clutch::testing
