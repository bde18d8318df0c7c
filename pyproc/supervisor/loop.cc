#include "supervisor/loop.h"

#include <pthread.h>
#include <signal.h>
#include <sys/timerfd.h>
#include <unistd.h>
#include <uv.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

#include "protocol/channel.h"
#include "supervisor/clock.h"

namespace clutch::pyproc {
namespace {

struct Watched {
  uv_poll_t poll;
  std::function<void()> readable;
};

void set_timer(int fd, int64_t due_ns) {
  itimerspec when{};
  if (due_ns != kNever) {
    // Zero would disarm; the past fires at once.
    const int64_t due = due_ns < 1 ? 1 : due_ns;
    when.it_value = {static_cast<time_t>(due / 1'000'000'000), static_cast<long>(due % 1'000'000'000)};
  }
  ::timerfd_settime(fd, TFD_TIMER_ABSTIME, &when, nullptr);
}

}  // namespace

struct Loop::Impl {
  Callbacks callbacks;
  uv_loop_t loop{};
  uv_async_t async{};
  uv_poll_t timer{};
  Fd timer_fd;
  std::atomic<bool> stopping{false};
  std::map<uint64_t, Watched*> watches;
  uint64_t next_watch = 1;
  std::thread thread;

  std::mutex timer_mutex;  // guards armed
  int64_t armed = kNever;

  void arm(int64_t due_ns) {
    const std::lock_guard lock(timer_mutex);
    if (due_ns >= armed) return;
    armed = due_ns;
    set_timer(timer_fd.get(), due_ns);
  }

  void due() {
    uint64_t count;
    if (::read(timer_fd.get(), &count, sizeof(count)) < 0) return;  // Re-armed for later by another thread.
    {
      const std::lock_guard lock(timer_mutex);
      armed = kNever;
    }
    arm(callbacks.on_due());
  }

  void close_all() {
    for (auto& [id, watched] : watches) close(watched);
    watches.clear();
    uv_poll_stop(&timer);
    uv_close(reinterpret_cast<uv_handle_t*>(&timer), nullptr);
    uv_close(reinterpret_cast<uv_handle_t*>(&async), nullptr);
  }

  static void close(Watched* watched) {
    uv_poll_stop(&watched->poll);
    uv_close(reinterpret_cast<uv_handle_t*>(&watched->poll),
             [](uv_handle_t* handle) { delete static_cast<Watched*>(handle->data); });
  }
};

Loop::Loop(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Loop::~Loop() { stop(); }

Result<std::unique_ptr<Loop>> Loop::start(Callbacks callbacks) {
  auto impl = std::make_unique<Impl>();
  Impl* self = impl.get();
  self->callbacks = std::move(callbacks);
  self->timer_fd = Fd(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
  if (!self->timer_fd.valid()) {
    return Status(CLUTCH_ERR_LOAD, std::string("cannot make a timer: ") + std::strerror(errno), CLUTCH_ORIGIN_HOST);
  }
  int error = uv_loop_init(&self->loop);
  if (error != 0) {
    return Status(CLUTCH_ERR_LOAD, std::string("cannot make an event loop: ") + uv_strerror(error), CLUTCH_ORIGIN_HOST);
  }
  self->async.data = self;
  self->timer.data = self;
  error = uv_async_init(&self->loop, &self->async, [](uv_async_t* handle) {
    auto* me = static_cast<Impl*>(handle->data);
    if (me->stopping.load()) {
      me->close_all();
    } else {
      me->callbacks.on_wake();
    }
  });
  if (error == 0) error = uv_poll_init(&self->loop, &self->timer, self->timer_fd.get());
  if (error == 0) {
    error = uv_poll_start(&self->timer, UV_READABLE,
                          [](uv_poll_t* handle, int, int) { static_cast<Impl*>(handle->data)->due(); });
  }
  if (error != 0) {
    return Status(CLUTCH_ERR_LOAD, std::string("cannot set up an event loop: ") + uv_strerror(error),
                  CLUTCH_ORIGIN_HOST);
  }

  // The application's signals are for its own threads.
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  std::unique_ptr<Loop> loop;
  try {
    self->thread = std::thread([self] {
      ::pthread_setname_np(::pthread_self(), "clutch-process");
      uv_run(&self->loop, UV_RUN_DEFAULT);
    });
    loop.reset(new Loop(std::move(impl)));
  } catch (const std::exception& exception) {
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    return Status(CLUTCH_ERR_LOAD, std::string("cannot start a thread: ") + exception.what(), CLUTCH_ORIGIN_HOST);
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return loop;
}

void Loop::wake() { uv_async_send(&impl_->async); }

void Loop::arm(int64_t due_ns) { impl_->arm(due_ns); }

uint64_t Loop::watch(int fd, std::function<void()> readable) {
  auto* watched = new Watched{{}, std::move(readable)};
  watched->poll.data = watched;
  if (uv_poll_init(&impl_->loop, &watched->poll, fd) != 0) {
    delete watched;
    return 0;
  }
  uv_poll_start(&watched->poll, UV_READABLE | UV_DISCONNECT, [](uv_poll_t* handle, int, int) {
    // A copy: the callback may unwatch itself.
    const std::function<void()> call = static_cast<Watched*>(handle->data)->readable;
    call();
  });
  const uint64_t id = impl_->next_watch++;
  impl_->watches.emplace(id, watched);
  return id;
}

void Loop::unwatch(uint64_t watch) {
  const auto found = impl_->watches.find(watch);
  if (found == impl_->watches.end()) return;
  Impl::close(found->second);
  impl_->watches.erase(found);
}

void Loop::stop() {
  if (!impl_->thread.joinable()) return;
  impl_->stopping.store(true);
  uv_async_send(&impl_->async);
  impl_->thread.join();
  uv_loop_close(&impl_->loop);
}

}  // namespace clutch::pyproc
