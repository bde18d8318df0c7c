// A TCP connection that is made and read without blocking.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <string>
#include <vector>

#include "clutch/columnar/result.h"

namespace clutch::engine {

class Connection {
 public:
  Connection() = default;
  ~Connection() { close(); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Begin to connect to the first of the host's addresses. Looking up the name blocks, as the system's resolver does.
  // Fails with CLUTCH_ERR_NOT_FOUND, as all here do; the connection is closed then.
  Status start(const std::string& host, uint16_t port);
  void close();
  bool is_open() const { return fd_ >= 0; }
  int fd() const { return fd_; }

  // To be asked for when poll(2) says that `fd` can be written. Goes on to the host's next address where one refused,
  // so that it may still be connecting.
  bool connecting() const { return connecting_; }
  Status go_on();

  // Bytes that are there: their number; 0 at the end of the connection; -1 if there are none now.
  Result<int64_t> read(char* out, size_t size);

 private:
  struct Address {
    sockaddr_storage bytes;
    socklen_t size;
    int family;
  };
  Status try_next(int error);
  Status failure(const char* what, int error) const;

  int fd_ = -1;
  bool connecting_ = false;
  std::string name_;
  std::vector<Address> addresses_;
  size_t next_ = 0;
};

}  // namespace clutch::engine
