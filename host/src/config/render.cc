#include "config/render.h"

#include <nlohmann/json.hpp>

#include "config/parse.h"

namespace clutch::host {
namespace {

constexpr std::string_view kIntroduction =
    R"(# Configuration

<!-- Rendered from the key table in host/src/config/keys.cc by `ninja docs-configuration`; do not edit. -->

A value comes from the first of these that has one:

1. the options of a function, for that function alone;
2. the application, through the API or `-D key=value` of the command;
3. the environment: `CLUTCH_` and the key in upper case, with `.` and `-` as `_` (`CLUTCH_PYTHON_EXECUTION_MODE`); keys that
   begin with `clutch.` leave that word out (`CLUTCH_PLUGIN_PATH`). A process with raised rights ignores the environment;
4. a TOML file, named by the application or by `CLUTCH_CONFIG`. Nested tables are joined with `.`; a key whose name
   continues another key's name is quoted: `"execution-mode.fallback" = "forbid"` under `[python]`;
5. the default.

A wrong value is refused with key, value, origin and what is legal. An unknown `python.*` or `clutch.*` key is kept, handed
to the plugin, and warned about with the nearest known name. Other keys belong to plugins and are handed on as they are.

Types: *duration* is whole milliseconds or a whole number with `ns`, `us`, `ms`, `s`, `min`, `h`, `d`; *size* is whole bytes or
a whole number with `kb`, `mb`, `gb`, `tb` (powers of 1024); *list* is separated by commas, *paths* by colons (in TOML both
may be arrays); *choice* is one of the words given, without regard to case.
)";

std::string cell(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (c == '|') result += '\\';
    result += c;
  }
  return result;
}

std::string type_cell(const KeyInfo& info) {
  if (info.type != KeyType::kChoice) return std::string(key_type_name(info.type));
  std::string words;
  for (const std::string& word : split(info.choices, '|')) words += (words.empty() ? "`" : ", `") + word + "`";
  return words;
}

std::string range_cell(const KeyInfo& info) {
  constexpr int64_t kHuge = int64_t{1} << 40;  // Bounds that only keep arithmetic from overflowing are not news.
  if (info.type != KeyType::kInteger && info.type != KeyType::kDuration && info.type != KeyType::kSize) return "";
  if (info.max > kHuge) return std::to_string(info.min) + " or more";
  return std::to_string(info.min) + " to " + std::to_string(info.max);
}

void render_rows(std::string& text, bool with_effect) {
  for (const KeyInfo& info : known_keys()) {
    if (info.notice.empty() != with_effect) continue;
    const std::string shown = info.default_value.empty() ? "" : "`" + cell(info.default_value) + "`";
    if (with_effect) {
      std::string range = range_cell(info);
      if (!range.empty() && !info.unit.empty()) range += " " + std::string(info.unit);
      text += "| `" + std::string(info.name) + "` | " + type_cell(info) + " | " + shown + " | " + range + " | " +
              cell(info.doc) + " |\n";
    } else {
      text +=
          "| `" + std::string(info.name) + "` | " + shown + " | " + cell(info.doc) + " | " + cell(info.notice) + " |\n";
    }
  }
}

bool shown(const ConfigEntry& entry, bool all) { return all || entry.value.source != ConfigSource::kDefault; }

}  // namespace

std::string render_key_table_markdown() {
  std::string text(kIntroduction);
  text += "\n## Keys\n\n| key | type | default | legal | meaning |\n| --- | --- | --- | --- | --- |\n";
  render_rows(text, true);
  text +=
      "\n## Keys of PyFlink that have no effect here\n\nThey are accepted, so that a configuration can be taken over "
      "as it "
      "is; setting one logs why it does nothing.\n\n| key | PyFlink's default | there | here |\n| --- | --- | --- | "
      "--- "
      "|\n";
  render_rows(text, false);
  return text;
}

std::string render_configuration_text(const Configuration& configuration, bool all) {
  std::string text;
  for (const ConfigEntry& entry : configuration.listing()) {
    if (!shown(entry, all)) continue;
    text += entry.key + " = " +
            nlohmann::json(entry.value.value).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "  # " +
            entry.value.origin;
    if (entry.info == nullptr) text += "; not a key of Clutch";
    if (entry.info != nullptr && !entry.info->notice.empty()) text += "; no effect: " + std::string(entry.info->notice);
    text += "\n";
  }
  return text;
}

std::string render_configuration_json(const Configuration& configuration, bool all) {
  nlohmann::ordered_json entries = nlohmann::ordered_json::array();
  for (const ConfigEntry& entry : configuration.listing()) {
    if (!shown(entry, all)) continue;
    nlohmann::ordered_json line = {{"key", entry.key}, {"value", entry.value.value}, {"origin", entry.value.origin}};
    if (entry.info != nullptr) {
      line["type"] = key_type_name(entry.info->type);
      line["doc"] = entry.info->doc;
      if (!entry.info->notice.empty()) line["notice"] = entry.info->notice;
    }
    entries.push_back(line);
  }
  return entries.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace clutch::host
