#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "keyed.h"

namespace clutch::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr int8_t kEvent = CLUTCH_TIMER_EVENT_TIME;
constexpr int8_t kProcessing = CLUTCH_TIMER_PROCESSING_TIME;
constexpr int8_t kSet = CLUTCH_TIMER_REGISTER;
constexpr int8_t kDelete = CLUTCH_TIMER_DELETE;

// The timers of a batch as "key@time" or "key~time" (processing time).
std::vector<std::string> fired(const clutch_batch& batch) {
  std::vector<std::string> out;
  if (batch.timers == nullptr) return out;
  const columnar::ArrayView keys(*batch.keys);
  for (int64_t i = 0; i < batch.timers->length; ++i) {
    const int32_t key = columnar::ArrayView(*batch.timers->children[0]).values<int32_t>()[i];
    const int64_t time = columnar::ArrayView(*batch.timers->children[1]).values<int64_t>()[i];
    const int8_t domain = columnar::ArrayView(*batch.timers->children[2]).values<int8_t>()[i];
    out.push_back(std::string(keys.bytes_at<int32_t>(key)) + (domain == kEvent ? "@" : "~") + std::to_string(time));
  }
  return out;
}

struct TimerTest : public ::testing::Test {
  Keyed keyed;
  std::unique_ptr<FakeHost> host = std::make_unique<FakeHost>(std::vector<FakePlugin*>{&keyed.plugin});
  Function function = host->open(keyed_spec());

  // Run a batch that sets these timers; gives those that fired in it.
  std::vector<std::string> run(KeyedBatch batch, const std::vector<TimerOp>& timers = {}) {
    std::vector<std::string> out;
    keyed.plugin.submit = [&](const clutch_batch& taken, clutch_error* error) -> int32_t {
      out = fired(taken);
      return timers.empty() ? CLUTCH_OK : keyed.set_timers(taken, timers, error);
    };
    batch.call(function);
    return out;
  }
  int64_t next(int32_t domain) {
    int64_t time = -1;
    clutch_app_function_next_timer(function.get(), domain, &time);
    return time;
  }
};

TEST_F(TimerTest, FireInALaterBatchWhenTheirTimeHasCome) {
  EXPECT_THAT(run(KeyedBatch({1, 2}, {"a", "b"}),
                  {{0, 20, kEvent, kSet}, {1, 10, kEvent, kSet}, {1, 2000, kProcessing, kSet}, {0, 20, kEvent, kSet}}),
              IsEmpty());
  EXPECT_EQ(next(CLUTCH_APP_EVENT_TIME), 10);
  EXPECT_EQ(next(CLUTCH_APP_PROCESSING_TIME), 2000);
  // The rows have key "c": the timers' keys get positions behind it.
  EXPECT_THAT(run(std::move(KeyedBatch({1}, {"c"}).watermark(10))), ElementsAre("b@10"));
  EXPECT_THAT(run(std::move(KeyedBatch({}, {}).watermark(19))), IsEmpty());
  EXPECT_THAT(run(std::move(KeyedBatch({}, {}).watermark(20).at(2000))), ElementsAre("a@20", "b~2000"));
  EXPECT_EQ(next(CLUTCH_APP_EVENT_TIME), -1);
  EXPECT_EQ(function.metrics().timers_fired, 3u);
}

TEST_F(TimerTest, AreDeletedAndSetAgain) {
  run(KeyedBatch({1}, {"a"}), {{0, 5, kEvent, kSet}, {0, 6, kEvent, kSet}, {0, 5, kEvent, kDelete}});
  EXPECT_THAT(run(std::move(KeyedBatch({1}, {"a"}).watermark(6)), {{0, 6, kEvent, kSet}}), ElementsAre("a@6"));
  // It was registered again by the batch it fired in.
  EXPECT_THAT(run(KeyedBatch({1}, {"a"})), ElementsAre("a@6"));
}

TEST_F(TimerTest, AFailedBatchLeavesThemToFireAgain) {
  run(KeyedBatch({1}, {"a"}), {{0, 5, kEvent, kSet}});
  keyed.plugin.submit = [&](const clutch_batch& batch, clutch_error* error) {
    EXPECT_THAT(fired(batch), ElementsAre("a@5"));
    keyed.plugin.fail(error, CLUTCH_ERR_USER, "no");
    return CLUTCH_ERR_USER;
  };
  EXPECT_THROW(KeyedBatch({1}, {"b"}).watermark(5).call(function), Error);
  EXPECT_THAT(run(KeyedBatch({1}, {"b"})), ElementsAre("a@5"));
}

TEST_F(TimerTest, TheWatermarkNeverGoesBack) {
  keyed.plugin.submit = [&](const clutch_batch& batch, clutch_error*) {
    EXPECT_EQ(batch.watermark_ms, INT64_MIN);
    return CLUTCH_OK;
  };
  KeyedBatch({1}, {"a"}).call(function);
  for (const int64_t watermark : {30, 20}) {
    keyed.plugin.submit = [&](const clutch_batch& batch, clutch_error*) {
      EXPECT_EQ(batch.watermark_ms, 30);
      return CLUTCH_OK;
    };
    KeyedBatch({1}, {"a"}).watermark(watermark).call(function);
  }
}

TEST_F(TimerTest, RowsThatATimerGaveHaveNoInputRow) {
  run(KeyedBatch({1}, {"a"}), {{0, 5, kEvent, kSet}});
  keyed.plugin.submit = [&](const clutch_batch& batch, clutch_error* error) {
    return keyed.plugin.emit(batch, batch_of(2, int64_column({7, 8})), int32_column({-1, 0}), 0, error);
  };
  const Output output = KeyedBatch({1}, {"b"}).watermark(5).call(function);
  EXPECT_EQ(output.origin(0), -1);
  EXPECT_EQ(output.origin(1), 0);
}

TEST_F(TimerTest, RowsNameTheTimerThatGaveThem) {
  run(KeyedBatch({1}, {"a"}), {{0, 5, kEvent, kSet}, {0, 6, kEvent, kSet}});
  // The second timer of the batch comes after one that was registered and fired in it, which has the place behind both.
  keyed.plugin.submit = [&](const clutch_batch& batch, clutch_error* error) {
    const int32_t status = keyed.set_timers(batch, {{0, 5, kEvent, CLUTCH_TIMER_FIRED}}, error);
    if (status != CLUTCH_OK) return status;
    return keyed.plugin.emit(batch, batch_of(4, int64_column({7, 8, 9, 10})), int32_column({-1, -3, -2, 0}), 0, error);
  };
  const Output output = KeyedBatch({1}, {"b"}).watermark(6).call(function);
  EXPECT_EQ(output.origin(1), -3);
  EXPECT_EQ(output.origin(2), -2);
  EXPECT_EQ(output.origin(3), 0);
}

TEST_F(TimerTest, RowsOfTimersThatDidNotFireAreRefused) {
  run(KeyedBatch({1}, {"a"}), {{0, 5, kEvent, kSet}});
  const auto sentence = [&](std::vector<int32_t> origin) {
    keyed.plugin.submit = [&](const clutch_batch& batch, clutch_error* error) {
      return keyed.plugin.emit(batch, batch_of(2, int64_column({7, 8})), int32_column(origin), 0, error);
    };
    try {
      KeyedBatch({1}, {"b"}).watermark(5).call(function);
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_THAT(sentence({-2, 0}), HasSubstr("origin names input row -2, the batch has 1 rows"));
  EXPECT_THAT(sentence({0, -1}), HasSubstr("origin decreases"));
}

TEST_F(TimerTest, RefusesWhatDoesNotExist) {
  const auto sentence = [&](const TimerOp& timer) {
    try {
      run(KeyedBatch({1}, {"a"}), {timer});
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_EQ(sentence({1, 5, kEvent, kSet}), "function \"keyed\": key 1 is used, the batch has 1 keys");
  EXPECT_EQ(sentence({0, 5, 2, kSet}), "timer change 0: domain is 2; it is 0 or 1");
  EXPECT_EQ(sentence({0, 5, kEvent, 7}), "timer change 0: op is 7; it is 0, 1 or 2");
}

}  // namespace
}  // namespace clutch::testing
