#include "convert/decimal.h"

#include <algorithm>

namespace clutch::pyembed {

namespace {

constexpr int64_t kMaxExponent = 1000000000;  // beyond this a decimal is out of every range, whatever its digits

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// The exponent behind 'E', clamped. False where it is no integer.
bool parse_exponent(std::string_view text, int64_t& out) {
  const bool negative = !text.empty() && text[0] == '-';
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) text.remove_prefix(1);
  if (text.empty() || !std::all_of(text.begin(), text.end(), is_digit)) return false;
  out = 0;
  for (char c : text) out = std::min(out * 10 + (c - '0'), kMaxExponent);
  if (negative) out = -out;
  return true;
}

}  // namespace

UInt128 power_of_ten(int32_t n) {
  UInt128 power = 1;
  for (int32_t i = 0; i < n; ++i) power *= 10;
  return power;
}

int32_t format_decimal(Int128 unscaled, int32_t scale, char* out) {
  char digits[40];
  int32_t count = 0;
  const bool negative = unscaled < 0;
  UInt128 rest = negative ? -static_cast<UInt128>(unscaled) : static_cast<UInt128>(unscaled);
  while (rest > UINT64_MAX) {
    digits[count++] = static_cast<char>('0' + static_cast<int>(rest % 10));
    rest /= 10;
  }
  for (auto low = static_cast<uint64_t>(rest); low != 0; low /= 10) digits[count++] = static_cast<char>('0' + low % 10);
  if (count == 0) digits[count++] = '0';

  char* cursor = out;
  if (negative) *cursor++ = '-';
  if (scale <= 0 || scale > 38) {
    while (count > 0) *cursor++ = digits[--count];
    if (scale != 0) {
      // A scale outside of 0..38 is rare; the exponent form is exact for all of them.
      const std::string exponent = std::to_string(-int64_t{scale});
      *cursor++ = 'E';
      cursor = std::copy(exponent.begin(), exponent.end(), cursor);
    }
    return static_cast<int32_t>(cursor - out);
  }
  while (count <= scale) digits[count++] = '0';
  while (count > scale) *cursor++ = digits[--count];
  *cursor++ = '.';
  while (count > 0) *cursor++ = digits[--count];
  return static_cast<int32_t>(cursor - out);
}

DecimalParse parse_decimal(std::string_view text, int32_t precision, int32_t scale, Int128& out) {
  const bool negative = !text.empty() && text[0] == '-';
  if (negative) text.remove_prefix(1);
  if (text.empty()) return DecimalParse::kNotANumber;
  if (!is_digit(text[0]) && text[0] != '.') {
    const bool special = text.substr(0, 3) == "NaN" || text.substr(0, 4) == "sNaN" || text.substr(0, 3) == "Inf";
    return special ? DecimalParse::kNotFinite : DecimalParse::kNotANumber;
  }
  int64_t exponent = 0;
  if (const size_t e = text.find_first_of("Ee"); e != std::string_view::npos) {
    if (!parse_exponent(text.substr(e + 1), exponent)) return DecimalParse::kNotANumber;
    text = text.substr(0, e);
  }
  const size_t point = text.find('.');
  const int64_t fraction = point == std::string_view::npos ? 0 : static_cast<int64_t>(text.size() - point - 1);

  // The value is the digits, read as an integer, times 10^shift in units of the last place of the column.
  const int64_t shift = exponent - fraction + scale;
  int64_t left =
      static_cast<int64_t>(text.size()) - (point == std::string_view::npos ? 0 : 1) + std::min<int64_t>(shift, 0);
  const UInt128 limit = power_of_ten(precision);
  UInt128 value = 0;
  bool round_up = false;
  bool rounding_digit_seen = left < 0;  // all digits are right of the first one that decides
  for (char c : text) {
    if (c == '.') continue;
    if (!is_digit(c)) return DecimalParse::kNotANumber;
    if (left > 0) {
      value = value * 10 + static_cast<unsigned>(c - '0');
      if (value >= limit) return DecimalParse::kTooManyDigits;
      --left;
    } else if (!rounding_digit_seen) {
      round_up = c >= '5';
      rounding_digit_seen = true;
    }
  }
  if (round_up) ++value;
  if (value != 0) {
    for (int64_t i = 0; i < shift && value < limit; ++i) value *= 10;
  }
  if (value >= limit) return DecimalParse::kTooManyDigits;
  out = negative ? -static_cast<Int128>(value) : static_cast<Int128>(value);
  return DecimalParse::kOk;
}

}  // namespace clutch::pyembed
