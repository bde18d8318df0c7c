/* The parts of the launcher to each other. */
#ifndef CLUTCH_PYPROC_LAUNCHER_INTERNAL_H
#define CLUTCH_PYPROC_LAUNCHER_INTERNAL_H

#include <stddef.h>

enum { kMaxFds = 64, kMaxEnv = 256 };

typedef struct FdMove {
  int from;
  int to;
} FdMove;

typedef enum SandboxLevel { kSandboxOff, kSandboxAuto, kSandboxRequire } SandboxLevel;

typedef struct Plan {
  int result_fd;
  long parent;
  FdMove fds[kMaxFds];
  size_t n_fds;
  const char* keep_env[kMaxEnv];
  size_t n_keep_env;
  char* set_env[kMaxEnv];
  size_t n_set_env;
  long umask;              /* -1: leave */
  long long open_files;    /* -1: leave */
  long long address_space; /* 0: leave */
  long oom_score;          /* -1: leave */
  SandboxLevel sandbox;
  char** command;
} Plan;

typedef struct Reached {
  int no_new_privs;
  int landlock; /* ABI level, 0: none */
  int seccomp;
  int signal_scope;
} Reached;

/* Write the failed line and leave. format and its arguments make the sentence; error is an errno or 0. */
_Noreturn void launcher_fail(int result_fd, const char* step, int error, const char* format, ...)
    __attribute__((format(printf, 4, 5)));

/* Write the ok line. */
void launcher_ok(int result_fd, const Reached* reached);

/* Read the options; leaves with step=options on a wrong one. */
void launcher_read_options(int argc, char** argv, Plan* plan);

/* Put every descriptor where it belongs and close the others; gives the result descriptor's new number. */
int launcher_move_fds(const Plan* plan);

/* Build the environment of the command: the kept variables, then those set. */
char** launcher_environment(const Plan* plan, char** inherited);

void launcher_set_limits(const Plan* plan);

/* Each gives 0, or an errno. They need no_new_privs. */
int launcher_landlock(Reached* reached);
int launcher_seccomp(Reached* reached);

#endif
