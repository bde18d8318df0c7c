// Event times of output rows: of the input row or of the timer each came from.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "keyed.h"

namespace clutch::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const auto kNone = std::nullopt;

columnar::Array times(const std::vector<std::optional<int64_t>>& values) {
  columnar::ArrayBuilder builder(host::simple_field("", columnar::TypeId::kInt64, true));
  for (const auto& value : values) {
    if (value) {
      builder.append(*value);
    } else {
      builder.append_null();
    }
  }
  return builder.finish();
}

struct TimesTest : public ::testing::Test {
  Keyed keyed;
  std::unique_ptr<FakeHost> host = std::make_unique<FakeHost>(std::vector<FakePlugin*>{&keyed.plugin});
  Function function = host->open(keyed_spec());

  template <typename Body>
  Output run(KeyedBatch batch, const columnar::Array& timestamps, Body body) {
    batch.options.timestamps = const_cast<ArrowArray*>(timestamps.get());
    keyed.plugin.submit = [&](const clutch_batch& taken, clutch_error* error) -> int32_t { return body(taken, error); };
    return batch.call(function);
  }
  // The sentence of a batch that emits rows with these origins.
  std::string refusal(KeyedBatch batch, const std::vector<int32_t>& origins) {
    keyed.plugin.submit = [&](const clutch_batch& taken, clutch_error* error) -> int32_t {
      return keyed.plugin.emit(
          taken, batch_of(static_cast<int64_t>(origins.size()), int64_column(std::vector<int64_t>(origins.size(), 1))),
          int32_column(origins), 0, error);
    };
    try {
      batch.call(function);
    } catch (const Error& error) {
      return error.what();
    }
    return {};
  }
};

TEST_F(TimesTest, AreThoseOfTheInputRows) {
  const Output output = run(
      KeyedBatch({1, 2, 3}, {"a", "b", "c"}), times({10, kNone, 30}), [&](const clutch_batch& batch, clutch_error*) {
        return keyed.plugin.emit(batch, batch_of(4, int64_column({1, 2, 3, 4})), int32_column({0, 1, 2, 2}));
      });
  EXPECT_THAT(output.timestamps(), ElementsAre(10, kNone, 30, 30));
}

TEST_F(TimesTest, ARowForARowHasItsTime) {
  const Output output =
      run(KeyedBatch({1, 2}, {"a", "b"}), times({10, 20}), [&](const clutch_batch& batch, clutch_error*) {
        return keyed.plugin.emit(batch, batch_of(2, int64_column({1, 2})));
      });
  EXPECT_THAT(output.timestamps(), ElementsAre(10, 20));
}

TEST_F(TimesTest, AreThoseOfTheInputAlsoWhileALeaseHoldsIt) {
  clutch_input_lease* lease = nullptr;
  const auto& memory = keyed.plugin.extension<clutch_host_memory>(CLUTCH_HOST_MEMORY);
  const Output output =
      run(KeyedBatch({1, 2}, {"a", "b"}), times({10, kNone}), [&](const clutch_batch& batch, clutch_error* error) {
        memory.lease_take(batch.context, &lease, error);
        return keyed.plugin.emit(batch, batch_of(2, int64_column({1, 2})));
      });
  EXPECT_THAT(output.timestamps(), ElementsAre(10, kNone));
  memory.lease_drop(lease);
}

TEST_F(TimesTest, WithoutTimesThereAreNulls) {
  const Output output = run(KeyedBatch({1}, {"a"}), {}, [&](const clutch_batch& batch, clutch_error*) {
    return keyed.plugin.emit(batch, batch_of(1, int64_column({1})));
  });
  EXPECT_THAT(output.timestamps(), ElementsAre(kNone));
  const Output empty = run(KeyedBatch({1}, {"a"}), {}, [](const clutch_batch&, clutch_error*) { return CLUTCH_OK; });
  EXPECT_THAT(empty.timestamps(), IsEmpty());
}

TEST_F(TimesTest, RowsOfTimersHaveTheTimeOfTheirTimer) {
  run(KeyedBatch({1}, {"a"}), {}, [&](const clutch_batch& batch, clutch_error* error) {
    return keyed.set_timers(batch, {{0, 5, 0, 0}, {0, 6, 0, 0}, {0, 900, 1, 0}}, error);
  });
  const Output output = run(std::move(KeyedBatch({1}, {"b"}).watermark(6)), times({40}),
                            [&](const clutch_batch& batch, clutch_error* error) {
                              EXPECT_EQ(batch.timers->length, 3);
                              // The fourth was registered and fired inside the batch.
                              keyed.set_timers(batch, {{0, 4, 0, CLUTCH_TIMER_FIRED}}, error);
                              return keyed.plugin.emit(batch, batch_of(6, int64_column({1, 2, 3, 4, 5, 6})),
                                                       int32_column({-1, -2, -2, -3, -4, 0}));
                            });
  EXPECT_THAT(output.timestamps(), ElementsAre(5, 6, 6, kNone, 4, 40));
  EXPECT_EQ(output.origin(3), -3);
  EXPECT_EQ(function.metrics().timers_fired, 4u);
  // It left nothing behind.
  int64_t time = 0;
  EXPECT_EQ(clutch_app_function_next_timer(function.get(), CLUTCH_APP_EVENT_TIME, &time), CLUTCH_ERR_NOT_FOUND);
}

TEST_F(TimesTest, OriginsNameTimersThatFired) {
  EXPECT_EQ(refusal(KeyedBatch({1}, {"a"}), {-1, 0}),
            "function \"keyed\": output: origin names input row -1, the batch has 1 rows");
  run(KeyedBatch({1}, {"a"}), {}, [&](const clutch_batch& batch, clutch_error* error) {
    return keyed.set_timers(batch, {{0, 5, 0, 0}}, error);
  });
  EXPECT_EQ(refusal(std::move(KeyedBatch({1}, {"a"}).watermark(5)), {-2, 0}),
            "function \"keyed\": output: origin names input row -2, the batch has 1 rows");
  EXPECT_EQ(refusal(KeyedBatch({1}, {"a"}), {0, -1}),
            "function \"keyed\": output: origin decreases; output stands in the order of its input");
}

TEST_F(TimesTest, SideOutputsHaveThemToo) {
  uint32_t tag = 0;
  keyed.plugin.open = [&](const clutch_spec&, clutch_function_context* context, clutch_error* error) {
    const auto& sides = keyed.plugin.extension<clutch_host_side_output>(CLUTCH_HOST_SIDE_OUTPUT);
    const columnar::Schema schema =
        columnar::export_field(columnar::struct_of({host::simple_field("x", columnar::TypeId::kInt64, true)}));
    return sides.declare(context, host::to_str("late"), schema.get(), &tag, error);
  };
  const Function other = host->open(keyed_spec());
  KeyedBatch batch({1, 2}, {"a", "b"});
  columnar::Array given = times({10, 20});
  batch.options.timestamps = given.get();
  keyed.plugin.submit = [&](const clutch_batch& taken, clutch_error* error) -> int32_t {
    return keyed.plugin.emit(taken, batch_of(1, int64_column({9})), int32_column({1}), tag, error);
  };
  const Output output = batch.call(other);
  EXPECT_THAT(output.side_timestamps("late"), ElementsAre(20));
  EXPECT_EQ(clutch_app_result_side_timestamps(output.get(), "nowhere"), nullptr);
}

}  // namespace
}  // namespace clutch::testing
