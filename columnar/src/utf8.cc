#include <cstring>

#include "clutch/columnar/validate.h"
#include "validate_values.h"

namespace clutch::columnar {
namespace {

bool continuation(uint8_t byte) { return (byte & 0xC0) == 0x80; }

// Length of the well-formed sequence that starts with the non-ASCII byte at `at`; 0 if there is none. The bounds of
// the second byte are those of table 3-7 of the Unicode standard.
int64_t sequence_length(const uint8_t* at, int64_t left) {
  const uint8_t lead = at[0];
  if (lead < 0xC2 || lead > 0xF4) return 0;
  if (lead < 0xE0) return left >= 2 && continuation(at[1]) ? 2 : 0;
  if (lead < 0xF0) {
    if (left < 3 || !continuation(at[1]) || !continuation(at[2])) return 0;
    if (lead == 0xE0 && at[1] < 0xA0) return 0;  // overlong
    if (lead == 0xED && at[1] > 0x9F) return 0;  // surrogate
    return 3;
  }
  if (left < 4 || !continuation(at[1]) || !continuation(at[2]) || !continuation(at[3])) return 0;
  if (lead == 0xF0 && at[1] < 0x90) return 0;  // overlong
  if (lead == 0xF4 && at[1] > 0x8F) return 0;  // over U+10FFFF
  return 4;
}

}  // namespace

bool is_ascii(const uint8_t* data, int64_t size) {
  uint64_t seen = 0;
  int64_t i = 0;
  for (; i + 8 <= size; i += 8) {
    uint64_t word;
    std::memcpy(&word, data + i, sizeof word);
    seen |= word;
  }
  for (; i < size; ++i) seen |= data[i];
  return (seen & 0x8080808080808080U) == 0;
}

bool valid_utf8(const uint8_t* data, int64_t size) {
  constexpr uint64_t kHighBits = 0x8080808080808080U;
  int64_t i = 0;
  while (i < size) {
    while (i + 32 <= size) {
      uint64_t words[4];
      std::memcpy(words, data + i, sizeof words);
      if (((words[0] | words[1] | words[2] | words[3]) & kHighBits) != 0) break;
      i += 32;
    }
    while (i + 8 <= size) {
      uint64_t word;
      std::memcpy(&word, data + i, sizeof word);
      if ((word & kHighBits) != 0) break;
      i += 8;
    }
    while (i < size && data[i] < 0x80) ++i;
    while (i < size && data[i] >= 0x80) {
      const int64_t length = sequence_length(data + i, size - i);
      if (length == 0) return false;
      i += length;
    }
  }
  return true;
}

}  // namespace clutch::columnar
