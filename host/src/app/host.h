// One host: configuration, log, plugins, runtimes and functions of one application.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "app/runtime.h"
#include "app/spec.h"
#include "clutch/columnar/result.h"
#include "config/configuration.h"
#include "function/function.h"
#include "function/gate.h"
#include "log/log.h"
#include "plugin/loader.h"
#include "registry/registry.h"

namespace clutch::host {

// A plugin that is there without a library, for tests.
struct LinkedPlugin {
  Manifest manifest;
  const clutch_plugin_api* api;
};

struct HostSettings {
  Options options;
  std::string config_file;
  std::string plugin_path;
  std::string log_level;
  clutch_app_log_fn log = nullptr;
  void* log_self = nullptr;
  bool environment = true;
  bool search = true;  // Look for plugins in folders.
  std::vector<LinkedPlugin> linked;
};

// All methods may be called from every thread. No lock is held while a plugin runs.
class Host {
 public:
  static Result<std::unique_ptr<Host>> open(const HostSettings& settings);
  ~Host();
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;

  // Refuses while functions are open. The host may be destroyed only after this returned ok.
  Status close();

  Status set(std::string_view key, std::string_view value);
  Configuration configuration() const;
  Registry& registry() { return *registry_; }
  Logger& logger() { return *logger_; }

  // The decision for a function, with the probes of loaded plugins. An error of the configuration is the Result's.
  Result<Decision> decide(const FunctionSpec& spec);
  Result<Function*> open_function(const FunctionSpec& spec);
  // Ends the function, unless CLUTCH_ERR_DEADLINE says that it cannot end.
  Status close_function(Function* function);
  // Facts about the runtime behind a mode.
  Result<std::vector<std::pair<std::string, std::string>>> describe(std::string_view mode);

 private:
  class HostProber;

  Host() = default;
  Result<Configuration> configuration_of(const FunctionSpec& spec) const;
  Decision decide(const FunctionSpec& spec, const Configuration& configuration);
  Result<const clutch_plugin_api*> load(const Manifest& manifest);
  // The runtime of a plugin for this configuration; opened if there is none yet.
  Result<Runtime*> runtime(const Manifest& manifest, const Configuration& configuration);
  void warn_of_fallback(const Decision& decision);

  std::unique_ptr<Logger> logger_;
  std::unique_ptr<Registry> registry_;
  std::map<std::string, const clutch_plugin_api*> linked_;
  HandlePools pools_;        // Outlives the runtimes, whose plugins hold handles.
  ControlGate bringing_up_;  // One load or runtime_open at a time.

  mutable std::mutex mutex_;  // Guards what follows.
  Configuration configuration_;
  std::map<std::string, std::unique_ptr<Plugin>> plugins_;    // By id.
  std::map<std::string, std::unique_ptr<Runtime>> runtimes_;  // By id and configuration.
  std::map<Function*, std::unique_ptr<Function>> functions_;
};

// Decision as one sentence for the log: `function "f": python.execution-mode=thread asked, runs in process because
// ...`.
std::string fallback_sentence(const Decision& decision);

}  // namespace clutch::host
