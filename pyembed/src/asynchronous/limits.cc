#include <charconv>

#include "asynchronous/async.h"

namespace clutch::pyembed {
namespace {

constexpr char kConcurrent[] = "table.exec.async-scalar.max-concurrent-operations";
constexpr char kTimeout[] = "table.exec.async-scalar.timeout";
constexpr char kStrategy[] = "table.exec.async-scalar.retry-strategy";
constexpr char kDelay[] = "table.exec.async-scalar.retry-delay";
constexpr char kAttempts[] = "table.exec.async-scalar.max-attempts";

Status refuse(std::string_view key, std::string_view value, const std::string& wanted) {
  return Status(CLUTCH_ERR_CONFIG, std::string(key) + " = \"" + std::string(value) + "\" is " + wanted,
                CLUTCH_ORIGIN_CONFIG);
}

Result<int64_t> read_count(const Options& options, std::string_view key, int64_t otherwise) {
  const std::optional<std::string_view> text = find_option(options, key);
  if (!text) return otherwise;
  int64_t number = 0;
  const char* end = text->data() + text->size();
  const auto [stop, error] = std::from_chars(text->data(), end, number);
  if (error != std::errc() || stop != end || number < 1 || number > 1'000'000) {
    return refuse(key, *text, "no count; write a whole number from 1 to 1000000");
  }
  return number;
}

Result<int64_t> read_duration(const Options& options, std::string_view key, int64_t otherwise) {
  const std::optional<std::string_view> text = find_option(options, key);
  return text ? parse_milliseconds(key, *text) : Result<int64_t>(otherwise);
}

}  // namespace

Result<AsyncLimits> AsyncLimits::read(const Options& options) {
  AsyncLimits limits;
  CLUTCH_ASSIGN_OR_RETURN(limits.concurrent, read_count(options, kConcurrent, limits.concurrent));
  CLUTCH_ASSIGN_OR_RETURN(limits.timeout_ms, read_duration(options, kTimeout, limits.timeout_ms));
  CLUTCH_ASSIGN_OR_RETURN(limits.delay_ms, read_duration(options, kDelay, limits.delay_ms));
  CLUTCH_ASSIGN_OR_RETURN(const int64_t attempts, read_count(options, kAttempts, 3));
  if (limits.timeout_ms == 0) return refuse(kTimeout, "0", "no time; write at least 1 ms");
  const std::string_view strategy = find_option(options, kStrategy).value_or("NO_RETRY");
  if (strategy == "FIXED_DELAY") {
    limits.attempts = attempts;
  } else if (strategy != "NO_RETRY") {
    return refuse(kStrategy, strategy, "none of FIXED_DELAY, NO_RETRY");
  }
  return limits;
}

}  // namespace clutch::pyembed
