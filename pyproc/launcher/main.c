/* clutch-launcher: becomes a clean, limited, sandboxed process and then runs the worker's interpreter. */
#define _GNU_SOURCE
#include "launcher.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "internal.h"

extern char** environ;

static void reset_signals(void) {
  struct sigaction by_default;
  memset(&by_default, 0, sizeof by_default);
  by_default.sa_handler = SIG_DFL;
  /* SIGKILL, SIGSTOP and the two that belong to libc refuse; what they do cannot have been changed by the host. */
  for (int number = 1; number < NSIG; ++number) (void)sigaction(number, &by_default, NULL);
  sigset_t none;
  sigemptyset(&none);
  (void)sigprocmask(SIG_SETMASK, &none, NULL);
}

static void watch_parent(const Plan* plan) {
  if (plan->parent == 0) return;
  if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0) {
    launcher_fail(plan->result_fd, "parent", errno, "cannot ask for a signal when the host dies: %s", strerror(errno));
  }
  /* It may have died before the line above: then this process has a new parent, and nobody reads a result. */
  if (getppid() != (pid_t)plan->parent) _exit(CLUTCH_LAUNCHER_EXIT_ORPHANED);
}

static void start_session(const Plan* plan) {
  if (setsid() < 0 && getsid(0) != getpid()) {
    launcher_fail(plan->result_fd, "session", errno, "cannot start a session: %s", strerror(errno));
  }
}

static Reached enter_sandbox(const Plan* plan) {
  Reached reached = {0, 0, 0, 0};
  if (plan->sandbox == kSandboxOff) return reached;
  const int must = plan->sandbox == kSandboxRequire;
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0) {
    reached.no_new_privs = 1;
  } else if (must) {
    launcher_fail(plan->result_fd, "no_new_privs", errno,
                  "cannot give up gaining privileges: %s; python.process.sandbox = require needs it", strerror(errno));
  } else {
    return reached;
  }
  int error = launcher_landlock(&reached);
  if (error != 0 && must) {
    launcher_fail(plan->result_fd, "landlock", error,
                  "cannot enter a Landlock domain: %s; python.process.sandbox = require needs Linux 5.13 or later with "
                  "Landlock enabled",
                  strerror(error));
  }
  error = launcher_seccomp(&reached);
  if (error != 0 && must) {
    launcher_fail(plan->result_fd, "seccomp", error,
                  "cannot install the list of refused system calls: %s; python.process.sandbox = require needs seccomp",
                  strerror(error));
  }
  return reached;
}

/* Find out early what exec would say, so that the usual mistakes get one clear line and no ok before it. */
static void check_command(const Plan* plan, int result_fd) {
  const char* path = plan->command[0];
  struct stat about;
  if (strchr(path, '/') == NULL) {
    launcher_fail(result_fd, "exec", ENOENT, "cannot run '%s': it is not a path; give the path of the executable",
                  path);
  }
  if (stat(path, &about) != 0) {
    launcher_fail(result_fd, "exec", errno, "cannot run '%s': %s; set python.executable to an interpreter that exists",
                  path, strerror(errno));
  }
  if (S_ISDIR(about.st_mode)) {
    launcher_fail(result_fd, "exec", EISDIR, "cannot run '%s': it is a folder; set python.executable to an interpreter",
                  path);
  }
  if (access(path, X_OK) != 0) {
    launcher_fail(result_fd, "exec", errno, "cannot run '%s': %s; this user must be allowed to execute it", path,
                  strerror(errno));
  }
}

int main(int argc, char** argv) {
  Plan plan;
  launcher_read_options(argc, argv, &plan);
  reset_signals();
  watch_parent(&plan);
  start_session(&plan);
  plan.result_fd = launcher_move_fds(&plan);
  if (plan.umask >= 0) (void)umask((mode_t)plan.umask);
  char** environment = launcher_environment(&plan, environ);
  check_command(&plan, plan.result_fd);
  const Reached reached = enter_sandbox(&plan);
  launcher_set_limits(&plan);
  launcher_ok(plan.result_fd, &reached);
  execve(plan.command[0], plan.command, environment);
  launcher_fail(plan.result_fd, "exec", errno, "cannot run '%s': %s; set python.executable to a working interpreter",
                plan.command[0], strerror(errno));
}
