#include "config/toml.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <sstream>
#include <system_error>

#include "config/keys.h"
#include "config/toml_parser.h"

namespace clutch::host {
namespace {

Status refuse(const std::string& name, const toml::source_region& where, std::string_view why) {
  return Status(CLUTCH_ERR_CONFIG,
                name + ":" + std::to_string(where.begin.line) + ":" + std::to_string(where.begin.column) + ": " +
                    std::string(why),
                CLUTCH_ORIGIN_CONFIG);
}

// A scalar as the text a user would have written in the environment, or nothing for other nodes.
std::optional<std::string> scalar_text(const toml::node& node) {
  if (const auto* text = node.as_string()) return text->get();
  if (const auto* number = node.as_integer()) return std::to_string(number->get());
  if (const auto* truth = node.as_boolean()) return truth->get() ? "true" : "false";
  if (const auto* number = node.as_floating_point()) {
    std::ostringstream out;
    out.imbue(std::locale::classic());
    out.precision(17);
    out << number->get();
    return out.str();
  }
  return std::nullopt;
}

Status flatten(const toml::table& table, const std::string& prefix, const std::string& name,
               std::vector<TomlSetting>& settings) {
  for (const auto& [part, node] : table) {
    const std::string key = prefix + std::string(part.str());
    if (const toml::table* nested = node.as_table()) {
      CLUTCH_RETURN_IF_ERROR(flatten(*nested, key + ".", name, settings));
      continue;
    }
    std::optional<std::string> value = scalar_text(node);
    if (const toml::array* array = node.as_array()) {
      const KeyInfo* info = find_key(key);
      const char separator = info != nullptr && info->type == KeyType::kPathList ? ':' : ',';
      value.emplace();
      for (const toml::node& element : *array) {
        const std::optional<std::string> text = scalar_text(element);
        if (!text) return refuse(name, element.source(), key + ": a list holds text, numbers and truth values only");
        if (text->find(separator) != std::string::npos) {
          return refuse(
              name, element.source(),
              key + ": \"" + *text + "\" holds '" + separator + "', which separates the elements of this list");
        }
        *value += (value->empty() ? "" : std::string(1, separator)) + *text;
      }
    }
    if (!value) return refuse(name, node.source(), key + ": dates and times are not values here; give text in quotes");
    settings.push_back({key, *std::move(value), node.source().begin.line, node.source().begin.column});
  }
  return {};
}

}  // namespace

Result<std::vector<TomlSetting>> read_toml_settings(std::string_view text, const std::string& name) {
  toml::table parsed;
  try {
    parsed = toml::parse(text, name);
  } catch (const toml::parse_error& error) {
    std::string why(error.description());
    // Why: "execution-mode" and "execution-mode.fallback" are both keys, which TOML's dotted keys cannot say.
    if (why.find("redefine") != std::string::npos || why.find("existing") != std::string::npos) {
      why += "; a key whose name continues another key's name must be quoted: \"execution-mode.fallback\" = \"warn\"";
    }
    return refuse(name, error.source(), why);
  }
  std::vector<TomlSetting> settings;
  CLUTCH_RETURN_IF_ERROR(flatten(parsed, "", name, settings));
  std::stable_sort(settings.begin(), settings.end(),
                   [](const TomlSetting& a, const TomlSetting& b) { return a.line < b.line; });
  return settings;
}

Result<std::string> read_text_file(const std::string& path, uint64_t limit) {
  const auto fail = [&](int error) {
    return Status(CLUTCH_ERR_NOT_FOUND, path + ": cannot be read: " + std::generic_category().message(error),
                  CLUTCH_ORIGIN_CONFIG);
  };
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return fail(errno);
  const auto read_all = [&]() -> Result<std::string> {
    struct stat info {};
    if (fstat(fd, &info) != 0) return fail(errno);
    if (!S_ISREG(info.st_mode)) {
      return Status(CLUTCH_ERR_CONFIG, path + ": is not a regular file", CLUTCH_ORIGIN_CONFIG);
    }
    std::string text;
    char buffer[8192];
    while (true) {
      const ssize_t n = read(fd, buffer, sizeof buffer);
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return fail(errno);
      if (n == 0) return text;
      text.append(buffer, static_cast<size_t>(n));
      if (text.size() > limit) {
        return Status(CLUTCH_ERR_CONFIG, path + ": is larger than " + std::to_string(limit) + " bytes",
                      CLUTCH_ORIGIN_CONFIG);
      }
    }
  };
  Result<std::string> result = read_all();
  close(fd);
  return result;
}

}  // namespace clutch::host
