#include "rows/text.h"

#include <bit>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstring>

namespace clutch::rows {
namespace {

using columnar::TimeUnit;

__extension__ using Int128 = __int128;
__extension__ using Uint128 = unsigned __int128;

constexpr char kBase64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

int64_t units_per_second(TimeUnit unit) {
  switch (unit) {
    case TimeUnit::kSecond:
      return 1;
    case TimeUnit::kMilli:
      return 1'000;
    case TimeUnit::kMicro:
      return 1'000'000;
    case TimeUnit::kNano:
      return 1'000'000'000;
  }
  return 1;
}

int fraction_digits(TimeUnit unit) { return static_cast<int>(unit) * 3; }

int64_t floor_div(int64_t value, int64_t by) { return value / by - (value % by < 0 ? 1 : 0); }

// Exactly `digits` decimal digits at the front of text, which moves behind them.
std::optional<int64_t> take_digits(std::string_view& text, size_t digits) {
  int64_t value = 0;
  if (text.size() < digits) return std::nullopt;
  for (size_t i = 0; i < digits; ++i) {
    if (text[i] < '0' || text[i] > '9') return std::nullopt;
    value = value * 10 + (text[i] - '0');
  }
  text.remove_prefix(digits);
  return value;
}

bool take(std::string_view& text, char expected) {
  if (text.empty() || text.front() != expected) return false;
  text.remove_prefix(1);
  return true;
}

// "12:34:56" with a fraction, in the unit; moves text behind it.
std::optional<int64_t> take_time(std::string_view& text, TimeUnit unit) {
  const auto hours = take_digits(text, 2);
  if (!hours || !take(text, ':')) return std::nullopt;
  const auto minutes = take_digits(text, 2);
  int64_t seconds = 0;
  if (!minutes) return std::nullopt;
  if (take(text, ':')) {
    const auto found = take_digits(text, 2);
    if (!found) return std::nullopt;
    seconds = *found;
  }
  if (*hours > 23 || *minutes > 59 || seconds > 59) return std::nullopt;
  int64_t value = (*hours * 3600 + *minutes * 60 + seconds) * units_per_second(unit);
  if (take(text, '.')) {
    int64_t scale = units_per_second(unit);
    size_t count = 0;
    while (!text.empty() && text.front() >= '0' && text.front() <= '9') {
      const int digit = text.front() - '0';
      if (scale == 1 && digit != 0) return std::nullopt;
      scale = scale > 1 ? scale / 10 : 1;
      if (count < static_cast<size_t>(fraction_digits(unit))) value += digit * scale;
      text.remove_prefix(1);
      ++count;
    }
    if (count == 0) return std::nullopt;
  }
  return value;
}

std::optional<int64_t> take_date(std::string_view& text) {
  const bool negative = take(text, '-');
  size_t digits = 0;
  while (digits < text.size() && text[digits] >= '0' && text[digits] <= '9') ++digits;
  if (digits < 4 || digits > 6) return std::nullopt;
  const auto year = take_digits(text, digits);
  if (!year || !take(text, '-')) return std::nullopt;
  const auto month = take_digits(text, 2);
  if (!month || !take(text, '-')) return std::nullopt;
  const auto day = take_digits(text, 2);
  const int signed_year = static_cast<int>(negative ? -*year : *year);
  if (!day || signed_year < -32767 || signed_year > 32767) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year{signed_year},
                                         std::chrono::month{static_cast<unsigned>(*month)},
                                         std::chrono::day{static_cast<unsigned>(*day)}};
  if (!date.ok()) return std::nullopt;
  return std::chrono::sys_days{date}.time_since_epoch().count();
}

}  // namespace

std::string base64_encode(std::string_view bytes) {
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (size_t i = 0; i < bytes.size(); i += 3) {
    uint32_t group = 0;
    const size_t have = std::min<size_t>(3, bytes.size() - i);
    for (size_t k = 0; k < 3; ++k) group = group << 8 | (k < have ? static_cast<uint8_t>(bytes[i + k]) : 0U);
    for (size_t k = 0; k < 4; ++k) out.push_back(k <= have ? kBase64[(group >> (18 - 6 * k)) & 63] : '=');
  }
  return out;
}

std::optional<std::string> base64_decode(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  std::string out;
  for (size_t i = 0; i < text.size(); i += 4) {
    uint32_t group = 0;
    size_t padding = 0;
    for (size_t k = 0; k < 4; ++k) {
      const char c = text[i + k];
      if (c == '=' && i + 4 == text.size() && k >= 2) {
        ++padding;
        group <<= 6;
        continue;
      }
      const char* at = c == '\0' ? nullptr : std::strchr(kBase64, c);
      if (at == nullptr || padding > 0) return std::nullopt;
      group = group << 6 | static_cast<uint32_t>(at - kBase64);
    }
    for (size_t k = 0; k < 3 - padding; ++k) out.push_back(static_cast<char>(group >> (16 - 8 * k)));
  }
  return out;
}

std::string format_date(int64_t days) {
  const std::chrono::year_month_day date{std::chrono::sys_days{std::chrono::days{days}}};
  char text[32];
  const int year = static_cast<int>(date.year());
  std::snprintf(text, sizeof text, "%s%04d-%02u-%02u", year < 0 ? "-" : "", std::abs(year),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
  return text;
}

std::optional<int64_t> parse_date(std::string_view text) {
  const auto days = take_date(text);
  return text.empty() ? days : std::nullopt;
}

std::string format_time(int64_t value, TimeUnit unit) {
  const int64_t per_second = units_per_second(unit);
  const int64_t seconds = value / per_second;
  char text[48];
  std::snprintf(text, sizeof text, "%02d:%02d:%02d", static_cast<int>(seconds / 3600),
                static_cast<int>(seconds / 60 % 60), static_cast<int>(seconds % 60));
  std::string out = text;
  if (const int64_t fraction = value % per_second; fraction != 0) {
    const std::string digits = std::to_string(fraction);
    out += "." + std::string(static_cast<size_t>(fraction_digits(unit)) - digits.size(), '0') + digits;
    while (out.back() == '0') out.pop_back();
  }
  return out;
}

std::optional<int64_t> parse_time(std::string_view text, TimeUnit unit) {
  const auto value = take_time(text, unit);
  return text.empty() ? value : std::nullopt;
}

std::string format_timestamp(int64_t value, TimeUnit unit, bool zoned) {
  const int64_t per_day = 86'400 * units_per_second(unit);
  const int64_t days = floor_div(value, per_day);
  return format_date(days) + "T" + format_time(value - days * per_day, unit) + (zoned ? "Z" : "");
}

std::optional<int64_t> parse_timestamp(std::string_view text, TimeUnit unit, bool zoned) {
  const auto days = take_date(text);
  if (!days || !(take(text, 'T') || take(text, ' '))) return std::nullopt;
  const auto time = take_time(text, unit);
  if (!time) return std::nullopt;
  int64_t offset_seconds = 0;
  if (zoned) {
    if (!take(text, 'Z')) {
      if (text.empty() || (text.front() != '+' && text.front() != '-')) return std::nullopt;
      const int64_t sign = text.front() == '-' ? -1 : 1;
      text.remove_prefix(1);
      const auto hours = take_digits(text, 2);
      if (!hours) return std::nullopt;
      take(text, ':');
      const auto minutes = take_digits(text, 2);
      if (!minutes) return std::nullopt;
      offset_seconds = sign * (*hours * 3600 + *minutes * 60);
    }
  }
  if (!text.empty()) return std::nullopt;
  const Int128 value = static_cast<Int128>(*days) * 86'400 * units_per_second(unit) + *time -
                       static_cast<Int128>(offset_seconds) * units_per_second(unit);
  if (value < INT64_MIN || value > INT64_MAX) return std::nullopt;
  return static_cast<int64_t>(value);
}

std::string format_decimal(const uint8_t* bytes, int32_t scale) {
  Int128 value;
  std::memcpy(&value, bytes, sizeof value);
  const bool negative = value < 0;
  Uint128 rest = negative ? -static_cast<Uint128>(value) : static_cast<Uint128>(value);
  std::string digits;
  do {
    digits.insert(digits.begin(), static_cast<char>('0' + static_cast<int>(rest % 10)));
    rest /= 10;
  } while (rest != 0);
  if (scale < 0) {
    if (digits != "0") digits.append(static_cast<size_t>(-scale), '0');
  } else if (scale > 0) {
    if (digits.size() <= static_cast<size_t>(scale))
      digits.insert(0, static_cast<size_t>(scale) + 1 - digits.size(), '0');
    digits.insert(digits.size() - static_cast<size_t>(scale), ".");
  }
  return negative ? "-" + digits : digits;
}

bool parse_decimal(std::string_view text, int32_t precision, int32_t scale, uint8_t* ret_bytes) {
  const bool negative = take(text, '-');
  if (!negative) take(text, '+');
  Uint128 value = 0;
  int32_t digits = 0;
  int32_t behind = -1;
  bool any = false;
  for (const char c : text) {
    if (c == '.' && behind < 0) {
      behind = 0;
      continue;
    }
    if (c < '0' || c > '9') return false;
    any = true;
    if (behind >= 0 && ++behind > scale) {
      if (c != '0') return false;
      continue;
    }
    if (value != 0 || c != '0') ++digits;
    if (digits > 38) return false;
    value = value * 10 + static_cast<unsigned>(c - '0');
  }
  if (!any) return false;
  for (int32_t i = std::min(std::max(behind, 0), scale); i < scale; ++i) {
    if (value != 0 && ++digits > 38) return false;
    value *= 10;
  }
  if (digits > precision) return false;
  const Int128 result = negative ? -static_cast<Int128>(value) : static_cast<Int128>(value);
  std::memcpy(ret_bytes, &result, sizeof result);
  return true;
}

float half_to_float(uint16_t half) {
  const int exponent = half >> 10 & 31;
  const int mantissa = half & 1023;
  float value;
  if (exponent == 31) {
    value = mantissa == 0 ? INFINITY : NAN;
  } else if (exponent == 0) {
    value = std::ldexp(static_cast<float>(mantissa), -24);
  } else {
    value = std::ldexp(static_cast<float>(mantissa + 1024), exponent - 25);
  }
  return (half & 0x8000) != 0 ? -value : value;
}

uint16_t float_to_half(double value) {
  const uint16_t sign = std::signbit(value) ? 0x8000 : 0;
  if (std::isnan(value)) return static_cast<uint16_t>(sign | 0x7e00);
  const double magnitude = std::fabs(value);
  if (magnitude >= 65520.0) return static_cast<uint16_t>(sign | 0x7c00);
  if (magnitude == 0) return sign;
  int exponent = 0;
  std::frexp(magnitude, &exponent);
  const int shift = std::max(exponent - 11, -24);  // Weight of the last bit that half has here.
  const auto units = static_cast<int>(std::nearbyint(std::ldexp(magnitude, -shift)));
  if (shift == -24) return static_cast<uint16_t>(sign | units);  // Also right where it rounds up to a normal number.
  return static_cast<uint16_t>(sign | (((shift + 24) << 10) + units));
}

}  // namespace clutch::rows
