#include "source/lines/connection.h"

#include <netdb.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>

namespace clutch::engine {

Status Connection::failure(const char* what, int error) const {
  return {CLUTCH_ERR_NOT_FOUND,
          std::string("cannot ") + what + " " + name_ + ": " + std::strerror(error) +
              "; start the server first, or set retries",
          CLUTCH_ORIGIN_USER};
}

void Connection::close() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
  connecting_ = false;
}

Status Connection::start(const std::string& host, uint16_t port) {
  close();
  name_ = host + ":" + std::to_string(port);
  addrinfo wanted{};
  wanted.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  const int looked_up = getaddrinfo(host.c_str(), std::to_string(port).c_str(), &wanted, &list);
  if (looked_up != 0) {
    return {CLUTCH_ERR_NOT_FOUND,
            "cannot look up the host \"" + host + "\": " + gai_strerror(looked_up) + "; check source.host",
            CLUTCH_ORIGIN_USER};
  }
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(list, freeaddrinfo);
  addresses_.clear();
  for (const addrinfo* at = list; at != nullptr; at = at->ai_next) {
    Address address{{}, at->ai_addrlen, at->ai_family};
    std::memcpy(&address.bytes, at->ai_addr, at->ai_addrlen);
    addresses_.push_back(address);
  }
  next_ = 0;
  return try_next(EADDRNOTAVAIL);
}

Status Connection::try_next(int error) {
  while (next_ < addresses_.size()) {
    const Address& address = addresses_[next_++];
    fd_ = socket(address.family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd_ < 0) {
      error = errno;
      continue;
    }
    if (connect(fd_, reinterpret_cast<const sockaddr*>(&address.bytes), address.size) == 0) return {};
    if (errno == EINPROGRESS) {
      connecting_ = true;
      return {};
    }
    error = errno;
    close();
  }
  return failure("connect to", error);
}

Status Connection::go_on() {
  int error = 0;
  socklen_t size = sizeof error;
  if (getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &size) != 0) error = errno;
  connecting_ = false;
  if (error == 0) return {};
  close();
  return try_next(error);
}

Result<int64_t> Connection::read(char* out, size_t size) {
  const ssize_t count = ::read(fd_, out, size);
  if (count >= 0) return static_cast<int64_t>(count);
  if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) return int64_t{-1};
  const int error = errno;
  close();
  return failure("read from", error);
}

}  // namespace clutch::engine
