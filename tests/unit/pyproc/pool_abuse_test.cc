// User code that does to its process what it should not: an error by its sentence or no harm, the host well, the next
// batch right.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include "holdings.h"
#include "pool_host.h"
#include "supervisor/clock.h"

namespace clutch::pyproc::testing {
namespace {

using PoolOption = std::pair<std::string, std::string>;

class Abuse : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    // The first loop of a process opens descriptors that libuv keeps.
    const auto loop = Loop::start({[] {}, [] { return kNever; }});
    ASSERT_TRUE(loop.ok()) << loop.status().message();
  }
  // A thread that was joined stays in the system's books for a moment.
  void SetUp() override {
    ASSERT_TRUE(within(5000, [] { return holdings().threads == 1; }));
    before_ = holdings();
  }
  void TearDown() override {
    if (function_ != nullptr) (void)pool_->close(function_);
    pool_.reset();
    EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1) << "a zombie or a worker is left";
    within(5000, [this] { return holdings() == before_; });
    EXPECT_EQ(holdings(), before_);
  }
  // Without spares and second tries, so that each case is one story.
  void start(const std::string& source, std::vector<PoolOption> options = {}) {
    options.insert(options.end(), {{"python.process.spares", "0"}, {"python.process.retries", "0"}});
    pool_ = std::make_unique<Pool>(test_options(options), test_paths(), host_.table());
    const Result<Function*> opened = pool_->open(function_of("f", source), nullptr);
    ASSERT_TRUE(opened.ok()) << opened.status().message();
    function_ = *opened;
    worker_ = pool_->pids(true).front();
  }
  void run(Batch& batch, int64_t deadline_ms = 0) {
    if (deadline_ms > 0) batch.deadline_ns = now_ns() + deadline_ms * kMillisecond;
    ASSERT_EQ(batch.submit(*pool_, function_), CLUTCH_PENDING) << batch.error().message;
    ASSERT_TRUE(batch.wait(*pool_, function_));
  }
  // What is expected of a batch whose only row makes the function do it.
  void fails(int32_t code, const std::string& sentence, int64_t deadline_ms = 0) {
    Batch batch(int64_batch({0}));
    run(batch, deadline_ms);
    EXPECT_EQ(batch.context.status, code) << batch.error().message;
    EXPECT_NE(batch.error().message.find(sentence), std::string::npos) << batch.error().message;
    EXPECT_TRUE(batch.context.emitted.empty());
    details_ = batch.context.error.details;
  }
  void serves() {
    Batch batch(int64_batch({5, 6, 7}));
    run(batch);
    EXPECT_EQ(batch.context.status, CLUTCH_OK) << batch.error().message;
    EXPECT_EQ(batch.results(), (std::vector<int64_t>{5, 6, 7}));
  }
  bool same_worker() { return pool_->pids(true).front() == worker_; }

  Holdings before_;
  TestHost host_;
  std::unique_ptr<Pool> pool_;
  Function* function_ = nullptr;
  int worker_ = 0;
  std::map<std::string, std::string, std::less<>> details_;
};

std::string when_zero(const std::string& imports, const std::string& statement) {
  return "import " + imports + "\ndef f(x):\n    if x == 0:\n        " + statement + "\n    return x\n";
}

TEST_F(Abuse, SysExitIsAnErrorOfItsRow) {
  start(when_zero("sys", "sys.exit(3)"));
  fails(CLUTCH_ERR_USER, "SystemExit: 3");
  EXPECT_EQ(details_.at(CLUTCH_DETAIL_ROW), "0");
  serves();
  EXPECT_TRUE(same_worker());
}

TEST_F(Abuse, AbortIsReportedWithItsStack) {
  start(when_zero("os", "os.abort()"));
  fails(CLUTCH_ERR_WORKER_LOST, "was ended by signal SIGABRT (Aborted) while it ran batch 1 (attempt 1)");
  EXPECT_NE(details_.at(CLUTCH_DETAIL_PYTHON_STACK).find("in f"), std::string::npos);
  serves();
}

TEST_F(Abuse, ClosedDescriptorsEndTheWorker) {
  start(when_zero("os", "os.closerange(0, 4096)"));
  fails(CLUTCH_ERR_WORKER_LOST, "while it ran batch 1 (attempt 1)");
  serves();
  EXPECT_FALSE(same_worker());
}

TEST_F(Abuse, WhatItWritesByItselfIsLogged) {
  start(when_zero("os", "os.write(1, b'to one\\n'); os.write(2, b'to \\xff two')"));
  Batch batch(int64_batch({0}));
  run(batch);
  EXPECT_EQ(batch.context.status, CLUTCH_OK) << batch.error().message;
  EXPECT_TRUE(host_.logged("process.worker[1]: to one"));
  serves();
  EXPECT_TRUE(pool_->close(function_).ok());
  function_ = nullptr;
  pool_.reset();
  EXPECT_TRUE(host_.logged("process.worker[1]: to ? two"));
}

TEST_F(Abuse, AFloodOfTextIsLimitedAndTold) {
  start(when_zero("sys", "[print('drip') for i in range(20000)]"), {{"clutch.log.rate", "100"}});
  Batch batch(int64_batch({0}));
  run(batch);
  EXPECT_EQ(batch.context.status, CLUTCH_OK) << batch.error().message;
  EXPECT_TRUE(host_.logged("were dropped here: the function prints faster than clutch.log.rate allows"));
  EXPECT_LT(host_.log().size(), 2000u);
  serves();
}

TEST_F(Abuse, AFloodPastPythonDelaysNobody) {
  start(when_zero("os", "\n        while True: os.write(1, b'drip\\n' * 1000)"));
  const int64_t begin = now_ns();
  fails(CLUTCH_ERR_DEADLINE, "was not done by its deadline", 500);
  EXPECT_LT(now_ns() - begin, 5000 * kMillisecond);
  serves();
}

TEST_F(Abuse, IgnoredSignalsDoNotSaveALoop) {
  start(when_zero("collections, itertools, signal",
                  "for s in (signal.SIGUSR1, signal.SIGTERM, signal.SIGINT): signal.signal(s, signal.SIG_IGN)\n"
                  "        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())\n"
                  "        collections.deque(itertools.repeat(0), maxlen=0)"));
  const int64_t begin = now_ns();
  fails(CLUTCH_ERR_DEADLINE, "its worker did not stop by itself and was killed", 200);
  EXPECT_LT(now_ns() - begin, 4000 * kMillisecond);
  serves();
  EXPECT_FALSE(same_worker());
}

TEST_F(Abuse, ForkedChildrenGoWithTheWorker) {
  start(when_zero("os, time", "\n        if os.fork() == 0: time.sleep(1000)"));
  Batch batch(int64_batch({0}));
  run(batch);
  EXPECT_EQ(batch.context.status, CLUTCH_OK) << batch.error().message;
  const std::vector<int> children = children_of(worker_);
  ASSERT_EQ(children.size(), 1u);
  serves();
  EXPECT_TRUE(same_worker());
  EXPECT_TRUE(pool_->close(function_).ok());
  function_ = nullptr;
  pool_.reset();
  EXPECT_TRUE(within(1000, [&] { return !lives(children.front()); }));
}

TEST_F(Abuse, ProgramsItStartedGoWithAKilledWorker) {
  start(when_zero("subprocess", "subprocess.Popen(['sleep', '1000'])"));
  Batch batch(int64_batch({0}));
  run(batch);
  EXPECT_EQ(batch.context.status, CLUTCH_OK) << batch.error().message;
  const std::vector<int> children = children_of(worker_);
  ASSERT_EQ(children.size(), 1u);
  ::kill(worker_, SIGKILL);
  EXPECT_TRUE(within(1000, [&] { return !lives(children.front()); }));
  serves();
}

TEST_F(Abuse, AForkThatReturnsIsNoSecondWorker) {
  start(when_zero("os", "os.fork()"));
  Batch batch(int64_batch({0}));
  run(batch);
  EXPECT_EQ(batch.context.status, CLUTCH_OK) << batch.error().message;
  EXPECT_EQ(batch.context.completions, 1);
  serves();
  EXPECT_TRUE(same_worker());
}

TEST_F(Abuse, ThreadsWithoutEndDoNotKeepThePool) {
  start(when_zero("threading, time", "threading.Thread(target=time.sleep, args=(1000,)).start()"));
  Batch batch(int64_batch({0}));
  run(batch);
  EXPECT_EQ(batch.context.status, CLUTCH_OK) << batch.error().message;
  serves();
  EXPECT_TRUE(pool_->close(function_).ok());
  function_ = nullptr;
  const int64_t begin = now_ns();
  pool_.reset();
  EXPECT_LT(now_ns() - begin, 6000 * kMillisecond);
  EXPECT_FALSE(lives(worker_));
}

TEST_F(Abuse, SysExitInOpenIsAnErrorOfOpen) {
  pool_ = std::make_unique<Pool>(test_options({{"python.process.spares", "0"}}), test_paths(), host_.table());
  const Result<Function*> opened = pool_->open(
      function_of("f",
                  "import sys\nclass F:\n    def open(self, context): sys.exit('no')\n    def eval(self, x): return x\n"
                  "f = F()\n"),
      nullptr);
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.status().code(), CLUTCH_ERR_FUNCTION);
  EXPECT_NE(opened.status().message().find("open(): SystemExit: no"), std::string_view::npos)
      << opened.status().message();
}

}  // namespace
}  // namespace clutch::pyproc::testing
