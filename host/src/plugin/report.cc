#include <nlohmann/json.hpp>

#include "plugin/discovery.h"

namespace clutch::host {

std::string_view finding_state_name(FindingState state) {
  switch (state) {
    case FindingState::kUsable:
      return "usable";
    case FindingState::kShadowed:
      return "shadowed";
    case FindingState::kDisabled:
      return "disabled";
    case FindingState::kBroken:
      return "refused";
  }
  return "refused";
}

std::string SearchReport::to_text() const {
  std::string text = "Places searched for plugins, in order:\n";
  for (const SearchPlace& place : places) {
    text += "  " + place.source + (place.path.empty() ? "" : " " + place.path) + ": " + place.outcome + "\n";
  }
  text += findings.empty() ? "No manifest was found.\n" : "Manifests found:\n";
  for (const Finding& finding : findings) {
    text += "  " + finding.path + ": " + std::string(finding_state_name(finding.state));
    if (!finding.id.empty()) text += ", id " + finding.id + ", mode " + finding.mode;
    text += (finding.reason.empty() ? "" : ": " + finding.reason) + "\n";
  }
  return text;
}

std::string SearchReport::to_json() const {
  using nlohmann::ordered_json;
  ordered_json json = {{"places", ordered_json::array()}, {"manifests", ordered_json::array()}, {"warnings", warnings}};
  for (const SearchPlace& place : places) {
    json["places"].push_back(ordered_json{
        {"source", place.source}, {"path", place.path}, {"outcome", place.outcome}, {"refused", place.refused}});
  }
  for (const Finding& finding : findings) {
    json["manifests"].push_back(ordered_json{{"path", finding.path},
                                             {"source", finding.source},
                                             {"state", finding_state_name(finding.state)},
                                             {"id", finding.id},
                                             {"mode", finding.mode},
                                             {"reason", finding.reason}});
  }
  return json.dump(2, ' ', false, ordered_json::error_handler_t::replace);
}

}  // namespace clutch::host
