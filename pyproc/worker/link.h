// The worker's end of ctl and of the progress page.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>

#include "protocol/channel.h"
#include "protocol/layout.h"

namespace clutch::pyproc {

class Link {
 public:
  // Takes over the descriptors that layout.h names. CLUTCH_ERR_PROTOCOL if they are not what they should be.
  Status open(int control_fd, int progress_fd);
  Link() = default;
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;
  ~Link();

  ProgressPage& page() { return *page_; }
  int fd() const { return channel_.fd(); }

  // The next message, in order; waits. False if the supervisor is gone, or sent what cannot be read.
  bool next(Message& message);

  // The AddArena that answers the request of this ticket. Whatever else comes is kept for next().
  bool next_arena(uint64_t ticket, Message& message);

  // The StateRead that answers the question of this ticket, or an AddArena that comes before it. Whatever else comes is
  // kept for next().
  bool next_state(uint64_t ticket, Message& message);

  // Send from any thread. False if the supervisor is gone.
  template <typename T>
  bool send(T message) {
    message.header.epoch = epoch_;
    return sent(channel_.send(message, /*wait=*/true));
  }
  bool send_body(FrameType type, std::span<const uint8_t> body) {
    return sent(channel_.send_body(type, epoch_, body, /*wait=*/true));
  }
  void set_epoch(uint64_t epoch) { epoch_ = epoch; }

 private:
  bool sent(const Status& status);
  bool receive(Message& message);
  void spin();

  Channel channel_;
  ProgressPage* page_ = nullptr;
  uint64_t epoch_ = 0;
  uint64_t received_ = 0;  // messages taken from ctl so far
  std::deque<Message> waiting_;
  // Spinning that found nothing is left out for a while: twice as many waits after each miss.
  uint32_t misses_ = 0;
  uint32_t left_out_ = 0;
};

}  // namespace clutch::pyproc
