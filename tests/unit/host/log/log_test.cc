#include "log/log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>
#include <thread>
#include <tuple>
#include <vector>

namespace clutch::host {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr int64_t kSecond = 1'000'000'000;

using Line = std::tuple<int32_t, std::string, std::string>;

class Collector final : public LogSink {
 public:
  explicit Collector(std::vector<Line>& lines) : lines_(lines) {}
  void write(int32_t level, std::string_view source, std::string_view, std::string_view text) override {
    lines_.emplace_back(level, source, text);
  }

 private:
  std::vector<Line>& lines_;
};

TEST(Logger, DropsLinesBelowItsLevel) {
  std::vector<Line> lines;
  Logger logger(std::make_unique<Collector>(lines), {.level = CLUTCH_LOG_WARN});
  logger.info("host", "quiet");
  logger.warn("host", "loud");
  EXPECT_FALSE(logger.enabled(CLUTCH_LOG_INFO));
  EXPECT_THAT(lines, ElementsAre(Line{CLUTCH_LOG_WARN, "host", "loud"}));
}

TEST(Logger, WithholdsAChattySourceAndTellsHowMuch) {
  std::vector<Line> lines;
  Logger logger(std::make_unique<Collector>(lines), {.level = CLUTCH_LOG_INFO, .lines_per_second = 1, .burst = 2});
  for (int i = 0; i < 5; ++i) logger.write_at(kSecond, CLUTCH_LOG_INFO, "stdout", {}, "line " + std::to_string(i));
  logger.write_at(kSecond, CLUTCH_LOG_INFO, "other", {}, "not limited by stdout");
  logger.write_at(kSecond, CLUTCH_LOG_ERROR, "stdout", {}, "errors are not drowned by chatter");
  logger.write_at(2 * kSecond, CLUTCH_LOG_INFO, "stdout", {}, "again");
  EXPECT_THAT(lines, ElementsAre(Line{CLUTCH_LOG_INFO, "stdout", "line 0"}, Line{CLUTCH_LOG_INFO, "stdout", "line 1"},
                                 Line{CLUTCH_LOG_INFO, "other", "not limited by stdout"},
                                 Line{CLUTCH_LOG_ERROR, "stdout", "errors are not drowned by chatter"},
                                 Line{CLUTCH_LOG_WARN, "stdout", "3 lines were withheld by clutch.log.rate"},
                                 Line{CLUTCH_LOG_INFO, "stdout", "again"}));
}

TEST(Logger, TellsAtTheEndWhatItStillWithholds) {
  std::vector<Line> lines;
  {
    Logger logger(std::make_unique<Collector>(lines), {.level = CLUTCH_LOG_INFO, .lines_per_second = 1, .burst = 1});
    for (int i = 0; i < 4; ++i) logger.write_at(kSecond, CLUTCH_LOG_INFO, "stdout", {}, "x");
  }
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines[1], (Line{CLUTCH_LOG_WARN, "stdout", "3 lines were withheld by clutch.log.rate"}));
}

TEST(Logger, RateZeroSetsNoLimit) {
  std::vector<Line> lines;
  Logger logger(std::make_unique<Collector>(lines), {.level = CLUTCH_LOG_INFO, .lines_per_second = 0, .burst = 1});
  for (int i = 0; i < 100; ++i) logger.write_at(kSecond, CLUTCH_LOG_INFO, "stdout", {}, "x");
  EXPECT_EQ(lines.size(), 100u);
}

TEST(Logger, KeepsBoundedMemoryForManySources) {
  std::vector<Line> lines;
  Logger logger(std::make_unique<Collector>(lines), {.level = CLUTCH_LOG_INFO, .lines_per_second = 1, .burst = 1});
  for (int i = 0; i < 5000; ++i) logger.write_at(i, CLUTCH_LOG_INFO, "worker[" + std::to_string(i) + "]", {}, "x");
  EXPECT_EQ(lines.size(), 5000u);
  EXPECT_LE(logger.sources(), 1024u);
}

TEST(CallbackSink, CountsLinesWhoseCallbackThrew) {
  struct Application {
    bool broken = true;
    std::vector<std::string> texts;
  } application;
  const auto callback = [](void* self, int32_t, const char*, const char* function, const char* text) {
    auto& target = *static_cast<Application*>(self);
    if (target.broken) throw std::runtime_error("disk full");
    target.texts.push_back(std::string(function == nullptr ? "" : function) + "|" + text);
  };
  const auto sink = make_callback_sink(callback, &application);
  sink->write(CLUTCH_LOG_INFO, "host", {}, "one");
  sink->write(CLUTCH_LOG_INFO, "host", {}, "two");
  application.broken = false;
  sink->write(CLUTCH_LOG_INFO, "stdout", "f", "three");
  EXPECT_THAT(application.texts, ElementsAre("|2 lines were lost because the log callback threw", "f|three"));
}

TEST(StderrSink, WritesLevelSourceAndText) {
  testing::internal::CaptureStderr();
  make_stderr_sink()->write(CLUTCH_LOG_WARN, "process.worker[1]", "f", "gone {}");
  make_stderr_sink()->write(CLUTCH_LOG_PLUGIN_MISBEHAVING, "thread", {}, "emitted twice");
  const std::string text = testing::internal::GetCapturedStderr();
  EXPECT_THAT(text, HasSubstr(" warning [process.worker[1]] f: gone {}\n"));
  EXPECT_THAT(text, HasSubstr(" critical [thread] plugin-misbehaving: emitted twice\n"));
}

TEST(LogLevel, IsAWordWithoutRegardToCase) {
  EXPECT_EQ(*parse_log_level("Warn"), CLUTCH_LOG_WARN);
  EXPECT_GT(*parse_log_level("off"), CLUTCH_LOG_PLUGIN_MISBEHAVING);
  EXPECT_EQ(parse_log_level("loud").status().message(),
            "not a legal value; legal are trace, debug, info, warn, error, off");
  EXPECT_EQ(log_level_name(CLUTCH_LOG_HOST_MISBEHAVING), "host-misbehaving");
  EXPECT_EQ(log_level_name(42), "level 42");
}

TEST(Logger, ServesSeveralThreads) {
  std::vector<Line> lines;
  std::mutex mutex;
  class Locked final : public LogSink {
   public:
    Locked(std::vector<Line>& lines, std::mutex& mutex) : lines_(lines), mutex_(mutex) {}
    void write(int32_t level, std::string_view source, std::string_view, std::string_view text) override {
      const std::lock_guard lock(mutex_);
      lines_.emplace_back(level, source, text);
    }

   private:
    std::vector<Line>& lines_;
    std::mutex& mutex_;
  };
  {
    Logger logger(std::make_unique<Locked>(lines, mutex), {});
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&logger] {
        for (int i = 0; i < 100; ++i) logger.info("shared", "x");
      });
    }
    for (std::thread& thread : threads) thread.join();
  }
  EXPECT_EQ(lines.size(), 400u);
}

}  // namespace
}  // namespace clutch::host
