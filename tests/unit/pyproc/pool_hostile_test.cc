// Workers that break the protocol: each lie ends its worker, fails its batch with a sentence, and nothing else.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>

#include <atomic>
#include <cstdlib>

#include "holdings.h"
#include "pool_host.h"
#include "supervisor/clock.h"

namespace clutch::pyproc::testing {
namespace {

struct Lie {
  const char* mode;
  const char* sentence;
};

OpenFunction request() {
  OpenFunction out = function_of("f", "");
  out.output = out.input;
  return out;
}

Worker::Paths hostile(const char* mode) {
  ::setenv("CLUTCH_HOSTILE", mode, 1);
  Worker::Paths paths = test_paths();
  paths.launcher = std::getenv("CLUTCH_HOSTILE_WORKER");
  return paths;
}

class PoolHostile : public ::testing::TestWithParam<Lie> {
 protected:
  void TearDown() override { EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1); }
  TestHost host_;
};

TEST_P(PoolHostile, FailsTheBatchAndNothingElse) {
  Pool pool(test_options({{"python.process.retries", "0"}, {"python.process.spares", "0"}}), hostile(GetParam().mode),
            host_.table());
  Result<Function*> opened = pool.open(request(), nullptr);
  ASSERT_TRUE(opened.ok()) << opened.status().message();
  Batch batch(int64_batch({1, 2, 3}));
  const std::string mode = GetParam().mode;
  if (mode.rfind("ask", 0) == 0 && mode != "ask-keyless") batch.add_keys(host_);
  host_.entries = 100;
  ASSERT_EQ(batch.submit(pool, *opened), CLUTCH_PENDING);
  ASSERT_TRUE(batch.wait(pool, *opened));
  EXPECT_EQ(host_.reads, 0);
  EXPECT_EQ(batch.context.status, CLUTCH_ERR_PROTOCOL) << batch.error().message;
  EXPECT_NE(batch.error().message.find(GetParam().sentence), std::string::npos) << batch.error().message;
  EXPECT_EQ(batch.error().message.find("function \"f\""), 0u) << batch.error().message;
  EXPECT_TRUE(batch.context.emitted.empty());
  EXPECT_EQ(batch.context.completions, 1);
  (void)pool.close(*opened);
}

INSTANTIATE_TEST_SUITE_P(
    Lies, PoolHostile,
    ::testing::Values(Lie{"epoch", "from a worker of epoch"}, Lie{"ticket", "which it does not have"},
                      Lie{"attempt", "which it does not have"}, Lie{"slot", "which it does not have"},
                      Lie{"arena", "names arena 77, which is not the batch's"}, Lie{"bytes", "of an arena of"},
                      Lie{"status", "status and error do not agree"}, Lie{"no-error", "status and error do not agree"},
                      Lie{"notes", "other notes than it announced"}, Lie{"zeros", "header does not fit its descriptor"},
                      Lie{"letter", "a dead letter names a row that is not there"},
                      Lie{"other-notes", "notes to a batch it does not have"},
                      Lie{"need-less", "no larger than the one it has"}, Lie{"type", "message type 1"},
                      Lie{"large", "no frame of this protocol"}, Lie{"descriptor", "no frame of this protocol"},
                      Lie{"hang-up", "closed its control socket and lived on"},
                      Lie{"flood", "more notes than a batch can have"}, Lie{"garbage", "malformed"},
                      Lie{"tag", "output 7 was never declared"}, Lie{"no-origin", "output rows come without origins"},
                      Lie{"rows", "2 output rows for 3 input rows"}, Lie{"section", "a section has the kind"},
                      Lie{"state", "state 0 was never declared"},
                      Lie{"origin", "an origin is out of range or out of order"},
                      Lie{"ask-ticket", "it asked for state of a batch it does not have"},
                      Lie{"ask-state", "it asked for a page of state 9, which has none"},
                      Lie{"ask-value", "it asked for a page of state 0, which has none"},
                      Lie{"ask-list", "it asked for entries of state 1, which has none"},
                      Lie{"ask-kind", "a question of kind 7 about state"},
                      Lie{"ask-key", "it asked for state of key 5 of a batch of 3 keys"},
                      Lie{"ask-negative", "it asked for state of key -1 of a batch of 3 keys"},
                      Lie{"ask-keyless", "it asked for state of a batch that has no keys"},
                      Lie{"ask-pages", "it asked for 2 pages of state at once"},
                      Lie{"ask-names", "it asked for state without saying which"},
                      Lie{"ask-implied", "it asked for state without saying which"}, Lie{"ask-bytes", "of an arena of"},
                      Lie{"ask-size", "a ReadState of the wrong size"}),
    [](const auto& lie) {
      std::string name = lie.param.mode;
      for (char& c : name) c = c == '-' ? '_' : c;
      return name;
    });

class PoolHostileOther : public ::testing::Test {
 protected:
  TestHost host_;
};

TEST_F(PoolHostileOther, AnHonestOneIsServed) {
  Pool pool(test_options(), hostile("honest"), host_.table());
  Result<Function*> opened = pool.open(request(), nullptr);
  ASSERT_TRUE(opened.ok()) << opened.status().message();
  Batch batch(int64_batch({1, 2, 3}));
  ASSERT_EQ(batch.submit(pool, *opened), CLUTCH_PENDING);
  ASSERT_TRUE(batch.wait(pool, *opened));
  EXPECT_EQ(batch.context.status, CLUTCH_OK) << batch.error().message;
  EXPECT_EQ(batch.results(), (std::vector<int64_t>{1, 2, 3}));
  EXPECT_TRUE(pool.close(*opened).ok());
}

TEST_F(PoolHostileOther, WhatIsNoWorkerDoesNotStart) {
  Pool pool(test_options(), hostile("text"), host_.table());
  const Result<Function*> opened = pool.open(request(), nullptr);
  ASSERT_FALSE(opened.ok());
  EXPECT_NE(opened.status().message().find("no frame of this protocol"), std::string_view::npos)
      << opened.status().message();
}

// An honest question, and one whose cursor and size are for the host to judge.
TEST_F(PoolHostileOther, QuestionsAboutStateAreAnswered) {
  for (const char* mode : {"ask", "ask-found", "ask-cursor", "ask-much"}) {
    TestHost host;
    host.entries = 100;
    Pool pool(test_options(), hostile(mode), host.table());
    Result<Function*> opened = pool.open(request(), nullptr);
    ASSERT_TRUE(opened.ok()) << opened.status().message();
    Batch batch(int64_batch({1, 2, 3}));
    batch.add_keys(host);
    ASSERT_EQ(batch.submit(pool, *opened), CLUTCH_PENDING);
    // Lent or not, the batch is served.
    ASSERT_TRUE(mode == std::string("ask") ? batch.wait_aside() : batch.wait(pool, *opened));
    EXPECT_EQ(batch.context.status, CLUTCH_OK) << batch.error().message;
    EXPECT_EQ(batch.results(), (std::vector<int64_t>{1, 2, 3}));
    EXPECT_EQ(host.reads, 1);
    EXPECT_EQ(host.misuses, 0);
    const std::string cursor = mode == std::string("ask-cursor") ? std::string(50'000, '9') : "000002";
    EXPECT_EQ(host.cursors(), std::vector<std::string>(mode == std::string("ask-found") ? 0 : 1, cursor));
    EXPECT_TRUE(pool.close(*opened).ok());
  }
}

// While one question is read nothing else may come of the batch: the host would read twice at once, or for a batch that
// is over.
TEST_F(PoolHostileOther, NothingComesBeforeTheAnswerToAQuestion) {
  const std::pair<const char*, const char*> cases[] = {
      {"ask-twice", "it asked for state twice at a time"},
      {"ask-done", "an answer to a batch for which it waits for state"}};
  for (const auto& [mode, sentence] : cases) {
    TestHost host;
    host.entries = 100;
    host.on_read = [&host, text = std::string(sentence)] { EXPECT_TRUE(host.logged(text)); };
    Pool pool(test_options({{"python.process.retries", "0"}, {"python.process.spares", "0"}}), hostile(mode),
              host.table());
    Result<Function*> opened = pool.open(request(), nullptr);
    ASSERT_TRUE(opened.ok()) << opened.status().message();
    Batch batch(int64_batch({1, 2, 3}));
    batch.add_keys(host);
    ASSERT_EQ(batch.submit(pool, *opened), CLUTCH_PENDING);
    ASSERT_TRUE(batch.wait_aside());
    EXPECT_EQ(batch.context.status, CLUTCH_ERR_PROTOCOL) << batch.error().message;
    EXPECT_NE(batch.error().message.find(sentence), std::string::npos) << batch.error().message;
    EXPECT_EQ(batch.context.completions, 1);
    EXPECT_EQ(host.reads, 1);
    EXPECT_EQ(host.misuses, 0);
    (void)pool.close(*opened);
  }
}

TEST_F(PoolHostileOther, AQuestionAboutABatchThatIsOverEndsItsWorker) {
  Pool pool(test_options({{"python.process.spares", "0"}}), hostile("ask-late"), host_.table());
  Result<Function*> opened = pool.open(request(), nullptr);
  ASSERT_TRUE(opened.ok()) << opened.status().message();
  Batch batch(int64_batch({1, 2, 3}));
  batch.add_keys(host_);
  ASSERT_EQ(batch.submit(pool, *opened), CLUTCH_PENDING);
  ASSERT_TRUE(batch.wait(pool, *opened));
  EXPECT_EQ(batch.context.status, CLUTCH_OK) << batch.error().message;
  EXPECT_TRUE(host_.logged("it asked for state of a batch it does not have; it is killed"));
  EXPECT_EQ(host_.reads, 0);
  (void)pool.close(*opened);
}

// Nobody waits for a batch that was cancelled behind another one, so nothing is read for it when its worker comes to
// it.
TEST_F(PoolHostileOther, NothingIsReadForABatchThatWasGivenUp) {
  TestHost host;
  host.entries = 100;
  Pool pool(test_options({{"python.process.spares", "0"}}), hostile("ask"), host.table());
  Result<Function*> opened = pool.open(request(), nullptr);
  ASSERT_TRUE(opened.ok()) << opened.status().message();
  const std::vector<int> workers = pool.pids(true);
  Batch first(int64_batch({1, 2, 3}));
  Batch second(int64_batch({4}));
  second.sequence = 2;
  first.add_keys(host);
  second.add_keys(host);
  std::atomic<bool> both{false};
  host.on_read = [&] {
    EXPECT_TRUE(within(10000, [&] { return both.load(); }));
    pool.cancel(*opened, 2);
    EXPECT_TRUE(second.wait_aside());
  };
  ASSERT_EQ(first.submit(pool, *opened), CLUTCH_PENDING);
  ASSERT_EQ(second.submit(pool, *opened), CLUTCH_PENDING);
  both = true;
  ASSERT_TRUE(first.wait(pool, *opened));
  EXPECT_EQ(first.context.status, CLUTCH_OK) << first.error().message;
  EXPECT_EQ(second.context.status, CLUTCH_ERR_CANCELLED) << second.error().message;
  EXPECT_EQ(second.context.completions, 1);
  EXPECT_TRUE(pool.close(*opened).ok());  // behind the second batch
  EXPECT_EQ(host.reads, 1);
  EXPECT_EQ(host.misuses, 0);
  EXPECT_EQ(pool.pids(true), workers);
}

// The worker waits for a store that does not answer: deadlines and cancellations end the batch once it does.
TEST_F(PoolHostileOther, ABatchThatWaitsForStateCanBeLateOrCancelled) {
  for (const int32_t code : {CLUTCH_ERR_DEADLINE, CLUTCH_ERR_CANCELLED}) {
    TestHost host;
    host.entries = 100;
    Pool pool(test_options({{"python.process.spares", "0"}}), hostile("ask"), host.table());
    Result<Function*> opened = pool.open(request(), nullptr);
    ASSERT_TRUE(opened.ok()) << opened.status().message();
    const int worker = pool.pids(true).front();
    host.on_read = [&] {
      if (code == CLUTCH_ERR_CANCELLED) pool.cancel(*opened, 1);
      EXPECT_TRUE(within(10000, [&] { return ::kill(worker, 0) != 0; }));  // reaped
    };
    Batch batch(int64_batch({1, 2, 3}));
    batch.add_keys(host);
    if (code == CLUTCH_ERR_DEADLINE) batch.deadline_ns = now_ns() + 100 * kMillisecond;
    ASSERT_EQ(batch.submit(pool, *opened), CLUTCH_PENDING);
    ASSERT_TRUE(batch.wait(pool, *opened));
    EXPECT_EQ(batch.context.status, code) << batch.error().message;
    EXPECT_EQ(batch.context.completions, 1);
    EXPECT_EQ(host.reads, 1);
    EXPECT_EQ(host.misuses, 0);
    (void)pool.close(*opened);
  }
}

// A worker that rewrites its answer while the host reads it gets wrong values or a refusal, never the host.
TEST_F(PoolHostileOther, AnAnswerThatChangesWhileItIsReadHarmsNobody) {
  Pool pool(test_options({{"python.process.retries", "0"}}), hostile("rewrite"), host_.table());
  Result<Function*> opened = pool.open(request(), nullptr);
  ASSERT_TRUE(opened.ok()) << opened.status().message();
  int answered = 0;
  for (int round = 0; round < 50; ++round) {
    Batch batch(int64_batch(std::vector<int64_t>(2000, 1)));
    if (batch.submit(pool, *opened) != CLUTCH_PENDING) continue;
    ASSERT_TRUE(batch.wait(pool, *opened));
    answered += batch.context.status == CLUTCH_OK ? 1 : 0;
    for (const Emitted& emitted : batch.context.emitted) ASSERT_EQ(emitted.rows->length, 2000);
  }
  RecordProperty("answered", answered);
  (void)pool.close(*opened);
}

}  // namespace
}  // namespace clutch::pyproc::testing
