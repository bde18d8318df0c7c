#include "supervisor/options.h"

#include <cctype>
#include <charconv>

namespace clutch::pyproc {
namespace {

Status illegal(std::string_view key, std::string_view value, std::string_view takes) {
  return {CLUTCH_ERR_CONFIG,
          std::string(key) + " has the value '" + std::string(value) + "'; it takes " + std::string(takes),
          CLUTCH_ORIGIN_CONFIG};
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.front())) != 0) text.remove_prefix(1);
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back())) != 0) text.remove_suffix(1);
  return text;
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

// A number and the word behind it. False if there is no number in front.
bool split_number(std::string_view text, uint64_t& number, std::string& unit) {
  text = trimmed(text);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end == text.data()) return false;
  unit = lower(trimmed(text.substr(static_cast<size_t>(end - text.data()))));
  return true;
}

struct Unit {
  std::string_view name;
  uint64_t factor;
};

template <size_t N>
bool scale(const Unit (&units)[N], std::string_view unit, uint64_t& number) {
  for (const Unit& known : units) {
    if (known.name != unit) continue;
    return !__builtin_mul_overflow(number, known.factor, &number) && number <= (uint64_t{1} << 62);
  }
  return false;
}

Result<uint32_t> parse_count(std::string_view key, std::string_view text, uint32_t min, uint32_t max) {
  uint64_t number = 0;
  std::string unit;
  if (!split_number(text, number, unit) || !unit.empty() || number < min || number > max) {
    return illegal(key, text, "a whole number from " + std::to_string(min) + " to " + std::to_string(max));
  }
  return static_cast<uint32_t>(number);
}

Status read_one(PoolOptions& out, std::string_view key, std::string_view value) {
  if (key == "python.process.workers") {
    CLUTCH_ASSIGN_OR_RETURN(out.workers, parse_count(key, value, 1, 256));
  } else if (key == "python.process.depth") {
    CLUTCH_ASSIGN_OR_RETURN(out.depth, parse_count(key, value, 1, 3));
  } else if (key == "python.process.spares") {
    CLUTCH_ASSIGN_OR_RETURN(out.spares, parse_count(key, value, 0, 8));
  } else if (key == "python.process.retries") {
    CLUTCH_ASSIGN_OR_RETURN(out.retries, parse_count(key, value, 0, 100));
  } else if (key == "python.process.start-timeout") {
    CLUTCH_ASSIGN_OR_RETURN(out.start_timeout_ms, parse_duration_ms(key, value));
    if (out.start_timeout_ms == 0) return illegal(key, value, "a duration above 0, for example 20 s");
  } else if (key == "python.process.batch-timeout") {
    CLUTCH_ASSIGN_OR_RETURN(out.batch_timeout_ms, parse_duration_ms(key, value));
  } else if (key == "python.process.memory-limit") {
    CLUTCH_ASSIGN_OR_RETURN(out.memory_limit, parse_bytes(key, value));
  } else if (key == "python.process.sandbox") {
    const std::string word = lower(trimmed(value));
    if (word != "auto" && word != "off" && word != "require") return illegal(key, value, "auto, off or require");
    out.sandbox = word == "auto" ? Sandbox::kAuto : word == "off" ? Sandbox::kOff : Sandbox::kRequire;
  } else if (key == "python.process.launcher") {
    if (!value.empty() && value.front() != '/') return illegal(key, value, "an absolute path");
    out.launcher = value;
  }
  return {};
}

}  // namespace

Result<int64_t> parse_duration_ms(std::string_view key, std::string_view text) {
  static constexpr Unit kUnits[] = {{"", 1},        {"ms", 1},         {"milli", 1},      {"millis", 1},
                                    {"s", 1000},    {"sec", 1000},     {"second", 1000},  {"seconds", 1000},
                                    {"min", 60000}, {"m", 60000},      {"minute", 60000}, {"minutes", 60000},
                                    {"h", 3600000}, {"hour", 3600000}, {"hours", 3600000}};
  uint64_t number = 0;
  std::string unit;
  if (!split_number(text, number, unit) || !scale(kUnits, unit, number) || number > uint64_t{1} << 40) {
    return illegal(key, text, "whole milliseconds or a number with ms, s, min or h, for example 20 s");
  }
  return static_cast<int64_t>(number);
}

Result<uint64_t> parse_bytes(std::string_view key, std::string_view text) {
  static constexpr Unit kUnits[] = {{"", 1},           {"b", 1},           {"bytes", 1},       {"k", 1 << 10},
                                    {"kb", 1 << 10},   {"kib", 1 << 10},   {"m", 1 << 20},     {"mb", 1 << 20},
                                    {"mib", 1 << 20},  {"g", 1 << 30},     {"gb", 1 << 30},    {"gib", 1 << 30},
                                    {"t", 1ull << 40}, {"tb", 1ull << 40}, {"tib", 1ull << 40}};
  uint64_t number = 0;
  std::string unit;
  if (!split_number(text, number, unit) || !scale(kUnits, unit, number)) {
    return illegal(key, text, "a number of bytes, for example 512 MiB; 0 means no limit");
  }
  return number;
}

Result<PoolOptions> read_pool_options(const clutch_options& options) {
  PoolOptions out;
  out.all.reserve(options.count);
  for (uint64_t i = 0; i < options.count; ++i) {
    const std::string_view key(options.data[i].key.data, options.data[i].key.size);
    const std::string_view value(options.data[i].value.data, options.data[i].value.size);
    out.all.emplace_back(key, value);
    CLUTCH_RETURN_IF_ERROR(read_one(out, key, value));
  }
  return out;
}

}  // namespace clutch::pyproc
