// Where plugins are looked for, and the account of what was found and what was wrong.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/configuration.h"
#include "plugin/manifest.h"

namespace clutch::host {

// Everything a search depends on, so that it can be repeated without the process's environment.
struct SearchOptions {
  std::string configured_path = {};  // clutch.plugin-path from file or API; folders separated by colons
  std::string configured_origin = {};
  std::string environment_path = {};      // CLUTCH_PLUGIN_PATH
  std::string user_folder = {};           // $XDG_DATA_HOME/clutch-1/plugins; empty = there is none
  std::string system_folder = {};         // compiled in
  bool secure = false;                    // Ignore environment and user folder.
  std::vector<std::string> select = {};   // Globs of ids; empty = all.
  std::vector<std::string> disable = {};  // Globs of ids.
  bool require_checksum = false;
};

// From the configuration and the process: AT_SECURE, XDG_DATA_HOME, HOME.
Result<SearchOptions> search_options(const Configuration& configuration);

struct SearchPlace {
  std::string source;  // "configuration", "environment", "user", "system"
  std::string path;
  std::string outcome;  // "2 manifests", "not set", "does not exist", "refused: ...", "ignored: ..."
  bool refused = false;
};

enum class FindingState { kUsable, kShadowed, kDisabled, kBroken };

struct Finding {
  std::string path;    // Of plugin.toml.
  std::string source;  // As in SearchPlace.
  FindingState state = FindingState::kBroken;
  std::string id;  // Empty if the manifest could not be read that far.
  std::string mode;
  std::string reason;  // Why not usable; empty if usable.
};

struct SearchReport {
  std::vector<SearchPlace> places;
  std::vector<Finding> findings;
  std::vector<std::string> warnings;

  std::string to_text() const;
  std::string to_json() const;
};

struct Discovery {
  std::vector<Manifest> plugins;  // Usable ones, in search order.
  SearchReport report;
};

// Look for plugins. Never fails: what is wrong stands in the report. Reads manifests, loads nothing.
Discovery discover_plugins(const SearchOptions& options);

std::string_view finding_state_name(FindingState state);

// Why a file or folder is not to be trusted ("PATH can be written by everybody (mode 0777); run: chmod go-w PATH"), or
// empty.
std::string distrust(const std::string& path);

}  // namespace clutch::host
