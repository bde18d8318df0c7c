// How snapshots are written: numbers as unsigned LEB128, times as 8 bytes (little-endian), bytes as a number and so
// many bytes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "clutch/columnar/result.h"

namespace clutch::engine {

void put_number(uint64_t number, std::string& out);
void put_time(int64_t time, std::string& out);
void put_bytes(std::string_view bytes, std::string& out);

// Reads what may be anything. After the first thing that is wrong all reads give nothing.
class SnapshotReader {
 public:
  explicit SnapshotReader(std::string_view bytes) : bytes_(bytes) {}

  bool failed() const { return why_ != nullptr; }
  bool at_end() const { return at_ == bytes_.size(); }
  // CLUTCH_ERR_DATA that says what is wrong, and where.
  Status status() const;
  // `why` is a literal; the first one counts.
  void fail(const char* why) {
    if (why_ == nullptr) why_ = why;
  }

  uint8_t byte();
  uint64_t number();
  int64_t time();
  std::string_view view();
  std::string bytes() { return std::string(view()); }

 private:
  std::string_view bytes_;
  size_t at_ = 0;
  const char* why_ = nullptr;
};

}  // namespace clutch::engine
