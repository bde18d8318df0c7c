// Texts that come from outside as TOML: a plugin's manifest and a configuration file. Whatever stands in them is read
// or refused with a place, and what is read is whole.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "config/toml.h"
#include "plugin/manifest.h"

using namespace clutch;
using namespace clutch::host;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const Result<Manifest> manifest = parse_manifest(text, "/p/plugin.toml"); manifest.ok()) {
    if (manifest->id.empty() || manifest->mode.empty() || manifest->capabilities.empty()) std::abort();
    if (manifest->min_level > manifest->max_level || manifest->library.empty()) std::abort();
    // A library is named inside of its folder.
    if (manifest->library.front() == '/' || manifest->library.find("..") == 0) std::abort();
  } else if (manifest.status().code() != CLUTCH_ERR_CONFIG ||
             manifest.status().message().find("/p/plugin.toml") == std::string_view::npos) {
    std::abort();
  }
  if (const auto settings = read_toml_settings(text, "clutch.toml"); settings.ok()) {
    for (const TomlSetting& setting : *settings) {
      if (setting.key.empty() || setting.line == 0) std::abort();
    }
  } else if (settings.status().message().find("clutch.toml") == std::string_view::npos) {
    std::abort();
  }
  return 0;
}
