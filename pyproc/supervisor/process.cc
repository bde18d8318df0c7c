#include "supervisor/process.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "protocol/layout.h"

namespace clutch::pyproc {
namespace {

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

class Actions {
 public:
  Actions() { ::posix_spawn_file_actions_init(&actions_); }
  Actions(const Actions&) = delete;
  Actions& operator=(const Actions&) = delete;
  ~Actions() { ::posix_spawn_file_actions_destroy(&actions_); }
  posix_spawn_file_actions_t* get() { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_;
};

class Attributes {
 public:
  Attributes() { ::posix_spawnattr_init(&attributes_); }
  Attributes(const Attributes&) = delete;
  Attributes& operator=(const Attributes&) = delete;
  ~Attributes() { ::posix_spawnattr_destroy(&attributes_); }
  posix_spawnattr_t* get() { return &attributes_; }

 private:
  posix_spawnattr_t attributes_;
};

// A copy of a descriptor above every number that the child uses, so that no dup2 overwrites a source.
Fd out_of_the_way(int fd) { return Fd(::fcntl(fd, F_DUPFD_CLOEXEC, 64)); }

}  // namespace

std::string signal_name(int signal) {
  const char* name = ::sigabbrev_np(signal);
  return name != nullptr ? "SIG" + std::string(name) : "signal " + std::to_string(signal);
}

std::string to_string(const Ending& ending) {
  if (!ending.known) return "ended (how is not known: another part of this program waited for it)";
  if (ending.signal == 0) return "ended with exit code " + std::to_string(ending.exit_code);
  const char* text = ::sigdescr_np(ending.signal);
  return "was ended by signal " + signal_name(ending.signal) + (text != nullptr ? " (" + std::string(text) + ")" : "");
}

Result<Process> Process::start(const Spawn& spawn) {
  Fd output = out_of_the_way(spawn.output);
  Fd control = out_of_the_way(spawn.control);
  Fd progress = out_of_the_way(spawn.progress);
  Fd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
  if (null.valid()) null = out_of_the_way(null.get());
  const std::string& program = spawn.arguments.front();
  if (!output.valid() || !control.valid() || !progress.valid() || !null.valid()) {
    return Status(CLUTCH_ERR_LOAD, "cannot start " + program + ": no descriptor is free: " + std::strerror(errno),
                  CLUTCH_ORIGIN_HOST);
  }

  Actions actions;
  ::posix_spawn_file_actions_adddup2(actions.get(), null.get(), 0);
  ::posix_spawn_file_actions_adddup2(actions.get(), output.get(), 1);
  ::posix_spawn_file_actions_adddup2(actions.get(), output.get(), 2);
  ::posix_spawn_file_actions_adddup2(actions.get(), control.get(), kControlFd);
  ::posix_spawn_file_actions_adddup2(actions.get(), progress.get(), kProgressFd);
  ::posix_spawn_file_actions_addclosefrom_np(actions.get(), kFirstFreeFd);

  Attributes attributes;
  sigset_t none;
  sigset_t all;
  ::sigemptyset(&none);
  ::sigfillset(&all);
  ::posix_spawnattr_setflags(attributes.get(), POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  ::posix_spawnattr_setsigmask(attributes.get(), &none);
  ::posix_spawnattr_setsigdefault(attributes.get(), &all);

  std::vector<char*> arguments;
  for (const std::string& argument : spawn.arguments) arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);

  Process process;
  const int error =
      ::posix_spawn(&process.pid_, program.c_str(), actions.get(), attributes.get(), arguments.data(), environ);
  if (error != 0) {
    return Status(CLUTCH_ERR_LOAD, "cannot start " + program + ": " + std::strerror(error), CLUTCH_ORIGIN_CONFIG);
  }
  process.pidfd_ = Fd(static_cast<int>(::syscall(SYS_pidfd_open, process.pid_, 0)));
  if (!process.pidfd_.valid()) {
    const int reason = errno;
    ::kill(process.pid_, SIGKILL);
    ::waitpid(process.pid_, nullptr, 0);
    return Status(
        CLUTCH_ERR_LOAD,
        "cannot watch the process of " + program + " (pidfd_open, Linux 5.3 or later): " + std::strerror(reason),
        CLUTCH_ORIGIN_HOST);
  }
  return process;
}

void Process::signal(int number) const {
  if (pidfd_.valid()) ::syscall(SYS_pidfd_send_signal, pidfd_.get(), number, nullptr, 0);
}

void Process::kill_group() const {
  if (!pidfd_.valid()) return;
  // Why: until it is reaped, its pid and with it the group's number cannot belong to anybody else. The launcher makes
  // it the leader of its own group; before that there is no such group and the call does nothing.
  ::kill(-pid_, SIGKILL);
  signal(SIGKILL);
}

Ending Process::reap() {
  Ending ending;
  if (!pidfd_.valid()) return ending;
  ::kill(-pid_, SIGKILL);
  siginfo_t info{};
  int result;
  do {
    result = ::waitid(static_cast<idtype_t>(P_PIDFD), static_cast<id_t>(pidfd_.get()), &info, WEXITED);
  } while (result != 0 && errno == EINTR);
  if (result == 0) {
    ending.known = true;
    if (info.si_code == CLD_EXITED) {
      ending.exit_code = info.si_status;
    } else {
      ending.signal = info.si_status;
    }
  }
  pidfd_.reset();
  return ending;
}

}  // namespace clutch::pyproc
