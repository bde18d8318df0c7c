/* What launcher_test runs behind the launcher: each mode tells what it finds, as lines on descriptor 1. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static void tell_fds(void) {
  for (int fd = 0; fd < 4096; ++fd) {
    char link[32];
    char target[256];
    if (fcntl(fd, F_GETFD) < 0) continue;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    const ssize_t size = readlink(link, target, sizeof target - 1);
    target[size > 0 ? size : 0] = '\0';
    printf("%d %s\n", fd, strncmp(target, "/dev/null", 9) == 0 ? "null" : "other");
  }
}

static void tell_signals(void) {
  sigset_t blocked;
  sigprocmask(SIG_SETMASK, NULL, &blocked);
  for (int number = 1; number < NSIG; ++number) {
    struct sigaction action;
    if (sigismember(&blocked, number) == 1) printf("blocked %d\n", number);
    if (sigaction(number, NULL, &action) == 0 && action.sa_handler != SIG_DFL) printf("ignored %d\n", number);
  }
  printf("done\n");
}

static void tell_limit(const char* name, int resource) {
  struct rlimit limit;
  getrlimit(resource, &limit);
  printf("%s %llu %llu\n", name, (unsigned long long)limit.rlim_cur, (unsigned long long)limit.rlim_max);
}

static void tell_process(void) {
  char folder[4096];
  const mode_t mask = umask(0);
  printf("session %d\n", getsid(0) == getpid());
  printf("umask %o\n", (unsigned)mask);
  printf("cwd %s\n", getcwd(folder, sizeof folder) != NULL ? folder : strerror(errno));
  FILE* file = fopen("/proc/self/oom_score_adj", "r");
  int score = -1;
  if (file != NULL && fscanf(file, "%d", &score) == 1) printf("oom %d\n", score);
}

static void tell(const char* what, int failed) { printf("%s %s\n", what, failed ? strerror(errno) : "done"); }

/* Try to reach into process PID, whose int64 at ADDRESS should be out of reach. */
static void attack(pid_t victim, uint64_t address, const char* abstract_name) {
  int64_t evil = 666;
  struct iovec here = {&evil, sizeof evil};
  struct iovec there = {(void*)(uintptr_t)address, sizeof evil};
  tell("process_vm_writev", process_vm_writev(victim, &here, 1, &there, 1, 0) < 0);
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/mem", (int)victim);
  const int memory = open(path, O_RDWR);
  tell("mem", memory < 0 || pwrite(memory, &evil, sizeof evil, (off_t)address) < 0);
  snprintf(path, sizeof path, "/proc/%d/fd/0", (int)victim);
  tell("fd", open(path, O_RDONLY) < 0);
  tell("ptrace", ptrace(PTRACE_SEIZE, victim, NULL, NULL) < 0);
  tell("signal", kill(victim, 0) < 0);
  struct sockaddr_un name = {.sun_family = AF_UNIX};
  memcpy(name.sun_path + 1, abstract_name, strlen(abstract_name));
  const int peer = socket(AF_UNIX, SOCK_STREAM, 0);
  tell("abstract", connect(peer, (struct sockaddr*)&name,
                           (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(abstract_name))) < 0);
}

/* What ordinary programs do must still work: files, moves between folders, children and their signals. */
static void ordinary(const char* folder) {
  char from[512];
  char to[512];
  snprintf(from, sizeof from, "%s/a", folder);
  tell("mkdir", mkdir(from, 0700) != 0);
  snprintf(from, sizeof from, "%s/a/file", folder);
  snprintf(to, sizeof to, "%s/file", folder);
  const int file = open(from, O_CREAT | O_WRONLY, 0600);
  tell("write", file < 0 || write(file, "x", 1) != 1);
  tell("rename", rename(from, to) != 0);
  const pid_t child = fork();
  if (child == 0) {
    pause();
    _exit(1);
  }
  tell("fork", child < 0);
  tell("kill", kill(child, SIGTERM) != 0);
  int status = 0;
  tell("wait", waitpid(child, &status, 0) != child || !WIFSIGNALED(status));
  tell("keyctl", syscall(SYS_keyctl, 0, -3, 0) < 0);
  tell("unshare", syscall(SYS_unshare, 0x10000000) != 0);
}

int main(int argc, char** argv) {
  const char* mode = argc > 1 ? argv[1] : "";
  if (strcmp(mode, "fds") == 0) {
    tell_fds();
  } else if (strcmp(mode, "signals") == 0) {
    tell_signals();
  } else if (strcmp(mode, "limits") == 0) {
    tell_limit("core", RLIMIT_CORE);
    tell_limit("files", RLIMIT_NOFILE);
    tell_limit("memory", RLIMIT_AS);
  } else if (strcmp(mode, "process") == 0) {
    tell_process();
  } else if (strcmp(mode, "attack") == 0 && argc == 5) {
    attack((pid_t)atoi(argv[2]), strtoull(argv[3], NULL, 10), argv[4]);
  } else if (strcmp(mode, "ordinary") == 0 && argc == 3) {
    ordinary(argv[2]);
  } else if (strcmp(mode, "forever") == 0) {
    printf("%d\n", (int)getpid());
    fflush(stdout);
    for (;;) pause();
  } else {
    fprintf(stderr, "unknown mode '%s'\n", mode);
    return 2;
  }
  return 0;
}
