#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <atomic>

#include "log/log.h"

namespace clutch::host {
namespace {

spdlog::level::level_enum spdlog_level(int32_t level) {
  switch (level) {
    case CLUTCH_LOG_TRACE:
      return spdlog::level::trace;
    case CLUTCH_LOG_DEBUG:
      return spdlog::level::debug;
    case CLUTCH_LOG_INFO:
      return spdlog::level::info;
    case CLUTCH_LOG_WARN:
      return spdlog::level::warn;
    case CLUTCH_LOG_ERROR:
      return spdlog::level::err;
    default:
      return spdlog::level::critical;
  }
}

class StderrSink final : public LogSink {
 public:
  // Why: shared_ptr is what spdlog's loggers take; this object is the only owner. The logger is not registered, so two
  // hosts do not meet in spdlog's table.
  StderrSink() : logger_("clutch", std::make_shared<spdlog::sinks::stderr_sink_mt>()) {
    logger_.set_level(spdlog::level::trace);
    logger_.set_pattern("%Y-%m-%d %H:%M:%S.%e %l %v");
    logger_.flush_on(spdlog::level::trace);
  }

  void write(int32_t level, std::string_view source, std::string_view function, std::string_view text) override {
    const std::string_view after_function = function.empty() ? "" : ": ";
    if (level > CLUTCH_LOG_ERROR) {
      logger_.log(spdlog_level(level), "[{}] {}{}{}: {}", source, function, after_function, log_level_name(level),
                  text);
    } else {
      logger_.log(spdlog_level(level), "[{}] {}{}{}", source, function, after_function, text);
    }
  }

 private:
  spdlog::logger logger_;
};

class CallbackSink final : public LogSink {
 public:
  CallbackSink(clutch_app_log_fn callback, void* self) : callback_(callback), self_(self) {}

  void write(int32_t level, std::string_view source, std::string_view function, std::string_view text) override {
    report_lost();
    if (!call(level, source, function, text)) lost_.fetch_add(1, std::memory_order_relaxed);
  }

 private:
  bool call(int32_t level, std::string_view source, std::string_view function, std::string_view text) {
    try {
      const std::string source_text(source);
      const std::string function_text(function);
      callback_(self_, level, source_text.c_str(), function.empty() ? nullptr : function_text.c_str(),
                std::string(text).c_str());
      return true;
    } catch (...) {
      return false;  // Counted by the caller and reported with the next line: there is nowhere else to report it.
    }
  }

  void report_lost() {
    const uint64_t lost = lost_.exchange(0, std::memory_order_relaxed);
    if (lost == 0) return;
    const std::string text = std::to_string(lost) + " lines were lost because the log callback threw";
    if (!call(CLUTCH_LOG_ERROR, "host", {}, text)) lost_.fetch_add(lost, std::memory_order_relaxed);
  }

  const clutch_app_log_fn callback_;
  void* const self_;
  std::atomic<uint64_t> lost_{0};
};

}  // namespace

std::unique_ptr<LogSink> make_stderr_sink() { return std::make_unique<StderrSink>(); }

std::unique_ptr<LogSink> make_callback_sink(clutch_app_log_fn callback, void* self) {
  return std::make_unique<CallbackSink>(callback, self);
}

}  // namespace clutch::host
