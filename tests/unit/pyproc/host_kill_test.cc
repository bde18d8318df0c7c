// kill -9 of the host at many moments: within a second nothing that it started is left.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include "holdings.h"

namespace clutch::pyproc::testing {
namespace {

class HostKill : public ::testing::TestWithParam<const char*> {
 protected:
  void TearDown() override {
    if (victim_ > 0) reap();
    for (const int pid : workers_) {
      if (lives(pid)) ::kill(pid, SIGKILL);
    }
  }

  void start(std::string moment) {
    int ends[2];
    ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
    std::string program = std::getenv("CLUTCH_POOL_VICTIM");
    char* arguments[] = {program.data(), moment.data(), nullptr};
    ASSERT_EQ(::posix_spawn(&victim_, program.c_str(), &actions, nullptr, arguments, environ), 0);
    ::posix_spawn_file_actions_destroy(&actions);
    ::close(ends[1]);
    FILE* lines = ::fdopen(ends[0], "r");
    for (char line[64]; std::fgets(line, sizeof(line), lines) != nullptr && line[0] != 'e';) {
      workers_.push_back(std::atoi(line));
    }
    std::fclose(lines);
  }
  void reap() {
    ::kill(victim_, SIGKILL);
    ::waitpid(victim_, nullptr, 0);
    victim_ = 0;
  }
  void expect_nothing_left() {
    ASSERT_GE(workers_.size(), 2u);
    for (const int pid : workers_) EXPECT_TRUE(lives(pid)) << pid;
    reap();
    EXPECT_TRUE(within(1000, [&] { return std::none_of(workers_.begin(), workers_.end(), lives); }))
        << std::count_if(workers_.begin(), workers_.end(), lives) << " live a second after the host was killed";
  }

  int victim_ = 0;
  std::vector<int> workers_;
};

TEST_P(HostKill, LeavesNoWorker) {
  start(GetParam());
  expect_nothing_left();
}

INSTANTIATE_TEST_SUITE_P(Moments, HostKill,
                         ::testing::Values("opening", "idle", "sleeping", "deaf", "stopped", "printing", "closing"),
                         [](const auto& moment) { return std::string(moment.param); });

// The launcher has run, and the interpreter is not there yet.
TEST_F(HostKill, WhileTheInterpreterStarts) {
  char path[] = "/tmp/clutch-slow-python-XXXXXX";
  const int fd = ::mkstemp(path);
  const std::string script = "#!/bin/sh\nexec sleep 1000\n";
  ASSERT_EQ(::write(fd, script.data(), script.size()), static_cast<ssize_t>(script.size()));
  ::fchmod(fd, 0700);
  ::close(fd);
  const std::string python = std::getenv("CLUTCH_TEST_PYTHON");
  ::setenv("CLUTCH_TEST_PYTHON", path, 1);
  start("starting");
  expect_nothing_left();
  ::setenv("CLUTCH_TEST_PYTHON", python.c_str(), 1);
  ::unlink(path);
}

// A host that hangs reads no log, so its workers wait in write() for room in the pipe; then it is killed.
TEST_F(HostKill, WhileAWorkerWaitsForRoomInTheLog) {
  start("printing");
  ::kill(victim_, SIGSTOP);
  const auto waits = [](int pid) {
    std::ifstream file("/proc/" + std::to_string(pid) + "/syscall");
    std::string text;
    std::getline(file, text);
    return text.rfind(std::to_string(SYS_write) + " 0x1 ", 0) == 0;
  };
  // The two that run; the third is a spare.
  ASSERT_TRUE(within(10000, [&] { return std::count_if(workers_.begin(), workers_.end(), waits) == 2; }));
  expect_nothing_left();
}

}  // namespace
}  // namespace clutch::pyproc::testing
