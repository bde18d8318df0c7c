#include "protocol/channel.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

namespace clutch::pyproc {
namespace {

// Bodies from host to worker above this go by memfd: so few and so small messages wait in the socket that a send which
// may not wait never finds it full while the worker is well.
constexpr size_t kInlineBody = 4096;

// Bounds what a worker allocates for a body that its host announced.
constexpr uint64_t kMaxAttachedBody = uint64_t{1} << 31;

std::string errno_text(int error) { return std::strerror(error); }

bool header_fits(const FrameHeader& header, size_t size) {
  if (header.version != kProtocolVersion || header.size != size) return false;
  return (header.flags & kBodyAttached) != 0 || header.body_bytes <= size - sizeof(FrameHeader);
}

}  // namespace

void Fd::reset() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

FrameHeader Message::header() const {
  FrameHeader header;
  std::memcpy(&header, bytes.data(), sizeof(header));
  return header;
}

Result<std::pair<Fd, Fd>> Channel::make_pair() {
  int fds[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) != 0) {
    return Status(CLUTCH_ERR_LOAD, "cannot make the control socket of a worker: " + errno_text(errno),
                  CLUTCH_ORIGIN_TRANSPORT);
  }
  Fd host(fds[0]);
  Fd worker(fds[1]);
  const int flags = ::fcntl(host.get(), F_GETFL);
  if (flags < 0 || ::fcntl(host.get(), F_SETFL, flags | O_NONBLOCK) != 0) {
    return Status(CLUTCH_ERR_LOAD, "cannot make the control socket of a worker non-blocking: " + errno_text(errno),
                  CLUTCH_ORIGIN_TRANSPORT);
  }
  return std::make_pair(std::move(host), std::move(worker));
}

Status Channel::send_bytes(std::span<const uint8_t> head, std::span<const uint8_t> tail, bool wait,
                           int attached_fd) const {
  iovec parts[2] = {{const_cast<uint8_t*>(head.data()), head.size()}, {const_cast<uint8_t*>(tail.data()), tail.size()}};
  msghdr message{};
  message.msg_iov = parts;
  message.msg_iovlen = tail.empty() ? 1 : 2;
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  if (attached_fd >= 0) {
    message.msg_control = control;
    message.msg_controllen = sizeof(control);
    cmsghdr* rights = CMSG_FIRSTHDR(&message);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(rights), &attached_fd, sizeof(int));
  }
  while (true) {
    const ssize_t sent = ::sendmsg(fd_.get(), &message, MSG_NOSIGNAL | (wait ? 0 : MSG_DONTWAIT));
    if (sent >= 0) return {};
    const int error = errno;
    if (error == EINTR) continue;
    if (error == EAGAIN || error == EWOULDBLOCK) {
      return {CLUTCH_ERR_PROTOCOL, "the worker does not read its control socket", CLUTCH_ORIGIN_TRANSPORT};
    }
    return {CLUTCH_ERR_WORKER_LOST, "the other end of the control socket is gone: " + errno_text(error),
            CLUTCH_ORIGIN_TRANSPORT};
  }
}

Status Channel::send_body(FrameType type, uint64_t epoch, std::span<const uint8_t> body, bool wait) const {
  FrameHeader header;
  header.type = type;
  header.epoch = epoch;
  if (body.size() > kMaxMessageBytes - sizeof(header)) {
    return {CLUTCH_ERR_ARGUMENT,
            "a message of " + std::to_string(body.size()) + " bytes is too large for ctl, which takes " +
                std::to_string(kMaxMessageBytes - sizeof(header)),
            CLUTCH_ORIGIN_PLUGIN};
  }
  header.size = static_cast<uint32_t>(sizeof(header) + body.size());
  header.body_bytes = body.size();
  return send_bytes({reinterpret_cast<const uint8_t*>(&header), sizeof(header)}, body, wait, -1);
}

Status Channel::send_large_body(FrameType type, uint64_t epoch, std::span<const uint8_t> body) const {
  if (body.size() <= kInlineBody) return send_body(type, epoch, body, /*wait=*/false);
  CLUTCH_ASSIGN_OR_RETURN(Fd copy, sealed_copy("clutch-message", body));
  FrameHeader header;
  header.type = type;
  header.epoch = epoch;
  header.size = sizeof(header);
  header.flags = kBodyAttached;
  header.body_bytes = body.size();
  return send_bytes({reinterpret_cast<const uint8_t*>(&header), sizeof(header)}, {}, /*wait=*/false, copy.get());
}

Received Channel::receive(Message& message, bool wait, bool accept_fd) const {
  message.attached.reset();
  message.size = 0;
  if (message.bytes.size() < kMaxMessageBytes) message.bytes.resize(kMaxMessageBytes);
  iovec part{message.bytes.data(), message.bytes.size()};
  msghdr envelope{};
  envelope.msg_iov = &part;
  envelope.msg_iovlen = 1;
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  if (accept_fd) {
    envelope.msg_control = control;
    envelope.msg_controllen = sizeof(control);
  }
  ssize_t got;
  // A peer that goes without having read everything leaves ECONNRESET, which is told once and in front of what it had
  // sent: that comes with the next call.
  int resets = 0;
  do {
    got = ::recvmsg(fd_.get(), &envelope, MSG_CMSG_CLOEXEC | (wait ? 0 : MSG_DONTWAIT));
  } while (got < 0 && (errno == EINTR || (errno == ECONNRESET && resets++ == 0)));
  if (got < 0) return errno == EAGAIN || errno == EWOULDBLOCK ? Received::kNothing : Received::kClosed;
  if (accept_fd) {
    for (cmsghdr* part_of = CMSG_FIRSTHDR(&envelope); part_of != nullptr; part_of = CMSG_NXTHDR(&envelope, part_of)) {
      if (part_of->cmsg_level != SOL_SOCKET || part_of->cmsg_type != SCM_RIGHTS) continue;
      int fd;
      std::memcpy(&fd, CMSG_DATA(part_of), sizeof(fd));
      message.attached = Fd(fd);
    }
  }
  if ((envelope.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0) return Received::kBroken;
  // An empty message cannot be told from the end of the stream, so nobody sends one.
  if (got == 0) return Received::kClosed;
  message.size = static_cast<size_t>(got);
  if (message.size < sizeof(uint32_t)) return Received::kBroken;
  uint32_t magic;
  std::memcpy(&magic, message.bytes.data(), sizeof(magic));
  if (magic != kFrameMagic) return accept_fd ? Received::kBroken : Received::kText;
  if (message.size < sizeof(FrameHeader)) return Received::kBroken;
  const FrameHeader header = message.header();
  if (!header_fits(header, message.size)) return Received::kBroken;
  if ((header.flags & kBodyAttached) != 0 && !accept_fd) return Received::kBroken;
  return Received::kMessage;
}

bool Channel::wait_readable(int timeout_ms) const {
  pollfd entry{fd_.get(), POLLIN, 0};
  int ready;
  do {
    ready = ::poll(&entry, 1, timeout_ms);
  } while (ready < 0 && errno == EINTR);
  return ready > 0;
}

Result<std::vector<uint8_t>> read_body(const Message& message) {
  const FrameHeader header = message.header();
  if ((header.flags & kBodyAttached) == 0) {
    const std::span<const uint8_t> body = message.body();
    return std::vector<uint8_t>(body.begin(), body.end());
  }
  if (!message.attached.valid() || header.body_bytes > kMaxAttachedBody) {
    return Status(
        CLUTCH_ERR_PROTOCOL,
        "a message announces an attached body of " + std::to_string(header.body_bytes) + " bytes that is not there",
        CLUTCH_ORIGIN_TRANSPORT);
  }
  std::vector<uint8_t> body(header.body_bytes);
  size_t done = 0;
  while (done < body.size()) {
    const ssize_t got =
        ::pread(message.attached.get(), body.data() + done, body.size() - done, static_cast<off_t>(done));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) {
      return Status(
          CLUTCH_ERR_PROTOCOL,
          "an attached body ends after " + std::to_string(done) + " of " + std::to_string(body.size()) + " bytes",
          CLUTCH_ORIGIN_TRANSPORT);
    }
    done += static_cast<size_t>(got);
  }
  return body;
}

Result<Fd> sealed_copy(const char* name, std::span<const uint8_t> bytes) {
  Fd copy(::memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!copy.valid()) {
    return Status(CLUTCH_ERR_MEMORY, "cannot make a shared memory file: " + errno_text(errno), CLUTCH_ORIGIN_HOST);
  }
  size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t put = ::pwrite(copy.get(), bytes.data() + done, bytes.size() - done, static_cast<off_t>(done));
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) {
      return Status(
          CLUTCH_ERR_MEMORY,
          "cannot write " + std::to_string(bytes.size()) + " bytes to a shared memory file: " + errno_text(errno),
          CLUTCH_ORIGIN_HOST);
    }
    done += static_cast<size_t>(put);
  }
  if (::fcntl(copy.get(), F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0) {
    return Status(CLUTCH_ERR_LOAD, "cannot seal a shared memory file: " + errno_text(errno), CLUTCH_ORIGIN_HOST);
  }
  return copy;
}

}  // namespace clutch::pyproc
