#include "config/configuration.h"

#include <sys/auxv.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <set>

#include "config/parse.h"
#include "config/toml.h"

namespace clutch::host {
namespace {

constexpr uint64_t kLargestFile = 1 << 20;
constexpr std::string_view kPrefix = "CLUTCH_";
constexpr std::string_view kConfigVariable = "CLUTCH_CONFIG";
constexpr std::string_view kJobPrefix = "CLUTCH_JOB_";  // no keys: what `clutch run` tells to the package clutch

std::string setting(std::string_view key, const ConfigValue& value) {
  return std::string(key) + " = \"" + value.value + "\" (" + value.origin + ")";
}

bool is_ours(std::string_view key) { return key.starts_with("python.") || key.starts_with("clutch."); }

// Check one value on its way in, and note what its user should hear.
Status admit(std::string_view key, const ConfigValue& value, std::vector<std::string>& warnings) {
  if (key.empty()) return Status(CLUTCH_ERR_CONFIG, value.origin + ": a key is empty", CLUTCH_ORIGIN_CONFIG);
  const KeyInfo* info = find_key(key);
  if (info == nullptr) {
    if (!is_ours(key)) return {};
    const std::string_view nearest = nearest_key(key);
    warnings.push_back(setting(key, value) + ": unknown key" +
                       (nearest.empty() ? "" : "; did you mean " + std::string(nearest) + "?"));
    return {};
  }
  if (Status status = check_value(*info, value.value); !status.ok()) {
    return Status(CLUTCH_ERR_CONFIG, setting(key, value) + ": " + std::string(status.message()), CLUTCH_ORIGIN_CONFIG);
  }
  if (!info->notice.empty()) {
    warnings.push_back(setting(key, value) + ": has no effect: " + std::string(info->notice));
  }
  return {};
}

// The plainest form of a legal value, so that every plugin reads it without a table of units.
std::string plain(const KeyInfo& info, const std::string& text) {
  switch (info.type) {
    case KeyType::kBool: {
      const Result<bool> truth = parse_bool(text);
      return truth.ok() ? (*truth ? "true" : "false") : text;
    }
    case KeyType::kInteger: {
      const Result<int64_t> number = parse_integer(text);
      return number.ok() ? std::to_string(*number) : text;
    }
    case KeyType::kDuration: {
      const Result<int64_t> ns = parse_duration_ns(text);
      if (!ns.ok()) return text;
      if (*ns % 1'000'000 == 0) return std::to_string(*ns / 1'000'000);
      return *ns % 1'000 == 0 ? std::to_string(*ns / 1'000) + " us" : std::to_string(*ns) + " ns";
    }
    case KeyType::kSize: {
      const Result<int64_t> bytes = parse_size_bytes(text);
      return bytes.ok() ? std::to_string(*bytes) : text;
    }
    case KeyType::kChoice: {
      const Result<std::string> word = parse_choice(text, info.choices);
      return word.ok() ? *word : text;
    }
    case KeyType::kText:
    case KeyType::kList:
    case KeyType::kPathList:
    case KeyType::kMap:
      return text;
  }
  return text;
}

}  // namespace

bool secure_execution() { return getauxval(AT_SECURE) != 0; }

Status Configuration::load_file(const std::string& path) {
  CLUTCH_ASSIGN_OR_RETURN(const std::string text, read_text_file(path, kLargestFile));
  return load_text(text, path);
}

Status Configuration::load_text(std::string_view text, const std::string& name) {
  CLUTCH_ASSIGN_OR_RETURN(std::vector<TomlSetting> settings, read_toml_settings(text, name));
  Layer taken = layer(ConfigSource::kFile);
  std::vector<std::string> warnings;
  for (TomlSetting& setting : settings) {
    ConfigValue value{std::move(setting.value), ConfigSource::kFile, name + ":" + std::to_string(setting.line)};
    CLUTCH_RETURN_IF_ERROR(admit(setting.key, value, warnings));
    taken.insert_or_assign(std::move(setting.key), std::move(value));
  }
  layer(ConfigSource::kFile) = std::move(taken);
  warnings_.insert(warnings_.end(), warnings.begin(), warnings.end());
  return {};
}

Status Configuration::load_environment(const char* const* environment) {
  std::map<std::string, std::string_view> names;
  for (const KeyInfo& info : known_keys()) {
    if (info.type != KeyType::kMap) names.emplace(environment_name(info.name), info.name);
  }
  std::vector<std::string_view> variables;
  variables.reserve(names.size());
  for (const auto& [name, key] : names) variables.push_back(name);

  Configuration next = *this;
  for (; environment != nullptr && *environment != nullptr; ++environment) {
    const std::string_view line = *environment;
    const size_t equals = line.find('=');
    if (equals == std::string_view::npos || !line.starts_with(kPrefix) || line.starts_with(kJobPrefix)) continue;
    const std::string name(line.substr(0, equals));
    ConfigValue value{std::string(line.substr(equals + 1)), ConfigSource::kEnvironment, "environment variable " + name};
    if (name == kConfigVariable) {
      if (value.value.empty()) continue;
      if (Status status = next.load_file(value.value); !status.ok()) return std::move(status).prefixed(value.origin);
      continue;
    }
    const auto found = names.find(name);
    if (found == names.end()) {
      const std::string_view nearest = nearest_word(name, variables);
      next.warnings_.push_back("environment variable " + name + " names no known key" +
                               (nearest.empty() ? "" : "; did you mean " + std::string(nearest) + "?"));
      continue;
    }
    CLUTCH_RETURN_IF_ERROR(admit(found->second, value, next.warnings_));
    next.layer(ConfigSource::kEnvironment).insert_or_assign(std::string(found->second), std::move(value));
  }
  *this = std::move(next);
  return {};
}

Status Configuration::load_process_environment() {
  if (!secure_execution()) return load_environment(environ);
  std::string ignored;
  for (const char* const* variable = environ; variable != nullptr && *variable != nullptr; ++variable) {
    const std::string_view line = *variable;
    if (!line.starts_with(kPrefix)) continue;
    ignored += (ignored.empty() ? "" : ", ") + std::string(line.substr(0, line.find('=')));
  }
  if (!ignored.empty()) {
    warnings_.push_back("environment variables are ignored because this process runs with raised rights: " + ignored);
  }
  return {};
}

Status Configuration::set(std::string_view key, std::string_view value) {
  ConfigValue taken{std::string(value), ConfigSource::kApi, "API"};
  CLUTCH_RETURN_IF_ERROR(admit(key, taken, warnings_));
  layer(ConfigSource::kApi).insert_or_assign(std::string(key), std::move(taken));
  return {};
}

void Configuration::unset(std::string_view key) {
  Layer& values = layer(ConfigSource::kApi);
  if (const auto found = values.find(key); found != values.end()) values.erase(found);
}

Result<Configuration> Configuration::with_function_options(std::string_view function_name,
                                                           const Options& options) const {
  Configuration result = *this;
  for (const auto& [key, text] : options) {
    ConfigValue value{text, ConfigSource::kFunction, "function \"" + std::string(function_name) + "\""};
    CLUTCH_RETURN_IF_ERROR(admit(key, value, result.warnings_));
    result.layer(ConfigSource::kFunction).insert_or_assign(key, std::move(value));
  }
  return result;
}

std::optional<ConfigValue> Configuration::find_in(ConfigSource source, std::string_view key) const {
  if (source == ConfigSource::kDefault) {
    const KeyInfo* info = find_key(key);
    if (info == nullptr || info->default_value.empty() || info->name != key) return std::nullopt;
    return ConfigValue{std::string(info->default_value), ConfigSource::kDefault, "default"};
  }
  const Layer& values = layers_[static_cast<size_t>(source) - 1];
  const auto found = values.find(key);
  if (found == values.end()) return std::nullopt;
  return found->second;
}

std::optional<ConfigValue> Configuration::find(std::string_view key) const {
  for (const ConfigSource source : {ConfigSource::kFunction, ConfigSource::kApi, ConfigSource::kEnvironment,
                                    ConfigSource::kFile, ConfigSource::kDefault}) {
    if (std::optional<ConfigValue> value = find_in(source, key)) return value;
  }
  return std::nullopt;
}

Status Configuration::wrong(std::string_view key, const Status& why) const {
  return Status(CLUTCH_ERR_CONFIG, describe(key) + ": " + std::string(why.message()), CLUTCH_ORIGIN_CONFIG);
}

Result<std::string> Configuration::text(std::string_view key) const {
  std::optional<ConfigValue> value = find(key);
  return value ? std::move(value->value) : std::string();
}

Result<bool> Configuration::boolean(std::string_view key) const {
  const std::optional<ConfigValue> value = find(key);
  if (!value) return false;
  Result<bool> result = parse_bool(value->value);
  return result.ok() ? std::move(result) : wrong(key, result.status());
}

Result<int64_t> Configuration::integer(std::string_view key) const {
  const std::optional<ConfigValue> value = find(key);
  if (!value) return 0;
  Result<int64_t> result = parse_integer(value->value);
  return result.ok() ? std::move(result) : wrong(key, result.status());
}

Result<int64_t> Configuration::duration_ns(std::string_view key) const {
  const std::optional<ConfigValue> value = find(key);
  if (!value) return 0;
  Result<int64_t> result = parse_duration_ns(value->value);
  return result.ok() ? std::move(result) : wrong(key, result.status());
}

Result<int64_t> Configuration::duration_ms(std::string_view key) const {
  CLUTCH_ASSIGN_OR_RETURN(const int64_t ns, duration_ns(key));
  // Rounded up, so that a short time does not become 0, which often means "none".
  return ns / 1'000'000 + (ns % 1'000'000 != 0);
}

Result<int64_t> Configuration::size_bytes(std::string_view key) const {
  const std::optional<ConfigValue> value = find(key);
  if (!value) return 0;
  Result<int64_t> result = parse_size_bytes(value->value);
  return result.ok() ? std::move(result) : wrong(key, result.status());
}

Result<std::string> Configuration::choice(std::string_view key) const {
  const std::optional<ConfigValue> value = find(key);
  const KeyInfo* info = find_key(key);
  if (!value) return std::string();
  if (info == nullptr) return value->value;
  Result<std::string> result = parse_choice(value->value, info->choices);
  return result.ok() ? std::move(result) : wrong(key, result.status());
}

Result<std::vector<std::string>> Configuration::list(std::string_view key) const {
  const std::optional<ConfigValue> value = find(key);
  if (!value) return std::vector<std::string>();
  const KeyInfo* info = find_key(key);
  return split(value->value, info != nullptr && info->type == KeyType::kPathList ? ':' : ',');
}

std::vector<ConfigEntry> Configuration::listing() const {
  std::set<std::string, std::less<>> keys;
  for (const KeyInfo& info : known_keys()) keys.emplace(info.name);
  for (const Layer& values : layers_) {
    for (const auto& [key, value] : values) keys.insert(key);
  }
  std::vector<ConfigEntry> entries;
  entries.reserve(keys.size());
  for (const std::string& key : keys) {
    entries.push_back({key, find(key).value_or(ConfigValue{"", ConfigSource::kDefault, "not set"}), find_key(key)});
  }
  return entries;
}

Options Configuration::effective() const {
  Options options;
  for (ConfigEntry& entry : listing()) {
    if (!has(entry.key)) continue;
    const bool idle = entry.info != nullptr && !entry.info->notice.empty();
    if (idle && entry.value.source == ConfigSource::kDefault) continue;
    std::string value = entry.info != nullptr ? plain(*entry.info, entry.value.value) : std::move(entry.value.value);
    options.emplace_back(std::move(entry.key), std::move(value));
  }
  return options;
}

std::string Configuration::describe(std::string_view key) const {
  const std::optional<ConfigValue> value = find(key);
  return value ? setting(key, *value) : std::string(key) + " (not set)";
}

}  // namespace clutch::host
