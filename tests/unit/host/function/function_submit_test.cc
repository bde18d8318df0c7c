// Batches in flight: a plugin that ends them later, elsewhere, out of order, or never.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>

#include "fake_plugin.h"

namespace clutch::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

template <typename Act>
Error error_of(Act act) {
  try {
    act();
  } catch (const Error& error) {
    return error;
  }
  return Error(CLUTCH_OK, "nothing was thrown");
}

// A plugin with a Worker behind it.
struct Async {
  FakePlugin plugin;
  Worker worker{plugin};

  explicit Async(uint32_t max_in_flight) {
    plugin.max_in_flight = max_in_flight;
    plugin.submit = [this](const clutch_batch& batch, clutch_error* error) { return worker.take(batch, error); };
  }
};

TEST(FunctionSubmit, ResultsComeBySequenceWhateverTheOrderOfCompletion) {
  Async async(3);
  const FakeHost host({&async.plugin});
  const Function function = host.open(doubling());
  EXPECT_EQ(function.max_in_flight(), 3u);
  const uint64_t first = function.submit(numbers({1}));
  const uint64_t second = function.submit(numbers({2}));
  const uint64_t third = function.submit(numbers({3}));
  EXPECT_EQ(third, 3u);
  EXPECT_EQ(function.metrics().in_flight, 3u);
  async.worker.finish(third);
  EXPECT_THAT(function.await(third).column<int64_t>(0), ElementsAre(6));
  EXPECT_FALSE(function.try_await(first).has_value());
  async.worker.finish(second, CLUTCH_ERR_USER, "no");
  async.worker.finish(first);
  EXPECT_THAT(function.await(first).column<int64_t>(0), ElementsAre(2));
  EXPECT_STREQ(error_of([&] { function.await(second); }).what(), "no");
  EXPECT_STREQ(error_of([&] { function.await(second); }).what(),
               "function \"double\": batch 2 was never submitted, or its result was taken before");
}

TEST(FunctionSubmit, AwaitAnyGivesWhatIsOver) {
  Async async(3);
  const FakeHost host({&async.plugin});
  const Function function = host.open(doubling());
  function.submit(numbers({1}));
  function.submit(numbers({2}));
  uint64_t sequence = 0;
  clutch_app_result* result = nullptr;
  EXPECT_EQ(clutch_app_function_await_any(function.get(), 1, &sequence, &result, nullptr), CLUTCH_PENDING);
  async.worker.finish(2);
  EXPECT_EQ(clutch_app_function_await_any(function.get(), -1, &sequence, &result, nullptr), CLUTCH_OK);
  EXPECT_EQ(sequence, 2u);
  EXPECT_THAT(Output(result).column<int64_t>(0), ElementsAre(4));
  async.worker.finish(1, CLUTCH_ERR_USER, "bad");
  EXPECT_EQ(clutch_app_function_await_any(function.get(), -1, &sequence, &result, nullptr), CLUTCH_ERR_USER);
  EXPECT_EQ(sequence, 1u);
  EXPECT_EQ(clutch_app_function_await_any(function.get(), -1, &sequence, &result, nullptr), CLUTCH_ERR_NOT_FOUND);
  EXPECT_EQ(sequence, 0u);
}

TEST(FunctionSubmit, SubmitWaitsForASlotAndGivesUpAtItsDeadline) {
  Async async(1);
  const FakeHost host({&async.plugin});
  const Function function = host.open(doubling());
  function.submit(numbers({1}));
  const Error full = error_of([&] { function.submit(numbers({2}), Milliseconds(20)); });
  EXPECT_EQ(full.code(), CLUTCH_ERR_DEADLINE);
  EXPECT_STREQ(full.what(),
               "function \"double\": no place for the batch within 20 ms; 1 batches are in flight, await some of them");
  EXPECT_FALSE(async.worker.has(2));
  async.worker.finish(1);
  EXPECT_EQ(function.submit(numbers({2})), 2u);  // Waits until the first is over.
  async.worker.finish(2);
  EXPECT_THAT(function.await(1).column<int64_t>(0), ElementsAre(2));
  EXPECT_THAT(function.await(2).column<int64_t>(0), ElementsAre(4));
}

TEST(FunctionSubmit, ACompletionInsideSubmitCounts) {
  FakePlugin plugin;
  plugin.submit = [&](const clutch_batch& batch, clutch_error*) {
    plugin.double_rows(batch);
    plugin.host->batch_complete(batch.context, CLUTCH_OK);
    return CLUTCH_PENDING;
  };
  const FakeHost host({&plugin});
  const Function function = host.open(doubling());
  EXPECT_THAT(function.call(numbers({4})).column<int64_t>(0), ElementsAre(8));
  // Saying it twice is noticed, and nothing is counted twice.
  plugin.submit = [&](const clutch_batch& batch, clutch_error*) {
    plugin.double_rows(batch);
    plugin.host->batch_complete(batch.context, CLUTCH_OK);
    plugin.host->batch_complete(batch.context, CLUTCH_OK);
    return CLUTCH_OK;
  };
  EXPECT_THAT(function.call(numbers({5})).column<int64_t>(0), ElementsAre(10));
  EXPECT_EQ(function.metrics().batches_done, 2u);
  const std::vector<LogLine> log = host.log();
  ASSERT_FALSE(log.empty());
  EXPECT_EQ(log.back().level, CLUTCH_APP_LOG_PLUGIN_MISBEHAVING);
  EXPECT_EQ(log.back().function, "double");
  EXPECT_EQ(log.back().text,
            "function_submit returned 0 for a batch that was completed already; return CLUTCH_PENDING then");
}

TEST(FunctionSubmit, LendsItsThreadToAPluginThatPolls) {
  FakePlugin plugin;
  plugin.max_in_flight = 2;
  std::deque<clutch_batch> waiting;  // Submit and poll never overlap, so no lock is needed.
  std::atomic<int> inside{0};
  plugin.submit = [&](const clutch_batch& batch, clutch_error*) {
    EXPECT_EQ(inside.fetch_add(1), 0);
    waiting.push_back(batch);
    inside.fetch_sub(1);
    return CLUTCH_PENDING;
  };
  plugin.poll = [&](int64_t) {
    EXPECT_EQ(inside.fetch_add(1), 0);
    if (!waiting.empty()) {
      const clutch_batch batch = waiting.front();
      waiting.pop_front();
      plugin.double_rows(batch);
      plugin.host->batch_complete(batch.context, CLUTCH_OK);
    }
    inside.fetch_sub(1);
    return CLUTCH_OK;
  };
  const FakeHost host({&plugin});
  const Function function = host.open(doubling());
  EXPECT_THAT(function.call(numbers({1})).column<int64_t>(0), ElementsAre(2));
  const uint64_t batch = function.submit(numbers({2}));
  EXPECT_TRUE(function.try_await(batch).has_value());
  // More than fit, from several threads at once.
  std::vector<std::thread> threads;
  std::atomic<int64_t> sum{0};
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int64_t i = 0; i < 50; ++i) {
        sum += function.call(numbers({t * 1000 + i})).column<int64_t>(0)[0];
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(sum, 2 * (50 * 6000 + 4 * 1225));
  EXPECT_EQ(function.metrics().batches_done, 202u);
}

TEST(FunctionSubmit, ThreadsShareAFunctionWithoutPoll) {
  Async async(2);
  const FakeHost host({&async.plugin});
  const Function function = host.open(doubling());
  std::thread finisher([&] {
    for (uint64_t sequence = 1; sequence <= 40; ++sequence) async.worker.finish(sequence);
  });
  std::vector<std::thread> threads;
  std::atomic<int64_t> sum{0};
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int64_t i = 0; i < 10; ++i) sum += function.call(numbers({i})).column<int64_t>(0)[0];
    });
  }
  for (std::thread& thread : threads) thread.join();
  finisher.join();
  EXPECT_EQ(sum, 4 * 2 * 45);
}

TEST(FunctionSubmit, TheDeadlineReachesThePluginAndASilentPluginIsGivenUp) {
  Async async(1);
  const FakeHost host({&async.plugin});
  const Function function = host.open(doubling());
  const int64_t before = host::monotonic_ns();
  const uint64_t sequence = function.submit(numbers({1}), Milliseconds(10));
  const int64_t deadline = async.worker.taken(sequence).deadline_ns;
  EXPECT_GE(deadline, before + 10'000'000);
  EXPECT_LT(deadline, before + 2'000'000'000);
  EXPECT_FALSE(function.try_await(sequence, Milliseconds(50)).has_value());
  const Error error = error_of([&] { function.await(sequence); });
  EXPECT_EQ(error.code(), CLUTCH_ERR_DEADLINE);
  EXPECT_STREQ(error.what(),
               "function \"double\" batch 1: the plugin did not end it in time and is silent since; the batch is given "
               "up");
  EXPECT_THAT(async.plugin.cancelled, ElementsAre(sequence));
  EXPECT_EQ(function.metrics().in_flight, 1u);  // It still owns its place.
  async.worker.finish(1);
  async.worker.finish(2);
  EXPECT_THAT(function.call(numbers({3})).column<int64_t>(0), ElementsAre(6));
}

TEST(FunctionSubmit, CancelReachesThePluginAndTheBatch) {
  Async async(2);
  const auto is_cancelled = [&](const clutch_batch& batch) {
    return async.plugin.extension<clutch_host_cancel>(CLUTCH_HOST_CANCEL).is_cancelled(batch.context);
  };
  const FakeHost host({&async.plugin});
  const Function function = host.open(doubling());
  const uint64_t sequence = function.submit(numbers({1}));
  const clutch_batch batch = async.worker.taken(sequence);
  EXPECT_EQ(is_cancelled(batch), 0);
  function.cancel(sequence);
  function.cancel(77);
  EXPECT_EQ(is_cancelled(batch), 1);
  EXPECT_THAT(async.plugin.cancelled, ElementsAre(sequence));
  async.worker.finish(sequence, CLUTCH_ERR_CANCELLED, "cancelled");
  EXPECT_EQ(error_of([&] { function.await(sequence); }).code(), CLUTCH_ERR_CANCELLED);
  EXPECT_EQ(is_cancelled(batch), 1);  // Also of a batch that is over.
}

TEST(FunctionSubmit, ClosingCancelsAndWaits) {
  Async async(2);
  async.plugin.cancel = [&](uint64_t sequence) { async.worker.finish(sequence, CLUTCH_ERR_CANCELLED, "cancelled"); };
  const FakeHost host({&async.plugin});
  Function function = host.open(doubling());
  function.submit(numbers({1}));
  function.submit(numbers({2}));
  function.close();
  EXPECT_THAT(async.plugin.cancelled, ElementsAre(1u, 2u));
  EXPECT_EQ(async.plugin.functions_closed, 1);
}

TEST(FunctionSubmit, AFunctionMayBeClosedAsSoonAsItsResultIsThere) {
  Async async(1);
  const FakeHost host({&async.plugin});
  // The thread that completed the batch may still be on its way out of the host; sanitizers watch.
  for (int i = 0; i < 200; ++i) {
    Worker worker(async.plugin);
    async.plugin.submit = [&](const clutch_batch& batch, clutch_error* error) { return worker.take(batch, error); };
    Function function = host.open(doubling());
    worker.finish(1);
    EXPECT_THAT(function.call(numbers({1})).column<int64_t>(0), ElementsAre(2));
    function.close();
  }
  EXPECT_EQ(async.plugin.functions_closed, 200);
}

TEST(FunctionSubmit, TellsTheApplicationThatABatchIsOver) {
  Async async(2);
  struct Seen {
    std::mutex mutex;
    std::condition_variable changed;
    std::vector<uint64_t> sequences;
  } seen;
  const FakeHost host({&async.plugin});
  const Function function = host.open(doubling().completed(
      [](void* self, uint64_t sequence) {
        auto& box = *static_cast<Seen*>(self);
        const std::scoped_lock lock(box.mutex);
        box.sequences.push_back(sequence);
        box.changed.notify_all();
      },
      &seen));
  const uint64_t sequence = function.submit(numbers({1}));
  async.worker.finish(sequence);
  std::unique_lock lock(seen.mutex);
  seen.changed.wait(lock, [&] { return !seen.sequences.empty(); });
  lock.unlock();
  EXPECT_TRUE(function.try_await(sequence).has_value());
}

TEST(FunctionStale, AContextOfABatchThatIsOverIsRefused) {
  FakePlugin plugin;
  clutch_batch_context* old = nullptr;
  plugin.submit = [&](const clutch_batch& batch, clutch_error*) {
    old = batch.context;
    return plugin.double_rows(batch);
  };
  const FakeHost host({&plugin});
  const Function function = host.open(doubling());
  function.call(numbers({1}));
  const char* sentence = "the batch this context belonged to is over; nothing can be staged for it any more";
  const auto expect_stale = [&] {
    ErrorBox box;
    EXPECT_EQ(plugin.emit(old, batch_of(1, int64_column({1})), {}, 0, &box.error), CLUTCH_ERR_STALE);
    EXPECT_EQ(box.message(), sentence);
    clutch_error* reason = nullptr;
    EXPECT_EQ(plugin.extension<clutch_host_dead_letter>(CLUTCH_HOST_DEAD_LETTER).add(old, 0, &reason, nullptr),
              CLUTCH_ERR_STALE);
    clutch_input_lease* lease = nullptr;
    EXPECT_EQ(plugin.extension<clutch_host_memory>(CLUTCH_HOST_MEMORY).lease_take(old, &lease, nullptr),
              CLUTCH_ERR_STALE);
    ArrowArray out{};
    EXPECT_EQ(plugin.extension<clutch_host_state>(CLUTCH_HOST_STATE).read(old, 0, &out, nullptr), CLUTCH_ERR_STALE);
    plugin.extension<clutch_host_metrics>(CLUTCH_HOST_METRICS).stage(old, CLUTCH_STAGE_RUN, 1);
    plugin.host->batch_complete(old, CLUTCH_OK);
  };
  expect_stale();
  // The place is in use again, for another batch: the old handle must not reach it.
  clutch_batch_context* const first = old;
  plugin.submit = [&](const clutch_batch& batch, clutch_error*) {
    EXPECT_NE(batch.context, first);
    expect_stale();
    return plugin.double_rows(batch);
  };
  EXPECT_THAT(function.call(numbers({9})).column<int64_t>(0), ElementsAre(18));
  EXPECT_EQ(function.metrics().batches_done, 2u);
  EXPECT_EQ(function.metrics().stage_ns[CLUTCH_APP_STAGE_RUN], 0u);
}

TEST(FunctionStale, AContextOfAClosedFunctionIsRefused) {
  FakePlugin plugin;
  clutch_function_context* context = nullptr;
  clutch_batch_context* batch_context = nullptr;
  plugin.open = [&](const clutch_spec&, clutch_function_context* opened, clutch_error*) {
    context = opened;
    return CLUTCH_OK;
  };
  plugin.submit = [&](const clutch_batch& batch, clutch_error*) {
    batch_context = batch.context;
    return plugin.double_rows(batch);
  };
  const FakeHost host({&plugin});
  {
    Function function = host.open(doubling());
    function.call(numbers({1}));
    ErrorBox box;
    uint32_t state = 0;
    clutch_state_declaration declaration{};
    declaration.struct_size = sizeof(declaration);
    declaration.name = host::to_str("late");
    const auto& service = plugin.extension<clutch_host_state>(CLUTCH_HOST_STATE);
    EXPECT_EQ(service.declare(context, &declaration, &state, &box.error), CLUTCH_ERR_ARGUMENT);
    EXPECT_EQ(box.message(),
              "function \"double\": state \"late\" is declared after the function opened; declare it inside "
              "function_open");
    function.close();
    EXPECT_EQ(service.declare(context, &declaration, &state, &box.error), CLUTCH_ERR_STALE);
    EXPECT_EQ(box.message(), "the function this context belonged to is closed");
  }
  EXPECT_EQ(plugin.emit(batch_context, batch_of(1, int64_column({1}))), CLUTCH_ERR_STALE);
  // A line that comes late is logged, without the name of a function that is gone.
  plugin.extension<clutch_host_log>(CLUTCH_HOST_LOG)
      .write(plugin.host, CLUTCH_LOG_WARN, host::to_str("stdout"), context, host::to_str("too late"));
  EXPECT_EQ(host.log().back().text, "too late");
  EXPECT_EQ(host.log().back().function, "");
}

TEST(FunctionLease, KeepsTheInputUntilItIsDropped) {
  FakePlugin plugin;
  clutch_input_lease* lease = nullptr;
  const int64_t* column = nullptr;
  plugin.submit = [&](const clutch_batch& batch, clutch_error* error) {
    const auto& memory = plugin.extension<clutch_host_memory>(CLUTCH_HOST_MEMORY);
    const int32_t status = memory.lease_take(batch.context, &lease, error);
    column = static_cast<const int64_t*>(batch.rows->children[0]->buffers[1]);
    return status == CLUTCH_OK ? plugin.double_rows(batch) : status;
  };
  const clutch_host_memory* memory = nullptr;
  clutch_input_lease* kept = nullptr;
  const int64_t* kept_column = nullptr;
  {
    const FakeHost host({&plugin});
    const Function function = host.open(doubling());
    function.call(numbers({11, 12}));
    memory = &plugin.extension<clutch_host_memory>(CLUTCH_HOST_MEMORY);
    kept = lease;
    kept_column = column;
    function.call(numbers({13, 14}));
    EXPECT_NE(column, kept_column);
    memory->lease_drop(lease);
    clutch_app_batch_options options{};
    options.struct_size = sizeof(options);
    options.flags = CLUTCH_APP_INPUT_BORROWED;
    const Error error = error_of([&] { function.call(numbers({1}), options); });
    EXPECT_EQ(error.code(), CLUTCH_ERR_UNSUPPORTED);
    EXPECT_STREQ(error.what(),
                 "the input belongs to the application and ends with the batch; copy what must live longer");
  }
  EXPECT_EQ(kept_column[1], 12);  // Function and host are gone.
  memory->lease_drop(kept);
}

}  // namespace
}  // namespace clutch::testing
