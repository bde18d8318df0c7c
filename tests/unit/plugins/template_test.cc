// The template plugin by its table: each kind, each service, each refusal.
#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include "clutch/columnar/builder.h"
#include "clutch/columnar/ops.h"
#include "clutch/columnar/view.h"
#include "fake_host.h"

namespace clutch::test {
namespace {

using columnar::Array;
using columnar::ArrayBuilder;
using columnar::ArrayView;

std::string symbol(const std::string& name) { return std::string(SAMPLE_LIBRARY) + ":" + name; }

Array int64_rows(const columnar::Field& field, const std::vector<std::optional<int64_t>>& values) {
  ArrayBuilder rows(field);
  for (const auto& value : values) {
    value ? rows.child(0).append<int64_t>(*value) : rows.child(0).append_null();
    rows.append_struct();
  }
  return rows.finish();
}

class TemplateTest : public ::testing::Test {
 protected:
  TemplateTest() : plugin_(TEMPLATE_PLUGIN) { open_runtime(); }
  ~TemplateTest() override {
    close_function();
    plugin_.api().runtime_close(runtime_);
  }

  void open_runtime() {
    const clutch_options none{};
    ASSERT_EQ(CLUTCH_OK, plugin_.api().runtime_open(host_.get(), &none, &runtime_, &error_));
  }
  int32_t open(Spec& spec) {
    clutch_function_info info = {sizeof(info), 0};
    const int32_t status = plugin_.api().function_open(runtime_, spec.get(), &context_, &function_, &info, &error_);
    if (status == CLUTCH_OK) {
      EXPECT_EQ(1u, info.max_in_flight);
    }
    return status;
  }
  void close_function() {
    if (function_ != nullptr) {
      EXPECT_EQ(CLUTCH_OK, plugin_.api().function_close(function_, &error_));
    }
    function_ = nullptr;
  }
  int32_t submit(const Array& rows) {
    batch_.rows = rows.get();
    return submit();
  }
  int32_t submit() {
    batch_.struct_size = sizeof(batch_);
    batch_.context = &staged_;
    batch_.sequence += 1;
    return plugin_.api().function_submit(function_, &batch_, &error_);
  }
  std::string main_rows(const Spec& spec) {
    return staged_.emitted.empty() ? "nothing" : rows_text(spec.output, *staged_.emitted[0].rows);
  }

  FakeHost host_;
  LoadedPlugin plugin_;
  clutch_error error_;
  clutch_runtime* runtime_ = nullptr;
  clutch_function_context context_;
  clutch_function* function_ = nullptr;
  clutch_batch batch_{};
  clutch_batch_context staged_;
};

TEST_F(TemplateTest, RefusesLevelsItDoesNotHaveAndTellsItsOwn) {
  const clutch_host_offer offer = {sizeof(offer), 0, 7, 9, str("test")};
  clutch_plugin_answer answer{};
  answer.struct_size = sizeof(answer);
  EXPECT_EQ(CLUTCH_ERR_UNSUPPORTED, plugin_.negotiate()(&offer, &answer));
  EXPECT_EQ(1u, answer.min_level);
  EXPECT_EQ(CLUTCH_ABI_LEVEL, answer.max_level);
  EXPECT_EQ(nullptr, answer.api);
}

TEST_F(TemplateTest, MapsNumbersAndKeepsNulls) {
  Spec spec("table.scalar", "native", "native:" + symbol("sample_plus_one"), "x: int64", "y: int64");
  ASSERT_EQ(CLUTCH_OK, open(spec)) << error_.message;
  ASSERT_EQ(CLUTCH_OK, submit(int64_rows(spec.input, {1, std::nullopt, -1}))) << error_.message;
  EXPECT_EQ("{'y': 2}\n{'y': null}\n{'y': 0}\n", main_rows(spec));
  EXPECT_EQ("all", origin_text(staged_.emitted[0].origin));
}

TEST_F(TemplateTest, ReadsSlicesOfBatchesAndOfColumns) {
  Spec spec("stream.map", "native", symbol("sample_plus_one"), "x: int64", "y: int64");
  ASSERT_EQ(CLUTCH_OK, open(spec)) << error_.message;
  const Array whole = int64_rows(spec.input, {100, 1, std::nullopt, 3, 100});
  ASSERT_EQ(CLUTCH_OK, submit(columnar::slice(*whole, 1, 3))) << error_.message;
  EXPECT_EQ("{'y': 2}\n{'y': null}\n{'y': 4}\n", main_rows(spec));
}

TEST_F(TemplateTest, GivesAnEmptyBatchForAnEmptyBatch) {
  Spec spec("stream.map", "native", symbol("sample_upper"), "x: string", "y: string");
  ASSERT_EQ(CLUTCH_OK, open(spec)) << error_.message;
  ASSERT_EQ(CLUTCH_OK, submit(ArrayBuilder(spec.input).finish())) << error_.message;
  ASSERT_EQ(1u, staged_.emitted.size());
  EXPECT_EQ(0, staged_.emitted[0].rows->length);
}

TEST_F(TemplateTest, MapsTextThroughScratchMemory) {
  Spec spec("stream.map", "native", symbol("sample_upper"), "x: string", "y: string");
  ASSERT_EQ(CLUTCH_OK, open(spec)) << error_.message;
  ArrayBuilder rows(spec.input);
  for (const char* text : {"plain", "", "jaźń"}) {
    ASSERT_TRUE(rows.child(0).append_bytes(text).ok());
    rows.append_struct();
  }
  rows.child(0).append_null();
  rows.append_struct();
  ASSERT_EQ(CLUTCH_OK, submit(rows.finish())) << error_.message;
  EXPECT_EQ("{'y': 'PLAIN'}\n{'y': ''}\n{'y': 'JAźń'}\n{'y': null}\n", main_rows(spec));
}

TEST_F(TemplateTest, MapsFloats) {
  Spec spec("table.scalar", "native", symbol("sample_half"), "x: double", "y: double");
  ASSERT_EQ(CLUTCH_OK, open(spec)) << error_.message;
  ArrayBuilder rows(spec.input);
  rows.child(0).append<double>(3.0);
  rows.append_struct();
  ASSERT_EQ(CLUTCH_OK, submit(rows.finish())) << error_.message;
  EXPECT_EQ("{'y': 1.5}\n", main_rows(spec));
}

TEST_F(TemplateTest, FilterNamesTheRowsInsteadOfCopyingThem) {
  Spec spec("stream.filter", "native", symbol("sample_is_even"), "x: int64", "x: int64");
  ASSERT_EQ(CLUTCH_OK, open(spec)) << error_.message;
  ASSERT_EQ(CLUTCH_OK, submit(int64_rows(spec.input, {1, 2, std::nullopt, 4}))) << error_.message;
  ASSERT_EQ(1u, staged_.emitted.size());
  EXPECT_TRUE(staged_.emitted[0].rows.empty());
  EXPECT_EQ("1 3", origin_text(staged_.emitted[0].origin));
}

TEST_F(TemplateTest, ARowThatFailsFailsTheBatchAndStagesNothing) {
  Spec spec("stream.map", "native", symbol("sample_plus_one"), "x: int64", "y: int64");
  ASSERT_EQ(CLUTCH_OK, open(spec)) << error_.message;
  EXPECT_EQ(CLUTCH_ERR_USER, submit(int64_rows(spec.input, {1, INT64_MAX})));
  EXPECT_EQ("function \"f\" row 1: OverflowError: 9223372036854775807 + 1 does not fit 64 bits", error_.message);
  EXPECT_EQ(CLUTCH_ORIGIN_USER, error_.origin);
  EXPECT_EQ("1", error_.details["row"]);
  EXPECT_EQ("f", error_.details["function"]);
  EXPECT_TRUE(staged_.emitted.empty());
}

TEST_F(TemplateTest, ARowThatFailsBecomesNullWhereAsked) {
  Spec spec("stream.map", "native", symbol("sample_plus_one"), "x: int64", "y: int64");
  spec.on_error = CLUTCH_ON_ERROR_NULL;
  ASSERT_EQ(CLUTCH_OK, open(spec)) << error_.message;
  ASSERT_EQ(CLUTCH_OK, submit(int64_rows(spec.input, {INT64_MAX, 1}))) << error_.message;
  EXPECT_EQ("{'y': null}\n{'y': 2}\n", main_rows(spec));
}

TEST_F(TemplateTest, ARowThatFailsGoesToTheDeadLettersWhereAsked) {
  Spec spec("stream.map", "native", symbol("sample_plus_one"), "x: int64", "y: int64");
  spec.on_error = CLUTCH_ON_ERROR_DEAD_LETTER;
  ASSERT_EQ(CLUTCH_OK, open(spec)) << error_.message;
  ASSERT_EQ(CLUTCH_OK, submit(int64_rows(spec.input, {1, INT64_MAX, 3}))) << error_.message;
  EXPECT_EQ("{'y': 2}\n{'y': 4}\n", main_rows(spec));
  EXPECT_EQ("0 2", origin_text(staged_.emitted[0].origin));
  ASSERT_EQ(1u, staged_.dead_letters.count(1));
  EXPECT_EQ(CLUTCH_ERR_USER, staged_.dead_letters[1].code);
}

TEST_F(TemplateTest, AResultOfAnotherTypeIsRefusedByItsSentence) {
  Spec spec("stream.map", "native", symbol("sample_wrong_type"), "x: int64", "y: int64");
  ASSERT_EQ(CLUTCH_OK, open(spec)) << error_.message;
  EXPECT_EQ(CLUTCH_ERR_VALUE, submit(int64_rows(spec.input, {1})));
  EXPECT_EQ("function \"f\" row 0: result of type utf8 does not fit int64; return int64 or change the result type",
            error_.message);
}

TEST_F(TemplateTest, StopsForCancelAndDeadline) {
  Spec spec("stream.map", "native", symbol("sample_plus_one"), "x: int64", "y: int64");
  ASSERT_EQ(CLUTCH_OK, open(spec)) << error_.message;
  plugin_.api().function_cancel(function_, 1);
  EXPECT_EQ(CLUTCH_ERR_CANCELLED, submit(int64_rows(spec.input, {1})));
  EXPECT_EQ("function \"f\" was cancelled at row 0", error_.message);
  EXPECT_EQ(CLUTCH_OK, submit(int64_rows(spec.input, {1}))) << "only the batch that was named is cancelled";
  staged_.cancelled = true;
  EXPECT_EQ(CLUTCH_ERR_CANCELLED, submit(int64_rows(spec.input, {1})));
  staged_.cancelled = false;
  batch_.deadline_ns = 1;
  EXPECT_EQ(CLUTCH_ERR_DEADLINE, submit(int64_rows(spec.input, {1})));
  EXPECT_EQ("function \"f\" passed the deadline of its batch at row 0", error_.message);
}

class KeyedTest : public TemplateTest {
 protected:
  KeyedTest() : spec_("stream.keyed_process", "native", symbol("sample_running_total"), "x: int64", "total: int64") {}

  // Rows of (key, number); timestamps count from 1000.
  int32_t submit_keyed(const std::vector<std::pair<int32_t, int64_t>>& rows, const std::vector<int32_t>& fired = {}) {
    std::vector<std::optional<int64_t>> numbers;
    ArrayBuilder index({"key_index", *columnar::parse_type("int32"), false});
    ArrayBuilder timestamps({"timestamps", *columnar::parse_type("int64")});
    for (const auto& [key, number] : rows) {
      timestamps.append<int64_t>(1000 + static_cast<int64_t>(numbers.size()));
      index.append<int32_t>(key);
      numbers.emplace_back(number);
    }
    ArrayBuilder keys({"keys", *columnar::parse_type("binary"), false});
    for (const std::string& key : staged_.keys) EXPECT_TRUE(keys.append_bytes(key).ok());
    ArrayBuilder timers(columnar::struct_of(columnar::parse_type("struct<k: int32, t: int64, d: int8>")->children));
    for (const int32_t key : fired) {
      timers.child(0).append<int32_t>(key);
      timers.child(1).append<int64_t>(500);
      timers.child(2).append<int8_t>(CLUTCH_TIMER_EVENT_TIME);
      timers.append_struct();
    }
    const Array key_array = keys.finish();
    const Array index_array = index.finish();
    const Array timestamp_array = timestamps.finish();
    const Array timer_array = timers.finish();
    batch_.keys = key_array.get();
    batch_.key_index = index_array.get();
    batch_.timestamps = timestamp_array.get();
    batch_.timers = timer_array.get();
    return submit(int64_rows(spec_.input, numbers));
  }
  static std::string total(int64_t value) { return {reinterpret_cast<const char*>(&value), sizeof(value)}; }
  static std::string state_changes_text(const clutch_batch_context& staged) {
    std::string text;
    for (const Array& changes : staged.state_changes) {
      for (int64_t i = 0; i < changes->length; ++i) {
        const int op = ArrayView(*changes->children[1]).values<int8_t>()[i];
        text += std::to_string(ArrayView(*changes->children[0]).values<int32_t>()[i]);
        const ArrayView values(*changes->children[3]);
        int64_t number = 0;
        if (!values.is_null(i)) std::memcpy(&number, values.bytes_at<int32_t>(i).data(), sizeof(number));
        text += op == CLUTCH_STATE_OP_CLEAR ? " clear\n" : " = " + std::to_string(number) + "\n";
      }
    }
    return text;
  }

  Spec spec_;
};

TEST_F(KeyedTest, UsesStateTimersMetricsAndSideOutputs) {
  spec_.step_options = {{"side_output", "negative"}};
  ASSERT_EQ(CLUTCH_OK, open(spec_)) << error_.message;
  EXPECT_EQ(std::vector<std::string>{"value"}, context_.states);
  EXPECT_EQ(std::vector<std::string>{"negative"}, context_.side_outputs);

  staged_.keys = {"a", "b", "c"};
  staged_.state = {{"a", total(10)}, {"c", total(7)}};
  ASSERT_EQ(CLUTCH_OK, submit_keyed({{0, 1}, {1, 5}, {0, -3}, {0, 2}}, {2})) << error_.message;

  ASSERT_EQ(2u, staged_.emitted.size());
  EXPECT_EQ("{'total': 7}\n{'total': 11}\n{'total': 5}\n{'total': 13}\n", main_rows(spec_));
  EXPECT_EQ("-1 0 1 3", origin_text(staged_.emitted[0].origin));
  EXPECT_EQ(1u, staged_.emitted[1].tag);
  EXPECT_TRUE(staged_.emitted[1].rows.empty());
  EXPECT_EQ("2", origin_text(staged_.emitted[1].origin));
  EXPECT_EQ("0 = 13\n1 = 5\n2 clear\n", state_changes_text(staged_));
  ASSERT_EQ(1u, staged_.timer_changes.size());
  const columnar::Field timers =
      columnar::struct_of(columnar::parse_type("struct<key: int32, time: int64, domain: int8, op: int8>")->children);
  EXPECT_EQ(
      "{'key': 0, 'time': 11000, 'domain': 0, 'op': 0}\n{'key': 1, 'time': 11001, 'domain': 0, 'op': 0}\n"
      "{'key': 0, 'time': 11003, 'domain': 0, 'op': 0}\n",
      rows_text(timers, *staged_.timer_changes[0]));
  EXPECT_EQ(1.0, context_.counters["set_aside"]);
}

TEST_F(KeyedTest, ARowThatFailsTakesBackWhatItEmittedAndStored) {
  spec_.on_error = CLUTCH_ON_ERROR_DEAD_LETTER;
  ASSERT_EQ(CLUTCH_OK, open(spec_)) << error_.message;
  staged_.keys = {"a"};
  ASSERT_EQ(CLUTCH_OK, submit_keyed({{0, 4}, {0, 0}, {0, 5}})) << error_.message;
  EXPECT_EQ("{'total': 4}\n{'total': 9}\n", main_rows(spec_));
  EXPECT_EQ("0 2", origin_text(staged_.emitted[0].origin));
  EXPECT_EQ("0 = 9\n", state_changes_text(staged_));
  EXPECT_EQ("function \"f\" row 1: ValueError: zero is not counted", staged_.dead_letters[1].message);
}

TEST_F(KeyedTest, NeedsAHostWithStateAndKeys) {
  FakeHost poor;
  poor.lack(CLUTCH_HOST_STATE);
  clutch_runtime* runtime = nullptr;
  const clutch_options none{};
  ASSERT_EQ(CLUTCH_OK, plugin_.api().runtime_open(poor.get(), &none, &runtime, &error_));
  EXPECT_EQ(CLUTCH_ERR_UNSUPPORTED, plugin_.api().runtime_probe(runtime, spec_.get(), &error_));
  EXPECT_EQ("function \"f\" needs a host with state, timers and side outputs", error_.message);
  plugin_.api().runtime_close(runtime);

  ASSERT_EQ(CLUTCH_OK, open(spec_)) << error_.message;
  EXPECT_EQ(CLUTCH_ERR_DATA, submit(int64_rows(spec_.input, {1})));
  EXPECT_EQ("function \"f\" got batch 1 without keys", error_.message);
}

// What is refused when a function opens, and by which sentence.
struct Refusal {
  const char* kind;
  const char* format;
  std::string payload;
  const char* input;
  uint64_t n_steps;
  int32_t status;
  std::string sentence;
};

class TemplateRefusalTest : public TemplateTest, public ::testing::WithParamInterface<Refusal> {};

TEST_P(TemplateRefusalTest, IsRefusedByItsSentence) {
  const Refusal& refusal = GetParam();
  Spec spec(refusal.kind, refusal.format, refusal.payload, refusal.input, "y: int64");
  spec.n_steps = refusal.n_steps;
  EXPECT_EQ(refusal.status, open(spec));
  EXPECT_NE(std::string::npos, error_.message.find(refusal.sentence)) << error_.message;
  EXPECT_EQ(nullptr, function_);
}

INSTANTIATE_TEST_SUITE_P(
    Refusals, TemplateRefusalTest,
    ::testing::Values(
        Refusal{"stream.map", "native", symbol("sample_plus_one"), "x: int64", 2, CLUTCH_ERR_UNSUPPORTED,
                "function \"f\" is a chain; mode native serves single functions"},
        Refusal{
            "stream.map", "pickle", "x", "x: int64", 1, CLUTCH_ERR_UNSUPPORTED,
            "function \"f\" does not have a payload of format native, which is all that mode native serves: pickle"},
        Refusal{"table.table", "native", symbol("sample_plus_one"), "x: int64", 1, CLUTCH_ERR_UNSUPPORTED,
                "which are all that mode native serves: table.table"},
        Refusal{"stream.map", "native", symbol("sample_plus_one"), "x: list<int64>", 1, CLUTCH_ERR_UNSUPPORTED,
                "function \"f\" column \"x\" has the Arrow type +l; mode native serves int64, float64 and utf8"},
        Refusal{"stream.map", "native", "libsample.so:sample_plus_one", "x: int64", 1, CLUTCH_ERR_FUNCTION,
                "function \"f\" payload 'libsample.so:sample_plus_one' is not of the form /path/to/libfoo.so:symbol; "
                "the path must be absolute"},
        Refusal{"stream.map", "native", SAMPLE_LIBRARY, "x: int64", 1, CLUTCH_ERR_FUNCTION, "is not of the form"},
        Refusal{"stream.map", "native", "/nowhere/libfoo.so:f", "x: int64", 1, CLUTCH_ERR_FUNCTION,
                "function \"f\" could not be loaded: /nowhere/libfoo.so: cannot open shared object file"},
        Refusal{"stream.map", "native", symbol("no_such"), "x: int64", 1, CLUTCH_ERR_FUNCTION,
                "undefined symbol: no_such"}));

}  // namespace
}  // namespace clutch::test
