#include "thread/island.h"

#include <dlfcn.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <csignal>
#include <cstring>

#include "clutch/pyembed.h"
#include "thread/libpython.h"

namespace clutch::thread {
namespace {

using CreateKey = int (*)(pthread_key_t*, void (*)(void*));
using CreateThread = int (*)(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*);
using InitCharacters = void (*)();
using GetTable = const clutch_plugin_api* (*)();

// Half of all. The host's code runs on the island's thread, too, when Python calls a host service; its keys are below.
constexpr int kReservedKeys = 512;

Status failure(std::string message) { return Status(CLUTCH_ERR_LOAD, std::move(message), CLUTCH_ORIGIN_CONFIG); }

int own_thread_id() { return static_cast<int>(syscall(SYS_gettid)); }

// Takes the keys of thread-specific data that the host's C library may give out, so that the namespace uses others.
bool reserve_keys(void* libpython) {
  const auto create = reinterpret_cast<CreateKey>(dlsym(libpython, "pthread_key_create"));
  if (create == nullptr) return false;
  for (int i = 0; i < kReservedKeys; ++i) {
    pthread_key_t key = 0;
    if (create(&key, nullptr) != 0) return false;
  }
  return true;
}

void* park(void*) {
  for (;;) pause();
}

// Tells the host's C library that it has company. Threads of an island are made by another C library, so a program
// without threads would go on to count references and take locks (the loader's and malloc's, too) as if it were alone,
// while an island's thread calls the host's services. The thread stays, because the library might look again.
Status leave_single_thread_mode() {
  pthread_attr_t attributes;
  pthread_t thread{};
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, static_cast<size_t>(sysconf(_SC_THREAD_STACK_MIN)) + 64 * 1024);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  const int error = pthread_create(&thread, &attributes, park, nullptr);
  pthread_attr_destroy(&attributes);
  if (error != 0) return failure(std::string("a thread cannot be started: ") + std::strerror(error));
  return Status();
}

// Blocks the host's signals, which are the host's, for threads made while this lives; those of a fault stay open.
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

Result<const clutch_plugin_api*> table_of(void* handle, const std::string& library) {
  if (handle == nullptr) {
    return failure("the Python runtime " + library + " could not be loaded: " + loader_error());
  }
  const auto get_table = reinterpret_cast<GetTable>(dlsym(handle, CLUTCH_PYEMBED_SYMBOL));
  if (get_table == nullptr) {
    return failure(library + " is not the Python runtime of Clutch: it has no symbol " CLUTCH_PYEMBED_SYMBOL);
  }
  const clutch_plugin_api* const table = get_table();
  if (table == nullptr || !CLUTCH_HAS(table, clutch_plugin_api, function_close)) {
    return failure(library + " is of another version of Clutch; install both from one build");
  }
  return table;
}

Result<Island*> Island::make(const std::string& libpython, const std::string& library, size_t number) {
  const std::string what = "interpreter " + std::to_string(number) + " of python.thread.interpreters";
  // libpython comes first, which makes it the global scope of its namespace: the runtime and extension modules find its
  // symbols there. RTLD_GLOBAL is neither needed nor survived by glibc in a namespace that dlmopen made.
  void* const handle = dlmopen(LM_ID_NEWLM, libpython.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) {
    return failure(what + " cannot have a link namespace of its own: " + loader_error() + "; ask for fewer");
  }
  Lmid_t name = 0;
  if (dlinfo(handle, RTLD_DI_LMID, &name) != 0) return failure(what + " is in no known namespace: " + loader_error());
  if (!reserve_keys(handle)) return failure(what + " has a C library without keys of thread-specific data");

  std::unique_ptr<Island> island(new Island);
  CLUTCH_ASSIGN_OR_RETURN(island->api_, table_of(dlmopen(name, library.c_str(), RTLD_NOW | RTLD_LOCAL), library));
  if (Status status = island->start(handle); !status.ok()) return std::move(status).prefixed(what);
  return island.release();  // Never destroyed: its thread and its interpreter live as long as the process.
}

Status Island::start(void* libpython) {
  const auto create = reinterpret_cast<CreateThread>(dlsym(libpython, "pthread_create"));
  if (create == nullptr) return failure("its C library has no threads");
  const SignalsBlocked blocked;
  static const Status company = leave_single_thread_mode();
  CLUTCH_RETURN_IF_ERROR(company);
  pthread_t thread{};
  const int error = create(&thread, nullptr, &Island::serve, this);
  if (error != 0) return failure(std::string("it cannot have a thread of its own: ") + std::strerror(error));
  return Status();
}

void* Island::serve(void* self) {
  auto* const island = static_cast<Island*>(self);
  // The thread was set up by the namespace's C library. The host's has yet to give it its character tables.
  if (const auto init = reinterpret_cast<InitCharacters>(dlsym(RTLD_DEFAULT, "__ctype_init")); init != nullptr) init();
  island->thread_id_.store(own_thread_id(), std::memory_order_relaxed);
  for (;;) {
    island->turn_.wait(Turn::kIdle, std::memory_order_acquire);
    if (island->turn_.load(std::memory_order_acquire) != Turn::kCalled) continue;
    island->call_(island->job_);
    island->turn_.store(Turn::kDone, std::memory_order_release);
    island->turn_.notify_all();
    island->turn_.wait(Turn::kDone, std::memory_order_acquire);
  }
}

bool Island::run(void (*call)(void*), void* job, Deadline deadline) {
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
