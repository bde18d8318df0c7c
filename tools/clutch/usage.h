// What is wrong with a command line, with the name that was probably meant.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace CLI {
class App;
class ParseError;
}  // namespace CLI

namespace clutch::tool {

// The sentence for a command line that did not parse.
std::string usage_error(const CLI::App& app, const CLI::ParseError& error, const std::vector<std::string>& arguments);

// The one of `names` that is a few slips of the keyboard away from `word`, or empty.
std::string nearest(std::string_view word, const std::vector<std::string>& names);

}  // namespace clutch::tool
