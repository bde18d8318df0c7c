// What a worker process finds when it starts, and the page it shares with its supervisor.
//
// Life of a worker
//   1. The supervisor posix_spawns the launcher with the descriptors below and nothing else open.
//   2. The launcher applies limits and sandbox, says so on ctl (a text line, launcher/launcher.h), and execs the
//      interpreter in its own place (same pid).
//   3. The bootstrap (worker/bootstrap.py) loads clutch_pyembed as an extension module and calls its serve(), which
//   loads
//      the worker library and runs its loop.
//   4. The worker reads Configure, which waits in ctl since before it started, opens pyembed's runtime with these
//      options, and answers Ready (with an error inside, if that failed; it then leaves with exit code 1).
//   5. It serves OpenFunction, CloseFunction, BatchSubmit, AddArena, DropArena in the order they come, one thread,
//   until
//      it reads Shutdown or end of file on ctl; then it closes its functions and leaves with exit code 0.
//
// Descriptors, inherited by number
//   0  /dev/null
//   1  log pipe, write end: what the process prints. Never protocol.
//   2  the same pipe
//   3  ctl: one end of an AF_UNIX SOCK_SEQPACKET pair (channel.h). The worker's end is blocking; the worker makes it
//      CLOEXEC before user code runs.
//   4  prog: memfd of one ProgressPage, to be mapped read-write and shared, then closed.
//   Arenas are not inherited: each comes with an AddArena message, from host to worker only.
//
// Command line of the launcher: launcher/launcher.h. The supervisor says --result=3 and --fd=N:N for 0 to 4.
//
// Command line of the interpreter
//   python -I -c BOOTSTRAP EMBED_LIBRARY WORKER_LIBRARY NUMBER
//   The bootstrap enables faulthandler on descriptor 2, registers a dump of all threads for SIGUSR1, loads the
//   extension module clutch_pyembed from EMBED_LIBRARY and calls clutch_pyembed.serve(WORKER_LIBRARY, [NUMBER]), whose
//   result is the exit code of the process. NUMBER (decimal) is there for people who list processes.
#pragma once

#include <atomic>
#include <cstdint>

namespace clutch::pyproc {

inline constexpr int kControlFd = 3;
inline constexpr int kProgressFd = 4;
inline constexpr int kFirstFreeFd = 5;

inline constexpr char kLauncherName[] = "clutch-launcher";
inline constexpr char kEmbedName[] = "clutch_pyembed.so";
inline constexpr char kWorkerName[] = "clutch_worker.so";

// Batches in flight in one worker, and so slots: at most this many.
inline constexpr uint32_t kMaxSlots = 8;

// What the worker is doing. A hint for reports.
enum class Phase : uint32_t { kStarting = 0, kIdle = 1, kOpening = 2, kRunning = 3, kEncoding = 4, kClosing = 5 };

// One page shared by both sides. Hints only: neither side may come to harm by any value in it, and whoever ignores it
// altogether loses time and nothing else. Every message goes through ctl, so a wake-up cannot be lost here.
//
// Spinning. A side that has nothing to do may watch the other side's counter for at most spin_ns before it sleeps in
// poll or recvmsg on ctl. A peer that does not sleep costs no wake-up: a send to a socket nobody waits on is cheap.
// spin_ns is 0 where no core is free (more runnable workers than CPUs), so that a spinning side never takes the CPU
// from the side it waits for.
struct ProgressPage {
  // Written by the host.
  alignas(64) std::atomic<uint64_t> host_sent;             // messages put into ctl so far; stored after the send
  std::atomic<uint64_t> spin_ns;                           // how long the worker may watch host_sent
  alignas(64) std::atomic<uint64_t> cancelled[kMaxSlots];  // by slot: the ticket of the batch that shall stop

  // Written by the worker.
  alignas(64) std::atomic<uint64_t> worker_sent;  // messages put into ctl so far; stored after the send
  alignas(64) std::atomic<uint64_t> ticket;       // batch that runs; 0 none
  std::atomic<uint32_t> phase;                    // Phase
  uint32_t reserved0;
  std::atomic<int64_t> row;  // row it is at; its address is what pyembed gets as CLUTCH_PYEMBED_PROGRESS
};
static_assert(sizeof(ProgressPage) <= 4096);
static_assert(std::atomic<uint64_t>::is_always_lock_free && sizeof(std::atomic<int64_t>) == sizeof(int64_t));
inline constexpr uint64_t kProgressBytes = 4096;

}  // namespace clutch::pyproc
