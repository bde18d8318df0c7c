#include "plugin/loader.h"

#include <dlfcn.h>
#include <link.h>

#include <boost/dll/shared_library.hpp>

#include <algorithm>
#include <exception>

#include "plugin/exclusive.h"
#include "plugin/library_file.h"
#include "plugin/table.h"

namespace clutch::host {
namespace {

namespace dll = boost::dll;

std::string range(uint32_t low, uint32_t high) {
  return low == high ? "level " + std::to_string(low) : "levels " + std::to_string(low) + " to " + std::to_string(high);
}

Status levels_do_not_meet(uint32_t min_level, uint32_t max_level, const LoadOptions& options) {
  return Status(CLUTCH_ERR_UNSUPPORTED,
                "it speaks " + range(min_level, max_level) + " of the contract, this host " +
                    range(options.min_level, options.max_level) + "; " +
                    (min_level > options.max_level ? "use a newer host or an older plugin" : "use a newer plugin"),
                CLUTCH_ORIGIN_CONFIG);
}

bool meet(uint32_t min_level, uint32_t max_level, const LoadOptions& options) {
  return min_level <= options.max_level && max_level >= options.min_level;
}

// What the manifest alone rules out.
Status check_manifest(const Manifest& manifest, const LoadOptions& options) {
  if (!meet(manifest.min_level, manifest.max_level, options)) {
    return levels_do_not_meet(manifest.min_level, manifest.max_level, options);
  }
  std::string missing;
  for (const std::string& extension : manifest.required_host_extensions) {
    const auto& served = options.host_extensions;
    if (std::find(served.begin(), served.end(), extension) == served.end()) {
      missing += (missing.empty() ? "" : ", ") + extension;
    }
  }
  if (missing.empty()) return {};
  return Status(CLUTCH_ERR_UNSUPPORTED, "it needs host extensions that this host does not have: " + missing,
                CLUTCH_ORIGIN_CONFIG);
}

Result<dll::shared_library> map_library(const std::string& path) {
  // Why: Boost has no name for RTLD_NODELETE, but hands bits it does not know to dlopen. Without it, statics and
  // thread-locals of a plugin can outlive its code. Boost's own default would be lazy binding, with which an unresolved
  // symbol ends the process at the first call.
  const auto mode = static_cast<dll::load_mode::type>(static_cast<unsigned>(dll::load_mode::rtld_now) |
                                                      static_cast<unsigned>(dll::load_mode::rtld_local) |
                                                      static_cast<unsigned>(RTLD_NODELETE));
  dlerror();
  boost::system::error_code error;
  dll::shared_library library;
  library.load(path, mode, error);
  if (!error) return library;
  // Boost says "Bad file descriptor" for every reason; the linker's own words are still there.
  const char* reason = dlerror();
  return Status(CLUTCH_ERR_LOAD, "it cannot be loaded: " + (reason != nullptr ? std::string(reason) : error.message()),
                CLUTCH_ORIGIN_CONFIG);
}

// The one symbol, as defined by this very library and not by one it depends on.
Result<clutch_plugin_negotiate_fn> find_symbol(dll::shared_library& library) {
  const auto missing = [] {
    return Status(CLUTCH_ERR_LOAD, "it does not export " CLUTCH_PLUGIN_SYMBOL ", so it is not a plugin of Clutch",
                  CLUTCH_ORIGIN_PLUGIN);
  };
  if (!library.has(CLUTCH_PLUGIN_SYMBOL)) return missing();
  const clutch_plugin_negotiate_fn negotiate =
      &library.get<int32_t(const clutch_host_offer*, clutch_plugin_answer*)>(CLUTCH_PLUGIN_SYMBOL);
  const link_map* own = nullptr;
  link_map* found = nullptr;
  Dl_info info{};
  if (dlinfo(library.native(), RTLD_DI_LINKMAP, &own) != 0 ||
      dladdr1(reinterpret_cast<const void*>(negotiate), &info, reinterpret_cast<void**>(&found), RTLD_DL_LINKMAP) ==
          0 ||
      own != found) {
    return missing();
  }
  return negotiate;
}

struct Agreement {
  uint32_t level;
  const clutch_plugin_api* api;
};

Result<Agreement> negotiate(clutch_plugin_negotiate_fn function, const Manifest& manifest, const LoadOptions& options) {
  constexpr std::string_view kVersion = CLUTCH_VERSION;
  const clutch_host_offer offer = {.struct_size = sizeof offer,
                                   .reserved0 = 0,
                                   .min_level = options.min_level,
                                   .max_level = options.max_level,
                                   .host_version = {kVersion.data(), kVersion.size()}};
  clutch_plugin_answer answer{};
  answer.struct_size = sizeof answer;
  const auto broken = [](std::string why) { return Status(CLUTCH_ERR_PROTOCOL, std::move(why), CLUTCH_ORIGIN_PLUGIN); };
  int32_t status = CLUTCH_OK;
  try {
    status = function(&offer, &answer);
  } catch (const std::exception& error) {
    return broken(std::string("it threw while negotiating, which the contract forbids: ") + error.what());
  } catch (...) {
    return broken("it threw while negotiating, which the contract forbids");
  }
  if (status == CLUTCH_ERR_UNSUPPORTED) return levels_do_not_meet(answer.min_level, answer.max_level, options);
  if (status != CLUTCH_OK) {
    return broken("it answered status " + std::to_string(status) + " while negotiating; legal are " +
                  std::to_string(CLUTCH_OK) + " and " + std::to_string(CLUTCH_ERR_UNSUPPORTED));
  }
  if (answer.min_level != manifest.min_level || answer.max_level != manifest.max_level) {
    return broken("it speaks " + range(answer.min_level, answer.max_level) + " of the contract, but its manifest " +
                  manifest.path + " says " + range(manifest.min_level, manifest.max_level) +
                  "; install library and manifest of the same build");
  }
  const uint32_t best = std::min(answer.max_level, options.max_level);
  if (answer.level != best) {
    return broken("it chose level " + std::to_string(answer.level) + " of the contract, but the highest of both is " +
                  std::to_string(best));
  }
  if (answer.api == nullptr) return broken("it agreed on level " + std::to_string(best) + " but gave no table");
  return Agreement{answer.level, answer.api};
}

}  // namespace

struct Plugin::State {
  Manifest manifest;
  dll::shared_library library;
  clutch_plugin_api api;
  uint32_t level;
};

Plugin::Plugin(std::unique_ptr<State> state) : state_(std::move(state)) {}
Plugin::~Plugin() = default;

const Manifest& Plugin::manifest() const { return state_->manifest; }
uint32_t Plugin::level() const { return state_->level; }
const clutch_plugin_api& Plugin::api() const { return state_->api; }

Result<std::unique_ptr<Plugin>> load_plugin(const Manifest& manifest, const LoadOptions& options) {
  const auto load = [&]() -> Result<std::unique_ptr<Plugin>> {
    const std::string at = "plugin " + manifest.id + " (" + manifest.library_path + ")";
    if (Status status = check_manifest(manifest, options); !status.ok()) return std::move(status).prefixed(at);
    CLUTCH_ASSIGN_OR_RETURN(const LibraryFile file, LibraryFile::open_checked(manifest, options.require_checksum));
    CLUTCH_RETURN_IF_ERROR(check_exclusive(manifest));

    Result<dll::shared_library> library = map_library(manifest.library_path);
    if (!library.ok()) return std::move(library).status().prefixed(at);
    Result<clutch_plugin_negotiate_fn> symbol = find_symbol(*library);
    if (!symbol.ok()) return std::move(symbol).status().prefixed(at);
    CLUTCH_RETURN_IF_ERROR(file.check_mapped(reinterpret_cast<const void*>(*symbol)));

    Result<Agreement> agreement = negotiate(*symbol, manifest, options);
    if (!agreement.ok()) return std::move(agreement).status().prefixed(at);
    Result<clutch_plugin_api> api = adopt_table(*agreement->api);
    if (!api.ok()) return std::move(api).status().prefixed(at);
    if (Status status = compare_with_manifest(*api, manifest); !status.ok()) return std::move(status).prefixed(at);
    return std::unique_ptr<Plugin>(new Plugin(
        std::make_unique<Plugin::State>(Plugin::State{manifest, *std::move(library), *api, agreement->level})));
  };
  try {
    return load();
  } catch (const std::exception& error) {
    return Status(CLUTCH_ERR_LOAD, "plugin " + manifest.id + " (" + manifest.library_path + "): " + error.what(),
                  CLUTCH_ORIGIN_HOST);
  }
}

}  // namespace clutch::host
