/* How a supervisor talks to clutch-launcher: its options and the lines it answers with. */
#ifndef CLUTCH_PYPROC_LAUNCHER_H
#define CLUTCH_PYPROC_LAUNCHER_H

/*
 * clutch-launcher OPTION... -- COMMAND ARGUMENT...
 *
 * Started by posix_spawn, it turns itself into a clean process and execs COMMAND, which must be a path with a slash.
 * It always: starts a session, resets the signal mask and all dispositions, opens /dev/null where 0, 1 or 2 are not
 * given, closes every descriptor that is not given, sets RLIMIT_CORE to 0. The current folder stays as it is.
 *
 * Options, each as one argument; those marked * may be repeated:
 *
 *   --result=FD        Where results go (below): the write end of a pipe, or a SEQPACKET socket. Required. It is not
 *                      open in COMMAND, unless it is also given with --fd.
 *   --parent=PID       The process that must live: if it dies, this one gets SIGKILL. (The kernel watches the thread
 *                      that spawned, so that thread must live as long as the worker may.)
 *   --fd=FROM:TO     * Descriptor FROM is TO in COMMAND. FROM and TO may overlap in every way.
 *   --env=NAME       * Keep this variable of the environment. NAME may end in "*". Without any, nothing is kept.
 *   --set-env=N=VALUE* Set a variable.
 *   --umask=OCTAL
 *   --open-files=N     RLIMIT_NOFILE; lowered to the hard limit if that is less.
 *   --address-space=N  RLIMIT_AS in bytes; 0 leaves it.
 *   --oom-score=N      oom_score_adj, so that the kernel ends workers before the host. Only ever raised.
 *   --sandbox=LEVEL    off, auto (default) or require.
 *                      auto: no_new_privs, a Landlock domain (the worker cannot trace the host, nor read or write its
 *                      memory, nor signal it where the kernel has that scope) and a seccomp list of refused calls,
 *                      each where the kernel has it. Files stay as reachable as they were. require: all three, or
 *                      COMMAND is not run.
 *
 * Results. Each is one line, given to one write, so that a SEQPACKET peer gets it as one message:
 *
 *   clutch-launcher/1 ok no_new_privs=0|1 landlock=ABI seccomp=0|1 signal_scope=0|1\n
 *       COMMAND is run next. landlock is the ABI level in force, 0 for none.
 *   clutch-launcher/1 failed step=STEP errno=NUMBER message=TEXT\n
 *       COMMAND does not run. It may follow an ok line if the exec itself fails (step=exec). TEXT is a sentence that
 *       stands alone and reaches to the end of the line. The exit code is CLUTCH_LAUNCHER_EXIT_FAILED.
 */
#define CLUTCH_LAUNCHER_RESULT_PREFIX "clutch-launcher/1 "
#define CLUTCH_LAUNCHER_RESULT_MAX 1024 /* Bytes of the longest line. */
#define CLUTCH_LAUNCHER_EXIT_FAILED 125
#define CLUTCH_LAUNCHER_EXIT_ORPHANED 124 /* The parent was gone before the launcher could watch it. */

#endif
