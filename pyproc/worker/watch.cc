#include "worker/watch.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

namespace clutch::pyproc {
namespace {

constexpr size_t kStackBytes = 128 * 1024;

}  // namespace

Status Watch::start(int control_fd) {
  fd_ = control_fd;
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  pthread_attr_setstacksize(&attributes, kStackBytes);
  // Signals are for the main thread, where Python handles them; the new thread inherits a full mask.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  pthread_t thread;
  const int error = pthread_create(&thread, &attributes, &Watch::run, this);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  pthread_attr_destroy(&attributes);
  if (error == 0) return {};
  return Status(CLUTCH_ERR_LOAD,
                std::string("the worker cannot start a thread: ") + std::strerror(error) +
                    "; raise python.process.memory-limit or the limit on processes of this user",
                CLUTCH_ORIGIN_CONFIG);
}

void* Watch::run(void* self) {
  auto& watch = *static_cast<Watch*>(self);
  pollfd control = {watch.fd_, 0, 0};  // no events: only the hang-up
  while (poll(&control, 1, -1) < 0 && errno == EINTR) {
  }
  watch.gone_.store(true, std::memory_order_seq_cst);
  const bool lost =
      watch.busy_.load(std::memory_order_seq_cst) && !watch.shutting_down_.load(std::memory_order_seq_cst);
  // The main thread acts on what it finds in ctl; what is not done in time will not be.
  if (!lost) poll(nullptr, 0, kShutdownGraceMs);
  leave();
}

void Watch::leave() { _exit(0); }

}  // namespace clutch::pyproc
