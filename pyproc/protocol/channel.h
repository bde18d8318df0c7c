// One end of ctl: whole messages over a SOCK_SEQPACKET pair.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "clutch/columnar/result.h"
#include "protocol/descriptor.h"

namespace clutch::pyproc {

// An owned descriptor; -1 is none.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    if (this != &other) {
      reset();
      fd_ = std::exchange(other.fd_, -1);
    }
    return *this;
  }
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  ~Fd() { reset(); }

  int get() const { return fd_; }
  bool valid() const { return fd_ >= 0; }
  int release() { return std::exchange(fd_, -1); }
  void reset();

 private:
  int fd_ = -1;
};

// A message as it was received: a private copy, its header checked against its real size.
struct Message {
  std::vector<uint8_t> bytes;  // capacity is kept between uses
  size_t size = 0;             // of this message
  Fd attached;                 // worker's side only

  std::span<const uint8_t> view() const { return {bytes.data(), size}; }
  FrameHeader header() const;
  // The Cap'n Proto bytes behind the header. Not for attached bodies.
  std::span<const uint8_t> body() const { return view().subspan(sizeof(FrameHeader)); }
  // The message as one of the fixed structs; false if its size is another.
  template <typename T>
  bool read(T& out) const {
    if (size != sizeof(T)) return false;
    __builtin_memcpy(&out, bytes.data(), sizeof(T));
    return true;
  }
};

enum class Received {
  kMessage,
  kText,     // host's side: a message without the frame magic (the launcher's lines)
  kNothing,  // non-blocking, and nothing is there
  kClosed,   // the peer is gone and everything it sent was read
  kBroken,   // larger than kMaxMessageBytes, ancillary data where none is legal, or a header that does not fit
};

class Channel {
 public:
  Channel() = default;
  explicit Channel(Fd fd) : fd_(std::move(fd)) {}

  // The two ends: first for the host (CLOEXEC, non-blocking), second for the worker (CLOEXEC, blocking).
  static Result<std::pair<Fd, Fd>> make_pair();

  int fd() const { return fd_.get(); }
  bool valid() const { return fd_.valid(); }
  void close() { fd_.reset(); }

  // Send a fixed struct whole. Header must be complete.
  template <typename T>
  Status send(const T& message, bool wait, int attached_fd = -1) const {
    static_assert(sizeof(T) <= kMaxMessageBytes);
    return send_bytes({reinterpret_cast<const uint8_t*>(&message), sizeof(T)}, {}, wait, attached_fd);
  }

  // Send a Cap'n Proto body behind a header that this fills in (size, body_bytes). Fails with CLUTCH_ERR_ARGUMENT if it
  // is too large for a message.
  Status send_body(FrameType type, uint64_t epoch, std::span<const uint8_t> body, bool wait) const;

  // The same from host to worker, for a body of any size: a large one goes in a sealed memfd.
  Status send_large_body(FrameType type, uint64_t epoch, std::span<const uint8_t> body) const;

  // Receive one message. `accept_fd`: the worker's side, which may be given a descriptor (kept in message.attached,
  // CLOEXEC); on the host's side an attached descriptor is a broken protocol and the kernel drops it.
  Received receive(Message& message, bool wait, bool accept_fd) const;

  // Wait until there is something to receive. -1: for ever. False at the timeout.
  bool wait_readable(int timeout_ms) const;

 private:
  // CLUTCH_ERR_WORKER_LOST if the peer is gone; CLUTCH_ERR_PROTOCOL if it does not read and `wait` is false.
  Status send_bytes(std::span<const uint8_t> head, std::span<const uint8_t> tail, bool wait, int attached_fd) const;

  Fd fd_;
};

// The body of a message wherever it is: behind the header, or read from the attached memfd. Worker's side.
Result<std::vector<uint8_t>> read_body(const Message& message);

// A memfd with these bytes in it, sealed against every change.
Result<Fd> sealed_copy(const char* name, std::span<const uint8_t> bytes);

}  // namespace clutch::pyproc
