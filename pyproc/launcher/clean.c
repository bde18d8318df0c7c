/* Descriptors, environment and limits of the process to be. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "internal.h"

#ifndef SYS_close_range
#define SYS_close_range 436
#endif

static void close_one_by_one(unsigned first, unsigned last) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  for (unsigned fd = first; fd <= last && (rlim_t)fd < limit.rlim_cur; ++fd) (void)close((int)fd);
}

/* Close first..last, both included. */
static void close_between(unsigned first, unsigned last) {
  if (first > last) return;
  if (syscall(SYS_close_range, first, last, 0) != 0) close_one_by_one(first, last); /* before Linux 5.9 */
}

static int compare_ints(const void* a, const void* b) { return *(const int*)a - *(const int*)b; }

static void close_all_but(int* keep, size_t count) {
  qsort(keep, count, sizeof keep[0], compare_ints);
  unsigned next = 0;
  for (size_t i = 0; i < count; ++i) {
    if (keep[i] > 0) close_between(next, (unsigned)keep[i] - 1);
    next = (unsigned)keep[i] + 1;
  }
  close_between(next, ~0U);
}

int launcher_move_fds(const Plan* plan) {
  int above = 3; /* First number no target has. */
  for (size_t i = 0; i < plan->n_fds; ++i) {
    if (plan->fds[i].to >= above) above = plan->fds[i].to + 1;
  }
  /* First everything away to numbers above all targets, so that no move can hit a source that is still needed. */
  const int result = fcntl(plan->result_fd, F_DUPFD_CLOEXEC, above);
  if (result < 0) {
    launcher_fail(plan->result_fd, "descriptors", errno, "cannot move descriptor %d (the result): %s", plan->result_fd,
                  strerror(errno));
  }
  int parked[kMaxFds];
  for (size_t i = 0; i < plan->n_fds; ++i) {
    parked[i] = fcntl(plan->fds[i].from, F_DUPFD_CLOEXEC, above);
    if (parked[i] < 0) {
      launcher_fail(result, "descriptors", errno, "cannot pass descriptor %d on: %s", plan->fds[i].from,
                    strerror(errno));
    }
  }
  int keep[kMaxFds + 4];
  size_t n_keep = 0;
  int standard = 0; /* Bit i: descriptor i is given. */
  for (size_t i = 0; i < plan->n_fds; ++i) {
    const int to = plan->fds[i].to;
    if (dup2(parked[i], to) < 0) {
      launcher_fail(result, "descriptors", errno, "cannot pass descriptor %d on as %d: %s", plan->fds[i].from, to,
                    strerror(errno));
    }
    keep[n_keep++] = to;
    if (to < 3) standard |= 1 << to;
  }
  for (int fd = 0; fd < 3; ++fd) {
    if ((standard & 1 << fd) != 0) continue;
    (void)close(fd);
    const int null = open("/dev/null", fd == 0 ? O_RDONLY : O_WRONLY);
    if (null < 0 || (null != fd && (dup2(null, fd) < 0 || close(null) != 0))) {
      launcher_fail(result, "descriptors", errno, "cannot open /dev/null as descriptor %d: %s", fd, strerror(errno));
    }
    keep[n_keep++] = fd;
  }
  keep[n_keep++] = result;
  close_all_but(keep, n_keep);
  return result;
}

static int is_kept(const Plan* plan, const char* variable) {
  const char* equals = strchr(variable, '=');
  if (equals == NULL) return 0;
  const size_t size = (size_t)(equals - variable);
  for (size_t i = 0; i < plan->n_set_env; ++i) { /* What is set replaces what was there. */
    if (strncmp(plan->set_env[i], variable, size + 1) == 0) return 0;
  }
  for (size_t i = 0; i < plan->n_keep_env; ++i) {
    const char* pattern = plan->keep_env[i];
    const size_t length = strlen(pattern);
    const int is_prefix = length > 0 && pattern[length - 1] == '*';
    if (is_prefix ? size >= length - 1 && strncmp(variable, pattern, length - 1) == 0
                  : size == length && strncmp(variable, pattern, length) == 0) {
      return 1;
    }
  }
  return 0;
}

char** launcher_environment(const Plan* plan, char** inherited) {
  size_t count = 0;
  while (inherited[count] != NULL) ++count;
  char** out = calloc(count + plan->n_set_env + 1, sizeof *out);
  if (out == NULL) launcher_fail(plan->result_fd, "environment", ENOMEM, "no memory for the environment");
  size_t next = 0;
  for (size_t i = 0; i < count; ++i) {
    if (is_kept(plan, inherited[i])) out[next++] = inherited[i];
  }
  for (size_t i = 0; i < plan->n_set_env; ++i) out[next++] = plan->set_env[i];
  return out;
}

/* Set a limit to value, or to the hard limit if that is less and may not be raised. */
static void limit_to(const Plan* plan, int resource, const char* name, rlim_t value, int lower_hard) {
  struct rlimit now;
  if (getrlimit(resource, &now) != 0) {
    launcher_fail(plan->result_fd, "limits", errno, "cannot read the limit %s: %s", name, strerror(errno));
  }
  if (now.rlim_max != RLIM_INFINITY && value > now.rlim_max) value = now.rlim_max;
  now.rlim_cur = value;
  if (lower_hard) now.rlim_max = value;
  if (setrlimit(resource, &now) != 0) {
    launcher_fail(plan->result_fd, "limits", errno, "cannot set the limit %s to %llu: %s", name,
                  (unsigned long long)value, strerror(errno));
  }
}

static void raise_oom_score(const Plan* plan) {
  char text[16];
  const int fd = open("/proc/self/oom_score_adj", O_RDWR | O_CLOEXEC);
  if (fd < 0) return; /* No /proc: the kernel's own order holds. */
  const ssize_t size = read(fd, text, sizeof text - 1);
  text[size > 0 ? size : 0] = '\0';
  if (strtol(text, NULL, 10) < plan->oom_score) {
    const int length = snprintf(text, sizeof text, "%ld", plan->oom_score);
    if (write(fd, text, (size_t)length) != length) {
      launcher_fail(plan->result_fd, "limits", errno, "cannot set oom_score_adj to %ld: %s", plan->oom_score,
                    strerror(errno));
    }
  }
  (void)close(fd);
}

void launcher_set_limits(const Plan* plan) {
  limit_to(plan, RLIMIT_CORE, "RLIMIT_CORE", 0, 1);
  if (plan->open_files >= 0) limit_to(plan, RLIMIT_NOFILE, "RLIMIT_NOFILE", (rlim_t)plan->open_files, 0);
  if (plan->oom_score >= 0) raise_oom_score(plan);
  if (plan->address_space > 0) limit_to(plan, RLIMIT_AS, "RLIMIT_AS", (rlim_t)plan->address_space, 1);
}
