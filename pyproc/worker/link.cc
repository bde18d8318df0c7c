#include "worker/link.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>

#include <cerrno>
#include <cstring>

#include "worker/clock.h"

namespace clutch::pyproc {
namespace {

constexpr uint32_t kMostMisses = 6;  // at worst every 64th wait spins

void relax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

}  // namespace

Status Link::open(int control_fd, int progress_fd) {
  struct stat about = {};
  if (fstat(control_fd, &about) != 0 || !S_ISSOCK(about.st_mode)) {
    return Status(CLUTCH_ERR_PROTOCOL,
                  "descriptor " + std::to_string(control_fd) +
                      " is not the control socket; a worker is started by its supervisor, not by hand",
                  CLUTCH_ORIGIN_TRANSPORT);
  }
  // What user code execs must not hold the socket open.
  if (fcntl(control_fd, F_SETFD, FD_CLOEXEC) != 0) {
    return Status(CLUTCH_ERR_PROTOCOL, std::string("cannot set up the control socket: ") + std::strerror(errno),
                  CLUTCH_ORIGIN_TRANSPORT);
  }
  channel_ = Channel(Fd(control_fd));
  const Fd progress(progress_fd);
  void* page = mmap(nullptr, kProgressBytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, progress_fd, 0);
  if (page == MAP_FAILED) {
    return Status(CLUTCH_ERR_PROTOCOL,
                  "descriptor " + std::to_string(progress_fd) + " is not the progress page: " + std::strerror(errno),
                  CLUTCH_ORIGIN_TRANSPORT);
  }
  page_ = static_cast<ProgressPage*>(page);
  return {};
}

Link::~Link() {
  if (page_ != nullptr) munmap(page_, kProgressBytes);
}

bool Link::sent(const Status& status) {
  if (status.ok()) page_->worker_sent.fetch_add(1, std::memory_order_release);
  return status.ok();
}

void Link::spin() {
  const uint64_t limit = page_->spin_ns.load(std::memory_order_relaxed);
  if (limit == 0) return;
  if (left_out_ > 0) {
    --left_out_;
    return;
  }
  const int64_t end = now_ns() + static_cast<int64_t>(limit < 1'000'000 ? limit : 1'000'000);
  for (;;) {
    for (int i = 0; i < 32; ++i) {
      if (page_->host_sent.load(std::memory_order_acquire) != received_) {
        misses_ = 0;
        return;
      }
      relax();
    }
    if (now_ns() >= end) break;
  }
  if (misses_ < kMostMisses) ++misses_;
  left_out_ = (1u << misses_) - 1;
}

bool Link::receive(Message& message) {
  spin();
  if (channel_.receive(message, /*wait=*/true, /*accept_fd=*/true) != Received::kMessage) return false;
  ++received_;
  return true;
}

bool Link::next(Message& message) {
  if (waiting_.empty()) return receive(message);
  message = std::move(waiting_.front());
  waiting_.pop_front();
  return true;
}

bool Link::next_arena(uint64_t ticket, Message& message) {
  for (;;) {
    if (!receive(message)) return false;
    AddArena answer;
    if (message.header().type == FrameType::kAddArena && message.read(answer) && answer.ticket == ticket) return true;
    waiting_.push_back(std::move(message));
    message = Message();
  }
}

bool Link::next_state(uint64_t ticket, Message& message) {
  for (;;) {
    if (!receive(message)) return false;
    StateRead answer;
    if (message.header().type == FrameType::kAddArena) return true;
    if (message.header().type == FrameType::kStateRead && message.read(answer) && answer.ticket == ticket) return true;
    waiting_.push_back(std::move(message));
    message = Message();
  }
}

}  // namespace clutch::pyproc
