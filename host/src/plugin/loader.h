// Brings a plugin into the process and checks that it is what its manifest says.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "clutch/abi.h"
#include "plugin/manifest.h"

namespace clutch::host {

struct LoadOptions {
  uint32_t min_level = CLUTCH_ABI_LEVEL;  // Levels of the contract this host offers.
  uint32_t max_level = CLUTCH_ABI_LEVEL;
  bool require_checksum = false;
  std::vector<std::string> host_extensions = {};  // Ids the host can serve, for [requires] host_extensions.
};

// A loaded plugin. Immutable; all methods may be called from every thread. The library stays mapped until the process
// ends (RTLD_NODELETE), so tables and code stay valid after this object is gone.
class Plugin {
 public:
  Plugin(const Plugin&) = delete;
  Plugin& operator=(const Plugin&) = delete;
  ~Plugin();

  const Manifest& manifest() const;
  const std::string& id() const { return manifest().id; }
  const std::string& mode() const { return manifest().mode; }
  const std::string& path() const { return manifest().library_path; }
  uint32_t level() const;  // Agreed on.

  // The plugin's table in this host's layout: slots the plugin does not have are filled with refusing stubs, so no slot
  // is NULL, except function_poll, for which NULL has a meaning.
  const clutch_plugin_api& api() const;

  // An extension table of the plugin, or nullptr.
  const void* extension(const char* id) const { return api().get_extension(id); }

 private:
  friend Result<std::unique_ptr<Plugin>> load_plugin(const Manifest& manifest, const LoadOptions& options);
  struct State;
  explicit Plugin(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// Load a plugin. Loading one twice, also from two hosts, gives the same library. Needs no lock; two loads may run at
// the same time.
// @return CLUTCH_ERR_LOAD, CLUTCH_ERR_UNSUPPORTED (levels do not meet), CLUTCH_ERR_PROTOCOL (table and manifest
//         disagree, slots missing), each with a sentence that stands alone. The library may stay mapped, unused.
Result<std::unique_ptr<Plugin>> load_plugin(const Manifest& manifest, const LoadOptions& options);

}  // namespace clutch::host
