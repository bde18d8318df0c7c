#include "source/common/wait_point.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>
#include <string>

namespace clutch::engine {

WaitPoint::WaitPoint() : event_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)), failure_(event_ < 0 ? errno : 0) {}

WaitPoint::~WaitPoint() {
  if (event_ >= 0) close(event_);
}

void WaitPoint::wake() {
  // A full counter is as good as a written one, so there is no failure to tell.
  [[maybe_unused]] const int written = eventfd_write(event_, 1);
}

Result<WaitPoint::Came> WaitPoint::wait(std::optional<Deadline> until, int fd, short events) {
  if (event_ < 0) {
    return Status(CLUTCH_ERR_INTERNAL, std::string("cannot make an event descriptor: ") + std::strerror(failure_) +
                                           "; raise the limit of open files");
  }
  pollfd polled[2] = {{event_, POLLIN, 0}, {fd, events, 0}};
  while (true) {
    int milliseconds = -1;
    if (until) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(*until - std::chrono::steady_clock::now());
      milliseconds = static_cast<int>(std::clamp<int64_t>(left.count(), 0, INT_MAX));
    }
    const int count = poll(polled, fd >= 0 ? 2 : 1, milliseconds);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) {
      return Status(CLUTCH_ERR_INTERNAL, std::string("cannot wait for input: ") + std::strerror(errno));
    }
    if (count == 0) return Came::kDeadline;
    if (fd >= 0 && polled[1].revents != 0) return Came::kReady;
    eventfd_t ignored;
    if (eventfd_read(event_, &ignored) == 0) return Came::kWoken;
  }
}

}  // namespace clutch::engine
