// The source `socket`: the lines that a server sends over TCP.
#pragma once

#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "clutch/columnar/result.h"
#include "source/source.h"

namespace clutch::engine {

struct SocketSpec {
  std::string host;
  uint16_t port = 0;
  std::string delimiter = "\n";  // "": all that is sent until the connection ends is one line
  int64_t retries = 0;           // connections after the first; -1: without end
  int64_t retry_ms = 500;        // before each of them
};

// One subtask connects and reads. When the connection ends, or there is none to be had, it connects again as often as
// `retries` says; then the source ends, or fails if the last attempt got no connection. What a connection that ends has
// sent behind its last delimiter is a line. For demonstrations: what was sent is gone, and cannot be read again.
Result<std::unique_ptr<Source>> make_socket_source(const nlohmann::json& members, const columnar::Field& element,
                                                   std::string_view place);

}  // namespace clutch::engine
