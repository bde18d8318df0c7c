#include "interpreter/run.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>

extern char** environ;  // NOLINT(readability-redundant-declaration): POSIX leaves the declaration to the user.

namespace clutch::interpreter {
namespace {

using Clock = std::chrono::steady_clock;

constexpr size_t kMaxOutput = 64 * 1024;

class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  ~Fd() { reset(); }

  int get() const { return fd_; }
  void reset(int fd = -1) {
    if (fd_ >= 0) close(fd_);
    fd_ = fd;
  }

 private:
  int fd_ = -1;
};

struct Pipe {
  Fd read_end;
  Fd write_end;

  bool open() {
    std::array<int, 2> fds{};
    if (pipe2(fds.data(), O_CLOEXEC) != 0) return false;
    read_end.reset(fds[0]);
    write_end.reset(fds[1]);
    return true;
  }
};

class SpawnSetup {
 public:
  SpawnSetup() {
    posix_spawn_file_actions_init(&actions_);
    posix_spawnattr_init(&attributes_);
  }
  SpawnSetup(const SpawnSetup&) = delete;
  SpawnSetup& operator=(const SpawnSetup&) = delete;
  ~SpawnSetup() {
    posix_spawnattr_destroy(&attributes_);
    posix_spawn_file_actions_destroy(&actions_);
  }

  // The program must not inherit the host's blocked or ignored signals, nor descriptors that lack close-on-exec.
  void prepare(int out, int err) {
    posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions_, out, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions_, err, STDERR_FILENO);
#if __GLIBC_PREREQ(2, 34)
    posix_spawn_file_actions_addclosefrom_np(&actions_, STDERR_FILENO + 1);
#endif
    sigset_t none;
    sigset_t all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes_, &none);
    posix_spawnattr_setsigdefault(&attributes_, &all);
    posix_spawnattr_setpgroup(&attributes_, 0);
    posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  }

  int spawn(pid_t* pid, const std::vector<std::string>& argv) {
    std::vector<char*> arguments;
    arguments.reserve(argv.size() + 1);
    for (const std::string& word : argv) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    return posix_spawn(pid, argv[0].c_str(), &actions_, &attributes_, arguments.data(), environ);
  }

 private:
  posix_spawn_file_actions_t actions_;
  posix_spawnattr_t attributes_;
};

int left_ms(Clock::time_point deadline) {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
  return left < 0 ? 0 : static_cast<int>(left);
}

// Reads once. False at the end of the stream.
bool drain(int fd, std::string& text) {
  std::array<char, 4096> chunk{};
  const ssize_t got = read(fd, chunk.data(), chunk.size());
  if (got < 0) return errno == EINTR || errno == EAGAIN;
  if (got == 0) return false;
  const size_t room = kMaxOutput - text.size();
  text.append(chunk.data(), std::min(room, static_cast<size_t>(got)));
  return true;
}

// Reads both streams until they end. False if the deadline came first.
bool collect(Pipe& out, Pipe& err, RunOutcome& outcome, Clock::time_point deadline) {
  std::array<pollfd, 2> watched{pollfd{out.read_end.get(), POLLIN, 0}, pollfd{err.read_end.get(), POLLIN, 0}};
  std::array<std::string*, 2> texts{&outcome.out, &outcome.err};
  while (watched[0].fd >= 0 || watched[1].fd >= 0) {
    const int ready = poll(watched.data(), watched.size(), left_ms(deadline));
    if (ready == 0) return false;
    if (ready < 0 && errno != EINTR) return false;
    for (size_t i = 0; ready > 0 && i < watched.size(); ++i) {
      if (watched[i].fd >= 0 && watched[i].revents != 0 && !drain(watched[i].fd, *texts[i])) watched[i].fd = -1;
    }
    if (Clock::now() >= deadline) return false;
  }
  return true;
}

// Waits for the process without reaping it. False if the deadline came first.
bool wait_end(pid_t pid, Clock::time_point deadline) {
  const Fd handle(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  if (handle.get() < 0) return errno == ESRCH;
  pollfd watched{handle.get(), POLLIN, 0};
  int ready = 0;
  do {
    ready = poll(&watched, 1, left_ms(deadline));
  } while (ready < 0 && errno == EINTR);
  return ready > 0;
}

void reap(pid_t pid, RunOutcome& outcome) {
  int status = 0;
  pid_t got = 0;
  do {
    got = waitpid(pid, &status, 0);
  } while (got < 0 && errno == EINTR);
  if (got != pid) return;  // A host that ignores SIGCHLD, or waits for every child, was first; then output decides.
  if (WIFEXITED(status)) outcome.exit_code = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) outcome.signal = WTERMSIG(status);
}

Status start_failure(const std::string& program, int error) {
  return Status(CLUTCH_ERR_LOAD, program + " could not be started: " + std::strerror(error), CLUTCH_ORIGIN_CONFIG);
}

}  // namespace

Result<RunOutcome> run(const std::vector<std::string>& argv, int timeout_ms) {
  Pipe out;
  Pipe err;
  if (!out.open() || !err.open()) return start_failure(argv[0], errno);

  const auto deadline = Clock::now() + std::chrono::milliseconds(timeout_ms);
  pid_t pid = 0;
  {
    SpawnSetup setup;
    setup.prepare(out.write_end.get(), err.write_end.get());
    if (const int error = setup.spawn(&pid, argv); error != 0) return start_failure(argv[0], error);
  }
  out.write_end.reset();
  err.write_end.reset();

  RunOutcome outcome;
  outcome.timed_out = !collect(out, err, outcome, deadline) || !wait_end(pid, deadline);
  // The group id stays taken as long as its leader is not reaped, so this reaches nobody else.
  kill(-pid, SIGKILL);
  reap(pid, outcome);
  return outcome;
}

}  // namespace clutch::interpreter
