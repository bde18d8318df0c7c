// Text forms of values that neither JSON nor CSV have: dates, times, decimals, base64.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "clutch/columnar/type.h"

namespace clutch::rows {

std::string base64_encode(std::string_view bytes);
std::optional<std::string> base64_decode(std::string_view text);

// "2018-03-11", years 0001 to 9999 and beyond with a sign; days since 1970-01-01.
std::string format_date(int64_t days);
std::optional<int64_t> parse_date(std::string_view text);

// "03:00:00.123": time of day in the unit; digits after the point only where they are not zero.
std::string format_time(int64_t value, columnar::TimeUnit unit);
// Refuses digits that the unit cannot hold.
std::optional<int64_t> parse_time(std::string_view text, columnar::TimeUnit unit);

// "2018-03-11T03:00:00.123", with "Z" behind it if `zoned`.
std::string format_timestamp(int64_t value, columnar::TimeUnit unit, bool zoned);
// Takes "T" or a space in the middle; "Z" or "+01:00" behind it exactly if `zoned`.
std::optional<int64_t> parse_timestamp(std::string_view text, columnar::TimeUnit unit, bool zoned);

// "-12.50" for 128-bit little-endian two's complement.
std::string format_decimal(const uint8_t* bytes, int32_t scale);
// Refuses more digits behind the point than scale, and more digits than precision.
bool parse_decimal(std::string_view text, int32_t precision, int32_t scale, uint8_t* ret_bytes);

float half_to_float(uint16_t half);
// Nearest, ties to even; too large gives infinity.
uint16_t float_to_half(double value);

}  // namespace clutch::rows
