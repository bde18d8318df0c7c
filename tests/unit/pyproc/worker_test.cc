// The worker library against a host of the test and a runtime of the test: each message, each way to end.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>

#include <numeric>

#include "clutch/abi/status.h"
#include "clutch/columnar/builder.h"
#include "clutch/columnar/view.h"
#include "clutch/ext/log.h"
#include "clutch/ext/metrics.h"
#include "worker_host.h"

namespace clutch::pyproc::testing {
namespace {

std::vector<int64_t> up_to(int64_t count) {
  std::vector<int64_t> out(static_cast<size_t>(count));
  std::iota(out.begin(), out.end(), 0);
  return out;
}

TEST(Worker, ShakesHandsAndSaysWhatItIs) {
  FakeHost host;
  const Ready ready = host.configure({{"python.executable", "/usr/bin/python3"}});
  ASSERT_TRUE(ready.error.ok()) << ready.error.message();
  EXPECT_EQ(ready.pid, host.pid());
  EXPECT_EQ(ready.facts, (Options{{"python.version", "0.0"}}));
  EXPECT_EQ(host.epoch_seen, FakeHost::kEpoch);
  host.send_shutdown();
  ASSERT_TRUE(host.ended_within(5000));
  EXPECT_TRUE(WIFEXITED(host.wait_status()));
  EXPECT_EQ(WEXITSTATUS(host.wait_status()), 0);
  EXPECT_EQ(host.printed(), "");
}

TEST(Worker, ReadsAConfigurationThatIsTooLargeForAMessage) {
  FakeHost host;
  EXPECT_TRUE(host.configure({{"python.pythonpath", std::string(200'000, 'p')}}).error.ok());
}

TEST(Worker, TellsWhyTheRuntimeDoesNotOpenAndLeaves) {
  FakeHost host;
  const Ready ready = host.configure({{"fake.refuse", "1"}});
  EXPECT_EQ(ready.error.code(), CLUTCH_ERR_CONFIG);
  EXPECT_EQ(ready.error.message(), "fake.refuse is set; take it away");
  ASSERT_TRUE(host.ended_within(5000));
  EXPECT_EQ(WEXITSTATUS(host.wait_status()), 1);
}

TEST(Worker, RunsBatches) {
  FakeHost host;
  host.configure();
  ASSERT_TRUE(host.open(5, "double").error.ok());
  for (int64_t size : {0, 1, 3, 1000}) {
    const Answer answer = host.run(5, up_to(size));
    ASSERT_EQ(answer.done.status, CLUTCH_OK) << answer.error.message();
    EXPECT_EQ(answer.need_arena, 0);
    EXPECT_GE(answer.done.run_ns, 0);
    const auto sections = host.output(answer, rows_of("y"));
    ASSERT_EQ(sections.size(), 2U);
    EXPECT_EQ(sections[0].first.kind, SectionKind::kEmit);
    EXPECT_EQ(sections[0].first.id, 0U);
    EXPECT_EQ(sections[1].first.kind, SectionKind::kOrigin);
    EXPECT_TRUE(sections[1].first.implied);
    std::vector<int64_t> expected = up_to(size);
    for (int64_t& value : expected) value *= 2;
    EXPECT_EQ(values_of(*sections[0].second), expected);
  }
}

TEST(Worker, AnswersBatchesInOrderWhenSeveralWait) {
  FakeHost host;
  host.configure();
  host.open(1, "double");
  host.submit_rows(1, 10, {4});
  host.send(BatchSubmit{.ticket = 11, .function = 99, .attempt = 1, .slot = 2});
  EXPECT_EQ(values_of(*host.output(host.wait(10), rows_of("y"))[0].second), std::vector<int64_t>{8});
  const Answer second = host.wait(11);
  EXPECT_EQ(second.done.status, CLUTCH_ERR_PROTOCOL);
  EXPECT_EQ(second.error.message(), "a batch is for function 99, which is not open in this worker");
}

TEST(Worker, PassesInputRowsOnByTheirOrigin) {
  FakeHost host;
  host.configure();
  host.open(1, "keep_even");
  const auto sections = host.output(host.run(1, {1, 2, 3, 4, 6}), rows_of("x"));
  ASSERT_EQ(sections.size(), 2U);
  EXPECT_TRUE(sections[0].first.implied);
  const columnar::ArrayView origin(*sections[1].second);
  ASSERT_EQ(origin.length(), 3);
  EXPECT_EQ(origin.values<int32_t>()[0], 1);
  EXPECT_EQ(origin.values<int32_t>()[2], 4);
}

TEST(Worker, AsksForALargerArenaAndFillsIt) {
  FakeHost host;
  host.configure();
  host.open(1, "repeat:1000");
  const Answer answer = host.run(1, up_to(100));
  ASSERT_EQ(answer.done.status, CLUTCH_OK) << answer.error.message();
  EXPECT_EQ(answer.need_arena, 1);
  const auto sections = host.output(answer, rows_of("y"));
  ASSERT_EQ(sections[0].second->length, 100'000);
  EXPECT_EQ(values_of(*sections[0].second)[99'999], 99);
  // The next one goes where it was told to go.
  EXPECT_EQ(host.run(1, {1}).need_arena, 0);
}

TEST(Worker, MessagesThatComeBeforeTheLargerArenaWaitTheirTurn) {
  FakeHost host;
  host.configure();
  host.open(1, "repeat:1000");
  host.open(2, "double");
  host.submit_rows(1, 20, up_to(100));
  host.send(CloseFunction{.function = 2});
  const Answer answer = host.wait(20);
  EXPECT_EQ(answer.done.status, CLUTCH_OK);
  EXPECT_EQ(answer.need_arena, 1);
  host.expect(FrameType::kFunctionClosed);
}

TEST(Worker, FailsTheBatchIfNoLargerArenaIsGiven) {
  FakeHost host;
  host.configure();
  host.refuse_arenas = true;
  host.open(1, "repeat:1000");
  const Answer answer = host.run(1, up_to(100));
  EXPECT_EQ(answer.done.status, CLUTCH_ERR_MEMORY);
  EXPECT_NE(
      answer.error.message().find(" bytes of output, more than the host takes for one batch; make batches smaller"),
      std::string_view::npos)
      << answer.error.message();
  EXPECT_EQ(host.run(1, {1}).done.status, CLUTCH_OK);
}

TEST(Worker, ReportsErrorsWithTheirDetailsAndGoesOn) {
  FakeHost host;
  host.configure();
  host.open(1, "fail:50");
  for (int i = 0; i < 2; ++i) {
    const Answer answer = host.run(1, {1, 2, 3});
    EXPECT_EQ(answer.done.status, CLUTCH_ERR_USER);
    EXPECT_EQ(answer.done.out_bytes, 0U);
    EXPECT_EQ(answer.error.message(), "function \"f\" row 2: ValueError: no");
    EXPECT_EQ(answer.error.origin(), CLUTCH_ORIGIN_USER);
    EXPECT_EQ(answer.error.detail("row"), "2");
    EXPECT_EQ(answer.error.detail("traceback").size(), 50U);
  }
  EXPECT_EQ(host.close(1).error.message(), "close() failed too");
}

TEST(Worker, CutsAnErrorThatIsTooLargeForAMessage) {
  FakeHost host;
  host.configure();
  host.open(1, "fail:500000");
  const Answer answer = host.run(1, {1});
  EXPECT_EQ(answer.error.message(), "function \"f\" row 2: ValueError: no");
  EXPECT_GT(answer.error.detail("traceback").size(), 1000U);
}

TEST(Worker, HasASentenceForARuntimeThatFailsInSilence) {
  FakeHost host;
  host.configure();
  host.open(1, "silent");
  EXPECT_EQ(host.run(1, {1}).error.message(), "the batch failed with status -8 and the runtime did not say why");
}

TEST(Worker, SendsDeadLettersOfAnyNumberAndSize) {
  FakeHost host;
  host.configure();
  host.open(1, "letters:20000");
  const Answer answer = host.run(1, up_to(50));
  ASSERT_EQ(answer.done.status, CLUTCH_OK) << answer.error.message();
  EXPECT_GT(answer.notes, 10U);
  ASSERT_EQ(answer.dead_letters.size(), 50U);
  EXPECT_EQ(answer.dead_letters[49].row, 49);
  EXPECT_EQ(answer.dead_letters[49].error.message(), "row 49");
  EXPECT_EQ(answer.dead_letters[49].error.code(), CLUTCH_ERR_USER);
}

TEST(Worker, AddsMetricsUp) {
  FakeHost host;
  host.configure();
  host.open(1, "metrics");
  const Answer answer = host.run(1, {1});
  ASSERT_EQ(answer.metrics.size(), 5U);
  EXPECT_EQ(answer.metrics[0].name, "c");
  EXPECT_EQ(answer.metrics[0].value, 6);
  EXPECT_EQ(answer.metrics[1].value, 2);
  EXPECT_EQ(answer.metrics[4].kind, CLUTCH_METRIC_HISTOGRAM);
  EXPECT_EQ(host.run(1, {1}).metrics.size(), 5U);
}

TEST(Worker, CarriesStateAndTimers) {
  FakeHost host;
  host.configure();
  const FunctionOpened opened = host.open(1, "count:1");
  ASSERT_EQ(opened.states.size(), 1U);
  EXPECT_EQ(opened.states[0], (StateDeclaration{"n", 0, 500}));
  ArenaWriter& in = host.in();
  in.add(SectionKind::kRows, 0, rows_of("x"), *batch_of({1, 2}));
  columnar::ArrayBuilder keys(keys_field());
  ASSERT_TRUE(keys.append_bytes("a").ok() && keys.append_bytes("b").ok());
  in.add(SectionKind::kKeys, 0, keys_field(), *keys.finish());
  columnar::ArrayBuilder values(state_values_field());
  ASSERT_TRUE(values.child(0).append_bytes("7").ok());
  values.child(1).append<int64_t>(3);
  values.append_struct();
  values.child(0).append_null();
  values.child(1).append<int64_t>(0);
  values.append_struct();
  in.add(SectionKind::kStateValues, 0, state_values_field(), *values.finish());
  host.submit(1, 30);
  const Answer answer = host.wait(30);
  ASSERT_EQ(answer.done.status, CLUTCH_OK) << answer.error.message();
  const auto sections = host.output(answer, rows_of("y"));
  ASSERT_EQ(sections.size(), 3U);
  EXPECT_EQ(sections[1].first.kind, SectionKind::kStateChanges);
  const columnar::ArrayView changes(*sections[1].second);
  const columnar::ArrayView changed(changes.child(3));
  EXPECT_EQ(changed.bytes_at<int32_t>(0), "7++");  // the second read saw the first change
  EXPECT_EQ(changed.bytes_at<int32_t>(1), "++");
  EXPECT_EQ(sections[2].first.kind, SectionKind::kTimerChanges);
  const columnar::ArrayView timers(*sections[2].second);
  EXPECT_EQ(columnar::ArrayView(timers.child(1)).values<int64_t>()[0], 77);
}

TEST(Worker, RefusesStateAndTimersOfKeysThatDidNotCome) {
  FakeHost host;
  host.configure();
  host.open(1, "count:0");
  EXPECT_EQ(host.run(1, {1}).error.message(),
            "state 0 did not come with the batch; a worker process reads the value states of the batch's keys only");
  host.open(2, "count:1");
  ArenaWriter& in = host.in();
  in.add(SectionKind::kRows, 0, rows_of("x"), *batch_of({1}));
  columnar::ArrayBuilder keys(keys_field());
  ASSERT_TRUE(keys.append_bytes("a").ok());
  in.add(SectionKind::kKeys, 0, keys_field(), *keys.finish());
  columnar::ArrayBuilder values(state_values_field());
  values.child(0).append_null();
  values.child(1).append<int64_t>(0);
  values.append_struct();
  in.add(SectionKind::kStateValues, 0, state_values_field(), *values.finish());
  host.submit(2, 31);
  const Answer answer = host.wait(31);
  EXPECT_EQ(answer.done.status, CLUTCH_ERR_DATA);
  EXPECT_EQ(answer.error.message(), "key 1 is not one of the batch's 1 keys");
}

TEST(Worker, GivesSideOutputsNumbers) {
  FakeHost host;
  host.configure();
  const FunctionOpened opened = host.open(1, "side");
  ASSERT_EQ(opened.side_outputs.size(), 1U);
  EXPECT_EQ(opened.side_outputs[0].name, "late");
  EXPECT_EQ(opened.side_outputs[0].schema.type, rows_of("y").type);
  const auto sections = host.output(host.run(1, {3}), rows_of("y"));
  EXPECT_EQ(sections[0].first.id, 1U);
  EXPECT_EQ(values_of(*sections[0].second), (std::vector<int64_t>{-3, -3}));
  host.open(2, "wrong_tag");
  EXPECT_EQ(host.run(2, {3}).error.message(),
            "function \"wrong_tag\" has no output with tag 9; declare it when the function opens");
}

TEST(Worker, TellsWhenItsInputIsKept) {
  FakeHost host;
  host.configure();
  host.open(1, "short_lease");
  host.open(2, "lease");
  const Answer before = host.run(1, {1});
  EXPECT_EQ(before.done.status, CLUTCH_OK) << before.error.message();
  EXPECT_EQ(before.done.flags & kDoneInputPinned, 0u);
  const Answer kept = host.run(2, {1});
  EXPECT_EQ(kept.done.status, CLUTCH_OK) << kept.error.message();
  EXPECT_NE(kept.done.flags & kDoneInputPinned, 0u);
}

TEST(Worker, TellsStaleHandles) {
  FakeHost host;
  host.configure();
  host.open(1, "double");
  host.run(1, {1});
  EXPECT_TRUE(host.close(1).error.ok());
  ASSERT_EQ(host.logs.size(), 1U);
  EXPECT_EQ(host.logs[0].text, "emit after the batch: " + std::to_string(CLUTCH_ERR_STALE));
}

TEST(Worker, WaitsForARuntimeThatCompletesLater) {
  FakeHost host;
  host.configure();
  host.open(1, "pending");
  for (int64_t i = 0; i < 20; ++i) {
    const Answer answer = host.run(1, {i});
    ASSERT_EQ(answer.done.status, CLUTCH_OK);
    EXPECT_EQ(values_of(*host.output(answer, rows_of("y"))[0].second), std::vector<int64_t>{i + 1});
  }
}

TEST(Worker, FunctionsThatDoNotOpenOrAreNotThere) {
  FakeHost host;
  host.configure();
  EXPECT_EQ(host.open(1, "no_open").error.message(), "it does not open");
  EXPECT_EQ(host.close(1).error.message(), "function 1 is not open in this worker");
  EXPECT_TRUE(host.open(1, "double").error.ok());
}

TEST(Worker, SeesTheHostsWishToCancel) {
  FakeHost host;
  host.configure();
  host.open(1, "until_cancelled");
  host.submit_rows(1, 50, {1});
  host.page().cancelled[2].store(49);  // an older one: does not count
  while (host.page().ticket.load() != 50) sched_yield();
  EXPECT_EQ(host.page().phase.load(), static_cast<uint32_t>(Phase::kRunning));
  host.page().cancelled[2].store(50);
  const Answer answer = host.wait(50);
  EXPECT_EQ(answer.done.status, CLUTCH_ERR_CANCELLED);
  EXPECT_EQ(host.page().ticket.load(), 0U);
}

TEST(WorkerLog, KeepsLinesInOrderBeforeTheAnswer) {
  FakeHost host;
  host.configure();
  host.open(8, "print:100");
  EXPECT_EQ(host.run(8, {1}).done.status, CLUTCH_OK);
  ASSERT_EQ(host.logs.size(), 100U);
  EXPECT_EQ(host.logs[99].text, "line 99");
  EXPECT_EQ(host.logs[99].source, "stdout");
  EXPECT_EQ(host.logs[99].function, 8U);
  EXPECT_EQ(host.logs[99].level, CLUTCH_LOG_INFO);
}

TEST(WorkerLog, DropsWhatIsTooMuchAndSaysHowMuch) {
  FakeHost host;
  host.configure({{"clutch.log.rate", "50"}});
  host.open(1, "print:200000");
  EXPECT_EQ(host.run(1, {1}).done.status, CLUTCH_OK);
  // What comes through depends on time: the first 50 always, and each gap is told.
  ASSERT_GE(host.logs.size(), 51U);
  EXPECT_LT(host.logs.size(), 20'000U);
  EXPECT_EQ(host.logs[49].text, "line 49");
  int64_t lines = 0;
  int64_t dropped = 0;
  for (const LogLine& line : host.logs) {
    if (line.source == "stdout") {
      ++lines;
    } else {
      EXPECT_EQ(line.level, CLUTCH_LOG_WARN);
      EXPECT_NE(line.text.find(" bytes) were dropped here: the function prints faster than clutch.log.rate allows"),
                std::string::npos);
      dropped += std::atoll(line.text.c_str());
    }
  }
  EXPECT_EQ(lines + dropped, 200'000);
}

TEST(WorkerLog, WithoutALimitEveryLineComes) {
  FakeHost host;
  host.configure({{"clutch.log.rate", "0"}});
  host.open(1, "print:5000");
  EXPECT_EQ(host.run(1, {1}).done.status, CLUTCH_OK);
  EXPECT_EQ(host.logs.size(), 5000U);
}

TEST(WorkerLog, LeavesOutLinesBelowTheLevel) {
  FakeHost host;
  host.configure({{"clutch.log.level", "warn"}});
  host.open(1, "print:10");
  host.run(1, {1});
  EXPECT_EQ(host.logs.size(), 0U);
}

TEST(WorkerLog, CutsLongLines) {
  FakeHost host;
  host.configure();
  host.open(1, "long_line:1000000");
  host.run(1, {1});
  ASSERT_EQ(host.logs.size(), 1U);
  EXPECT_EQ(host.logs[0].text, std::string(32768, 'x') + "... (967232 more bytes)");
}

TEST(WorkerLog, PrintsOfNativeCodeComeAtOnce) {
  FakeHost host;
  host.configure();
  host.open(1, "raw_print");
  host.open(2, "crash");
  host.run(1, {1});
  host.submit_rows(2, 60, {1});
  ASSERT_TRUE(host.ended_within(5000));
  EXPECT_TRUE(WIFSIGNALED(host.wait_status()));
  EXPECT_EQ(WTERMSIG(host.wait_status()), SIGSEGV);
  EXPECT_EQ(host.printed(), "from C\n");
  EXPECT_EQ(host.page().ticket.load(), 60U);  // what the crash report starts from
}

TEST(WorkerEnd, LeavesWhenTheHostIsGone) {
  FakeHost host;
  host.configure();
  host.open(1, "double");
  host.hang_up();
  ASSERT_TRUE(host.ended_within(1000));
  EXPECT_TRUE(WIFEXITED(host.wait_status()));
  EXPECT_EQ(WEXITSTATUS(host.wait_status()), 0);
}

TEST(WorkerEnd, LeavesWhenTheHostIsGoneWhileUserCodeRuns) {
  FakeHost host;
  host.configure();
  host.open(1, "forever");
  host.submit_rows(1, 70, {1});
  while (host.page().row.load() != 1234) sched_yield();  // the runtime was given the page's row
  host.hang_up();
  EXPECT_TRUE(host.ended_within(1000));
}

TEST(WorkerEnd, DoesNotRunWhatIsQueuedWhenTheHostIsGone) {
  FakeHost host;
  host.configure();
  host.open(1, "until_cancelled");
  host.open(2, "raw_print");
  host.submit_rows(1, 80, {1});
  while (host.page().ticket.load() != 80) sched_yield();
  host.send(BatchSubmit{.ticket = 81, .function = 2, .attempt = 1, .slot = 2});
  host.hang_up();
  ASSERT_TRUE(host.ended_within(1000));
  EXPECT_EQ(host.printed(), "");
}

TEST(WorkerEnd, ClosesItsFunctionsAtShutdownAlsoIfTheHostDoesNotWait) {
  FakeHost host;
  host.configure();
  host.open(1, "print:0");
  host.send_shutdown();
  const LogLine last = [&] {
    const Message message = host.expect_log();
    LogLine line;
    EXPECT_TRUE(decode(message.body(), line).ok());
    return line;
  }();
  EXPECT_EQ(last.text, "closed");
  host.hang_up();
  ASSERT_TRUE(host.ended_within(5000));
  EXPECT_EQ(WEXITSTATUS(host.wait_status()), 0);
}

TEST(WorkerEnd, AForkOfTheWorkerDoesNotAnswer) {
  FakeHost host;
  host.configure();
  host.open(1, "fork");
  for (int64_t i = 0; i < 10; ++i) {
    const Answer answer = host.run(1, {i});
    ASSERT_EQ(answer.done.status, CLUTCH_OK);
  }
  host.send_shutdown();
  // A second answer of some fork would be read here.
  EXPECT_THROW(host.expect(FrameType::kBatchDone), std::runtime_error);
  EXPECT_TRUE(host.ended_within(5000));
}

}  // namespace
}  // namespace clutch::pyproc::testing
