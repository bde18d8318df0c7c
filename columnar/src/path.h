// Path of a nested field in messages: "a.b[]". Kept as a chain on the stack, written out only when something fails.
#pragma once

#include <string>
#include <string_view>

namespace clutch::columnar {

struct Path {
  enum class Step { kRoot, kField, kItem, kDictionary };

  const Path* parent = nullptr;
  Step step = Step::kRoot;
  std::string_view name;  // kRoot, kField

  // The path to child `name`; the items of lists and maps have no name.
  Path field(std::string_view child) const { return {this, Step::kField, child}; }
  Path item() const { return {this, Step::kItem, {}}; }
  Path dictionary() const { return {this, Step::kDictionary, {}}; }

  std::string text() const {
    std::string out = parent != nullptr ? parent->text() : std::string(name);
    if (step == Step::kField) {
      if (!out.empty()) out += '.';
      out += name;
    } else if (step == Step::kItem) {
      out += "[]";
    } else if (step == Step::kDictionary) {
      out += "(dictionary)";
    }
    return out;
  }
};

}  // namespace clutch::columnar
