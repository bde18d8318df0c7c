#include "bits.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace clutch::columnar {
namespace {

// The next `n` (1 to 8) bits from `start`, in the low bits of the result.
uint8_t load_bits(const uint8_t* bits, int64_t start, int64_t n) {
  const uint8_t* from = bits + (start >> 3);
  const auto shift = static_cast<unsigned>(start & 7);
  unsigned value = static_cast<unsigned>(from[0]) >> shift;
  if (shift + static_cast<unsigned>(n) > 8) value |= static_cast<unsigned>(from[1]) << (8 - shift);
  return static_cast<uint8_t>(value & ((1U << n) - 1));
}

}  // namespace

int64_t count_ones(const uint8_t* bits, int64_t start, int64_t length) {
  int64_t ones = 0;
  int64_t i = 0;
  if ((start & 7) != 0 && length > 0) {
    i = std::min<int64_t>(8 - (start & 7), length);
    ones += std::popcount(load_bits(bits, start, i));
  }
  const uint8_t* at = bits + ((start + i) >> 3);
  for (; i + 64 <= length; i += 64, at += 8) {
    uint64_t word;
    std::memcpy(&word, at, sizeof word);
    ones += std::popcount(word);
  }
  for (; i < length; i += 8) {
    ones += std::popcount(load_bits(bits, start + i, std::min<int64_t>(8, length - i)));
  }
  return ones;
}

int64_t find_zero(const uint8_t* bits, int64_t start, int64_t length) {
  for (int64_t i = 0; i < length; i += 8) {
    const int64_t n = std::min<int64_t>(8, length - i);
    const uint8_t value = load_bits(bits, start + i, n);
    const int run = std::countr_one(value);
    if (run < n) return i + run;
  }
  return length;
}

void append_bits(Buffer& bitmap, int64_t count, const uint8_t* source, int64_t start, int64_t length) {
  if (length <= 0) return;
  bitmap.append_zeros(bytes_for_bits(count + length) - bitmap.size());
  uint8_t* to = bitmap.data();
  int64_t i = 0;
  if ((count & 7) != 0) {  // Fill up the byte that is begun.
    i = std::min<int64_t>(8 - (count & 7), length);
    to[count >> 3] = static_cast<uint8_t>(to[count >> 3] | load_bits(source, start, i) << (count & 7));
  }
  if (((start + i) & 7) == 0 && length - i >= 8) {
    const int64_t whole = (length - i) >> 3;
    std::memcpy(to + ((count + i) >> 3), source + ((start + i) >> 3), static_cast<size_t>(whole));
    i += whole << 3;
  }
  for (; i < length; i += 8) {
    to[(count + i) >> 3] = load_bits(source, start + i, std::min<int64_t>(8, length - i));
  }
}

void append_ones(Buffer& bitmap, int64_t count, int64_t length) {
  if (length <= 0) return;
  const int64_t old_size = bitmap.size();
  const int64_t total = count + length;
  bitmap.resize(bytes_for_bits(total));
  uint8_t* to = bitmap.data();
  if ((count & 7) != 0) to[count >> 3] = static_cast<uint8_t>(to[count >> 3] | (0xFFU << (count & 7)));
  std::memset(to + old_size, 0xFF, static_cast<size_t>(bitmap.size() - old_size));
  if ((total & 7) != 0) to[total >> 3] = static_cast<uint8_t>(to[total >> 3] & ((1U << (total & 7)) - 1));
}

void truncate_bits(Buffer& bitmap, int64_t count) {
  bitmap.resize(bytes_for_bits(count));
  if ((count & 7) != 0) {
    uint8_t& last = bitmap.data()[count >> 3];
    last = static_cast<uint8_t>(last & ((1U << (count & 7)) - 1));
  }
}

}  // namespace clutch::columnar
