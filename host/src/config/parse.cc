#include "config/parse.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <optional>

namespace clutch::host {
namespace {

struct Unit {
  std::string_view name;
  int64_t factor;
};

constexpr int64_t kMicrosecond = 1'000;
constexpr int64_t kMillisecond = 1'000'000;
constexpr int64_t kSecond = 1'000'000'000;

constexpr std::array<Unit, 21> kDurationUnits = {{
    {"", kMillisecond},
    {"ns", 1},
    {"nanos", 1},
    {"us", kMicrosecond},
    {"micros", kMicrosecond},
    {"ms", kMillisecond},
    {"milli", kMillisecond},
    {"millis", kMillisecond},
    {"s", kSecond},
    {"sec", kSecond},
    {"second", kSecond},
    {"seconds", kSecond},
    {"m", 60 * kSecond},
    {"min", 60 * kSecond},
    {"minute", 60 * kSecond},
    {"minutes", 60 * kSecond},
    {"h", 3600 * kSecond},
    {"hour", 3600 * kSecond},
    {"hours", 3600 * kSecond},
    {"d", 86400 * kSecond},
    {"days", 86400 * kSecond},
}};

constexpr std::array<Unit, 15> kSizeUnits = {{
    {"", 1},
    {"b", 1},
    {"bytes", 1},
    {"k", int64_t{1} << 10},
    {"kb", int64_t{1} << 10},
    {"kib", int64_t{1} << 10},
    {"m", int64_t{1} << 20},
    {"mb", int64_t{1} << 20},
    {"mib", int64_t{1} << 20},
    {"g", int64_t{1} << 30},
    {"gb", int64_t{1} << 30},
    {"gib", int64_t{1} << 30},
    {"t", int64_t{1} << 40},
    {"tb", int64_t{1} << 40},
    {"tib", int64_t{1} << 40},
}};

Status illegal(std::string message) { return Status(CLUTCH_ERR_CONFIG, std::move(message), CLUTCH_ORIGIN_CONFIG); }

// A whole number from 0 followed by a unit, with or without a space between.
Result<int64_t> parse_quantity(std::string_view text, std::span<const Unit> units, const char* expected) {
  text = trim(text);
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc::invalid_argument) return illegal(expected);
  const std::string_view unit_text = trim(text.substr(static_cast<size_t>(end - text.data())));
  const auto unit = std::find_if(units.begin(), units.end(),
                                 [&](const Unit& candidate) { return equal_ignoring_case(candidate.name, unit_text); });
  if (unit == units.end()) return illegal(expected);
  const auto limit = static_cast<uint64_t>(std::numeric_limits<int64_t>::max() / unit->factor);
  if (error == std::errc::result_out_of_range || number > limit) return illegal("too large for 64 bits");
  return static_cast<int64_t>(number) * unit->factor;
}

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

Status check_range(const KeyInfo& info, int64_t value) {
  if (value >= info.min && value <= info.max) return {};
  const std::string unit = info.unit.empty() ? "" : " " + std::string(info.unit);
  if (info.max == std::numeric_limits<int64_t>::max()) {
    return illegal("out of range; legal is " + std::to_string(info.min) + unit + " or more");
  }
  return illegal("out of range; legal is " + std::to_string(info.min) + " to " + std::to_string(info.max) + unit);
}

}  // namespace

std::string_view trim(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const size_t first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

std::string to_lower(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(), lower);
  return result;
}

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) { return lower(x) == lower(y); });
}

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  while (true) {
    const size_t end = text.find(separator);
    if (const std::string_view part = trim(text.substr(0, end)); !part.empty()) parts.emplace_back(part);
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

bool glob_match(std::string_view pattern, std::string_view text) {
  size_t p = 0;
  size_t t = 0;
  std::optional<std::pair<size_t, size_t>> retry;  // Where the last star stands, and what it has taken so far.
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      retry = {++p, t};
    } else if (p < pattern.size() && (pattern[p] == '?' || lower(pattern[p]) == lower(text[t]))) {
      ++p;
      ++t;
    } else if (retry) {
      p = retry->first;
      t = ++retry->second;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', p) == std::string_view::npos;
}

Result<bool> parse_bool(std::string_view text) {
  text = trim(text);
  for (const std::string_view word : {"true", "yes", "on", "1"}) {
    if (equal_ignoring_case(text, word)) return true;
  }
  for (const std::string_view word : {"false", "no", "off", "0"}) {
    if (equal_ignoring_case(text, word)) return false;
  }
  return illegal("not a truth value; legal are true and false");
}

Result<int64_t> parse_integer(std::string_view text) {
  text = trim(text);
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc::result_out_of_range) return illegal("too large for 64 bits");
  if (error != std::errc() || end != text.data() + text.size()) return illegal("not a whole number");
  return number;
}

Result<int64_t> parse_duration_ns(std::string_view text) {
  return parse_quantity(text, kDurationUnits,
                        "not a duration; give whole milliseconds, or a whole number with a unit (ns, us, ms, s, min, "
                        "h, d) such as \"10 ms\"");
}

Result<int64_t> parse_size_bytes(std::string_view text) {
  return parse_quantity(text, kSizeUnits,
                        "not a size; give whole bytes, or a whole number with a unit (b, kb, mb, gb, tb) such as "
                        "\"64 mb\"");
}

Result<std::string> parse_choice(std::string_view text, std::string_view choices) {
  text = trim(text);
  std::string legal;
  for (const std::string& word : split(choices, '|')) {
    if (equal_ignoring_case(text, word)) return word;
    legal += (legal.empty() ? "" : ", ") + word;
  }
  return illegal("not a legal value; legal are " + legal);
}

Status check_value(const KeyInfo& info, std::string_view text) {
  if (text.find('\0') != std::string_view::npos) return illegal("holds a zero byte");
  switch (info.type) {
    case KeyType::kBool:
      return parse_bool(text).status();
    case KeyType::kInteger: {
      CLUTCH_ASSIGN_OR_RETURN(const int64_t number, parse_integer(text));
      return check_range(info, number);
    }
    case KeyType::kDuration: {
      CLUTCH_ASSIGN_OR_RETURN(const int64_t ns, parse_duration_ns(text));
      return check_range(info, ns / kMillisecond + (ns % kMillisecond != 0));
    }
    case KeyType::kSize: {
      CLUTCH_ASSIGN_OR_RETURN(const int64_t bytes, parse_size_bytes(text));
      return check_range(info, bytes);
    }
    case KeyType::kChoice:
      return parse_choice(text, info.choices).status();
    case KeyType::kText:
    case KeyType::kList:
    case KeyType::kPathList:
    case KeyType::kMap:
      return {};
  }
  return {};
}

}  // namespace clutch::host
