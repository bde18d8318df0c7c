#include "registry/registry.h"

#include <algorithm>

#include "config/parse.h"
#include "registry/selection.h"

namespace clutch::host {

Result<FallbackPolicy> parse_fallback_policy(std::string_view word) {
  CLUTCH_ASSIGN_OR_RETURN(const std::string policy, parse_choice(word, "warn|forbid|allow"));
  if (policy == "warn") return FallbackPolicy::kWarn;
  return policy == "forbid" ? FallbackPolicy::kForbid : FallbackPolicy::kAllow;
}

std::string_view fallback_policy_name(FallbackPolicy policy) {
  switch (policy) {
    case FallbackPolicy::kWarn:
      return "warn";
    case FallbackPolicy::kForbid:
      return "forbid";
    case FallbackPolicy::kAllow:
      return "allow";
  }
  return "warn";
}

Result<DecisionRequest> decision_request(const Configuration& configuration, std::string_view function) {
  DecisionRequest request;
  request.function = function;
  if (const std::optional<ConfigValue> mode = configuration.find("python.execution-mode")) {
    request.mode = trim(mode->value);
    request.mode_origin = mode->origin;
  }
  CLUTCH_ASSIGN_OR_RETURN(const std::string policy, configuration.choice("python.execution-mode.fallback"));
  CLUTCH_ASSIGN_OR_RETURN(request.fallback, parse_fallback_policy(policy));
  CLUTCH_ASSIGN_OR_RETURN(const std::string pin, configuration.text("clutch.plugin.pin"));
  request.pin = trim(pin);
  return request;
}

Registry::Registry(Discovery discovery) : discovery_(std::move(discovery)) {
  for (const Manifest& plugin : discovery_.plugins) {
    for (const ManifestCapability& capability : plugin.capabilities) intern_kind(capability.kind);
  }
}

const Manifest* Registry::find_plugin(std::string_view id) const {
  const auto found =
      std::find_if(plugins().begin(), plugins().end(), [&](const Manifest& plugin) { return plugin.id == id; });
  return found == plugins().end() ? nullptr : &*found;
}

std::vector<std::string> Registry::modes() const {
  std::vector<std::string> modes;
  for (const Manifest& plugin : plugins()) {
    const bool known = std::any_of(modes.begin(), modes.end(),
                                   [&](const std::string& mode) { return equal_ignoring_case(mode, plugin.mode); });
    if (!known) modes.push_back(plugin.mode);
  }
  std::sort(modes.begin(), modes.end());
  return modes;
}

uint32_t Registry::intern_kind(std::string_view kind) {
  const std::lock_guard lock(mutex_);
  if (const auto found = kind_numbers_.find(kind); found != kind_numbers_.end()) return found->second;
  const auto number = static_cast<uint32_t>(kinds_.size());
  kinds_.emplace_back(kind);
  kind_numbers_.emplace(kind, number);
  return number;
}

std::string Registry::kind_name(uint32_t number) const {
  const std::lock_guard lock(mutex_);
  return number < kinds_.size() ? kinds_[number] : "";
}

std::vector<std::string> Registry::kinds() const {
  const std::lock_guard lock(mutex_);
  return kinds_;
}

void Registry::mark_unusable(std::string_view plugin, std::string reason) {
  const std::lock_guard lock(mutex_);
  unusable_.insert_or_assign(std::string(plugin), std::move(reason));
}

std::string Registry::unusable_reason(std::string_view plugin) const {
  const std::lock_guard lock(mutex_);
  const auto found = unusable_.find(plugin);
  return found == unusable_.end() ? "" : found->second;
}

Decision Registry::decide(const DecisionRequest& request, Prober& prober) const {
  return Selection(*this, request, &prober).run();
}

Decision Registry::decide_statically(const DecisionRequest& request) const {
  return Selection(*this, request, nullptr).run();
}

}  // namespace clutch::host
