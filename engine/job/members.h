// Reads one object of the job description, member by member, and remembers the first thing that is wrong with it.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "clutch/columnar/result.h"
#include "clutch/columnar/type.h"

namespace clutch::engine {

// Every member is asked for once; end() then refuses those that nobody asked for. After the first error all getters
// give what a missing member gives, so a caller checks end() alone. All errors are CLUTCH_ERR_CONFIG and begin with the
// place
// ("nodes[2].code"). The JSON must outlive the reader.
class Members {
 public:
  using Json = nlohmann::json;

  // `place` of the document itself is empty.
  Members(const Json& object, std::string place);

  const std::string& place() const { return place_; }
  std::string place_of(std::string_view name) const {
    return place_.empty() ? std::string(name) : place_ + "." + std::string(name);
  }
  bool has(std::string_view name) const;

  // Required members. A text may not be empty; a number is within [low, high].
  std::string text(std::string_view name);
  int64_t integer(std::string_view name, int64_t low, int64_t high);
  columnar::Type type(std::string_view name);
  const Json& value(std::string_view name);  // null if it is missing
  const Json& array(std::string_view name);  // an empty array then
  // One of the words; the position.
  size_t choice(std::string_view name, std::span<const std::string_view> words);

  // Optional members: nothing, or what is given instead, if they are absent.
  std::optional<std::string> optional_text(std::string_view name);
  std::string text_or(std::string_view name, std::string_view otherwise);  // may be empty
  std::optional<int64_t> optional_integer(std::string_view name, int64_t low, int64_t high);
  std::optional<columnar::Type> optional_type(std::string_view name);
  bool boolean_or(std::string_view name, bool otherwise);
  size_t choice_or(std::string_view name, std::span<const std::string_view> words, size_t otherwise);
  const Json* optional_value(std::string_view name);
  const Json* optional_object(std::string_view name);
  // Members with text values (numbers and booleans as they are written), in the document's order of names.
  std::vector<std::pair<std::string, std::string>> texts(std::string_view name);

  // Something else is wrong; `name` empty: with the whole object.
  void fail(std::string_view name, std::string_view why);
  void fail(Status status);
  bool ok() const { return status_.ok(); }
  Status end();

 private:
  const Json* find(std::string_view name, bool required);
  void wrong_type(std::string_view name, std::string_view wanted, const Json& found);

  const Json* object_;
  std::string place_;
  std::vector<std::string_view> asked_;
  Status status_;
};

// The error of one place.
Status place_error(std::string_view place, std::string_view why);

// Read a document. CLUTCH_ERR_CONFIG says at which byte it is no JSON.
Result<nlohmann::json> parse_json(std::string_view text);

// Short text of a value, for messages.
std::string json_excerpt(const nlohmann::json& value);

}  // namespace clutch::engine
