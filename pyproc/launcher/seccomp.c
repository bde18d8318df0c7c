/* The system calls a worker is refused: those that reach into other processes or widen the kernel's surface, and that
 * no Python library needs. They fail with EPERM (or ENOSYS where programs then take another way), nothing is killed. */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "internal.h"

#if defined(__x86_64__)
#define THIS_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define THIS_ARCH AUDIT_ARCH_AARCH64
#endif

#ifdef THIS_ARCH

/* Calls that came after the oldest headers we build with; one number on all architectures. */
enum {
  kIoUringSetup = 425,
  kIoUringEnter = 426,
  kIoUringRegister = 427,
  kOpenTree = 428,
  kMoveMount = 429,
  kFsopen = 430,
  kFsconfig = 431,
  kFsmount = 432,
  kFspick = 433,
  kClone3 = 435,
  kPidfdGetfd = 438,
  kProcessMadvise = 440,
  kMountSetattr = 442,
};

static const uint16_t kRefused[] = {
    /* other processes */
    SYS_ptrace,
    SYS_process_vm_readv,
    SYS_process_vm_writev,
    SYS_kcmp,
    kPidfdGetfd,
    kProcessMadvise,
    /* kernel surface */
    SYS_bpf,
    SYS_userfaultfd,
    SYS_perf_event_open,
    SYS_keyctl,
    SYS_add_key,
    SYS_request_key,
    SYS_init_module,
    SYS_finit_module,
    SYS_delete_module,
    SYS_kexec_load,
#ifdef SYS_kexec_file_load
    SYS_kexec_file_load,
#endif
#ifdef SYS_iopl
    SYS_iopl,
    SYS_ioperm,
#endif
    /* the machine */
    SYS_reboot,
    SYS_swapon,
    SYS_swapoff,
    SYS_acct,
    SYS_syslog,
    SYS_quotactl,
    SYS_settimeofday,
    SYS_clock_settime,
    SYS_adjtimex,
    SYS_clock_adjtime,
    SYS_sethostname,
    SYS_setdomainname,
    SYS_vhangup,
    /* file systems and namespaces */
    SYS_mount,
    SYS_umount2,
    SYS_pivot_root,
    SYS_chroot,
    SYS_setns,
    SYS_open_by_handle_at,
    kOpenTree,
    kMoveMount,
    kFsopen,
    kFsconfig,
    kFsmount,
    kFspick,
    kMountSetattr,
};
enum { kRefusedCount = sizeof kRefused / sizeof kRefused[0] };

/* Programs that find these missing do without: libuv without io_uring, glibc with clone, whose flags can be seen. */
static const uint16_t kMissing[] = {kIoUringSetup, kIoUringEnter, kIoUringRegister, kClone3};
enum { kMissingCount = sizeof kMissing / sizeof kMissing[0] };

#define NAMESPACE_FLAGS \
  (CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET)

static void add(struct sock_filter* program, unsigned short* length, uint16_t code, uint32_t k, uint8_t yes,
                uint8_t no) {
  const struct sock_filter instruction = {code, yes, no, k};
  program[(*length)++] = instruction;
}

int launcher_seccomp(Reached* reached) {
  enum { kLoad = BPF_LD | BPF_W | BPF_ABS, kEqual = BPF_JMP | BPF_JEQ | BPF_K, kReturn = BPF_RET | BPF_K };
  const uint32_t refuse = SECCOMP_RET_ERRNO | EPERM;
  const uint32_t missing = SECCOMP_RET_ERRNO | ENOSYS;
  struct sock_filter program[2 * (kRefusedCount + kMissingCount) + 32];
  unsigned short n = 0;
  /* Another architecture's numbers mean other calls, so none of them is let through. */
  add(program, &n, kLoad, offsetof(struct seccomp_data, arch), 0, 0);
  add(program, &n, kEqual, THIS_ARCH, 1, 0);
  add(program, &n, kReturn, missing, 0, 0);
  add(program, &n, kLoad, offsetof(struct seccomp_data, nr), 0, 0);
#if defined(__x86_64__)
  add(program, &n, BPF_JMP | BPF_JGE | BPF_K, 0x40000000, 0, 1); /* x32 */
  add(program, &n, kReturn, missing, 0, 0);
#endif
  for (size_t i = 0; i < kRefusedCount; ++i) {
    add(program, &n, kEqual, kRefused[i], 0, 1);
    add(program, &n, kReturn, refuse, 0, 0);
  }
  for (size_t i = 0; i < kMissingCount; ++i) {
    add(program, &n, kEqual, kMissing[i], 0, 1);
    add(program, &n, kReturn, missing, 0, 0);
  }
  add(program, &n, kEqual, SYS_clone, 1, 0);
  add(program, &n, kEqual, SYS_unshare, 0, 3);
  add(program, &n, kLoad, offsetof(struct seccomp_data, args), 0, 0); /* The low half: both are little-endian. */
  add(program, &n, BPF_JMP | BPF_JSET | BPF_K, NAMESPACE_FLAGS, 0, 1);
  add(program, &n, kReturn, refuse, 0, 0);
  add(program, &n, kReturn, SECCOMP_RET_ALLOW, 0, 0);
  const struct sock_fprog filter = {n, program};
  /* SPEC_ALLOW: without it old kernels switch a slow mitigation on for the whole worker. */
  if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW, &filter) != 0 &&
      syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter) != 0) {
    return errno;
  }
  reached->seccomp = 1;
  return 0;
}

#else

int launcher_seccomp(Reached* reached) {
  reached->seccomp = 0;
  return ENOSYS;
}

#endif
