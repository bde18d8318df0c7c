// What a pool starts, and when.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include "pool_host.h"

namespace clutch::pyproc::testing {
namespace {

// Each interpreter waits until as many as there are workers have come this far: one after the other, none would go on.
TEST(PoolStart, WorkersStartAtTheSameTime) {
  char folder[] = "/tmp/clutch-start-XXXXXX";
  ASSERT_NE(::mkdtemp(folder), nullptr);
  const std::string base = folder;
  Worker::Paths paths = test_paths();
  ::mkdir((base + "/here").c_str(), 0700);
  std::ofstream(base + "/python") << "#!/bin/sh\n: > " << base << "/here/$$\nwhile :; do\n  n=0\n  for f in " << base
                                  << "/here/*; do n=$((n + 1)); done\n  [ $n -ge 3 ] && break\n  sleep 0.01\n"
                                  << "done\nexec " << paths.python << " \"$@\"\n";
  ::chmod((base + "/python").c_str(), 0700);
  paths.python = base + "/python";
  TestHost host;
  Pool pool(test_options({{"python.process.workers", "3"},
                          {"python.process.spares", "0"},
                          {"python.process.sandbox", "off"},
                          {"python.process.start-timeout", "20 s"}}),
            paths, host.table());
  const Result<Function*> opened = pool.open(function_of("f", "def f(x):\n    return x\n"), nullptr);
  ASSERT_TRUE(opened.ok()) << opened.status().message();
  EXPECT_EQ(pool.pids(true).size(), 3u);
  EXPECT_TRUE(pool.close(*opened).ok());
  std::filesystem::remove_all(base);
}

// The first function takes longer to open than a spare waits.
TEST(PoolStart, NoSpareStartsWhileAFunctionOpens) {
  TestHost host;
  Pool pool(test_options(), test_paths(), host.table());
  std::atomic<bool> done{false};
  std::atomic<size_t> most{0};
  std::thread watcher([&] {
    while (!done) {
      most = std::max(most.load(), pool.pids(false).size());
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  });
  const Result<Function*> opened =
      pool.open(function_of("f", "import time\ntime.sleep(0.6)\ndef f(x):\n    return x\n"), nullptr);
  done = true;
  watcher.join();
  ASSERT_TRUE(opened.ok()) << opened.status().message();
  EXPECT_EQ(most, 1u);
  // And then one comes by itself.
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (pool.pids(false).size() < 2 && std::chrono::steady_clock::now() < end) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  EXPECT_EQ(pool.pids(false).size(), 2u);
  EXPECT_TRUE(pool.close(*opened).ok());
}

}  // namespace
}  // namespace clutch::pyproc::testing
