#include "job/members.h"

#include <algorithm>

namespace clutch::engine {
namespace {

constexpr size_t kExcerpt = 60;  // characters of a value in a message

const nlohmann::json& nothing() {
  static const nlohmann::json kNothing;
  return kNothing;
}

const nlohmann::json& no_items() {
  static const nlohmann::json kNone = nlohmann::json::array();
  return kNone;
}

std::string listed(std::span<const std::string_view> words) {
  std::string out;
  for (const std::string_view word : words) {
    if (!out.empty()) out += ", ";
    out += word;
  }
  return out;
}

}  // namespace

Status place_error(std::string_view place, std::string_view why) {
  return Status(CLUTCH_ERR_CONFIG,
                (place.empty() ? std::string("the job") : std::string(place)) + ": " + std::string(why),
                CLUTCH_ORIGIN_CONFIG);
}

Result<nlohmann::json> parse_json(std::string_view text) {
  try {
    return nlohmann::json::parse(text);
  } catch (const nlohmann::json::exception& error) {
    return Status(CLUTCH_ERR_CONFIG, std::string("the job description is no JSON: ") + error.what(),
                  CLUTCH_ORIGIN_CONFIG);
  }
}

std::string json_excerpt(const nlohmann::json& value) {
  std::string text = value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  if (text.size() > kExcerpt) text = text.substr(0, kExcerpt) + "...";
  return text;
}

Members::Members(const Json& object, std::string place) : object_(&object), place_(std::move(place)) {
  if (object.is_object()) return;
  fail({}, "it must be an object, and is " + json_excerpt(object));
  object_ = &nothing();
}

bool Members::has(std::string_view name) const { return object_->is_object() && object_->find(name) != object_->end(); }

const Members::Json* Members::find(std::string_view name, bool required) {
  if (!status_.ok()) return nullptr;
  asked_.push_back(name);
  const auto found = object_->find(name);
  if (found != object_->end()) return &*found;
  if (required) fail({}, "\"" + std::string(name) + "\" is missing");
  return nullptr;
}

void Members::fail(std::string_view name, std::string_view why) {
  fail(place_error(name.empty() ? place_ : place_of(name), why));
}

void Members::fail(Status status) {
  if (status_.ok()) status_ = std::move(status);
}

void Members::wrong_type(std::string_view name, std::string_view wanted, const Json& found) {
  fail(name, "it must be " + std::string(wanted) + ", and is " + json_excerpt(found));
}

std::optional<std::string> Members::optional_text(std::string_view name) {
  const Json* found = find(name, false);
  if (found == nullptr) return std::nullopt;
  if (found->is_string() && !found->get_ref<const std::string&>().empty()) return found->get<std::string>();
  wrong_type(name, "a text that is not empty", *found);
  return std::nullopt;
}

std::string Members::text(std::string_view name) {
  if (status_.ok() && !has(name)) fail({}, "\"" + std::string(name) + "\" is missing");
  return optional_text(name).value_or(std::string());
}

std::string Members::text_or(std::string_view name, std::string_view otherwise) {
  const Json* found = find(name, false);
  if (found == nullptr) return std::string(otherwise);
  if (found->is_string()) return found->get<std::string>();
  wrong_type(name, "a text", *found);
  return std::string(otherwise);
}

std::optional<int64_t> Members::optional_integer(std::string_view name, int64_t low, int64_t high) {
  const Json* found = find(name, false);
  if (found == nullptr) return std::nullopt;
  // A number beyond int64 is kept as unsigned or as a float.
  if (found->is_number_integer() && !(found->is_number_unsigned() && found->get<uint64_t>() > INT64_MAX)) {
    const auto number = found->get<int64_t>();
    if (number >= low && number <= high) return number;
  }
  std::string wanted = "a whole number";
  if (low != INT64_MIN && high != INT64_MAX) {
    wanted += " from " + std::to_string(low) + " to " + std::to_string(high);
  } else if (low != INT64_MIN) {
    wanted += " of at least " + std::to_string(low);
  }
  wrong_type(name, wanted, *found);
  return std::nullopt;
}

int64_t Members::integer(std::string_view name, int64_t low, int64_t high) {
  if (status_.ok() && !has(name)) fail({}, "\"" + std::string(name) + "\" is missing");
  return optional_integer(name, low, high).value_or(low);
}

std::optional<columnar::Type> Members::optional_type(std::string_view name) {
  const std::optional<std::string> text = optional_text(name);
  if (!text.has_value()) return std::nullopt;
  Result<columnar::Type> type = columnar::parse_type(*text);
  if (type.ok()) return *std::move(type);
  fail(name, type.status().message());
  return std::nullopt;
}

columnar::Type Members::type(std::string_view name) {
  if (status_.ok() && !has(name)) fail({}, "\"" + std::string(name) + "\" is missing; give the type of the elements");
  return optional_type(name).value_or(columnar::Type());
}

bool Members::boolean_or(std::string_view name, bool otherwise) {
  const Json* found = find(name, false);
  if (found == nullptr) return otherwise;
  if (found->is_boolean()) return found->get<bool>();
  wrong_type(name, "true or false", *found);
  return otherwise;
}

size_t Members::choice_or(std::string_view name, std::span<const std::string_view> words, size_t otherwise) {
  const Json* found = find(name, false);
  if (found == nullptr) return otherwise;
  if (found->is_string()) {
    const auto at = std::find(words.begin(), words.end(), found->get_ref<const std::string&>());
    if (at != words.end()) return static_cast<size_t>(at - words.begin());
  }
  wrong_type(name, "one of " + listed(words), *found);
  return otherwise;
}

size_t Members::choice(std::string_view name, std::span<const std::string_view> words) {
  if (status_.ok() && !has(name)) fail({}, "\"" + std::string(name) + "\" is missing; give one of " + listed(words));
  return choice_or(name, words, 0);
}

const Members::Json* Members::optional_value(std::string_view name) { return find(name, false); }

const Members::Json& Members::value(std::string_view name) {
  const Json* found = find(name, true);
  return found == nullptr ? nothing() : *found;
}

const Members::Json& Members::array(std::string_view name) {
  const Json* found = find(name, true);
  if (found == nullptr) return no_items();
  if (found->is_array()) return *found;
  wrong_type(name, "an array", *found);
  return no_items();
}

const Members::Json* Members::optional_object(std::string_view name) {
  const Json* found = find(name, false);
  if (found == nullptr || found->is_object()) return found;
  wrong_type(name, "an object", *found);
  return nullptr;
}

std::vector<std::pair<std::string, std::string>> Members::texts(std::string_view name) {
  std::vector<std::pair<std::string, std::string>> out;
  const Json* found = optional_object(name);
  if (found == nullptr) return out;
  for (const auto& [key, value] : found->items()) {
    if (value.is_string()) {
      out.emplace_back(key, value.get<std::string>());
    } else if (value.is_number() || value.is_boolean()) {
      out.emplace_back(key, value.dump());
    } else {
      fail(name, "the value of \"" + key + "\" must be a text, a number or a boolean, and is " + json_excerpt(value));
    }
  }
  return out;
}

Status Members::end() {
  if (!status_.ok()) return status_;
  for (const auto& [name, value] : object_->items()) {
    if (std::find(asked_.begin(), asked_.end(), name) != asked_.end()) continue;
    fail({}, "nothing is called \"" + name + "\" here; known are " +
                 listed(std::span<const std::string_view>(asked_.data(), asked_.size())));
    break;
  }
  return status_;
}

}  // namespace clutch::engine
