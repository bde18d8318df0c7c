// TOML files as flat lists of keys, each with its line.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "clutch/columnar/result.h"

namespace clutch::host {

struct TomlSetting {
  std::string key;    // Nested tables joined with '.'.
  std::string value;  // As text; arrays joined with the separator of their key.
  uint32_t line = 0;
  uint32_t column = 0;
};

// Flatten a TOML text in the order of its lines. `name` is the file's, for messages.
Result<std::vector<TomlSetting>> read_toml_settings(std::string_view text, const std::string& name);

// Read a whole file of at most `limit` bytes.
// @return CLUTCH_ERR_NOT_FOUND if it cannot be read, with the system's reason; CLUTCH_ERR_CONFIG if it is too large.
Result<std::string> read_text_file(const std::string& path, uint64_t limit);

}  // namespace clutch::host
