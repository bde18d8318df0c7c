// Puts one of the test modules beside a manifest that fits it, or does not.
#pragma once

#include <string>
#include <string_view>

#include "folder.h"
#include "plugin/loader.h"

namespace clutch::host {

struct ModuleManifest {
  std::string id = "org.test.module";
  std::string levels = "min_level = 1\nmax_level = 1";
  std::string more = {};     // Lines before the tables.
  std::string library = {};  // Lines of [library].
  std::string more_tables = {};

  std::string text() const {
    return "manifest_version = 1\nid = '" + id + "'\nversion = '1'\nmode = 'module'\n" + more + "\n[abi]\nmajor = 1\n" +
           levels + "\n[library]\nfile = 'module.so'\n" + library +
           "\n[[capability]]\nkind = 'table.scalar'\npayloads = ['import']\n" + more_tables;
  }
};

// A folder with a copy of fault_NAME.so and a manifest. Copies have files of their own, so the linker loads each.
class ModuleFolder {
 public:
  explicit ModuleFolder(const std::string& fault, const ModuleManifest& manifest = {}) {
    library_ = folder_.copy(std::string(MODULE_FOLDER) + "/fault_" + fault + ".so", "module.so");
    manifest_ = folder_.write("plugin.toml", manifest.text());
  }

  const TestFolder& folder() const { return folder_; }
  const std::string& library() const { return library_; }
  const std::string& manifest() const { return manifest_; }

  Result<std::unique_ptr<Plugin>> load(const LoadOptions& options = {}) const {
    CLUTCH_ASSIGN_OR_RETURN(const Manifest manifest, read_manifest(manifest_));
    return load_plugin(manifest, options);
  }

 private:
  TestFolder folder_;
  std::string library_;
  std::string manifest_;
};

}  // namespace clutch::host
