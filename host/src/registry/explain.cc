#include <algorithm>

#include <nlohmann/json.hpp>

#include "clutch/abi.h"
#include "registry/registry.h"
#include "registry/selection.h"

namespace clutch::host {
namespace {

std::string joined(const std::vector<std::string>& words) {
  std::string result;
  for (const std::string& word : words) result += (result.empty() ? "" : ", ") + word;
  return result;
}

CapabilityEntry entry_of(const Manifest& plugin, const std::string& kind, const std::string& unusable) {
  CapabilityEntry entry;
  entry.kind = kind;
  entry.plugin = plugin.id;
  entry.mode = plugin.mode;
  const ManifestCapability* capability = plugin.capability(kind);
  if (capability == nullptr) {
    entry.reason = "plugin " + plugin.id + " (mode " + plugin.mode + ") does not serve the kind " + kind;
    return entry;
  }
  entry.reason = unusable.empty() ? static_objection(plugin, {}) : unusable;
  entry.able = entry.reason.empty();
  entry.min_revision = capability->min_revision;
  entry.max_revision = capability->max_revision;
  entry.payloads = capability->payloads;
  entry.features = feature_words(capability->features);
  for (const std::string& resource : plugin.exclusive) {
    entry.conditions.push_back("no other plugin of the process uses " + resource);
  }
  for (const std::string& extension : plugin.required_host_extensions) {
    entry.conditions.push_back("the host has the extension " + extension);
  }
  return entry;
}

}  // namespace

std::vector<CapabilityEntry> Registry::explain(std::string_view kind) const {
  std::vector<std::string> wanted;
  if (kind.empty()) {
    wanted = kinds();
    std::sort(wanted.begin(), wanted.end());
  } else {
    wanted.emplace_back(kind);
  }
  std::vector<CapabilityEntry> entries;
  for (const std::string& one : wanted) {
    for (const Manifest& plugin : plugins()) entries.push_back(entry_of(plugin, one, unusable_reason(plugin.id)));
  }
  return entries;
}

std::string Registry::explain_text(std::string_view kind) const {
  std::string text;
  std::string current;
  for (const CapabilityEntry& entry : explain(kind)) {
    if (entry.kind != current) text += entry.kind + "\n";
    current = entry.kind;
    text += "  mode " + entry.mode + ", plugin " + entry.plugin + ": ";
    if (!entry.able) {
      text += "no: " + entry.reason + "\n";
      continue;
    }
    text += "yes: payloads " + joined(entry.payloads);
    if (entry.max_revision > 1) {
      text += "; revisions " + std::to_string(entry.min_revision) + " to " + std::to_string(entry.max_revision);
    }
    if (!entry.features.empty()) text += "; " + joined(entry.features);
    if (!entry.conditions.empty()) text += "; if " + joined(entry.conditions);
    text += "\n";
  }
  if (text.empty()) text = "No plugin was found, so nothing can be served.\n" + search().to_text();
  return text;
}

std::string Registry::explain_json(std::string_view kind) const {
  using nlohmann::ordered_json;
  ordered_json list = ordered_json::array();
  for (const CapabilityEntry& entry : explain(kind)) {
    list.push_back(ordered_json{{"kind", entry.kind},
                                {"plugin", entry.plugin},
                                {"mode", entry.mode},
                                {"able", entry.able},
                                {"reason", entry.reason},
                                {"revisions", {entry.min_revision, entry.max_revision}},
                                {"payloads", entry.payloads},
                                {"features", entry.features},
                                {"conditions", entry.conditions}});
  }
  return list.dump(2, ' ', false, ordered_json::error_handler_t::replace);
}

}  // namespace clutch::host
