/* The Landlock domain of a worker. Numbers and layouts are the kernel's (Documentation/userspace-api/landlock.rst);
 * they stand here because the headers of the build machine may be older than the kernel it runs on. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "internal.h"

enum {
  kCreateRuleset = 444,
  kAddRule = 445,
  kRestrictSelf = 446,
  kVersionFlag = 1,
  kRulePathBeneath = 1,
};

#define FS_MAKE_CHAR (1ULL << 6)
#define FS_MAKE_BLOCK (1ULL << 11)
#define FS_REFER (1ULL << 13)                  /* ABI 2 */
#define SCOPE_ABSTRACT_UNIX_SOCKET (1ULL << 0) /* ABI 6 */
#define SCOPE_SIGNAL (1ULL << 1)               /* ABI 6 */

struct ruleset {
  uint64_t handled_access_fs;
  uint64_t handled_access_net;
  uint64_t scoped;
};

struct path_beneath {
  uint64_t allowed_access;
  int32_t parent_fd;
} __attribute__((packed));

/*
 * What protects the host is to be in a domain at all: a process in one cannot trace, or open the memory of, a process
 * outside. So the rules take as little as a domain can: no device files are made. Moving a file to another folder is
 * refused in every domain that does not allow it, hence the rule that allows it everywhere.
 */
int launcher_landlock(Reached* reached) {
  const long abi = syscall(kCreateRuleset, NULL, 0, kVersionFlag);
  if (abi < 1) return abi < 0 ? errno : ENOSYS;
  struct ruleset rules;
  memset(&rules, 0, sizeof rules);
  rules.handled_access_fs = FS_MAKE_CHAR | FS_MAKE_BLOCK;
  size_t size = offsetof(struct ruleset, handled_access_net);
  if (abi >= 2) rules.handled_access_fs |= FS_REFER;
  if (abi >= 6) {
    rules.scoped = SCOPE_SIGNAL | SCOPE_ABSTRACT_UNIX_SOCKET;
    size = sizeof rules;
  }
  const int ruleset = (int)syscall(kCreateRuleset, &rules, size, 0);
  if (ruleset < 0) return errno;
  int error = 0;
  if (abi >= 2) {
    struct path_beneath everywhere = {FS_REFER, open("/", O_PATH | O_DIRECTORY | O_CLOEXEC)};
    if (everywhere.parent_fd < 0 || syscall(kAddRule, ruleset, kRulePathBeneath, &everywhere, 0) != 0) error = errno;
    if (everywhere.parent_fd >= 0) (void)close(everywhere.parent_fd);
  }
  if (error == 0 && syscall(kRestrictSelf, ruleset, 0) != 0) error = errno;
  (void)close(ruleset);
  if (error != 0) return error;
  reached->landlock = (int)abi;
  reached->signal_scope = abi >= 6;
  return 0;
}
