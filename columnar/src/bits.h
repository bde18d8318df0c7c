// Bitmaps: count, copy and append ranges of bits that start anywhere.
#pragma once

#include <cstdint>

#include "clutch/columnar/buffer.h"

namespace clutch::columnar {

// Bytes that hold `bits` bits.
inline int64_t bytes_for_bits(int64_t bits) { return (bits >> 3) + ((bits & 7) != 0); }

inline bool bit_at(const uint8_t* bits, int64_t i) { return ((bits[i >> 3] >> (i & 7)) & 1) != 0; }

// Number of ones among bits [start, start + length). Reads no byte outside of these.
int64_t count_ones(const uint8_t* bits, int64_t start, int64_t length);

// Position of the first zero among bits [start, start + length), relative to start; length if there is none.
int64_t find_zero(const uint8_t* bits, int64_t start, int64_t length);

// Append bits [start, start + length) of `source` to a bitmap of `count` bits whose unused bits are zero.
void append_bits(Buffer& bitmap, int64_t count, const uint8_t* source, int64_t start, int64_t length);

// The same with `length` times one.
void append_ones(Buffer& bitmap, int64_t count, int64_t length);

// Shorten a bitmap to `count` bits and zero the unused ones.
void truncate_bits(Buffer& bitmap, int64_t count);

}  // namespace clutch::columnar
