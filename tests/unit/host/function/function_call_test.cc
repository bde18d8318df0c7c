// A batch through a function that works on the caller's thread: what is checked, committed and dropped.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fake_plugin.h"

namespace clutch::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// The message of the Error that `act` throws.
template <typename Act>
Error error_of(Act act) {
  try {
    act();
  } catch (const Error& error) {
    return error;
  }
  return Error(CLUTCH_OK, "nothing was thrown");
}

TEST(FunctionCall, GivesTheRowsOfTheOutput) {
  FakePlugin plugin;
  const FakeHost host({&plugin});
  const Function function = host.open(doubling());
  const Output output = function.call(numbers({1, 2, 3}));
  EXPECT_THAT(output.column<int64_t>(0), ElementsAre(2, 4, 6));
  EXPECT_THAT(output.column<int64_t>("result"), ElementsAre(2, 4, 6));
  EXPECT_EQ(output.origin(2), 2);
  EXPECT_EQ(output.sequence(), 1u);
  EXPECT_EQ(function.call(numbers({})).size(), 0);
  EXPECT_EQ(function.metrics().batches_done, 2u);
  EXPECT_EQ(function.metrics().rows_in, 3u);
  EXPECT_EQ(function.metrics().rows_out, 3u);
  EXPECT_EQ(function.metrics().in_flight, 0u);
}

TEST(FunctionCall, NoOutputIsAnEmptyBatch) {
  FakePlugin plugin;
  plugin.submit = [](const clutch_batch&, clutch_error*) { return CLUTCH_OK; };
  const FakeHost host({&plugin});
  const Function function = host.open(doubling());
  const Output output = function.call(numbers({1}));
  EXPECT_EQ(output.size(), 0);
  EXPECT_THAT(output.column<int64_t>(0), ElementsAre());
}

TEST(FunctionCall, InputStaysAtItsAddressAndIsReleasedAtTheEnd) {
  FakePlugin plugin;
  const FakeHost host({&plugin});
  const Function function = host.open(doubling());
  int released = 0;
  struct Watched {
    void (*release)(ArrowArray*);
    void* data;
    int* count;
  };
  Rows rows = numbers({1});
  Watched watched{rows.get()->release, rows.get()->private_data, &released};
  rows.get()->private_data = &watched;
  rows.get()->release = [](ArrowArray* array) {
    auto* seen = static_cast<Watched*>(array->private_data);
    ++*seen->count;
    array->private_data = seen->data;
    seen->release(array);
  };
  plugin.submit = [&](const clutch_batch& batch, clutch_error*) {
    EXPECT_EQ(released, 0);
    return plugin.double_rows(batch);
  };
  function.call(std::move(rows));
  EXPECT_EQ(released, 1);
}

TEST(FunctionCall, AFailedBatchKeepsNothing) {
  FakePlugin plugin;
  plugin.submit = [&](const clutch_batch& batch, clutch_error* error) {
    plugin.double_rows(batch);
    plugin.fail(error, CLUTCH_ERR_USER, "function \"double\" row 1: ValueError: no");
    plugin.host->error_detail(error, host::to_str(CLUTCH_DETAIL_ROW), host::to_str("1"));
    return CLUTCH_ERR_USER;
  };
  const FakeHost host({&plugin});
  const Function function = host.open(doubling());
  const Error error = error_of([&] { function.call(numbers({1, 2})); });
  EXPECT_EQ(error.code(), CLUTCH_ERR_USER);
  EXPECT_EQ(error.origin(), CLUTCH_ORIGIN_USER);
  EXPECT_STREQ(error.what(), "function \"double\" row 1: ValueError: no");
  EXPECT_EQ(error.row(), 1);
  EXPECT_EQ(error.detail(CLUTCH_DETAIL_FUNCTION), "double");
  EXPECT_EQ(error.detail(CLUTCH_DETAIL_BATCH), "1");
  EXPECT_EQ(function.metrics().rows_out, 0u);
  EXPECT_EQ(function.metrics().errors[-CLUTCH_ERR_USER], 1u);
  plugin.submit = nullptr;
  EXPECT_EQ(function.call(numbers({1})).size(), 1);
}

TEST(FunctionCall, AnOutputThatWasRefusedFailsTheBatchEvenIfThePluginSaysOk) {
  FakePlugin plugin;
  ErrorBox box;
  plugin.submit = [&](const clutch_batch& batch, clutch_error*) {
    EXPECT_EQ(plugin.emit(batch, batch_of(1, int64_column({1})), {}, 0, &box.error), CLUTCH_ERR_DATA);
    return CLUTCH_OK;
  };
  const FakeHost host({&plugin});
  const Function function = host.open(doubling());
  const Error error = error_of([&] { function.call(numbers({1, 2})); });
  EXPECT_EQ(error.code(), CLUTCH_ERR_DATA);
  EXPECT_STREQ(error.what(),
               "function \"double\": output: 1 rows are emitted without origin, which means one for each of the 2 "
               "input rows");
  EXPECT_EQ(box.message(), error.what());
}

struct BadEmit {
  const char* name;
  std::vector<int64_t> rows;
  std::vector<int32_t> origin;
  uint32_t tag;
  const char* sentence;
};

class FunctionEmit : public ::testing::TestWithParam<BadEmit> {};

TEST_P(FunctionEmit, Refuses) {
  const BadEmit& bad = GetParam();
  FakePlugin plugin;
  plugin.submit = [&](const clutch_batch& batch, clutch_error* error) {
    const auto count = static_cast<int64_t>(bad.rows.size());
    return plugin.emit(batch, batch_of(count, int64_column(bad.rows)), int32_column(bad.origin), bad.tag, error);
  };
  const FakeHost host({&plugin});
  const Function function = host.open(doubling());
  EXPECT_THAT(error_of([&] { function.call(numbers({1, 2})); }).what(), HasSubstr(bad.sentence));
}

INSTANTIATE_TEST_SUITE_P(
    Sentences, FunctionEmit,
    ::testing::Values(BadEmit{"tag", {1}, {0}, 3, "rows are emitted with tag 3, tags up to 0 were declared"},
                      BadEmit{"length", {1, 2}, {0}, 0, "2 rows are emitted with an origin of 1 numbers"},
                      BadEmit{
                          "decreasing", {1, 2}, {1, 0}, 0, "origin decreases; output stands in the order of its input"},
                      BadEmit{"high", {1}, {2}, 0, "origin names input row 2, the batch has 2 rows"},
                      BadEmit{"negative", {1}, {-1}, 0, "origin names input row -1, the batch has 2 rows"}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(FunctionCall, SeveralChunksAreOneOutput) {
  FakePlugin plugin;
  plugin.submit = [&](const clutch_batch& batch, clutch_error* error) {
    plugin.emit(batch, batch_of(2, int64_column({7, 8})), int32_column({0, 0}), 0, error);
    return plugin.emit(batch, batch_of(1, int64_column({9})), int32_column({2}), 0, error);
  };
  const FakeHost host({&plugin});
  const Function function = host.open(doubling());
  const Output output = function.call(numbers({1, 2, 3}));
  EXPECT_THAT(output.column<int64_t>(0), ElementsAre(7, 8, 9));
  EXPECT_EQ(output.origin(1), 0);
  EXPECT_EQ(output.origin(2), 2);
}

TEST(FunctionCall, ChunksMayNotGoBackInTheInput) {
  FakePlugin plugin;
  plugin.submit = [&](const clutch_batch& batch, clutch_error* error) {
    plugin.emit(batch, batch_of(1, int64_column({9})), int32_column({1}), 0, error);
    return plugin.emit(batch, batch_of(1, int64_column({7})), int32_column({0}), 0, error);
  };
  const FakeHost host({&plugin});
  const Function function = host.open(doubling());
  EXPECT_THAT(error_of([&] { function.call(numbers({1, 2})); }).what(), HasSubstr("origin decreases"));
}

TEST(FunctionCall, AnAsyncStreamGivesItsRowsInAnyOrder) {
  FakePlugin plugin;
  std::vector<int32_t> last = {0, 1};
  plugin.submit = [&](const clutch_batch& batch, clutch_error* error) {
    plugin.emit(batch, batch_of(2, int64_column({9, 8})), int32_column({2, 1}), 0, error);
    return plugin.emit(batch, batch_of(2, int64_column({7, 6})), int32_column(last), 0, error);
  };
  const FakeHost host({&plugin});
  Spec spec("stream.async", imported("m:f"));
  const Function function = host.open(spec.name("async").input("x: int64").output("x: int64"));
  const Output output = function.call(numbers({1, 2, 3}));
  EXPECT_THAT(output.column<int64_t>(0), ElementsAre(9, 8, 7, 6));
  EXPECT_EQ(output.origin(0), 2);
  EXPECT_EQ(output.origin(2), 0);
  for (const int32_t wrong : {-1, 3}) {
    last = {wrong, 1};
    EXPECT_THAT(error_of([&] {
                  function.call(numbers({1, 2, 3}));
                }).what(),
                HasSubstr("origin names input row " + std::to_string(wrong) + ", the batch has 3 rows"));
  }
}

TEST(FunctionCall, ASelectionGivesTheInputRowsItNames) {
  FakePlugin plugin;
  plugin.submit = [&](const clutch_batch& batch, clutch_error* error) {
    return plugin.emit(batch, {}, int32_column({0, 2}), 0, error);
  };
  const FakeHost host({&plugin});
  const Function filter =
      host.open(Spec("stream.filter", imported("m:keep")).name("keep").input("x: int64, s: string"));
  const Output output = filter.call(columns(std::vector<int64_t>{5, 6, 7}, std::vector<std::string>{"a", "b", "c"}));
  EXPECT_THAT(output.column<int64_t>("x"), ElementsAre(5, 7));
  EXPECT_THAT(output.column<std::string_view>("s"), ElementsAre("a", "c"));
  EXPECT_EQ(output.origin(1), 2);
}

TEST(FunctionCall, AReleasedSelectionWithoutOriginIsTheWholeInput) {
  FakePlugin plugin;
  plugin.submit = [&](const clutch_batch& batch, clutch_error* error) { return plugin.emit(batch, {}, {}, 0, error); };
  const FakeHost host({&plugin});
  const Function filter = host.open(Spec("stream.filter", imported("m:keep")).input("x: int64"));
  EXPECT_THAT(filter.call(numbers({5, 6})).column<int64_t>(0), ElementsAre(5, 6));
}

TEST(FunctionCall, ASelectionNeedsEqualSchemas) {
  FakePlugin plugin;
  plugin.submit = [&](const clutch_batch& batch, clutch_error* error) {
    return plugin.emit(batch, {}, int32_column({0}), 0, error);
  };
  const FakeHost host({&plugin});
  const Function function = host.open(doubling());
  EXPECT_THAT(error_of([&] { function.call(numbers({1})); }).what(),
              HasSubstr("a selection of input rows is emitted, but output struct<result: int64> is not input "
                        "struct<x: int64>"));
}

TEST(FunctionCall, SideOutputsComeByName) {
  FakePlugin plugin;
  uint32_t late = 0;
  plugin.open = [&](const clutch_spec&, clutch_function_context* context, clutch_error* error) {
    const auto& service = plugin.extension<clutch_host_side_output>(CLUTCH_HOST_SIDE_OUTPUT);
    columnar::Schema schema =
        columnar::export_field(columnar::struct_of({host::simple_field("n", columnar::TypeId::kInt64, true)}));
    EXPECT_EQ(service.declare(context, host::to_str("late"), schema.get(), &late, error), CLUTCH_OK);
    uint32_t again = 0;
    EXPECT_EQ(service.declare(context, host::to_str("late"), schema.get(), &again, error), CLUTCH_OK);
    EXPECT_EQ(again, late);
    columnar::Schema other =
        columnar::export_field(columnar::struct_of({host::simple_field("s", columnar::TypeId::kUtf8, true)}));
    ErrorBox box;
    EXPECT_EQ(service.declare(context, host::to_str("late"), other.get(), &again, &box.error), CLUTCH_ERR_ARGUMENT);
    EXPECT_EQ(box.message(),
              "function \"double\": side output \"late\" is declared as struct<s: string>, and was declared as "
              "struct<n: int64>");
    return CLUTCH_OK;
  };
  plugin.submit = [&](const clutch_batch& batch, clutch_error* error) {
    plugin.emit(batch, batch_of(1, int64_column({42})), int32_column({1}), late, error);
    return plugin.double_rows(batch);
  };
  const FakeHost host({&plugin});
  const Function function = host.open(doubling());
  const Output output = function.call(numbers({1, 2}));
  EXPECT_THAT(output.side<int64_t>("late"), ElementsAre(42));
  EXPECT_EQ(clutch_app_result_side_origin(output.get(), "late")[0], 1);
  EXPECT_EQ(function.metrics().rows_side, 1u);
  EXPECT_EQ(error_of([&] { output.side<int64_t>("early"); }).code(), CLUTCH_ERR_NOT_FOUND);
}

TEST(FunctionCall, DeadLettersComeWithRowValuesAndErrorInTheOrderOfTheInput) {
  FakePlugin plugin;
  plugin.submit = [&](const clutch_batch& batch, clutch_error* error) {
    const auto& service = plugin.extension<clutch_host_dead_letter>(CLUTCH_HOST_DEAD_LETTER);
    for (const int64_t row : {2, 0}) {
      clutch_error* reason = nullptr;
      EXPECT_EQ(service.add(batch.context, row, &reason, error), CLUTCH_OK);
      plugin.fail(reason, CLUTCH_ERR_USER, "row " + std::to_string(row) + " is bad");
    }
    ErrorBox box;
    clutch_error* unused = nullptr;
    EXPECT_EQ(service.add(batch.context, 2, &unused, &box.error), CLUTCH_ERR_ARGUMENT);
    EXPECT_EQ(box.message(), "row 2 is a dead letter already");
    EXPECT_EQ(service.add(batch.context, 3, &unused, &box.error), CLUTCH_ERR_ARGUMENT);
    EXPECT_EQ(box.message(), "row 3 cannot be a dead letter: the batch has 3 rows");
    return plugin.emit(batch, batch_of(1, int64_column({4})), int32_column({1}), 0, error);
  };
  const FakeHost host({&plugin});
  const Function function = host.open(doubling().on_error(OnError::kDeadLetter));
  const Output output = function.call(numbers({1, 2, 3}));
  const std::vector<DeadLetter> letters = output.dead_letters();
  ASSERT_EQ(letters.size(), 2u);
  EXPECT_EQ(letters[0].row, 0);
  EXPECT_STREQ(letters[0].error.what(), "row 0 is bad");
  EXPECT_EQ(letters[1].row, 2);
  EXPECT_EQ(letters[1].error.detail(CLUTCH_DETAIL_ROW), "2");
  EXPECT_THAT(read_int64(*clutch_app_result_dead_letter_rows(output.get())), ElementsAre(1, 3));
  EXPECT_EQ(function.metrics().dead_letters, 2u);
}

TEST(FunctionCall, RefusesRowsThatDoNotFit) {
  FakePlugin plugin;
  const FakeHost host({&plugin});
  const Function function = host.open(doubling());
  const Error two = error_of([&] { function.call(columns(std::vector<int64_t>{1}, std::vector<int64_t>{1})); });
  EXPECT_EQ(two.code(), CLUTCH_ERR_DATA);
  EXPECT_EQ(two.origin(), CLUTCH_ORIGIN_USER);
  EXPECT_THAT(two.what(), HasSubstr("function \"double\": input: "));
  Rows released;
  const Error none = error_of([&] { function.call(std::move(released)); });
  EXPECT_STREQ(none.what(), "function \"double\": rows is NULL or released");
  const Error late = error_of([&] { function.call(numbers({1}), Milliseconds(-5)); });
  EXPECT_STREQ(late.what(), "function \"double\": timeout_ms is -5; give a time to wait, or 0 for none");
  EXPECT_EQ(function.metrics().batches_submitted, 0u);
}

TEST(FunctionCall, BrokenOffsetsAreFoundWhereTheInputIsNotTrusted) {
  FakePlugin plugin;
  const FakeHost host({&plugin});
  const Function function =
      host.open(Spec("table.scalar", imported("m:f")).name("f").input("s: string").output("int64"));
  Rows rows = columns(std::vector<std::string>{"abc", "d"});
  auto* offsets = const_cast<int32_t*>(static_cast<const int32_t*>(rows.get()->children[0]->buffers[1]));
  offsets[1] = 1000;
  clutch_app_batch_options options{};
  options.struct_size = sizeof(options);
  options.flags = CLUTCH_APP_UNTRUSTED_INPUT;
  const Error error = error_of([&] { function.call(std::move(rows), options); });
  EXPECT_EQ(error.code(), CLUTCH_ERR_DATA);
  EXPECT_THAT(error.what(), HasSubstr("function \"f\": input: "));
}

TEST(FunctionCall, APluginThatGivesNoReasonIsNamed) {
  FakePlugin plugin;
  plugin.submit = [](const clutch_batch&, clutch_error*) { return CLUTCH_ERR_WORKER_LOST; };
  const FakeHost host({&plugin});
  const Function function = host.open(doubling());
  EXPECT_STREQ(error_of([&] { function.call(numbers({1})); }).what(),
               "plugin \"org.test.fake\" failed with CLUTCH_ERR_WORKER_LOST and gave no reason; look into its log");
  plugin.submit = [](const clutch_batch&, clutch_error*) { return -99; };
  EXPECT_EQ(error_of([&] { function.call(numbers({1})); }).code(), CLUTCH_ERR_INTERNAL);
  plugin.submit = [](const clutch_batch&, clutch_error*) { return 5; };
  const Error odd = error_of([&] { function.call(numbers({1})); });
  EXPECT_EQ(odd.code(), CLUTCH_ERR_PROTOCOL);
  EXPECT_THAT(odd.what(), HasSubstr("ended a batch with status 5, which means nothing there"));
}

TEST(FunctionCall, MetricsReportStagesAndNamedValues) {
  FakePlugin plugin;
  clutch_function_context* context = nullptr;
  plugin.open = [&](const clutch_spec&, clutch_function_context* opened, clutch_error*) {
    context = opened;
    return CLUTCH_OK;
  };
  plugin.submit = [&](const clutch_batch& batch, clutch_error*) {
    const auto& service = plugin.extension<clutch_host_metrics>(CLUTCH_HOST_METRICS);
    service.stage(batch.context, CLUTCH_STAGE_RUN, 1000);
    service.record(context, CLUTCH_METRIC_COUNTER, host::to_str("words"), 2);
    service.record(context, CLUTCH_METRIC_COUNTER, host::to_str("worker.restarts"), 1);
    service.record(context, CLUTCH_METRIC_GAUGE, host::to_str("words"), 100);
    return plugin.double_rows(batch);
  };
  const FakeHost host({&plugin});
  const Function function = host.open(doubling());
  function.call(numbers({1}));
  function.call(numbers({1}));
  EXPECT_EQ(function.metrics().stage_ns[CLUTCH_APP_STAGE_RUN], 2000u);
  EXPECT_EQ(function.metrics().restarts, 2u);
  double words = 0;
  EXPECT_EQ(clutch_app_function_metric(function.get(), "words", &words), CLUTCH_OK);
  EXPECT_EQ(words, 4);
  EXPECT_EQ(clutch_app_function_metric(function.get(), "letters", &words), CLUTCH_ERR_NOT_FOUND);
  EXPECT_THAT(function.metrics_report(), HasSubstr("words: 4\n"));
  EXPECT_THAT(function.metrics_report(Format::kJson), HasSubstr("\"words\":{\"kind\":\"counter\",\"value\":4.0}"));
  int warnings = 0;
  for (const LogLine& line : host.log()) {
    warnings += line.text == "metric \"words\" is reported with two kinds; it keeps the first one" ? 1 : 0;
  }
  EXPECT_EQ(warnings, 1);
}

}  // namespace
}  // namespace clutch::testing
