#include "thread/serving_thread.h"

#include <dlfcn.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <string>

namespace clutch::thread {
namespace {

using InitCharacters = void (*)();

int own_thread_id() { return static_cast<int>(syscall(SYS_gettid)); }

// Blocks the host's signals for threads made while this lives.
class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t all;
    sigfillset(&all);
    for (const int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS}) sigdelset(&all, signal);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

 private:
  sigset_t before_{};
};

}  // namespace

Status ServingThread::start(Create create) {
  const SignalsBlocked blocked;
  pthread_t thread{};
  const int error = create(&thread, nullptr, &ServingThread::serve, this);
  if (error == 0) return Status();
  return Status(CLUTCH_ERR_LOAD, std::string("a thread cannot be started: ") + std::strerror(error));
}

void* ServingThread::serve(void* self) {
  auto* const server = static_cast<ServingThread*>(self);
  // If another C library set the thread up, the host's has yet to give it its character tables.
  if (const auto init = reinterpret_cast<InitCharacters>(dlsym(RTLD_DEFAULT, "__ctype_init")); init != nullptr) init();
  server->thread_id_.store(own_thread_id(), std::memory_order_relaxed);
  for (;;) {
    server->turn_.wait(Turn::kIdle, std::memory_order_acquire);
    if (server->turn_.load(std::memory_order_acquire) != Turn::kCalled) continue;
    server->call_(server->job_);
    server->turn_.store(Turn::kDone, std::memory_order_release);
    server->turn_.notify_all();
    server->turn_.wait(Turn::kDone, std::memory_order_acquire);
  }
}

bool ServingThread::run(void (*call)(void*), void* job, Deadline deadline) {
  if (own_thread_id() == thread_id_.load(std::memory_order_relaxed)) {
    call(job);
    return true;
  }
  std::unique_lock lock(mutex_, std::defer_lock);
  if (deadline == kNoDeadline) {
    lock.lock();
  } else if (!lock.try_lock_until(deadline)) {
    return false;
  }
  call_ = call;
  job_ = job;
  turn_.store(Turn::kCalled, std::memory_order_release);
  turn_.notify_all();
  turn_.wait(Turn::kCalled, std::memory_order_acquire);
  turn_.store(Turn::kIdle, std::memory_order_release);
  turn_.notify_all();
  return true;
}

}  // namespace clutch::thread
