#include "registry/selection.h"

#include <algorithm>

#include "clutch/abi.h"
#include "config/keys.h"
#include "config/parse.h"

namespace clutch::host {
namespace {

constexpr std::string_view kModeKey = "python.execution-mode";

std::string name_of(const Manifest& plugin) { return "plugin " + plugin.id + " (mode " + plugin.mode + ")"; }

std::string joined(const std::vector<std::string>& words) {
  std::string result;
  for (const std::string& word : words) result += (result.empty() ? "" : ", ") + word;
  return result;
}

Status config_error(std::string why) { return Status(CLUTCH_ERR_CONFIG, std::move(why), CLUTCH_ORIGIN_CONFIG); }

}  // namespace

std::string static_objection(const Manifest& plugin, const std::vector<DecisionRequest::Step>& steps) {
  if (plugin.min_level > CLUTCH_ABI_LEVEL || plugin.max_level < CLUTCH_ABI_LEVEL) {
    return name_of(plugin) + " speaks levels " + std::to_string(plugin.min_level) + " to " +
           std::to_string(plugin.max_level) + " of the contract, this host level " + std::to_string(CLUTCH_ABI_LEVEL);
  }
  for (const DecisionRequest::Step& step : steps) {
    const ManifestCapability* capability = plugin.capability(step.kind);
    if (capability == nullptr) return name_of(plugin) + " does not serve the kind " + step.kind;
    if (step.revision < capability->min_revision || step.revision > capability->max_revision) {
      return name_of(plugin) + " serves revisions " + std::to_string(capability->min_revision) + " to " +
             std::to_string(capability->max_revision) + " of " + step.kind + ", not " + std::to_string(step.revision);
    }
    const auto& payloads = capability->payloads;
    if (std::find(payloads.begin(), payloads.end(), step.payload) == payloads.end()) {
      return name_of(plugin) + " does not take the payload format " + step.payload + " for " + step.kind +
             "; it takes " + joined(payloads);
    }
    if (steps.size() > 1 && (capability->features & CLUTCH_FEATURE_CHAIN) == 0) {
      return name_of(plugin) + " does not run " + step.kind + " in a chain of several steps";
    }
    if (step.fused && (capability->features & CLUTCH_FEATURE_FUSED) == 0) {
      return name_of(plugin) + " does not run " + step.kind + " with the option \"arguments\" or \"output\"";
    }
  }
  return "";
}

Selection::Selection(const Registry& registry, const DecisionRequest& request, Prober* prober)
    : registry_(registry), request_(request), prober_(prober) {}

Decision Selection::run() {
  decision_.function = request_.function;
  for (const DecisionRequest::Step& step : request_.steps) decision_.kinds.push_back(step.kind);
  decision_.requested_mode = request_.mode;
  decision_.requested_origin = request_.mode_origin;
  decision_.fallback = request_.fallback;
  decision_.status = run_steps();
  if (!decision_.status.ok()) decision_.reason = decision_.status.message();
  return std::move(decision_);
}

Status Selection::run_steps() {
  CLUTCH_RETURN_IF_ERROR(check_request());
  CLUTCH_RETURN_IF_ERROR(choose_field());
  const std::vector<const Entry*> asked_for = of_mode(decision_.requested_mode, true);
  if (const std::vector<const Entry*> able = ask(asked_for); !able.empty()) return settle(able, false);
  if (request_.fallback == FallbackPolicy::kForbid || !request_.pin.empty()) return nobody(false);

  // The mode that holds when nobody chooses one is the natural refuge; others are only taken if there is no doubt.
  const std::string refuge(find_key(kModeKey)->default_value);
  if (const std::vector<const Entry*> able = ask(of_mode(refuge, true)); !able.empty()) return settle(able, true);
  if (const std::vector<const Entry*> able = ask(of_mode(refuge, false)); !able.empty()) return settle(able, true);
  return nobody(true);
}

Status Selection::check_request() const {
  if (!request_.steps.empty()) return {};
  return Status(CLUTCH_ERR_ARGUMENT, function_text() + " has no steps", CLUTCH_ORIGIN_HOST);
}

Status Selection::choose_field() {
  const Manifest* pinned = nullptr;
  if (!request_.pin.empty()) {
    pinned = registry_.find_plugin(request_.pin);
    if (pinned == nullptr) {
      std::vector<std::string> ids;
      for (const Manifest& plugin : registry_.plugins()) ids.push_back(plugin.id);
      return config_error("clutch.plugin.pin = \"" + request_.pin + "\": no such plugin was found; found were " +
                          (ids.empty() ? "none" : joined(ids)))
          .with("search", registry_.search().to_text());
    }
    if (!equal_ignoring_case(pinned->mode, request_.mode)) {
      // A pin says more than a mode that nobody set.
      if (request_.mode_origin != "default") {
        return config_error("clutch.plugin.pin = \"" + request_.pin + "\" has mode " + pinned->mode + ", but " +
                            mode_setting() + "; set one of them alone");
      }
      decision_.requested_mode = pinned->mode;
      decision_.requested_origin = "clutch.plugin.pin";
    }
  }
  const bool exists = std::any_of(registry_.plugins().begin(), registry_.plugins().end(), [&](const Manifest& plugin) {
    return equal_ignoring_case(plugin.mode, decision_.requested_mode);
  });
  if (!exists) return unknown_mode();

  for (const bool same : {true, false}) {
    for (const Manifest& plugin : registry_.plugins()) {
      if (equal_ignoring_case(plugin.mode, decision_.requested_mode) != same) continue;
      if (pinned != nullptr && pinned != &plugin) continue;
      entries_.push_back({&plugin, decision_.candidates.size()});
      decision_.candidates.push_back({plugin.id, plugin.mode, Verdict::kNotAsked, "", {}});
      Candidate& candidate = decision_.candidates.back();
      candidate.reason = registry_.unusable_reason(plugin.id);
      if (candidate.reason.empty()) candidate.reason = static_objection(plugin, request_.steps);
      if (!candidate.reason.empty()) {
        candidate.verdict = Verdict::kUnable;
      } else {
        candidate.reason = name_of(plugin) + " was not asked";
      }
    }
  }
  return {};
}

Status Selection::unknown_mode() const {
  const std::vector<std::string> modes = registry_.modes();
  std::string text = function_text() + ": " + mode_setting() + ": no plugin has this mode; ";
  if (modes.empty()) {
    text += "no plugin was found at all";
  } else {
    const std::vector<std::string_view> words(modes.begin(), modes.end());
    const std::string_view nearest = nearest_word(decision_.requested_mode, words);
    text += "modes that exist: " + joined(modes);
    if (!nearest.empty()) text += "; did you mean " + std::string(nearest) + "?";
  }
  for (const Finding& finding : registry_.search().findings) {
    if (finding.state == FindingState::kUsable || finding.state == FindingState::kShadowed) continue;
    // A manifest that could not be read may be the one that was meant.
    if (!finding.mode.empty() && !equal_ignoring_case(finding.mode, decision_.requested_mode)) continue;
    text += "; " + (finding.id.empty() ? "a plugin" : "plugin " + finding.id) + " is not used: " + finding.reason;
  }
  if (modes.empty()) {
    text += "; searched were";
    for (const SearchPlace& place : registry_.search().places) {
      text += (&place == &registry_.search().places.front() ? " " : ", ") + place.source +
              (place.path.empty() ? "" : " " + place.path) + " (" + place.outcome + ")";
    }
  }
  return config_error(std::move(text)).with("search", registry_.search().to_text());
}

std::vector<const Selection::Entry*> Selection::of_mode(const std::string& mode, bool same) const {
  std::vector<const Entry*> group;
  for (const Entry& entry : entries_) {
    if (equal_ignoring_case(entry.plugin->mode, mode) == same) group.push_back(&entry);
  }
  return group;
}

std::vector<const Selection::Entry*> Selection::ask(const std::vector<const Entry*>& group) {
  std::vector<const Entry*> able;
  for (const Entry* entry : group) {
    Candidate& candidate = decision_.candidates[entry->candidate];
    if (candidate.verdict != Verdict::kNotAsked) continue;
    candidate.reason = name_of(*entry->plugin) +
                       (prober_ != nullptr ? " can serve it" : " may serve it, as far as its manifest tells");
    candidate.verdict = Verdict::kAble;
    if (prober_ != nullptr) {
      Prober::Answer answer = prober_->probe(*entry->plugin);
      candidate.facts = std::move(answer.facts);
      if (!answer.status.ok()) {
        candidate.verdict = Verdict::kUnable;
        candidate.reason = answer.status.message();
        if (candidate.reason.empty()) candidate.reason = name_of(*entry->plugin) + " refused without a reason";
        refusals_.push_back(std::move(answer.status));
        continue;
      }
    }
    able.push_back(entry);
  }
  return able;
}

Status Selection::settle(const std::vector<const Entry*>& able, bool fell_back) {
  if (able.size() > 1) return tie(able);
  Candidate& chosen = decision_.candidates[able.front()->candidate];
  chosen.verdict = Verdict::kChosen;
  decision_.plugin = chosen.id;
  decision_.mode = chosen.mode;
  decision_.fell_back = fell_back;
  if (fell_back) {
    decision_.reason = reasons_of(of_mode(decision_.requested_mode, true));
  } else {
    decision_.reason = "mode " + chosen.mode + " is the one asked for (" + decision_.requested_origin + ")";
  }
  for (Candidate& candidate : decision_.candidates) {
    if (candidate.verdict == Verdict::kNotAsked) candidate.reason += ", because " + chosen.id + " is chosen";
  }
  return {};
}

Status Selection::tie(const std::vector<const Entry*>& able) const {
  std::vector<std::string> ids;
  ids.reserve(able.size());
  for (const Entry* entry : able) ids.push_back(entry->plugin->id + " (mode " + entry->plugin->mode + ")");
  return config_error(function_text() +
                      ": several plugins can serve it and nothing says which to take: " + joined(ids) +
                      "; set clutch.plugin.pin = \"" + able.front()->plugin->id + "\" or another of these ids");
}

Status Selection::nobody(bool fallback_tried) const {
  std::string text = function_text() + ": ";
  if (fallback_tried) {
    std::string all;
    for (const Candidate& candidate : decision_.candidates) all += (all.empty() ? "" : "; ") + candidate.reason;
    text += "no plugin can serve it: " + all;
  } else {
    const std::string own = reasons_of(of_mode(decision_.requested_mode, true));
    text += "mode " + decision_.requested_mode + " (" + decision_.requested_origin + ") cannot serve it: " + own;
    text += request_.pin.empty() ? "; another mode is not taken, because python.execution-mode.fallback = forbid"
                                 : "; no other plugin is taken, because clutch.plugin.pin = \"" + request_.pin + "\"";
  }
  const int32_t code = refusals_.empty() ? CLUTCH_ERR_UNSUPPORTED : refusals_.front().code();
  const int32_t origin = refusals_.empty() ? CLUTCH_ORIGIN_CONFIG : refusals_.front().origin();
  Status status(code, std::move(text), origin);
  if (!refusals_.empty()) {
    for (const auto& [key, value] : refusals_.front().details()) status.with(key, value);
  }
  return status;
}

std::string Selection::reasons_of(const std::vector<const Entry*>& group) const {
  std::string text;
  for (const Entry* entry : group) {
    text += (text.empty() ? "" : "; ") + decision_.candidates[entry->candidate].reason;
  }
  return text;
}

std::string Selection::function_text() const { return "function \"" + request_.function + "\""; }

std::string Selection::mode_setting() const {
  return std::string(kModeKey) + " = \"" + request_.mode + "\" (" + request_.mode_origin + ")";
}

}  // namespace clutch::host
