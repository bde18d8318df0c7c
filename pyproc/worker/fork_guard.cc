#include "worker/fork_guard.h"

#include <pthread.h>
#include <unistd.h>

#include <cstdio>

namespace clutch::pyproc {
namespace {

// Why global: what pthread_atfork calls has no argument. It says something about the process, of which there is one.
bool is_fork = false;

void in_child() { is_fork = true; }

}  // namespace

void guard_against_forks() { pthread_atfork(nullptr, nullptr, in_child); }

void fork_guard_check() {
  if (!is_fork) return;
  // Like a process whose main function returned.
  std::fflush(nullptr);
  _exit(0);
}

}  // namespace clutch::pyproc
