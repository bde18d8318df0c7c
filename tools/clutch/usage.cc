#include "usage.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <numeric>

namespace clutch::tool {
namespace {

// Letters to add, drop, change or swap with their neighbour.
size_t slips(std::string_view from, std::string_view to) {
  std::vector<size_t> before;
  std::vector<size_t> above(to.size() + 1);
  std::vector<size_t> row(to.size() + 1);
  std::iota(above.begin(), above.end(), size_t{0});
  for (size_t i = 1; i <= from.size(); ++i) {
    row[0] = i;
    for (size_t j = 1; j <= to.size(); ++j) {
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, above[j - 1] + (from[i - 1] == to[j - 1] ? 0 : 1)});
      const bool swapped = i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1];
      if (swapped) row[j] = std::min(row[j], before[j - 2] + 1);
    }
    before = above;
    std::swap(above, row);
  }
  return above[to.size()];
}

std::string question(const std::string& name) { return name.empty() ? "" : "; did you mean " + name + "?"; }

std::vector<std::string> subcommand_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    names.push_back(command->get_name());
  }
  return names;
}

std::vector<std::string> option_names(const CLI::App& command) {
  std::vector<std::string> names;
  for (const CLI::Option* option : command.get_options()) {
    if (option->get_group().empty()) continue;  // Hidden.
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  }
  return names;
}

}  // namespace

std::string nearest(std::string_view word, const std::vector<std::string>& names) {
  const auto best = std::min_element(names.begin(), names.end(), [&](const std::string& a, const std::string& b) {
    return slips(word, a) < slips(word, b);
  });
  if (best == names.end()) return {};
  return slips(word, *best) <= std::max<size_t>(1, word.size() / 3) ? *best : std::string();
}

std::string usage_error(const CLI::App& app, const CLI::ParseError& error, const std::vector<std::string>& arguments) {
  const std::vector<CLI::App*> chosen = app.get_subcommands();
  if (chosen.empty()) {
    const std::vector<std::string> names = subcommand_names(app);
    std::string list;
    for (const std::string& name : names) list += (list.empty() ? "" : ", ") + name;
    if (arguments.empty()) return "a subcommand is missing; say one of " + list;
    if (arguments[0].rfind('-', 0) == 0) {
      return "unknown option " + arguments[0] + " in front of the subcommand; options follow it: clutch apply --help";
    }
    const std::string meant = nearest(arguments[0], names);
    return "unknown subcommand \"" + arguments[0] + "\"" + (meant.empty() ? "; there are " + list : question(meant));
  }
  const CLI::App& command = *chosen[0];
  const std::string help = " `clutch " + command.get_name() + " --help` lists the options";
  if (dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr) {
    for (const std::string& extra : app.remaining(true)) {
      if (extra.rfind('-', 0) != 0)
        return "unexpected argument \"" + extra + "\" of clutch " + command.get_name() + ";" + help;
      const std::string name = extra.substr(0, extra.find('='));
      const std::string meant = nearest(name, option_names(command));
      return "unknown option " + name + (meant.empty() ? ";" : question(meant)) + help;
    }
  }
  return std::string(error.what()) + ";" + help;
}

}  // namespace clutch::tool
