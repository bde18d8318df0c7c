// Manifests of plugins that exist only for these tests.
#pragma once

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "clutch/abi.h"
#include "registry/registry.h"

namespace clutch::host {

inline Manifest make_plugin(const std::string& id, const std::string& mode, std::vector<std::string> kinds,
                            std::vector<std::string> payloads = {"import"}, uint64_t features = CLUTCH_FEATURE_CHAIN) {
  Manifest manifest;
  manifest.path = "/p/" + id + "/plugin.toml";
  manifest.id = id;
  manifest.mode = mode;
  manifest.version = "1";
  manifest.min_level = manifest.max_level = CLUTCH_ABI_LEVEL;
  for (std::string& kind : kinds) {
    ManifestCapability capability;
    capability.kind = std::move(kind);
    capability.payloads = payloads;
    capability.features = features;
    manifest.capabilities.push_back(std::move(capability));
  }
  return manifest;
}

inline Discovery found(std::vector<Manifest> plugins) {
  Discovery discovery;
  for (const Manifest& plugin : plugins) {
    discovery.report.findings.push_back({plugin.path, "system", FindingState::kUsable, plugin.id, plugin.mode, ""});
  }
  discovery.report.places = {{"environment", "", "not set", false}, {"system", "/p", "searched", false}};
  discovery.plugins = std::move(plugins);
  return discovery;
}

// Says no for the plugins it was told about, yes for all others, and keeps count.
class TestProber final : public Prober {
 public:
  TestProber() = default;
  explicit TestProber(std::vector<std::pair<std::string, Status>> refusals) : refusals_(std::move(refusals)) {}

  Answer probe(const Manifest& plugin) override {
    asked.push_back(plugin.id);
    for (const auto& [id, status] : refusals_) {
      if (id == plugin.id) return {status, {{"python.executable", "/none"}}};
    }
    return {Status(), {{"python.version", "3.11.2"}}};
  }

  std::vector<std::string> asked;

 private:
  std::vector<std::pair<std::string, Status>> refusals_;
};

}  // namespace clutch::host
