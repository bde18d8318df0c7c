// Text of a configuration value to what it means. Each failure says what was expected, not which key it was for.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "clutch/columnar/result.h"
#include "config/keys.h"

namespace clutch::host {

Result<bool> parse_bool(std::string_view text);
Result<int64_t> parse_integer(std::string_view text);
Result<int64_t> parse_duration_ns(std::string_view text);                           // A bare number is milliseconds.
Result<int64_t> parse_size_bytes(std::string_view text);                            // A bare number is bytes.
Result<std::string> parse_choice(std::string_view text, std::string_view choices);  // choices: "warn|forbid|allow"

// Check a value against the type and range of its key.
Status check_value(const KeyInfo& info, std::string_view text);

std::string_view trim(std::string_view text);
std::string to_lower(std::string_view text);  // ASCII
bool equal_ignoring_case(std::string_view a, std::string_view b);
std::vector<std::string> split(std::string_view text, char separator);  // Trimmed, empty ones left out.

// Shell pattern with * and ?, over the whole text, without regard to case.
bool glob_match(std::string_view pattern, std::string_view text);

}  // namespace clutch::host
