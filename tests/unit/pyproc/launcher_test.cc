// Each duty of clutch-launcher, proven from outside or by a probe that it runs.
#include "launcher.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "launcher_run.h"

namespace clutch::pyproc::testing {
namespace {

bool has_line(const std::string& text, const std::string& line) {
  return ("\n" + text).find("\n" + line + "\n") != std::string::npos;
}

class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "clutch-launcher-XXXXXX").string();
    path_ = mkdtemp(pattern.data());
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

TEST(Launcher, RunsTheCommandAndTellsTheLevel) {
  const Outcome out = run({"--sandbox=off"}, {"/bin/sh", "-c", "echo one; echo two >&2; exit 7"});
  EXPECT_EQ(out.result, "clutch-launcher/1 ok no_new_privs=0 landlock=0 seccomp=0 signal_scope=0\n");
  EXPECT_EQ(out.output, "one\ntwo\n");
  ASSERT_TRUE(WIFEXITED(out.wait_status));
  EXPECT_EQ(WEXITSTATUS(out.wait_status), 7);
}

TEST(Launcher, PassesOnlyTheGivenDescriptors) {
  const int leak = open("/dev/zero", O_RDONLY);
  const int high = fcntl(leak, F_DUPFD, 900);
  ASSERT_GE(high, 900);
  const int given = open("/dev/zero", O_RDONLY);
  const Outcome out = run({"--fd=" + std::to_string(given) + ":20"}, {probe(), "fds"});
  for (const int fd : {leak, high, given}) close(fd);
  EXPECT_EQ(out.output, "0 null\n1 other\n2 other\n20 other\n");
}

TEST(Launcher, MovesDescriptorsThatOverlap) {
  TemporaryFolder folder;
  const auto file = [&](const char* name) {
    std::ofstream(folder.path() + "/" + name) << name;
    return open((folder.path() + "/" + name).c_str(), O_RDONLY);
  };
  const int a = file("a");
  const int b = file("b");
  const std::string there = "--fd=" + std::to_string(a) + ":" + std::to_string(b);
  const std::string back = "--fd=" + std::to_string(b) + ":" + std::to_string(a);
  const Outcome out =
      run({there, back}, {"/bin/sh", "-c", "cat <&" + std::to_string(a) + "; cat <&" + std::to_string(b)});
  close(a);
  close(b);
  EXPECT_EQ(out.output, "ba");
}

TEST(Launcher, UnmappedOutputGoesNowhere) {
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  const int result = dup(ends[1]);
  const pid_t pid = fork();
  if (pid == 0) {
    const std::string option = "--result=" + std::to_string(result);
    const std::string name = probe();
    execl(std::getenv("CLUTCH_LAUNCHER"), "clutch-launcher", option.c_str(), "--", "/bin/sh", "-c",
          "test /proc/self/fd/1 -ef /dev/null && test /proc/self/fd/2 -ef /dev/null && exit 42", nullptr);
    _exit(1);
  }
  close(result);
  close(ends[1]);
  EXPECT_NE(read_all(ends[0]).find(" ok "), std::string::npos);
  int status = 0;
  waitpid(pid, &status, 0);
  EXPECT_EQ(WEXITSTATUS(status), 42);
}

TEST(Launcher, GivesDefaultSignals) {
  struct sigaction old_pipe;
  struct sigaction ignore = {};
  ignore.sa_handler = SIG_IGN;
  sigaction(SIGPIPE, &ignore, &old_pipe);
  sigset_t all;
  sigset_t old_mask;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &old_mask);
  const Outcome out = run({}, {probe(), "signals"});
  pthread_sigmask(SIG_SETMASK, &old_mask, nullptr);
  sigaction(SIGPIPE, &old_pipe, nullptr);
  EXPECT_EQ(out.output, "done\n");
}

TEST(Launcher, SetsLimits) {
  const Outcome out = run({"--open-files=64", "--address-space=1073741824"}, {probe(), "limits"});
  EXPECT_TRUE(has_line(out.output, "core 0 0")) << out.output;
  EXPECT_NE(out.output.find("files 64 "), std::string::npos) << out.output;
  EXPECT_TRUE(has_line(out.output, "memory 1073741824 1073741824")) << out.output;
}

TEST(Launcher, LowersOpenFilesToTheHardLimit) {
  rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_max >= 1 << 30) GTEST_SKIP() << "this user has no hard limit on open files";
  const Outcome out = run({"--open-files=1073741824"}, {probe(), "limits"});
  const std::string hard = std::to_string(limit.rlim_max);
  EXPECT_TRUE(has_line(out.output, "files " + hard + " " + hard)) << out.output;
}

TEST(Launcher, KeepsOnlyTheListedEnvironment) {
  setenv("CLUTCH_TEST_SECRET", "s", 1);
  setenv("CLUTCH_TEST_KEPT", "k", 1);
  setenv("CLUTCH_PREFIX_A", "a", 1);
  setenv("CLUTCH_TEST_CHANGED", "old", 1);
  const Outcome out = run({"--env=CLUTCH_TEST_KEPT", "--env=CLUTCH_PREFIX_*", "--env=CLUTCH_TEST_CHANGED",
                           "--set-env=CLUTCH_TEST_CHANGED=new", "--set-env=EMPTY="},
                          {"/usr/bin/env"});
  EXPECT_TRUE(has_line(out.output, "CLUTCH_TEST_KEPT=k"));
  EXPECT_TRUE(has_line(out.output, "CLUTCH_PREFIX_A=a"));
  EXPECT_TRUE(has_line(out.output, "CLUTCH_TEST_CHANGED=new"));
  EXPECT_TRUE(has_line(out.output, "EMPTY="));
  EXPECT_EQ(std::count(out.output.begin(), out.output.end(), '\n'), 4) << out.output;
}

TEST(Launcher, StartsASessionAndLeavesTheFolder) {
  const Outcome out = run({"--umask=077", "--oom-score=321"}, {probe(), "process"});
  EXPECT_TRUE(has_line(out.output, "session 1")) << out.output;
  EXPECT_TRUE(has_line(out.output, "umask 77")) << out.output;
  EXPECT_TRUE(has_line(out.output, "cwd " + std::filesystem::current_path().string())) << out.output;
  EXPECT_TRUE(has_line(out.output, "oom 321")) << out.output;
}

TEST(Launcher, DeathOfTheParentEndsTheCommandWithinASecond) {
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  const pid_t host = fork();
  if (host == 0) {
    const Started started = start({}, {probe(), "forever"});
    char part[16];
    const ssize_t size = read(started.output, part, sizeof part);  // it runs now
    if (write(ends[1], part, static_cast<size_t>(size)) != size) _exit(1);
    for (;;) pause();
  }
  close(ends[1]);
  char text[16] = {};
  ASSERT_GT(read(ends[0], text, sizeof text - 1), 0);
  close(ends[0]);
  const int worker = static_cast<int>(syscall(SYS_pidfd_open, std::atoi(text), 0));
  ASSERT_GE(worker, 0);
  kill(host, SIGKILL);
  waitpid(host, nullptr, 0);
  pollfd ended = {worker, POLLIN, 0};
  EXPECT_EQ(poll(&ended, 1, 1000), 1);
  close(worker);
}

TEST(Launcher, LeavesIfTheParentIsGoneAlready) {
  const Outcome out = run({"--parent=1"}, {probe(), "process"});
  if (getpid() == 1) GTEST_SKIP() << "this test is process 1 itself";
  EXPECT_EQ(WEXITSTATUS(out.wait_status), CLUTCH_LAUNCHER_EXIT_ORPHANED);
  EXPECT_EQ(out.output, "");
}

TEST(Launcher, TellsWhichExecutableIsMissing) {
  const Outcome out = run({}, {"/no/such/python3"});
  EXPECT_EQ(out.result,
            "clutch-launcher/1 failed step=exec errno=2 message=cannot run '/no/such/python3': No such file or "
            "directory; set python.executable to an interpreter that exists\n");
  EXPECT_EQ(WEXITSTATUS(out.wait_status), CLUTCH_LAUNCHER_EXIT_FAILED);
}

TEST(Launcher, TellsWhyItCannotRunTheCommand) {
  TemporaryFolder folder;
  const std::string file = folder.path() + "/not\nexecutable";
  std::ofstream(file) << "hello";
  EXPECT_NE(run({}, {folder.path()})
                .result.find("step=exec errno=21 message=cannot run '" + folder.path() +
                             "': it is a folder; set python.executable to an interpreter\n"),
            std::string::npos);
  EXPECT_NE(
      run({}, {file}).result.find("not?executable': Permission denied; this user must be allowed to execute it\n"),
      std::string::npos);
  EXPECT_NE(
      run({}, {"python3"}).result.find("cannot run 'python3': it is not a path; give the path of the executable\n"),
      std::string::npos);
  chmod(file.c_str(), 0700);
  // This one only the kernel knows: an ok line, then the failure.
  const std::string late = run({}, {file}).result;
  EXPECT_EQ(late.find("clutch-launcher/1 ok "), 0U) << late;
  EXPECT_NE(late.find("\nclutch-launcher/1 failed step=exec errno=8 message=cannot run '"), std::string::npos) << late;
  EXPECT_NE(late.find("': Exec format error; set python.executable to a working interpreter\n"), std::string::npos);
}

TEST(Launcher, RefusesWrongOptions) {
  const auto said = [](const std::vector<std::string>& options) { return run(options, {"/bin/true"}).result; };
  const std::string start = "clutch-launcher/1 failed step=options errno=22 message=";
  EXPECT_EQ(said({"--fast"}), start + "option '--fast' is not known; launcher.h lists those there are\n");
  EXPECT_EQ(said({"--sandbox=maybe"}),
            start + "option --sandbox has the value 'maybe'; it takes off, auto or require\n");
  EXPECT_EQ(said({"--umask=9"}), start + "option --umask has the value '9'; it takes a number from 0 to 511\n");
  EXPECT_EQ(said({"--fd=3"}), start + "option --fd has the value '3'; it takes FROM:TO\n");
  EXPECT_EQ(said({"--fd=1:1"}), start + "option --fd gives descriptor 1 twice; each can be given once\n");
  EXPECT_EQ(said({"--set-env=A"}), start + "option --set-env has the value 'A'; it takes NAME=VALUE\n");
  EXPECT_EQ(run({}, {}).result, start + "no command is given; put it behind --\n");
  EXPECT_NE(said({"--fd=4000:5"}).find("step=descriptors errno=9 message=cannot pass descriptor 4000 on: Bad file"),
            std::string::npos);
}

// The victim of the attacks below: this process.
volatile int64_t victim_word = 1;

std::string attacked(const std::string& level, std::string* result) {
  const std::string name = "clutch-launcher-test-" + std::to_string(getpid());
  sockaddr_storage raw = {};
  auto* address = reinterpret_cast<sockaddr*>(&raw);
  address->sa_family = AF_UNIX;
  name.copy(address->sa_data + 1, name.size());
  const int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const auto size = static_cast<socklen_t>(offsetof(sockaddr, sa_data) + 1 + name.size());
  EXPECT_EQ(bind(listener, address, size), 0);
  EXPECT_EQ(listen(listener, 1), 0);
  victim_word = 1;
  const Outcome out = run({"--sandbox=" + level}, {probe(), "attack", std::to_string(getpid()),
                                                   std::to_string(reinterpret_cast<uintptr_t>(&victim_word)), name});
  close(listener);
  *result = out.result;
  return out.output;
}

TEST(LauncherSandbox, WithoutItTheHostIsWithinReach) {
  std::string result;
  const std::string output = attacked("off", &result);
  if (victim_word == 1) GTEST_SKIP() << "something else on this machine protects the host already: " << output;
  EXPECT_EQ(victim_word, 666);
}

TEST(LauncherSandbox, TheHostIsOutOfReach) {
  std::string result;
  const std::string output = attacked("auto", &result);
  if (result.find("landlock=0") != std::string::npos) GTEST_SKIP() << "this kernel has no Landlock: " << result;
  EXPECT_EQ(victim_word, 1);
  EXPECT_TRUE(has_line(output, "process_vm_writev Operation not permitted")) << output;
  EXPECT_TRUE(has_line(output, "mem Permission denied")) << output;
  EXPECT_TRUE(has_line(output, "fd Permission denied") || has_line(output, "fd Operation not permitted")) << output;
  EXPECT_TRUE(has_line(output, "ptrace Operation not permitted")) << output;
  if (result.find("signal_scope=1") == std::string::npos) return;
  EXPECT_TRUE(has_line(output, "signal Operation not permitted")) << output;
  EXPECT_TRUE(has_line(output, "abstract Operation not permitted")) << output;
}

TEST(LauncherSandbox, OrdinaryProgramsAreNotHindered) {
  TemporaryFolder folder;
  const Outcome out = run({}, {probe(), "ordinary", folder.path()});
  if (out.result.find("landlock=1 ") != std::string::npos) GTEST_SKIP() << "the first Landlock refuses moves";
  for (const char* what : {"mkdir", "write", "rename", "fork", "kill", "wait"}) {
    EXPECT_TRUE(has_line(out.output, std::string(what) + " done")) << out.output;
  }
  if (out.result.find("seccomp=1") == std::string::npos) return;
  EXPECT_TRUE(has_line(out.output, "keyctl Operation not permitted")) << out.output;
  EXPECT_TRUE(has_line(out.output, "unshare Operation not permitted")) << out.output;
}

TEST(LauncherSandbox, RequireIsReachedOrRefused) {
  const Outcome out = run({"--sandbox=require"}, {"/bin/sh", "-c", "echo here"});
  if (out.output == "here\n") {
    EXPECT_EQ(out.result.find("clutch-launcher/1 ok no_new_privs=1 landlock="), 0U) << out.result;
    EXPECT_EQ(out.result.find("landlock=0"), std::string::npos) << out.result;
    EXPECT_NE(out.result.find(" seccomp=1 "), std::string::npos) << out.result;
  } else {
    EXPECT_NE(out.result.find("python.process.sandbox = require needs"), std::string::npos) << out.result;
  }
}

TEST(LauncherSandbox, PythonWithItsUsualLibrariesRuns) {
  const Outcome out = run({"--env=PATH", "--env=HOME"},
                          {std::getenv("CLUTCH_TEST_PYTHON"), "-I", "-c",
                           "import subprocess, threading, multiprocessing as m, tempfile, os\n"
                           "threads = [threading.Thread(target=int) for _ in range(3)]\n"
                           "[t.start() for t in threads]; [t.join() for t in threads]\n"
                           "assert subprocess.run(['/bin/echo', 'x'], capture_output=True).stdout == b'x\\n'\n"
                           "with m.get_context('fork').Pool(2) as pool: assert pool.map(abs, [-1, 2]) == [1, 2]\n"
                           "with tempfile.NamedTemporaryFile() as f: f.write(b'1')\n"
                           "try:\n    import numpy, pandas\nexcept ModuleNotFoundError: pass\n"
                           "else: assert pandas.Series(numpy.arange(3)).sum() == 3\n"
                           "print('fine')"});
  EXPECT_EQ(out.output, "fine\n") << out.result;
}

}  // namespace
}  // namespace clutch::pyproc::testing
