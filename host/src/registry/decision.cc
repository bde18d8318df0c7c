#include <nlohmann/json.hpp>

#include "registry/registry.h"

namespace clutch::host {

std::string_view verdict_name(Verdict verdict) {
  switch (verdict) {
    case Verdict::kChosen:
      return "chosen";
    case Verdict::kAble:
      return "able";
    case Verdict::kUnable:
      return "unable";
    case Verdict::kNotAsked:
      return "not asked";
  }
  return "not asked";
}

std::string Decision::to_text() const {
  std::string text = "function \"" + function + "\" (";
  for (size_t i = 0; i < kinds.size(); ++i) text += (i == 0 ? "" : ", ") + kinds[i];
  text += "): ";
  if (!status.ok()) {
    text += "refused\n";
  } else {
    text += "mode " + mode + ", plugin " + plugin + (fell_back ? ", not the mode asked for\n" : "\n");
  }
  text += "  asked for: mode " + requested_mode + " (" + requested_origin + "), fallback " +
          std::string(fallback_policy_name(fallback)) + "\n  because: " + reason + "\n";
  for (const Candidate& candidate : candidates) {
    text += "  mode " + candidate.mode + ", plugin " + candidate.id + ": " +
            std::string(verdict_name(candidate.verdict)) + ": " + candidate.reason + "\n";
    for (const auto& [key, value] : candidate.facts) text += "    " + key + " = " + value + "\n";
  }
  return text;
}

std::string Decision::to_json() const {
  using nlohmann::ordered_json;
  ordered_json list = ordered_json::array();
  for (const Candidate& candidate : candidates) {
    ordered_json facts = ordered_json::object();
    for (const auto& [key, value] : candidate.facts) facts[key] = value;
    list.push_back(ordered_json{{"plugin", candidate.id},
                                {"mode", candidate.mode},
                                {"verdict", verdict_name(candidate.verdict)},
                                {"reason", candidate.reason},
                                {"facts", facts}});
  }
  const ordered_json json = {{"function", function},
                             {"kinds", kinds},
                             {"ok", status.ok()},
                             {"plugin", plugin},
                             {"mode", mode},
                             {"requested_mode", requested_mode},
                             {"requested_origin", requested_origin},
                             {"fallback", fallback_policy_name(fallback)},
                             {"fell_back", fell_back},
                             {"reason", reason},
                             {"candidates", list}};
  return json.dump(2, ' ', false, ordered_json::error_handler_t::replace);
}

}  // namespace clutch::host
