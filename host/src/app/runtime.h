// A plugin's runtime, as one host opened it.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "clutch/abi/plugin.h"
#include "clutch/columnar/result.h"
#include "config/configuration.h"
#include "function/gate.h"
#include "log/log.h"
#include "registry/registry.h"
#include "service/host_table.h"

namespace clutch::host {

class Runtime {
 public:
  static Result<std::unique_ptr<Runtime>> open(std::string plugin, const clutch_plugin_api& api,
                                               const Options& configuration, Logger& logger);
  // Ends it. All its functions must be closed.
  ~Runtime();
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;

  Prober::Answer probe(const clutch_spec& spec);
  std::vector<std::pair<std::string, std::string>> describe();

  const clutch_plugin_api& api() const { return api_; }
  clutch_runtime* raw() const { return runtime_; }
  ControlGate& control() { return control_; }

 private:
  Runtime(std::string plugin, const clutch_plugin_api& api, Logger& logger);

  const clutch_plugin_api& api_;
  HostServices services_;
  clutch_host table_;
  clutch_runtime* runtime_ = nullptr;
  ControlGate control_;  // One control call at a time.
};

}  // namespace clutch::host
