// The configuration of one host: flat keys with text values, each of which knows where it came from.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "clutch/columnar/result.h"
#include "config/keys.h"

namespace clutch::host {

using Options = std::vector<std::pair<std::string, std::string>>;

// Where a value comes from. A later source hides an earlier one, in whichever order they were read.
enum class ConfigSource { kDefault, kFile, kEnvironment, kApi, kFunction };

struct ConfigValue {
  std::string value;
  ConfigSource source = ConfigSource::kDefault;
  std::string
      origin;  // "default", "/etc/clutch.toml:3", "environment variable CLUTCH_LOG_LEVEL", "API", "function \"f\""
};

struct ConfigEntry {
  std::string key;
  ConfigValue value;
  const KeyInfo* info = nullptr;  // nullptr: not a known key.
};

// A value type: copies are independent, const methods may run at the same time, others need the object alone.
class Configuration {
 public:
  Configuration() = default;

  // Read a TOML file. Nested tables are joined with '.'. All or nothing: on an error no value of the file is taken.
  // @return CLUTCH_ERR_NOT_FOUND; CLUTCH_ERR_CONFIG with "path:line:column: why".
  Status load_file(const std::string& path);

  // As load_file, from text. `name` stands for the path in messages and origins.
  Status load_text(std::string_view text, const std::string& name);

  // Take the CLUTCH_* variables of a null-terminated environment block: environment_name(key) gives the variable of
  // each known key. CLUTCH_CONFIG names a TOML file, which is loaded as by load_file. Other CLUTCH_* variables are
  // warned about. All or nothing.
  Status load_environment(const char* const* environment);

  // load_environment of this process. Under secure execution (AT_SECURE) nothing is taken, with a warning if there
  // was something to take.
  Status load_process_environment();

  // Set by the application. An empty value is a value; see unset.
  Status set(std::string_view key, std::string_view value);
  void unset(std::string_view key);  // Of the application's own values only.

  // This configuration with the options of one function on top; their origin is `function "NAME"`. New
  // warnings stand behind those of this one.
  Result<Configuration> with_function_options(std::string_view function_name, const Options& options) const;

  // The value that holds: set by somebody, else the default of a known key, else none.
  bool has(std::string_view key) const { return find(key).has_value(); }
  std::optional<ConfigValue> find(std::string_view key) const;

  // What one source says, whether it holds or not.
  std::optional<ConfigValue> find_in(ConfigSource source, std::string_view key) const;

  // Typed reading. The value is checked again, with the same sentences as when it was set. A key without value gives
  // the type's zero ("" / 0 / false).
  Result<std::string> text(std::string_view key) const;
  Result<bool> boolean(std::string_view key) const;
  Result<int64_t> integer(std::string_view key) const;
  Result<int64_t> duration_ms(std::string_view key) const;
  Result<int64_t> duration_ns(std::string_view key) const;
  Result<int64_t> size_bytes(std::string_view key) const;
  Result<std::string> choice(std::string_view key) const;             // In the spelling of the key table.
  Result<std::vector<std::string>> list(std::string_view key) const;  // Trimmed, empty ones left out.

  // What plugins get: every key that has a value, also unknown ones; without the defaults of keys that have no effect
  // here. Sorted by key. Values of known keys are in their plainest form: durations as whole milliseconds (with a unit
  // only below one), sizes as bytes, truth values as true and false, choices in the spelling of the key table.
  Options effective() const;

  // Every known key and every key that was set, sorted, with origins: for `clutch config`.
  std::vector<ConfigEntry> listing() const;

  // What a user should hear, in the order noticed: unknown keys with the nearest known name, keys without effect,
  // ignored variables.
  const std::vector<std::string>& warnings() const { return warnings_; }

  // "KEY = "VALUE" (ORIGIN)": how messages name a setting.
  std::string describe(std::string_view key) const;

 private:
  using Layer = std::map<std::string, ConfigValue, std::less<>>;

  Layer& layer(ConfigSource source) { return layers_[static_cast<size_t>(source) - 1]; }
  Status wrong(std::string_view key, const Status& why) const;

  std::array<Layer, 4> layers_;  // kFile .. kFunction
  std::vector<std::string> warnings_;
};

// True if this process runs with more rights than its caller (AT_SECURE): environment and user folders are not trusted.
bool secure_execution();

}  // namespace clutch::host
