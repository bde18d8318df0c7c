#include "spec/connector_members.h"

#include <algorithm>

namespace clutch::engine {
namespace {

using nlohmann::json;

std::string shown(const json& value) {
  if (value.is_structured()) return value.is_array() ? "an array" : "an object";
  std::string text = value.dump(-1, ' ', false, json::error_handler_t::replace);
  if (text.size() > 100) text = text.substr(0, 100) + "...";
  return text;
}

std::string joined(const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& name : names) out += (out.empty() ? "" : ", ") + name;
  return out;
}

}  // namespace

ConnectorMembers::ConnectorMembers(const json& object, std::string_view place) : object_(object), place_(place) {
  if (!object.is_object()) wrong_ = refusal("", shown(object) + " is no object");
}

std::string ConnectorMembers::place(std::string_view name) const {
  return name.empty() ? place_ : place_ + "." + std::string(name);
}

Status ConnectorMembers::refusal(std::string_view name, const std::string& why) const {
  return {CLUTCH_ERR_ARGUMENT, place(name) + ": " + why, CLUTCH_ORIGIN_USER};
}

void ConnectorMembers::refuse(std::string_view name, const std::string& why) {
  if (wrong_.ok()) wrong_ = refusal(name, why);
}

bool ConnectorMembers::has(std::string_view name) const { return object_.is_object() && object_.contains(name); }

const json* ConnectorMembers::find(std::string_view name) {
  known_.emplace_back(name);
  if (!object_.is_object()) return nullptr;
  const auto found = object_.find(name);
  return found == object_.end() ? nullptr : &*found;
}

std::string ConnectorMembers::required_text(std::string_view name) {
  if (!has(name)) refuse(name, "is missing; give a text");
  return text(name, "");
}

std::string ConnectorMembers::text(std::string_view name, std::string_view otherwise) {
  const json* value = find(name);
  if (value == nullptr) return std::string(otherwise);
  if (value->is_string()) return value->get<std::string>();
  refuse(name, shown(*value) + " is no text");
  return std::string(otherwise);
}

bool ConnectorMembers::flag(std::string_view name, bool otherwise) {
  const json* value = find(name);
  if (value == nullptr) return otherwise;
  if (value->is_boolean()) return value->get<bool>();
  refuse(name, shown(*value) + " is neither true nor false");
  return otherwise;
}

std::optional<int64_t> ConnectorMembers::integer_of(std::string_view name, int64_t lowest, int64_t highest) {
  const json* value = find(name);
  if (value == nullptr) return std::nullopt;
  const bool huge = value->is_number_unsigned() && value->get<uint64_t>() > static_cast<uint64_t>(INT64_MAX);
  if (value->is_number_integer() && !huge) {
    const auto number = value->get<int64_t>();
    if (number >= lowest && number <= highest) return number;
  }
  refuse(name, shown(*value) + " is no whole number from " + std::to_string(lowest) + " to " + std::to_string(highest));
  return std::nullopt;
}

int64_t ConnectorMembers::integer(std::string_view name, int64_t lowest, int64_t highest, int64_t otherwise) {
  return integer_of(name, lowest, highest).value_or(otherwise);
}

int64_t ConnectorMembers::required_integer(std::string_view name, int64_t lowest, int64_t highest) {
  if (!has(name)) {
    refuse(name, "is missing; give a whole number from " + std::to_string(lowest) + " to " + std::to_string(highest));
  }
  return integer(name, lowest, highest, lowest);
}

std::optional<int64_t> ConnectorMembers::optional_integer(std::string_view name, int64_t lowest, int64_t highest) {
  return integer_of(name, lowest, highest);
}

std::optional<double> ConnectorMembers::optional_number(std::string_view name) {
  const json* value = find(name);
  if (value == nullptr) return std::nullopt;
  if (value->is_number()) return value->get<double>();
  refuse(name, shown(*value) + " is no number");
  return std::nullopt;
}

char ConnectorMembers::character(std::string_view name, char otherwise, bool absent) {
  const json* value = find(name);
  if (value == nullptr) return otherwise;
  if (value->is_string()) {
    const auto& text = value->get_ref<const std::string&>();
    if (text.empty() && absent) return 0;
    if (text.size() == 1 && (text[0] == '\t' || (text[0] >= ' ' && text[0] <= '~'))) return text[0];
  }
  refuse(name, shown(*value) + " is not one character of ASCII" + (absent ? ", nor empty" : ""));
  return otherwise;
}

size_t ConnectorMembers::choice(std::string_view name, std::initializer_list<std::string_view> words,
                                std::string_view otherwise) {
  const std::string word = text(name, otherwise);
  const auto* found = std::find(words.begin(), words.end(), word);
  if (found != words.end()) return static_cast<size_t>(found - words.begin());
  std::string all;
  for (const std::string_view known : words) all += (all.empty() ? "" : ", ") + std::string(known);
  refuse(name, (word.empty() ? std::string("is missing") : "\"" + word + "\" is not known") + "; there are " + all);
  return 0;
}

const json& ConnectorMembers::object(std::string_view name) {
  static const json kEmpty = json::object();
  const json* value = find(name);
  if (value == nullptr) return kEmpty;
  if (value->is_object()) return *value;
  refuse(name, shown(*value) + " is no object");
  return kEmpty;
}

const json& ConnectorMembers::array(std::string_view name) {
  static const json kEmpty = json::array();
  const json* value = find(name);
  if (value == nullptr) return kEmpty;
  if (value->is_array()) return *value;
  refuse(name, shown(*value) + " is no array");
  return kEmpty;
}

Status ConnectorMembers::finish() {
  if (!wrong_.ok() || !object_.is_object()) return wrong_;
  for (const auto& [name, value] : object_.items()) {
    if (name == "type" || std::find(known_.begin(), known_.end(), name) != known_.end()) continue;
    return refusal(
        name, known_.empty() ? "is not known; there are no members here" : "is not known; there are " + joined(known_));
  }
  return {};
}

}  // namespace clutch::engine
