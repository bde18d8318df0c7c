#include "state/coding.h"

namespace clutch::engine {

void put_number(uint64_t number, std::string& out) {
  for (; number >= 0x80; number >>= 7) out.push_back(static_cast<char>(number | 0x80));
  out.push_back(static_cast<char>(number));
}

void put_time(int64_t time, std::string& out) {
  for (int shift = 0; shift < 64; shift += 8) out.push_back(static_cast<char>(static_cast<uint64_t>(time) >> shift));
}

void put_bytes(std::string_view bytes, std::string& out) {
  put_number(bytes.size(), out);
  out.append(bytes);
}

Status SnapshotReader::status() const {
  return Status(CLUTCH_ERR_DATA, "the snapshot of a key group cannot be read: " + std::string(why_) + " at byte " +
                                     std::to_string(at_) + " of " + std::to_string(bytes_.size()) +
                                     "; restore from another checkpoint");
}

uint8_t SnapshotReader::byte() {
  if (failed() || at_end()) {
    fail("it ends too early");
    return 0;
  }
  return static_cast<uint8_t>(bytes_[at_++]);
}

uint64_t SnapshotReader::number() {
  uint64_t out = 0;
  for (int shift = 0; shift < 64; shift += 7) {
    const uint8_t next = byte();
    out |= static_cast<uint64_t>(next & 0x7f) << shift;
    if ((next & 0x80) == 0) return out;
  }
  fail("a number is too long");
  return 0;
}

int64_t SnapshotReader::time() {
  uint64_t out = 0;
  for (int shift = 0; shift < 64; shift += 8) out |= static_cast<uint64_t>(byte()) << shift;
  return static_cast<int64_t>(out);
}

std::string_view SnapshotReader::view() {
  const uint64_t size = number();
  if (failed() || size > bytes_.size() - at_) {
    fail("it ends too early");
    return {};
  }
  at_ += size;
  return bytes_.substr(at_ - size, size);
}

}  // namespace clutch::engine
