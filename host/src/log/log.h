// Where the lines of the host and of its plugins go.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "clutch/clutch.h"
#include "clutch/columnar/result.h"
#include "clutch/ext/log.h"

namespace clutch::host {

// Takes finished lines. `level` is one of CLUTCH_LOG_*. write() comes from every thread, also from several at once; it
// must not throw, and must not call back into the host that logs.
class LogSink {
 public:
  LogSink() = default;
  LogSink(const LogSink&) = delete;
  LogSink& operator=(const LogSink&) = delete;
  virtual ~LogSink() = default;

  // `source` is who speaks ("host", "thread", "stdout"); `function` is the function's name, or empty.
  virtual void write(int32_t level, std::string_view source, std::string_view function, std::string_view text) = 0;
};

// A sink that writes "time level [source] function: text" lines to standard error.
std::unique_ptr<LogSink> make_stderr_sink();

// A sink that hands each line to the application. Lines whose callback threw are counted, and the count is
// told with the next line.
std::unique_ptr<LogSink> make_callback_sink(clutch_app_log_fn callback, void* self);

struct LogLimits {
  int32_t level = CLUTCH_LOG_INFO;   // Lines below are dropped.
  uint32_t lines_per_second = 1000;  // Of one source, over time; 0 = no limit.
  uint32_t burst = 2000;             // Of one source, at once.
};

// Filters by level and limits the rate of each source and function; says how many lines it withheld once a source is
// heard again. Lines of level warn and above are limited too, but never by lines of a lower level. All methods may be
// called from every thread.
class Logger final : public LogSink {
 public:
  explicit Logger(std::unique_ptr<LogSink> sink, LogLimits limits = {});
  ~Logger() override;

  bool enabled(int32_t level) const { return level >= limits_.level; }
  void write(int32_t level, std::string_view source, std::string_view function, std::string_view text) override;

  // As write(), with the clock given (CLOCK_MONOTONIC, nanoseconds), so that the limit can be tested.
  void write_at(int64_t now_ns, int32_t level, std::string_view source, std::string_view function,
                std::string_view text);

  // Sources whose rate is being watched; bounded, however many there are.
  size_t sources() const;

  void debug(std::string_view source, std::string_view text) { write(CLUTCH_LOG_DEBUG, source, {}, text); }
  void info(std::string_view source, std::string_view text) { write(CLUTCH_LOG_INFO, source, {}, text); }
  void warn(std::string_view source, std::string_view text) { write(CLUTCH_LOG_WARN, source, {}, text); }
  void error(std::string_view source, std::string_view text) { write(CLUTCH_LOG_ERROR, source, {}, text); }

 private:
  struct Bucket {
    std::string source;
    std::string function;
    double tokens;
    int64_t last_ns;
    uint64_t withheld = 0;
  };

  // Number of lines withheld before this one, or -1 if this one is to be withheld. Takes mutex_.
  int64_t admit(int64_t now_ns, int32_t level, std::string_view source, std::string_view function);

  const std::unique_ptr<LogSink> sink_;
  const LogLimits limits_;
  mutable std::mutex mutex_;  // Guards buckets_. Never held while sink_ runs.
  std::unordered_map<std::string, Bucket> buckets_;
};

// "trace" .. "error", "host-misbehaving", "plugin-misbehaving"; "level N" for a number outside the list.
std::string log_level_name(int32_t level);

// The level a word of the configuration names, without regard to case: trace, debug, info, warn, error, off.
Result<int32_t> parse_log_level(std::string_view word);

}  // namespace clutch::host
