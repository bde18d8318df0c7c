#include "plugin/exclusive.h"

#include <dlfcn.h>
#include <link.h>
#include <sys/stat.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <vector>

#include "clutch/abi/negotiate.h"

namespace clutch::host {
namespace {

// A plugin's library may stand this many folders below its manifest.
constexpr int kDeepestLibrary = 4;

std::vector<std::string> mapped_libraries() {
  std::vector<std::string> names;
  dl_iterate_phdr(
      [](dl_phdr_info* info, size_t, void* list) {
        if (info->dlpi_name != nullptr && info->dlpi_name[0] == '/') {
          static_cast<std::vector<std::string>*>(list)->emplace_back(info->dlpi_name);
        }
        return 0;
      },
      &names);
  return names;
}

bool is_plugin(const std::string& library) {
  const std::unique_ptr<void, int (*)(void*)> handle(dlopen(library.c_str(), RTLD_LAZY | RTLD_LOCAL | RTLD_NOLOAD),
                                                     &dlclose);
  if (!handle) return false;
  const void* symbol = dlsym(handle.get(), CLUTCH_PLUGIN_SYMBOL);
  Dl_info info{};
  // dlsym also finds the symbols of what a library depends on.
  return symbol != nullptr && dladdr(symbol, &info) != 0 && info.dli_fname != nullptr && library == info.dli_fname;
}

std::optional<Manifest> manifest_of(const std::string& library) {
  std::string folder = library;
  for (int i = 0; i < kDeepestLibrary; ++i) {
    folder = folder.substr(0, folder.find_last_of('/'));
    if (folder.empty()) return std::nullopt;
    Result<Manifest> manifest = read_manifest(folder + "/plugin.toml");
    if (manifest.ok() && manifest->library_path == library) return *std::move(manifest);
  }
  return std::nullopt;
}

bool same_file(const std::string& a, const std::string& b) {
  struct stat first {};
  struct stat second {};
  return stat(a.c_str(), &first) == 0 && stat(b.c_str(), &second) == 0 && first.st_dev == second.st_dev &&
         first.st_ino == second.st_ino;
}

}  // namespace

Status check_exclusive(const Manifest& manifest) {
  if (manifest.exclusive.empty()) return {};
  for (const std::string& library : mapped_libraries()) {
    if (same_file(library, manifest.library_path) || !is_plugin(library)) continue;
    const std::optional<Manifest> other = manifest_of(library);
    if (!other) continue;
    for (const std::string& resource : manifest.exclusive) {
      if (std::find(other->exclusive.begin(), other->exclusive.end(), resource) == other->exclusive.end()) continue;
      return Status(CLUTCH_ERR_LOAD,
                    manifest.library_path + ": a process can have only one plugin that uses " + resource +
                        ", and plugin " + other->id + " (" + library +
                        ") is loaded; use that one, or run this one in another process",
                    CLUTCH_ORIGIN_CONFIG);
    }
  }
  return {};
}

}  // namespace clutch::host
