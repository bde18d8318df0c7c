// IEEE 754 half precision, as bits.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

namespace clutch::pyembed {

inline double half_to_double(uint16_t bits) {
  const double sign = (bits & 0x8000) != 0 ? -1.0 : 1.0;
  const int exponent = (bits >> 10) & 31;
  const int fraction = bits & 1023;
  if (exponent == 31) {
    return fraction == 0 ? sign * std::numeric_limits<double>::infinity() : std::numeric_limits<double>::quiet_NaN();
  }
  return sign * (exponent == 0 ? std::ldexp(fraction, -24) : std::ldexp(1024 + fraction, exponent - 25));
}

// Nearest half, ties to even; too large becomes an infinity.
inline uint16_t double_to_half(double value) {
  const auto sign = static_cast<uint16_t>(std::signbit(value) ? 0x8000 : 0);
  if (std::isnan(value)) return 0x7E00;
  const double size = std::fabs(value);
  if (std::isinf(size)) return sign | 0x7C00;
  int exponent = 0;
  std::frexp(size, &exponent);  // size is in [2^(exponent-1), 2^exponent)
  // The place of the last bit: 2^-24 for subnormals, ten below the first bit otherwise.
  const int last = exponent - 11 < -24 ? -24 : exponent - 11;
  const double scaled = std::ldexp(size, -last);
  auto units = static_cast<int32_t>(scaled);
  const double rest = scaled - units;
  if (rest > 0.5 || (rest == 0.5 && (units & 1) != 0)) ++units;
  // Counting units past a power of two carries into the exponent, which is what rounding up means.
  const int32_t bits = size == 0 ? 0 : ((last + 24) << 10) + units;
  return static_cast<uint16_t>(sign | (bits >= 0x7C00 ? 0x7C00 : bits));
}

}  // namespace clutch::pyembed
