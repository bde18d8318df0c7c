#include "plugin/discovery.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <set>
#include <system_error>

#include "config/parse.h"

namespace clutch::host {
namespace {

namespace stdfs = std::filesystem;

constexpr std::string_view kManifestName = "plugin.toml";

std::string octal(mode_t mode) {
  char text[16];
  std::snprintf(text, sizeof text, "%04o", static_cast<unsigned>(mode & 07777));
  return text;
}

// Folders named by a variable of the process, empty if it is not set.
std::string environment_text(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

class Search {
 public:
  explicit Search(const SearchOptions& options) : options_(options) {}

  Discovery run();

 private:
  void search_list(const std::string& source, const std::string& paths);
  void search_folder(SearchPlace place);
  void ignore(const std::string& source, const std::string& path);
  void add_place(SearchPlace place, std::string outcome, bool refused);
  void examine(const std::string& source, const std::string& path);
  Status trust(const Manifest& manifest) const;
  std::string why_disabled(const std::string& id) const;

  const SearchOptions& options_;
  Discovery result_;
  std::set<std::string> searched_;  // Folders, resolved.
};

Discovery Search::run() {
  search_list("configuration", options_.configured_path);
  if (options_.secure) {
    ignore("environment", options_.environment_path);
    ignore("user", options_.user_folder);
  } else {
    search_list("environment", options_.environment_path);
    search_list("user", options_.user_folder);
  }
  search_list("system", options_.system_folder);
  return std::move(result_);
}

void Search::add_place(SearchPlace place, std::string outcome, bool refused) {
  place.outcome = std::move(outcome);
  place.refused = refused;
  if (refused) result_.report.warnings.push_back("plugin folder " + place.path + " " + place.outcome);
  result_.report.places.push_back(std::move(place));
}

void Search::ignore(const std::string& source, const std::string& path) {
  if (path.empty()) return search_list(source, path);
  add_place({source, path, "", false}, "ignored: this process runs with raised rights (AT_SECURE)", true);
}

void Search::search_list(const std::string& source, const std::string& paths) {
  if (paths.empty()) return add_place({source, "", "", false}, "not set", false);
  for (const std::string& path : split(paths, ':')) search_folder({source, path, "", false});
}

void Search::search_folder(SearchPlace place) {
  if (place.path.front() != '/') {
    return add_place(std::move(place),
                     "refused: is not an absolute path; plugins are never looked for relative to the "
                     "current folder",
                     true);
  }
  std::error_code error;
  const std::string folder = stdfs::canonical(place.path, error).string();
  if (error == std::errc::no_such_file_or_directory) return add_place(std::move(place), "does not exist", false);
  if (error) return add_place(std::move(place), "refused: cannot be read: " + error.message(), true);
  if (!stdfs::is_directory(folder, error)) return add_place(std::move(place), "refused: is not a folder", true);
  if (std::string why = distrust(folder); !why.empty()) return add_place(std::move(place), "refused: " + why, true);
  if (!searched_.insert(folder).second) return add_place(std::move(place), "searched already", false);

  std::vector<std::string> manifests;
  const auto look = [&](const stdfs::path& candidate) {
    std::error_code ignored;  // What cannot be looked at is reported when it is read.
    if (stdfs::symlink_status(candidate, ignored).type() != stdfs::file_type::not_found) {
      manifests.push_back(candidate.string());
    }
  };
  look(stdfs::path(folder) / kManifestName);
  std::vector<stdfs::path> subfolders;
  stdfs::directory_iterator entries(folder, error);
  for (; !error && entries != stdfs::directory_iterator(); entries.increment(error)) {
    std::error_code not_a_folder;
    if (entries->is_directory(not_a_folder)) subfolders.push_back(entries->path());
  }
  if (error) return add_place(std::move(place), "refused: cannot be read: " + error.message(), true);
  std::sort(subfolders.begin(), subfolders.end());
  for (const stdfs::path& subfolder : subfolders) look(subfolder / kManifestName);

  const std::string source = place.source;
  add_place(std::move(place),
            manifests.empty()       ? "no manifest"
            : manifests.size() == 1 ? "1 manifest"
                                    : std::to_string(manifests.size()) + " manifests",
            false);
  for (const std::string& path : manifests) examine(source, path);
}

Status Search::trust(const Manifest& manifest) const {
  for (const std::string& path : {manifest.folder, manifest.path, manifest.library_path}) {
    if (std::string why = distrust(path); !why.empty()) {
      return Status(CLUTCH_ERR_CONFIG, std::move(why), CLUTCH_ORIGIN_CONFIG);
    }
  }
  if (options_.require_checksum && manifest.sha256.empty()) {
    return Status(CLUTCH_ERR_CONFIG,
                  manifest.path + ": has no sha256 for its library, and clutch.plugin.require-checksum is set",
                  CLUTCH_ORIGIN_CONFIG);
  }
  return {};
}

std::string Search::why_disabled(const std::string& id) const {
  for (const std::string& pattern : options_.disable) {
    if (glob_match(pattern, id)) return "disabled by clutch.disable = \"" + pattern + "\"";
  }
  if (options_.select.empty()) return "";
  for (const std::string& pattern : options_.select) {
    if (glob_match(pattern, id)) return "";
  }
  return "not selected by clutch.select";
}

void Search::examine(const std::string& source, const std::string& path) {
  Finding finding{path, source, FindingState::kBroken, "", "", ""};
  Result<Manifest> manifest = read_manifest(path);
  if (!manifest.ok()) {
    finding.reason = manifest.status().message();
    result_.report.warnings.push_back("plugin refused: " + finding.reason);
    result_.report.findings.push_back(std::move(finding));
    return;
  }
  finding.id = manifest->id;
  finding.mode = manifest->mode;
  for (const std::string& warning : manifest->warnings) result_.report.warnings.push_back(warning);
  const auto earlier = std::find_if(result_.plugins.begin(), result_.plugins.end(),
                                    [&](const Manifest& other) { return other.id == manifest->id; });
  if (const Status trusted = trust(*manifest); !trusted.ok()) {
    finding.reason = trusted.message();
    result_.report.warnings.push_back("plugin " + finding.id + " refused: " + finding.reason);
  } else if (std::string why = why_disabled(manifest->id); !why.empty()) {
    finding.state = FindingState::kDisabled;
    finding.reason = std::move(why);
  } else if (earlier != result_.plugins.end()) {
    finding.state = FindingState::kShadowed;
    finding.reason = "the id " + manifest->id + " was found before in " + earlier->path;
  } else {
    finding.state = FindingState::kUsable;
    result_.plugins.push_back(*std::move(manifest));
  }
  result_.report.findings.push_back(std::move(finding));
}

}  // namespace

Result<SearchOptions> search_options(const Configuration& configuration) {
  constexpr std::string_view kPath = "clutch.plugin-path";
  SearchOptions options;
  std::optional<ConfigValue> configured = configuration.find_in(ConfigSource::kApi, kPath);
  if (!configured) configured = configuration.find_in(ConfigSource::kFile, kPath);
  if (configured) {
    options.configured_path = configured->value;
    options.configured_origin = configured->origin;
  }
  if (const auto path = configuration.find_in(ConfigSource::kEnvironment, kPath))
    options.environment_path = path->value;
  options.secure = secure_execution();
  if (std::string data = environment_text("XDG_DATA_HOME"); data.starts_with("/")) {
    options.user_folder = data + "/clutch-1/plugins";
  } else if (std::string home = environment_text("HOME"); home.starts_with("/")) {
    options.user_folder = home + "/.local/share/clutch-1/plugins";
  }
  options.system_folder = CLUTCH_PLUGIN_DIR;
  CLUTCH_ASSIGN_OR_RETURN(options.select, configuration.list("clutch.select"));
  CLUTCH_ASSIGN_OR_RETURN(options.disable, configuration.list("clutch.disable"));
  CLUTCH_ASSIGN_OR_RETURN(options.require_checksum, configuration.boolean("clutch.plugin.require-checksum"));
  return options;
}

Discovery discover_plugins(const SearchOptions& options) { return Search(options).run(); }

std::string distrust(const std::string& path) {
  struct stat info {};
  if (stat(path.c_str(), &info) != 0) return path + " cannot be examined: " + std::generic_category().message(errno);
  if ((info.st_mode & (S_IWGRP | S_IWOTH)) == 0) return "";
  return path + " can be written by " + ((info.st_mode & S_IWOTH) != 0 ? "everybody" : "its group") + " (mode " +
         octal(info.st_mode) + "); run: chmod go-w " + path;
}

}  // namespace clutch::host
