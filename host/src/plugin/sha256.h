// SHA-256 (FIPS 180-4), for the checksums in manifests.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "clutch/columnar/result.h"

namespace clutch::host {

class Sha256 {
 public:
  Sha256();
  void update(const void* data, size_t size);

  // Digest of all that was given, as 64 lower-case hex digits. The object is spent afterwards.
  std::string finish();

 private:
  void compress(const uint8_t* block);

  std::array<uint32_t, 8> state_;
  std::array<uint8_t, 64> buffer_;
  size_t buffered_ = 0;
  uint64_t total_ = 0;
};

std::string sha256_hex(std::string_view text);

// Digest of what an open file holds, from its start; the file's offset is not touched.
// @return CLUTCH_ERR_LOAD with the system's reason.
Result<std::string> sha256_of_file(int fd);

}  // namespace clutch::host
