/* The lines the launcher answers with. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "internal.h"
#include "launcher.h"

/* One write, so that it is one message; a reader that is gone is the parent's business, which is watched elsewhere. */
static void write_line(int fd, const char* line, size_t size) {
  ssize_t written;
  do {
    written = write(fd, line, size);
  } while (written < 0 && errno == EINTR);
}

void launcher_fail(int result_fd, const char* step, int error, const char* format, ...) {
  char line[CLUTCH_LAUNCHER_RESULT_MAX];
  int size = snprintf(line, sizeof line, CLUTCH_LAUNCHER_RESULT_PREFIX "failed step=%s errno=%d message=", step, error);
  const int text = size;
  va_list arguments;
  va_start(arguments, format);
  const int more = vsnprintf(line + size, sizeof line - (size_t)size, format, arguments);
  va_end(arguments);
  size += more;
  if (more < 0 || size > (int)sizeof line - 2) size = (int)sizeof line - 2;
  for (int i = text; i < size; ++i) {
    if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f) line[i] = '?';
  }
  line[size++] = '\n';
  write_line(result_fd >= 0 ? result_fd : STDERR_FILENO, line, (size_t)size);
  _exit(CLUTCH_LAUNCHER_EXIT_FAILED);
}

void launcher_ok(int result_fd, const Reached* reached) {
  char line[CLUTCH_LAUNCHER_RESULT_MAX];
  const int size = snprintf(line, sizeof line,
                            CLUTCH_LAUNCHER_RESULT_PREFIX "ok no_new_privs=%d landlock=%d seccomp=%d signal_scope=%d\n",
                            reached->no_new_privs, reached->landlock, reached->seccomp, reached->signal_scope);
  write_line(result_fd, line, (size_t)size);
}
