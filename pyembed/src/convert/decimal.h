// decimal128 as text, without Python: the scaled integer that Arrow stores, and the digits Python shows.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace clutch::pyembed {

__extension__ using Int128 = __int128;
__extension__ using UInt128 = unsigned __int128;

// 10^n, n in 0..38.
UInt128 power_of_ten(int32_t n);

// Text that decimal.Decimal reads as unscaled * 10^-scale exactly: "-12.50", "7E+3". Returns its length; at most 48
// bytes are written.
int32_t format_decimal(Int128 unscaled, int32_t scale, char* out);

enum class DecimalParse {
  kOk,
  kTooManyDigits,  // more than `precision` digits after rounding
  kNotFinite,      // NaN or an infinity
  kNotANumber,     // not the text of a Decimal
};

// Read what str(Decimal) gives, rounded half up to `scale`.
DecimalParse parse_decimal(std::string_view text, int32_t precision, int32_t scale, Int128& out);

}  // namespace clutch::pyembed
