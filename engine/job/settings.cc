#include "job/settings.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>

namespace clutch::engine {
namespace {

constexpr std::string_view kConfiguration = "configuration";

struct Unit {
  std::string_view name;
  int64_t factor;
};
constexpr std::array kTimes = {Unit{"ms", 1}, Unit{"s", 1000}, Unit{"min", 60'000}, Unit{"h", 3'600'000},
                               Unit{"d", 86'400'000}};
constexpr std::array kSizes = {Unit{"b", 1}, Unit{"kb", 1 << 10}, Unit{"mb", 1 << 20}, Unit{"gb", 1 << 30}};

// A whole number with a unit behind it, or without one.
template <size_t kCount>
std::optional<int64_t> measured(std::string text, const std::array<Unit, kCount>& units) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
  int64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || number < 0) return std::nullopt;
  std::string_view unit(rest, static_cast<size_t>(end - rest));
  while (!unit.empty() && unit.front() == ' ') unit.remove_prefix(1);
  if (unit.empty()) return number;
  for (const Unit& known : units) {
    int64_t product = 0;
    if (unit == known.name && !__builtin_mul_overflow(number, known.factor, &product)) return product;
  }
  return std::nullopt;
}

struct Reader {
  Members& members;
  const std::string& key;
  const std::string& value;

  void wrong(std::string_view wanted) const {
    members.fail(kConfiguration, key + " must be " + std::string(wanted) + ", and is \"" + value + "\"");
  }
  void time(int64_t& out, int64_t low) const {
    const std::optional<int64_t> read = measured(value, kTimes);
    if (read.has_value() && *read >= low) {
      out = *read;
    } else {
      wrong(low > 0 ? "a time such as \"200 ms\", more than 0" : "a time such as \"200 ms\"");
    }
  }
  void size(int64_t& out) const {
    const std::optional<int64_t> read = measured(value, kSizes);
    if (read.value_or(0) > 0) {
      out = *read;
    } else {
      wrong("a size such as \"4 mb\", more than 0");
    }
  }
  void count(int64_t& out) const {
    const std::optional<int64_t> read = measured(value, std::array<Unit, 0>());
    if (read.value_or(0) > 0 && *read <= 1 << 24) {
      out = *read;
    } else {
      wrong("a number of rows from 1 to 16777216");
    }
  }
  void boolean(bool& out) const {
    if (value != "true" && value != "false") return wrong("true or false");
    out = value == "true";
  }
};

// True if the key is the engine's alone.
bool take(const Reader& reader, EngineSettings& settings) {
  const std::string& key = reader.key;
  if (key == "pipeline.auto-watermark-interval") return reader.time(settings.watermark_interval_ms, 0), true;
  if (key == "execution.buffer-timeout") return reader.time(settings.buffer_timeout_ms, 0), true;
  if (key == "clutch.engine.batch-rows") return reader.count(settings.batch_rows), true;
  if (key == "clutch.engine.channel-bytes") return reader.size(settings.channel_bytes), true;
  if (key == "clutch.engine.feedback-bytes") return reader.size(settings.feedback_bytes), true;
  if (key == "pipeline.operator-chaining.enabled") return reader.boolean(settings.chaining), true;
  if (key == "python.operator-chaining.enabled") return reader.boolean(settings.python_chaining), true;
  return false;
}

}  // namespace

void read_settings(Members& members, JobDescription& job) {
  for (auto& [key, value] : members.texts(kConfiguration)) {
    if (take(Reader{members, key, value}, job.settings)) continue;
    if (key.rfind("clutch.engine.", 0) == 0) {
      members.fail(
          kConfiguration,
          "the engine has no key \"" + key +
              "\"; it has clutch.engine.batch-rows, clutch.engine.channel-bytes and clutch.engine.feedback-bytes");
    }
    job.configuration.emplace_back(key, value);
  }
}

}  // namespace clutch::engine
