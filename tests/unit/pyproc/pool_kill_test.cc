// kill -9 of a worker at every step of the protocol: the same result from the next worker, or an error that says what
// happened, and nothing left behind. Steps that are not the user's code are those of a stand-in (hostile_worker.cc).
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <string>

#include "holdings.h"
#include "pool_host.h"
#include "supervisor/clock.h"

namespace clutch::pyproc::testing {
namespace {

using PoolOption = std::pair<std::string, std::string>;

constexpr char kKilled[] = "was ended by signal SIGKILL (Killed) ";

std::string unused_path() {
  char path[] = "/tmp/clutch-kill-XXXXXX";
  ::close(::mkstemp(path));
  ::unlink(path);
  return path;
}

OpenFunction echo() {
  OpenFunction out = function_of("f", "");
  out.output = out.input;
  return out;
}

class Kill : public ::testing::Test {
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
    pool_.reset();
    for (const char* name :
         {"CLUTCH_HOSTILE", "CLUTCH_HOSTILE_MARK", "CLUTCH_HOSTILE_DEATHS", "CLUTCH_HOSTILE_ONCE_ONLY"}) {
      ::unsetenv(name);
    }
    ::unlink(mark_.c_str());
    for (int i = 2; i <= deaths_; ++i) ::unlink((mark_ + "." + std::to_string(i)).c_str());
    EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1) << "a zombie or a worker is left";
    within(5000, [this] { return holdings() == before_; });
    EXPECT_EQ(holdings(), before_);
  }

  // A pool of stand-ins of which the first, or each, dies at this step.
  void die_at(const std::string& step, bool every_one, std::vector<PoolOption> options = {}) {
    ::setenv("CLUTCH_HOSTILE", ("die-" + step).c_str(), 1);
    if (!every_one) ::setenv("CLUTCH_HOSTILE_MARK", mark_.c_str(), 1);
    Worker::Paths paths = test_paths();
    paths.launcher = std::getenv("CLUTCH_HOSTILE_WORKER");
    options.emplace_back("python.process.spares", "0");
    if (every_one) options.emplace_back("python.process.retries", "0");
    pool_ = std::make_unique<Pool>(test_options(options), paths, host_.table());
  }
  void first_die_at(const std::string& step, int deaths, const std::string& retries) {
    deaths_ = deaths;
    ::setenv("CLUTCH_HOSTILE_DEATHS", std::to_string(deaths).c_str(), 1);
    die_at(step, /*every_one=*/false, {{"python.process.retries", retries}});
  }
  void start_real(const std::vector<PoolOption>& options = {}) {
    pool_ = std::make_unique<Pool>(test_options(options), test_paths(), host_.table());
  }
  void serves(Function* function) {
    Batch batch(int64_batch({5, 6, 7}));
    if (keyed_) batch.add_keys(host_);
    ASSERT_EQ(batch.submit(*pool_, function), CLUTCH_PENDING) << batch.error().message;
    ASSERT_TRUE(batch.wait(*pool_, function));
    EXPECT_EQ(batch.context.status, CLUTCH_OK) << batch.error().message;
    EXPECT_EQ(batch.context.completions, 1);
    EXPECT_EQ(batch.results(), (std::vector<int64_t>{5, 6, 7}));
  }
  bool died() const { return ::access(mark_.c_str(), F_OK) == 0; }

  const std::string mark_ = unused_path();
  bool keyed_ = false;  // batches have keys
  int deaths_ = 1;
  Holdings before_;
  TestHost host_;
  std::unique_ptr<Pool> pool_;
};

class KillAtStep : public Kill, public ::testing::WithParamInterface<const char*> {};

TEST_P(KillAtStep, TheNextWorkerGivesTheSameResult) {
  const std::string step = GetParam();
  keyed_ = step == "asking-page";
  die_at(step, /*every_one=*/false);
  const Result<Function*> opened = pool_->open(echo(), nullptr);
  ASSERT_TRUE(opened.ok()) << opened.status().message();
  serves(*opened);
  EXPECT_TRUE(host_.logged("was ended by signal SIGKILL (Killed)"));
  serves(*opened);
  EXPECT_TRUE(pool_->close(*opened).ok());
  EXPECT_TRUE(died());
}

INSTANTIATE_TEST_SUITE_P(Steps, KillAtStep,
                         ::testing::Values("launch", "launched", "configured", "ready", "opening", "opened", "sent",
                                           "taken", "running", "written", "asking", "noted", "asking-page"),
                         [](const auto& step) {
                           std::string name = step.param;
                           for (char& c : name) c = c == '-' ? '_' : c;
                           return name;
                         });

struct Lost {
  const char* step;
  int32_t code;
  const char* sentence;
};

class KillAlways : public Kill, public ::testing::WithParamInterface<Lost> {};

TEST_P(KillAlways, IsAnErrorThatNamesTheStep) {
  die_at(GetParam().step, /*every_one=*/true);
  const Result<Function*> opened = pool_->open(echo(), nullptr);
  std::string message;
  int32_t code = 0;
  if (!opened.ok()) {
    code = opened.status().code();
    message = opened.status().message();
    EXPECT_EQ(opened.status().detail(CLUTCH_DETAIL_SIGNAL), "SIGKILL");
  } else {
    Batch batch(int64_batch({5, 6, 7}));
    if (GetParam().step == std::string("asking-page")) batch.add_keys(host_);
    ASSERT_EQ(batch.submit(*pool_, *opened), CLUTCH_PENDING) << batch.error().message;
    ASSERT_TRUE(batch.wait(*pool_, *opened));
    code = batch.context.status;
    message = batch.error().message;
    EXPECT_EQ(batch.error().details.at(CLUTCH_DETAIL_SIGNAL), "SIGKILL");
    EXPECT_EQ(batch.error().details.at(CLUTCH_DETAIL_ATTEMPTS), "1");
    EXPECT_TRUE(batch.context.emitted.empty());
    EXPECT_EQ(batch.context.completions, 1);
    (void)pool_->close(*opened);
  }
  EXPECT_EQ(code, GetParam().code) << message;
  EXPECT_EQ(message.find("function \"f\""), 0u) << message;
  EXPECT_NE(message.find(kKilled + std::string(GetParam().sentence)), std::string::npos) << message;
}

// More than the starts that may fail by themselves before nothing is started for a while.
TEST_F(Kill, StartsThatAreKilledAreTriedAgainAsOftenAsBatches) {
  first_die_at("configured", static_cast<int>(RestartPolicy::kMaxStartFailures) + 2, "10");
  const Result<Function*> opened = pool_->open(echo(), nullptr);
  ASSERT_TRUE(opened.ok()) << opened.status().message();
  serves(*opened);
  EXPECT_TRUE(pool_->close(*opened).ok());
}

TEST_F(Kill, StartsThatAreKilledMoreOftenFailTheOpening) {
  first_die_at("configured", 3, "2");
  const Result<Function*> opened = pool_->open(echo(), nullptr);
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.status().code(), CLUTCH_ERR_LOAD);
  EXPECT_NE(opened.status().message().find(kKilled + std::string("before it was ready")), std::string_view::npos)
      << opened.status().message();
}

constexpr char kWhileBatch[] =
    "while it ran batch 1 (attempt 1); nothing in Clutch killed it, so perhaps the system did for want of memory";

INSTANTIATE_TEST_SUITE_P(Steps, KillAlways,
                         ::testing::Values(Lost{"launch", CLUTCH_ERR_LOAD, "before it was ready"},
                                           Lost{"launched", CLUTCH_ERR_LOAD, "before it was ready"},
                                           Lost{"configured", CLUTCH_ERR_LOAD, "before it was ready"},
                                           Lost{"opening", CLUTCH_ERR_WORKER_LOST, "while it opened the function"},
                                           Lost{"sent", CLUTCH_ERR_WORKER_LOST, kWhileBatch},
                                           Lost{"taken", CLUTCH_ERR_WORKER_LOST, kWhileBatch},
                                           Lost{"running", CLUTCH_ERR_WORKER_LOST, kWhileBatch},
                                           Lost{"written", CLUTCH_ERR_WORKER_LOST, kWhileBatch},
                                           Lost{"asking", CLUTCH_ERR_WORKER_LOST, kWhileBatch},
                                           Lost{"noted", CLUTCH_ERR_WORKER_LOST, kWhileBatch},
                                           Lost{"asking-page", CLUTCH_ERR_WORKER_LOST, kWhileBatch}),
                         [](const auto& lost) {
                           std::string name = lost.param.step;
                           for (char& c : name) c = c == '-' ? '_' : c;
                           return name;
                         });

// The worker is gone, and the next one ready, while the host still reads for the batch: it waits for that.
TEST_F(Kill, WhileTheHostReadsStateTheBatchStaysWhereItIs) {
  keyed_ = true;
  host_.entries = 5;
  int first = 0;
  host_.on_read = [&] {
    if (host_.reads != 1) return;
    EXPECT_TRUE(within(10000, [&] {
      const std::vector<int> serving = pool_->pids(true);
      return serving.size() == 1 && serving.front() != first;
    }));
    // Whatever wants to run the batch again has the time for it now.
    EXPECT_FALSE(within(300, [&] { return host_.misuses > 0; }));
  };
  die_at("asking-page", /*every_one=*/false);
  const Result<Function*> opened = pool_->open(echo(), nullptr);
  ASSERT_TRUE(opened.ok()) << opened.status().message();
  first = pool_->pids(true).front();
  serves(*opened);
  EXPECT_EQ(host_.misuses, 0);
  EXPECT_EQ(host_.reads, 2);
  EXPECT_TRUE(pool_->close(*opened).ok());
}

TEST_F(Kill, TheReportHasTheRowAndTheLastWords) {
  die_at("running", /*every_one=*/true);
  const Result<Function*> opened = pool_->open(echo(), nullptr);
  ASSERT_TRUE(opened.ok()) << opened.status().message();
  Batch batch(int64_batch({5, 6, 7}));
  ASSERT_EQ(batch.submit(*pool_, *opened), CLUTCH_PENDING);
  ASSERT_TRUE(batch.wait(*pool_, *opened));
  EXPECT_EQ(batch.error().message.find("function \"f\" row 2: worker process 1 "), 0u) << batch.error().message;
  EXPECT_EQ(batch.error().details.at(CLUTCH_DETAIL_ROW), "2");
  EXPECT_EQ(batch.error().details.at(CLUTCH_DETAIL_WORKER_LOG), "last words");
  EXPECT_EQ(batch.error().details.at(CLUTCH_DETAIL_BATCH), "1");
  (void)pool_->close(*opened);
}

// What it announced before it went counts, although the host had read none of it: no other worker ever starts here.
TEST_F(Kill, AnnouncedBatchesCountEvenIfUnread) {
  ::setenv("CLUTCH_HOSTILE_ONCE_ONLY", "1", 1);
  // Holds the pool's thread until the worker, this process's only child, is dead.
  host_.on_line = [&](std::string_view line) {
    if (line != "hold") return;
    const std::vector<int> children = children_of(::getpid());
    EXPECT_EQ(children.size(), 1u);
    EXPECT_TRUE(within(10000, [&] { return !children.empty() && dead(children.front()); }));
  };
  die_at("announced", /*every_one=*/false);
  const Result<Function*> opened = pool_->open(echo(), nullptr);
  ASSERT_TRUE(opened.ok()) << opened.status().message();
  Batch first(int64_batch({1}));
  Batch second(int64_batch({2}));
  second.sequence = 2;
  ASSERT_EQ(first.submit(*pool_, *opened), CLUTCH_PENDING);
  ASSERT_EQ(second.submit(*pool_, *opened), CLUTCH_PENDING);
  for (Batch* batch : {&first, &second}) {
    ASSERT_TRUE(batch->wait_aside());
    EXPECT_EQ(batch->context.status, CLUTCH_OK) << batch->error().message;
    EXPECT_EQ(batch->context.completions, 1);
  }
  EXPECT_EQ(first.results(), (std::vector<int64_t>{1}));
  EXPECT_EQ(second.results(), (std::vector<int64_t>{2}));
  EXPECT_TRUE(died());
  EXPECT_TRUE(pool_->close(*opened).ok());
}

TEST_F(Kill, DuringCloseIsAnErrorOfClose) {
  die_at("closing", /*every_one=*/false);
  const Result<Function*> opened = pool_->open(echo(), nullptr);
  ASSERT_TRUE(opened.ok()) << opened.status().message();
  serves(*opened);
  const Status closed = pool_->close(*opened);
  EXPECT_EQ(closed.code(), CLUTCH_ERR_WORKER_LOST);
  EXPECT_NE(closed.message().find(std::string(kKilled) + "while it closed it"), std::string_view::npos)
      << closed.message();
  const Result<Function*> next = pool_->open(echo(), nullptr);
  ASSERT_TRUE(next.ok()) << next.status().message();
  serves(*next);
  EXPECT_TRUE(pool_->close(*next).ok());
}

TEST_F(Kill, AfterCloseIsNoError) {
  die_at("closed", /*every_one=*/false);
  const Result<Function*> opened = pool_->open(echo(), nullptr);
  ASSERT_TRUE(opened.ok()) << opened.status().message();
  EXPECT_TRUE(pool_->close(*opened).ok());
  const Result<Function*> next = pool_->open(echo(), nullptr);
  ASSERT_TRUE(next.ok()) << next.status().message();
  serves(*next);
  EXPECT_TRUE(died());
  EXPECT_TRUE(pool_->close(*next).ok());
}

TEST_F(Kill, WhileStoppingIsNoError) {
  die_at("stopping", /*every_one=*/false);
  const Result<Function*> opened = pool_->open(echo(), nullptr);
  ASSERT_TRUE(opened.ok()) << opened.status().message();
  serves(*opened);
  EXPECT_TRUE(pool_->close(*opened).ok());
  const size_t lines = host_.log().size();
  pool_.reset();
  EXPECT_TRUE(died());
  EXPECT_EQ(host_.log().size(), lines) << host_.log().back();
}

TEST_F(Kill, InCloseOfTheUsersCode) {
  start_real();
  const Result<Function*> opened = pool_->open(function_of("f",
                                                           "import os, signal\nclass F:\n    def eval(self, x):\n"
                                                           "        return x\n    def close(self):\n"
                                                           "        os.kill(os.getpid(), signal.SIGKILL)\nf = F()\n"),
                                               nullptr);
  ASSERT_TRUE(opened.ok()) << opened.status().message();
  serves(*opened);
  const Status closed = pool_->close(*opened);
  EXPECT_NE(closed.message().find(std::string(kKilled) + "while it closed it"), std::string_view::npos)
      << closed.message();
}

// The batch is sent to a worker that is dead already, which nobody has noticed: it was not lost with it.
TEST_F(Kill, ADeadIdleWorkerIsNotTheNextBatchsFault) {
  start_real({{"python.process.retries", "0"}, {"python.process.spares", "0"}});
  std::atomic<bool> noticed{false};
  host_.on_line = [&](std::string_view line) {
    if (line != "hold") return;
    EXPECT_TRUE(within(10000, [&] { return noticed.load(); }));
  };
  const Result<Function*> opened = pool_->open(
      function_of("f", "import os\ndef f(x):\n    if x == 1: os.write(1, b'hold\\n')\n    return x\n"), nullptr);
  ASSERT_TRUE(opened.ok()) << opened.status().message();
  Batch first(int64_batch({1}));
  ASSERT_EQ(first.submit(*pool_, *opened), CLUTCH_PENDING);
  ASSERT_TRUE(first.wait(*pool_, *opened));
  ASSERT_TRUE(host_.logged("hold"));
  const int worker = pool_->pids(true).front();
  ::kill(worker, SIGKILL);
  ASSERT_TRUE(within(10000, [&] { return dead(worker); }));
  Batch second(int64_batch({2}));
  ASSERT_EQ(second.submit(*pool_, *opened), CLUTCH_PENDING);
  noticed = true;
  ASSERT_TRUE(second.wait(*pool_, *opened));
  EXPECT_EQ(second.context.status, CLUTCH_OK) << second.error().message;
  EXPECT_EQ(second.results(), (std::vector<int64_t>{2}));
  EXPECT_TRUE(host_.logged(std::string(kKilled) + "while it was idle"));
  EXPECT_TRUE(pool_->close(*opened).ok());
}

TEST_F(Kill, ADeadSpareIsReplacedUnseen) {
  start_real();
  const Result<Function*> opened = pool_->open(function_of("f", "def f(x):\n    return x\n"), nullptr);
  ASSERT_TRUE(opened.ok()) << opened.status().message();
  int killed = 0;
  const auto spare = [&] {
    std::string ready;
    pool_->describe([&](std::string_view key, std::string_view value) {
      if (key == "worker.spares") ready = value;
    });
    const int serving = pool_->pids(true).front();
    for (const int pid : pool_->pids(false)) {
      if (ready == "1" && pid != serving && pid != killed) return pid;
    }
    return 0;
  };
  ASSERT_TRUE(within(10000, [&] { return spare() != 0; }));
  const int serving = pool_->pids(true).front();
  killed = spare();
  ::kill(killed, SIGKILL);
  ASSERT_TRUE(host_.logged("(pid " + std::to_string(killed) +
                           ") was ended by signal SIGKILL (Killed) while it was "
                           "idle"));
  serves(*opened);
  EXPECT_EQ(pool_->pids(true).front(), serving);
  EXPECT_TRUE(within(10000, [&] { return spare() != 0; })) << "no new spare";
  EXPECT_TRUE(pool_->close(*opened).ok());
}

// The pool has asked for the stack and waits for it when somebody else's kill comes first.
TEST_F(Kill, DuringTheStopLadderLeavesTheCauseAsItWas) {
  start_real({{"python.process.spares", "0"}});
  const Result<Function*> opened =
      pool_->open(function_of("f",
                              "import collections, itertools, signal\ndef f(x):\n    if x == 0:\n"
                              "        signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
                              "        collections.deque(itertools.repeat(0), maxlen=0)\n    return x\n"),
                  nullptr);
  ASSERT_TRUE(opened.ok()) << opened.status().message();
  const int worker = pool_->pids(true).front();
  bool told = false;
  host_.on_line = [&](std::string_view line) {
    if (told || line.find("File \"") == std::string_view::npos || line.find(" in f") == std::string_view::npos) return;
    told = true;
    ::kill(worker, SIGKILL);
  };
  Batch batch(int64_batch({0}));
  batch.deadline_ns = now_ns() + 200 * kMillisecond;
  ASSERT_EQ(batch.submit(*pool_, *opened), CLUTCH_PENDING);
  ASSERT_TRUE(batch.wait(*pool_, *opened));
  EXPECT_EQ(batch.context.status, CLUTCH_ERR_DEADLINE) << batch.error().message;
  EXPECT_TRUE(told);
  EXPECT_NE(batch.error().details.at(CLUTCH_DETAIL_PYTHON_STACK).find("in f"), std::string::npos);
  serves(*opened);
  EXPECT_TRUE(pool_->close(*opened).ok());
}

}  // namespace
}  // namespace clutch::pyproc::testing
