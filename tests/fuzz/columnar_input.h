// The bytes of a fuzz input, taken from the front as numbers and text.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

namespace clutch::fuzz {

class Input {
 public:
  Input(const uint8_t* data, size_t size) : data_(data), left_(size) {}

  size_t left() const { return left_; }
  bool empty() const { return left_ == 0; }

  // Zeros once the input is used up.
  uint8_t byte() {
    if (left_ == 0) return 0;
    --left_;
    return *data_++;
  }
  uint64_t word(int bytes) {
    uint64_t value = 0;
    for (int i = 0; i < bytes; ++i) value |= static_cast<uint64_t>(byte()) << (8 * i);
    return value;
  }
  void fill(uint8_t* to, size_t size) {
    for (size_t i = 0; i < size; ++i) to[i] = byte();
  }
  std::string text(size_t size) {
    size = std::min(size, left_);
    std::string out(reinterpret_cast<const char*>(data_), size);
    data_ += size;
    left_ -= size;
    return out;
  }

 private:
  const uint8_t* data_;
  size_t left_;
};

// What must hold for each input. Says what did not, and ends the process as a crash, which is what fuzzers look for.
inline void require(bool holds, const std::string& what) {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %s\n", what.c_str());
  std::abort();
}

}  // namespace clutch::fuzz
