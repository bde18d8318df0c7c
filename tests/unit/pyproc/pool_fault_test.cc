// A pool with real workers that are killed, hang, lie down or never start.
#include <dirent.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <numeric>
#include <thread>

#include "pool_host.h"
#include "supervisor/clock.h"

namespace clutch::pyproc::testing {
namespace {

using PoolOption = std::pair<std::string, std::string>;

std::vector<int64_t> numbers(int64_t count) {
  std::vector<int64_t> out(static_cast<size_t>(count));
  std::iota(out.begin(), out.end(), 0);
  return out;
}

std::string mark_file() {
  char path[] = "/tmp/clutch-pool-XXXXXX";
  const int fd = ::mkstemp(path);
  ::close(fd);
  ::unlink(path);
  return path;
}

class PoolFault : public ::testing::Test {
 protected:
  Function* start(OpenFunction request, const std::vector<PoolOption>& options = {}) {
    pool_ = std::make_unique<Pool>(test_options(options), test_paths(), host_.table());
    Result<Function*> opened = pool_->open(std::move(request), nullptr);
    EXPECT_TRUE(opened.ok()) << opened.status().message();
    function_ = opened.ok() ? *opened : nullptr;
    return function_;
  }
  void TearDown() override {
    if (function_ != nullptr) (void)pool_->close(function_);
    pool_.reset();
    // No zombie and no worker is left.
    EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1);
  }
  bool run(Batch& batch) {
    EXPECT_EQ(batch.submit(*pool_, function_), CLUTCH_PENDING) << batch.error().message;
    return batch.wait(*pool_, function_);
  }
  void serves_on() {
    Batch batch(int64_batch({1000000}));
    ASSERT_TRUE(run(batch));
    EXPECT_EQ(batch.context.status, CLUTCH_OK) << batch.error().message;
  }

  TestHost host_;
  std::unique_ptr<Pool> pool_;
  Function* function_ = nullptr;
};

constexpr char kSegfault[] =
    "import ctypes\n"
    "def crash(x):\n"
    "    if x == 37:\n"
    "        print('about to fall')\n"
    "        ctypes.string_at(0)\n"
    "    return x\n";

TEST_F(PoolFault, ACrashFailsWithAReport) {
  ASSERT_NE(start(function_of("crash", kSegfault)), nullptr);
  Batch batch(int64_batch(numbers(100)));
  batch.sequence = 12;
  ASSERT_TRUE(run(batch));
  EXPECT_EQ(batch.context.status, CLUTCH_ERR_WORKER_LOST);
  const auto& details = batch.error().details;
  EXPECT_NE(
      batch.error().message.find("was ended by signal SIGSEGV (Segmentation fault) while it ran batch 12 (attempt 2)"),
      std::string::npos)
      << batch.error().message;
  EXPECT_EQ(details.at(CLUTCH_DETAIL_SIGNAL), "SIGSEGV");
  EXPECT_EQ(details.at(CLUTCH_DETAIL_ATTEMPTS), "2");
  EXPECT_EQ(details.at(CLUTCH_DETAIL_ROW), "37") << batch.error().message;
  EXPECT_EQ(details.at(CLUTCH_DETAIL_VALUE), "37");
  EXPECT_NE(details.at(CLUTCH_DETAIL_WORKER_LOG).find("about to fall"), std::string::npos);
  EXPECT_NE(details.at(CLUTCH_DETAIL_PYTHON_STACK).find("in crash"), std::string::npos)
      << details.at(CLUTCH_DETAIL_PYTHON_STACK) << "\nlog: " << details.at(CLUTCH_DETAIL_WORKER_LOG);
  EXPECT_TRUE(batch.context.emitted.empty());
  serves_on();
}

TEST_F(PoolFault, APoisonRowGoesToTheDeadLetters) {
  OpenFunction request = function_of("crash", kSegfault);
  request.on_error = CLUTCH_ON_ERROR_DEAD_LETTER;
  ASSERT_NE(start(std::move(request)), nullptr);
  Batch batch(int64_batch(numbers(100)));
  ASSERT_TRUE(batch.submit(*pool_, function_) == CLUTCH_PENDING && batch.wait(*pool_, function_, 60000));
  ASSERT_EQ(batch.context.status, CLUTCH_OK) << batch.error().message;
  ASSERT_EQ(batch.context.dead_letters.size(), 1u);
  const clutch_error& letter = *batch.context.dead_letters.at(37);
  EXPECT_EQ(letter.code, CLUTCH_ERR_WORKER_LOST);
  EXPECT_EQ(letter.details.at(CLUTCH_DETAIL_SIGNAL), "SIGSEGV");
  EXPECT_EQ(letter.details.at(CLUTCH_DETAIL_ROW), "37");
  std::vector<int64_t> expected = numbers(100);
  expected.erase(expected.begin() + 37);
  EXPECT_EQ(batch.results(), expected);
  std::vector<int64_t> origins;
  for (const Emitted& emitted : batch.context.emitted) {
    ASSERT_FALSE(emitted.origin.empty());
    const auto* values = static_cast<const int32_t*>(emitted.origin->buffers[1]);
    origins.insert(origins.end(), values, values + emitted.origin->length);
  }
  EXPECT_EQ(origins, expected);
}

TEST_F(PoolFault, AWorkerThatLeavesByItselfIsLostToo) {
  ASSERT_NE(start(function_of("leave", "import os\ndef leave(x):\n    if x == 5: os._exit(0)\n    return x\n"),
                  {{"python.process.retries", "0"}}),
            nullptr);
  Batch batch(int64_batch(numbers(10)));
  ASSERT_TRUE(run(batch));
  EXPECT_EQ(batch.context.status, CLUTCH_ERR_WORKER_LOST);
  EXPECT_NE(batch.error().message.find("ended with exit code 0 while it ran batch 1 (attempt 1); the function, or a "
                                       "library that it uses, must not end the process"),
            std::string::npos)
      << batch.error().message;
  EXPECT_EQ(batch.error().details.at(CLUTCH_DETAIL_EXIT_CODE), "0");
  serves_on();
}

TEST_F(PoolFault, AKilledWorkerIsReplacedAndTheBatchRunsAgain) {
  const std::string mark = mark_file();
  ASSERT_NE(start(function_of("once",
                              "import os, signal\ndef once(x):\n    if x == 3 and not os.path.exists('" + mark +
                                  "'):\n        open('" + mark +
                                  "', 'w').close()\n        os.kill(os.getpid(), signal.SIGKILL)\n    return x * 2\n")),
            nullptr);
  std::vector<std::unique_ptr<Batch>> batches;
  for (int i = 0; i < 2; ++i) {
    batches.push_back(std::make_unique<Batch>(int64_batch(numbers(50))));
    ASSERT_EQ(batches.back()->submit(*pool_, function_), CLUTCH_PENDING);
  }
  for (auto& batch : batches) {
    ASSERT_TRUE(batch->wait(*pool_, function_));
    EXPECT_EQ(batch->context.status, CLUTCH_OK) << batch->error().message;
    EXPECT_EQ(batch->context.completions, 1);
    const std::vector<int64_t> results = batch->results();
    ASSERT_EQ(results.size(), 50u);
    for (int64_t i = 0; i < 50; ++i) EXPECT_EQ(results[i], 2 * i);
  }
  ::unlink(mark.c_str());
  EXPECT_TRUE(host_.logged("was ended by signal SIGKILL"));
}

TEST_F(PoolFault, KillingAnIdleWorkerCostsNothing) {
  ASSERT_NE(start(function_of("f", "def f(x):\n    return x\n")), nullptr);
  for (int round = 0; round < 3; ++round) {
    for (const int pid : pool_->pids(true)) ::kill(pid, SIGKILL);
    serves_on();
  }
}

TEST_F(PoolFault, AnyMomentIsGoodForAKill) {
  ASSERT_NE(start(function_of("f", "def f(x):\n    return x + 1\n"), {{"python.process.retries", "100"}}), nullptr);
  std::atomic<bool> stop{false};
  std::thread killer([&] {
    unsigned wait = 7;
    while (!stop) {
      std::this_thread::sleep_for(std::chrono::milliseconds(50 + (wait = wait * 37 % 101)));
      for (const int pid : pool_->pids(true)) ::kill(pid, SIGKILL);
    }
  });
  for (int round = 0; round < 30; ++round) {
    std::vector<std::unique_ptr<Batch>> batches;
    for (int i = 0; i < 2; ++i) {
      batches.push_back(std::make_unique<Batch>(int64_batch(numbers(20000))));
      ASSERT_EQ(batches.back()->submit(*pool_, function_), CLUTCH_PENDING) << batches.back()->error().message;
    }
    for (auto& batch : batches) {
      ASSERT_TRUE(batch->wait(*pool_, function_, 60000));
      ASSERT_EQ(batch->context.status, CLUTCH_OK) << batch->error().message;
      ASSERT_EQ(batch->context.completions, 1);
      ASSERT_EQ(batch->results().size(), 20000u);
    }
  }
  stop = true;
  killer.join();
}

TEST_F(PoolFault, AMissedDeadlineKillsWithAStack) {
  ASSERT_NE(start(function_of("nap", "import time\ndef nap(x):\n    if x == 2: time.sleep(100)\n    return x\n")),
            nullptr);
  Batch batch(int64_batch(numbers(4)));
  batch.deadline_ns = now_ns() + 300 * kMillisecond;
  const int64_t start_ns = now_ns();
  ASSERT_TRUE(run(batch));
  EXPECT_LT(now_ns() - start_ns, 3000 * kMillisecond);
  EXPECT_EQ(batch.context.status, CLUTCH_ERR_DEADLINE) << batch.error().message;
  EXPECT_EQ(batch.error().details.at(CLUTCH_DETAIL_STAGE), "kill");
  EXPECT_NE(batch.error().message.find("\" row 2: batch 1 was not done by its deadline"), std::string::npos)
      << batch.error().message;
  EXPECT_EQ(batch.error().details.at(CLUTCH_DETAIL_ROW), "2");
  EXPECT_EQ(batch.error().details.at(CLUTCH_DETAIL_VALUE), "2");
  EXPECT_NE(batch.error().details.at(CLUTCH_DETAIL_PYTHON_STACK).find("in nap"), std::string::npos);
  serves_on();
}

TEST_F(PoolFault, ABatchWithoutDeadlineHasTheConfiguredOne) {
  ASSERT_NE(start(function_of("nap", "import time\ndef nap(x):\n    if x == 2: time.sleep(100)\n    return x\n"),
                  {{"python.process.batch-timeout", "300 ms"}}),
            nullptr);
  Batch batch(int64_batch(numbers(4)));
  ASSERT_TRUE(run(batch));
  EXPECT_EQ(batch.context.status, CLUTCH_ERR_DEADLINE);
  EXPECT_NE(batch.error().message.find("Raise python.process.batch-timeout (300 ms)"), std::string::npos)
      << batch.error().message;
}

TEST_F(PoolFault, ALateBatchDoesNotTakeItsNeighbourWithIt) {
  ASSERT_NE(start(function_of("nap", "import time\ndef nap(x):\n    if x == 2: time.sleep(100)\n    return x\n")),
            nullptr);
  Batch late(int64_batch(numbers(4)));
  late.deadline_ns = now_ns() + 300 * kMillisecond;
  Batch good(int64_batch({7, 8}));
  good.sequence = 2;
  ASSERT_EQ(late.submit(*pool_, function_), CLUTCH_PENDING);
  ASSERT_EQ(good.submit(*pool_, function_), CLUTCH_PENDING);
  ASSERT_TRUE(late.wait(*pool_, function_));
  ASSERT_TRUE(good.wait(*pool_, function_));
  EXPECT_EQ(late.context.status, CLUTCH_ERR_DEADLINE);
  EXPECT_EQ(good.context.status, CLUTCH_OK) << good.error().message;
  EXPECT_EQ(good.results(), (std::vector<int64_t>{7, 8}));
}

TEST_F(PoolFault, ARunawayLoopStopsByItself) {
  ASSERT_NE(start(function_of("spin", "def spin(x):\n    while x == 2: pass\n    return x\n")), nullptr);
  const std::vector<int> pids = pool_->pids(true);
  Batch batch(int64_batch(numbers(4)));
  batch.deadline_ns = now_ns() + 200 * kMillisecond;
  ASSERT_TRUE(run(batch));
  EXPECT_EQ(batch.context.status, CLUTCH_ERR_DEADLINE) << batch.error().message;
  serves_on();
}

TEST_F(PoolFault, CancelStopsABatch) {
  ASSERT_NE(start(function_of("nap", "import time\ndef nap(x):\n    if x == 2: time.sleep(100)\n    return x\n")),
            nullptr);
  Batch running(int64_batch(numbers(4)));
  Batch queued(int64_batch(numbers(4)));
  Batch waiting(int64_batch(numbers(2)));
  running.sequence = 1;
  queued.sequence = 2;
  waiting.sequence = 3;
  for (Batch* batch : {&running, &queued, &waiting}) ASSERT_EQ(batch->submit(*pool_, function_), CLUTCH_PENDING);
  pool_->cancel(function_, 2);
  ASSERT_TRUE(queued.wait(*pool_, function_, 400));
  EXPECT_EQ(queued.context.status, CLUTCH_ERR_CANCELLED);
  EXPECT_FALSE(running.context.complete);
  pool_->cancel(function_, 1);
  pool_->cancel(function_, 99);
  ASSERT_TRUE(running.wait(*pool_, function_));
  EXPECT_EQ(running.context.status, CLUTCH_ERR_CANCELLED);
  EXPECT_NE(running.error().message.find("cancelled by the host"), std::string::npos) << running.error().message;
  ASSERT_TRUE(waiting.wait(*pool_, function_));
  EXPECT_EQ(waiting.context.status, CLUTCH_OK) << waiting.error().message;
}

TEST_F(PoolFault, AStoppedProcessIsKilledAtTheDeadline) {
  ASSERT_NE(start(function_of("f", "def f(x):\n    return x\n")), nullptr);
  for (const int pid : pool_->pids(true)) ::kill(pid, SIGSTOP);
  Batch batch(int64_batch(numbers(4)));
  batch.deadline_ns = now_ns() + 200 * kMillisecond;
  ASSERT_TRUE(run(batch));
  EXPECT_EQ(batch.context.status, CLUTCH_ERR_DEADLINE) << batch.error().message;
  serves_on();
}

TEST_F(PoolFault, LeavingThePoolLeavesNothingOpen) {
  const auto count = [] {
    int open = 0;
    DIR* folder = ::opendir("/proc/self/fd");
    while (::readdir(folder) != nullptr) ++open;
    ::closedir(folder);
    return open;
  };
  const int before = count();
  for (int round = 0; round < 3; ++round) {
    ASSERT_NE(start(function_of("f", "def f(x):\n    return x\n"), {{"python.process.workers", "2"}}), nullptr);
    serves_on();
    ::kill(pool_->pids(true).front(), SIGKILL);
    serves_on();
    EXPECT_TRUE(pool_->close(function_).ok());
    function_ = nullptr;
    pool_.reset();
    EXPECT_EQ(count(), before);
  }
}

TEST_F(PoolFault, ASpareTakesOver) {
  ASSERT_NE(start(function_of("f", "def f(x):\n    return x\n")), nullptr);
  const auto spares = [&] {
    std::string ready;
    pool_->describe([&](std::string_view key, std::string_view value) {
      if (key == "worker.spares") ready = value;
    });
    return ready;
  };
  for (int i = 0; i < 1000 && spares() != "1"; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  ASSERT_EQ(spares(), "1");
  const int serving = pool_->pids(true).front();
  ::kill(serving, SIGKILL);
  const int64_t start_ns = now_ns();
  serves_on();
  std::fprintf(stderr, "kill to next result: %.1f ms\n", static_cast<double>(now_ns() - start_ns) / 1e6);
  EXPECT_NE(pool_->pids(true).front(), serving);
}

TEST_F(PoolFault, ACrashWhileOpeningIsAnError) {
  Pool pool(test_options(), test_paths(), host_.table());
  const Result<Function*> opened = pool.open(function_of("f", "import os\nos._exit(7)\n"), nullptr);
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.status().code(), CLUTCH_ERR_WORKER_LOST);
  EXPECT_NE(opened.status().message().find("ended with exit code 7 while it opened the function"),
            std::string_view::npos)
      << opened.status().message();
  const Result<Function*> next = pool.open(function_of("g", "def g(x):\n    return x\n"), nullptr);
  ASSERT_TRUE(next.ok()) << next.status().message();
  EXPECT_TRUE(pool.close(*next).ok());
}

TEST_F(PoolFault, AnOpenThatHangsIsStoppedWithAStack) {
  Pool pool(test_options({{"python.process.batch-timeout", "300 ms"}, {"python.process.start-timeout", "2 s"}}),
            test_paths(), host_.table());
  const Result<Function*> opened =
      pool.open(function_of("f", "import time\ntime.sleep(100)\ndef f(x):\n    return x\n"), nullptr);
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.status().code(), CLUTCH_ERR_DEADLINE);
  EXPECT_NE(opened.status().message().find("its open() did not return within 2000 ms"), std::string_view::npos)
      << opened.status().message();
  EXPECT_FALSE(opened.status().detail(CLUTCH_DETAIL_PYTHON_STACK).empty());
}

TEST_F(PoolFault, WhatDoesNotStartSaysWhyAtOnce) {
  const auto refuses = [&](Worker::Paths paths, const std::vector<PoolOption>& options, std::string_view sentence) {
    Pool pool(test_options(options), std::move(paths), host_.table());
    const Result<Function*> opened = pool.open(function_of("f", "def f(x):\n    return x\n"), nullptr);
    ASSERT_FALSE(opened.ok());
    EXPECT_EQ(opened.status().code(), CLUTCH_ERR_LOAD);
    EXPECT_NE(opened.status().message().find(sentence), std::string_view::npos) << opened.status().message();
  };
  const Worker::Paths good = test_paths();
  Worker::Paths paths = good;
  paths.launcher = "/no/launcher";
  refuses(paths, {}, "function \"f\": cannot start /no/launcher: No such file or directory");
  paths = good;
  paths.python = "/no/python";
  refuses(paths, {}, "did not start: cannot run '/no/python': No such file or directory");
  paths = good;
  paths.python = "/bin/false";
  refuses(paths, {}, "ended with exit code 1 before it was ready");
  paths = good;
  paths.embed = "/no/embed.so";
  refuses(paths, {}, "it printed:\nclutch worker: /no/embed.so does not load");
}

TEST_F(PoolFault, AStartThatTakesTooLongIsStopped) {
  ::setenv("CLUTCH_HOSTILE", "silent", 1);
  Worker::Paths paths = test_paths();
  paths.launcher = std::getenv("CLUTCH_HOSTILE_WORKER");
  Pool pool(test_options({{"python.process.start-timeout", "300 ms"}}), paths, host_.table());
  const Result<Function*> opened = pool.open(function_of("f", "def f(x):\n    return x\n"), nullptr);
  ASSERT_FALSE(opened.ok());
  EXPECT_NE(
      opened.status().message().find("was not ready within 300 ms (python.process.start-timeout) and was stopped"),
      std::string_view::npos)
      << opened.status().message();
}

TEST_F(PoolFault, AFunctionThatPrintsWithoutEndDoesNotBlockTheHost) {
  ASSERT_NE(start(function_of("talk", "def talk(x):\n    while x == 2: print('and on')\n    return x\n")), nullptr);
  Batch batch(int64_batch(numbers(4)));
  batch.deadline_ns = now_ns() + 500 * kMillisecond;
  const int64_t start_ns = now_ns();
  ASSERT_TRUE(run(batch));
  EXPECT_LT(now_ns() - start_ns, 5000 * kMillisecond);
  EXPECT_EQ(batch.context.status, CLUTCH_ERR_DEADLINE) << batch.error().message;
  serves_on();
}

TEST_F(PoolFault, AFunctionThatAllocatesWithoutEndMeetsTheLimit) {
  ASSERT_NE(
      start(function_of("eat", "kept = []\ndef eat(x):\n    while x == 2: kept.append(bytes(1 << 24))\n    return x\n"),
            {{"python.process.memory-limit", "256 MiB"}, {"python.process.retries", "0"}}),
      nullptr);
  Batch batch(int64_batch(numbers(4)));
  ASSERT_TRUE(run(batch));
  EXPECT_NE(batch.context.status, CLUTCH_OK);
  EXPECT_NE(batch.error().message.find("MemoryError"), std::string::npos) << batch.error().message;
}

}  // namespace
}  // namespace clutch::pyproc::testing
