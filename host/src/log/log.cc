#include "log/log.h"

#include <algorithm>
#include <array>
#include <ctime>

#include "config/parse.h"

namespace clutch::host {
namespace {

constexpr std::array<std::string_view, 7> kLevelNames = {
    "trace", "debug", "info", "warn", "error", "host-misbehaving", "plugin-misbehaving",
};

// Sources come from plugins ("process.worker[17]"), so their number has no bound of its own.
constexpr size_t kMaxSources = 1024;

int64_t monotonic_ns() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

std::string withheld_text(uint64_t lines) { return std::to_string(lines) + " lines were withheld by clutch.log.rate"; }

}  // namespace

Logger::Logger(std::unique_ptr<LogSink> sink, LogLimits limits) : sink_(std::move(sink)), limits_(limits) {}

Logger::~Logger() {
  for (const auto& [key, bucket] : buckets_) {
    if (bucket.withheld == 0) continue;
    sink_->write(CLUTCH_LOG_WARN, bucket.source, bucket.function, withheld_text(bucket.withheld));
  }
}

void Logger::write(int32_t level, std::string_view source, std::string_view function, std::string_view text) {
  write_at(monotonic_ns(), level, source, function, text);
}

void Logger::write_at(int64_t now_ns, int32_t level, std::string_view source, std::string_view function,
                      std::string_view text) {
  if (!enabled(level)) return;
  if (limits_.lines_per_second > 0) {
    const int64_t withheld = admit(now_ns, level, source, function);
    if (withheld < 0) return;
    if (withheld > 0) sink_->write(CLUTCH_LOG_WARN, source, function, withheld_text(static_cast<uint64_t>(withheld)));
  }
  sink_->write(level, source, function, text);
}

int64_t Logger::admit(int64_t now_ns, int32_t level, std::string_view source, std::string_view function) {
  // A bucket for the chatter of a source and one for its warnings and errors, told apart by the first character.
  std::string key(1, level >= CLUTCH_LOG_WARN ? '!' : ' ');
  key.append(source).append(1, '\n').append(function);
  const double capacity = std::max<uint32_t>(limits_.burst, 1);

  const std::lock_guard lock(mutex_);
  auto found = buckets_.find(key);
  if (found == buckets_.end()) {
    if (buckets_.size() >= kMaxSources) {
      buckets_.erase(std::min_element(buckets_.begin(), buckets_.end(), [](const auto& a, const auto& b) {
        return a.second.last_ns < b.second.last_ns;
      }));
    }
    found =
        buckets_.emplace(std::move(key), Bucket{std::string(source), std::string(function), capacity, now_ns}).first;
  }
  Bucket& bucket = found->second;
  const double elapsed = static_cast<double>(std::max<int64_t>(now_ns - bucket.last_ns, 0)) / 1e9;
  bucket.tokens = std::min(capacity, bucket.tokens + elapsed * limits_.lines_per_second);
  bucket.last_ns = std::max(now_ns, bucket.last_ns);
  if (bucket.tokens < 1) {
    ++bucket.withheld;
    return -1;
  }
  bucket.tokens -= 1;
  return static_cast<int64_t>(std::exchange(bucket.withheld, 0));
}

size_t Logger::sources() const {
  const std::lock_guard lock(mutex_);
  return buckets_.size();
}

std::string log_level_name(int32_t level) {
  if (level < 0 || level >= static_cast<int32_t>(kLevelNames.size())) return "level " + std::to_string(level);
  return std::string(kLevelNames[static_cast<size_t>(level)]);
}

Result<int32_t> parse_log_level(std::string_view word) {
  CLUTCH_ASSIGN_OR_RETURN(const std::string level, parse_choice(word, "trace|debug|info|warn|error|off"));
  if (level == "off") return CLUTCH_LOG_PLUGIN_MISBEHAVING + 1;
  const auto found = std::find(kLevelNames.begin(), kLevelNames.end(), level);
  return static_cast<int32_t>(found - kLevelNames.begin());
}

}  // namespace clutch::host
