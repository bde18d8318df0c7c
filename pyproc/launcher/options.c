/* Reading the command line. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

static long long number(const Plan* plan, const char* option, const char* text, int base, long long low,
                        long long high) {
  char* end = NULL;
  errno = 0;
  const long long value = strtoll(text, &end, base);
  if (errno != 0 || end == text || *end != '\0' || value < low || value > high) {
    launcher_fail(plan->result_fd, "options", EINVAL,
                  "option %s has the value '%s'; it takes a number from %lld to %lld", option, text, low, high);
  }
  return value;
}

static void read_fd(Plan* plan, const char* text) {
  char* middle = NULL;
  char* end = NULL;
  const long from = strtol(text, &middle, 10);
  long to = -1;
  if (*middle == ':') to = strtol(middle + 1, &end, 10);
  if (end == NULL || end == middle + 1 || *end != '\0' || from < 0 || to < 0 || from > 1 << 20 || to > 1 << 20) {
    launcher_fail(plan->result_fd, "options", EINVAL, "option --fd has the value '%s'; it takes FROM:TO", text);
  }
  for (size_t i = 0; i < plan->n_fds; ++i) {
    if (plan->fds[i].to == (int)to) {
      launcher_fail(plan->result_fd, "options", EINVAL,
                    "option --fd gives descriptor %ld twice; each can be given once", to);
    }
  }
  if (plan->n_fds == kMaxFds) {
    launcher_fail(plan->result_fd, "options", E2BIG, "option --fd stands more than %d times; pass fewer descriptors",
                  kMaxFds);
  }
  plan->fds[plan->n_fds].from = (int)from;
  plan->fds[plan->n_fds].to = (int)to;
  plan->n_fds++;
}

static SandboxLevel read_level(const Plan* plan, const char* text) {
  if (strcmp(text, "off") == 0) return kSandboxOff;
  if (strcmp(text, "auto") == 0) return kSandboxAuto;
  if (strcmp(text, "require") == 0) return kSandboxRequire;
  launcher_fail(plan->result_fd, "options", EINVAL,
                "option --sandbox has the value '%s'; it takes off, auto or require", text);
}

/* The value of argument if it is this option, else NULL. */
static char* value_of(char* argument, const char* option) {
  const size_t size = strlen(option);
  return strncmp(argument, option, size) == 0 && argument[size] == '=' ? argument + size + 1 : NULL;
}

static void read_option(Plan* plan, char* argument) {
  char* value;
  if (value_of(argument, "--result") != NULL) return; /* Was read before all others. */
  if ((value = value_of(argument, "--parent")) != NULL) {
    plan->parent = (long)number(plan, "--parent", value, 10, 1, 1 << 30);
  } else if ((value = value_of(argument, "--fd")) != NULL) {
    read_fd(plan, value);
  } else if ((value = value_of(argument, "--umask")) != NULL) {
    plan->umask = (long)number(plan, "--umask", value, 8, 0, 0777);
  } else if ((value = value_of(argument, "--open-files")) != NULL) {
    plan->open_files = number(plan, "--open-files", value, 10, 16, 1 << 30);
  } else if ((value = value_of(argument, "--address-space")) != NULL) {
    plan->address_space = number(plan, "--address-space", value, 10, 0, 1LL << 62);
  } else if ((value = value_of(argument, "--oom-score")) != NULL) {
    plan->oom_score = (long)number(plan, "--oom-score", value, 10, 0, 1000);
  } else if ((value = value_of(argument, "--sandbox")) != NULL) {
    plan->sandbox = read_level(plan, value);
  } else if ((value = value_of(argument, "--env")) != NULL || (value = value_of(argument, "--set-env")) != NULL) {
    const int set = argument[2] == 's';
    size_t* count = set ? &plan->n_set_env : &plan->n_keep_env;
    if (*count == kMaxEnv) {
      launcher_fail(plan->result_fd, "options", E2BIG, "more than %d variables are given; pass fewer", kMaxEnv);
    }
    if (set && strchr(value, '=') == NULL) {
      launcher_fail(plan->result_fd, "options", EINVAL, "option --set-env has the value '%s'; it takes NAME=VALUE",
                    value);
    }
    if (set) {
      plan->set_env[(*count)++] = value;
    } else {
      plan->keep_env[(*count)++] = value;
    }
  } else {
    launcher_fail(plan->result_fd, "options", EINVAL, "option '%s' is not known; launcher.h lists those there are",
                  argument);
  }
}

void launcher_read_options(int argc, char** argv, Plan* plan) {
  memset(plan, 0, sizeof *plan);
  plan->result_fd = -1;
  plan->umask = -1;
  plan->open_files = -1;
  plan->oom_score = -1;
  plan->sandbox = kSandboxAuto;
  int end = 1;
  while (end < argc && strcmp(argv[end], "--") != 0) {
    const char* value = value_of(argv[end], "--result");
    if (value != NULL) plan->result_fd = (int)number(plan, "--result", value, 10, 0, 1 << 20);
    ++end;
  }
  if (plan->result_fd < 0) {
    launcher_fail(-1, "options", EINVAL, "option --result is missing; this program is started by Clutch, not by hand");
  }
  for (int i = 1; i < end; ++i) read_option(plan, argv[i]);
  if (end + 1 >= argc) {
    launcher_fail(plan->result_fd, "options", EINVAL, "no command is given; put it behind --");
  }
  plan->command = argv + end + 1;
}
