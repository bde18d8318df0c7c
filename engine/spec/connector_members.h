// Reads the members of one JSON object of a job's description, so that no member is passed over and every refusal names
// its place.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "clutch/columnar/result.h"

namespace clutch::engine {

// Ask for each member there may be, then finish(). The first thing that is wrong is kept and told by finish(); what is
// asked for afterwards has its default. The member "type" is known to every object. Borrows the object.
class ConnectorMembers {
 public:
  // @param place  Where the object stands, such as "nodes[0].source".
  ConnectorMembers(const nlohmann::json& object, std::string_view place);

  bool has(std::string_view name) const;

  std::string required_text(std::string_view name);
  std::string text(std::string_view name, std::string_view otherwise);
  bool flag(std::string_view name, bool otherwise);
  int64_t integer(std::string_view name, int64_t lowest, int64_t highest, int64_t otherwise);
  int64_t required_integer(std::string_view name, int64_t lowest, int64_t highest);
  std::optional<int64_t> optional_integer(std::string_view name, int64_t lowest, int64_t highest);
  std::optional<double> optional_number(std::string_view name);
  // One printable ASCII character or a tab; with `absent` also "" (0).
  char character(std::string_view name, char otherwise, bool absent = false);
  // The position of the word among those that there are.
  size_t choice(std::string_view name, std::initializer_list<std::string_view> words, std::string_view otherwise);
  // An object or an array; an empty one where the member is absent.
  const nlohmann::json& object(std::string_view name);
  const nlohmann::json& array(std::string_view name);

  // Refuse with a place: of a member, or of the object where the name is empty.
  void refuse(std::string_view name, const std::string& why);
  Status refusal(std::string_view name, const std::string& why) const;

  // What is wrong first: with a member, or a member that was not asked for.
  Status finish();

  // The place of a member.
  std::string place(std::string_view name) const;

 private:
  const nlohmann::json* find(std::string_view name);
  std::optional<int64_t> integer_of(std::string_view name, int64_t lowest, int64_t highest);

  const nlohmann::json& object_;
  std::string place_;
  std::vector<std::string> known_;
  Status wrong_;
};

}  // namespace clutch::engine
