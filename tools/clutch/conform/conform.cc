// clutch conform: the conformance table against a plugin, a process of its own for each case.

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>

#include "child.h"
#include "common.h"
#include "conform/case.h"
#include "conform/run_case.h"

namespace clutch::tool {
namespace {

using Json = nlohmann::ordered_json;

struct ConformOptions {
  CommonOptions common;
  std::string plugin;
  std::string cases;
  std::string native_library;
  std::string filter;
  bool own_store = false;
  std::string only;  // Hidden: run this one case here and print its result.
  int64_t timeout_s = 60;
};

std::string cases_folder(const ConformOptions& options) {
  if (!options.cases.empty()) return options.cases;
  const char* from_environment = std::getenv("CONFORMANCE_CASES");
  return from_environment != nullptr ? from_environment : CLUTCH_CASES_FOLDER;
}

Json to_json(const CaseResult& result) {
  return {{"name", result.name}, {"outcome", result.outcome}, {"reason", result.reason}, {"digest", result.digest}};
}

class Conform {
 public:
  explicit Conform(const ConformOptions& options)
      : options_(options), cases_(unwrap(load_cases(cases_folder(options)))) {}

  // In the child: one case, its result as one line of JSON.
  int run_here() const {
    const auto found =
        std::find_if(cases_.begin(), cases_.end(), [&](const Case& one) { return one.name == options_.only; });
    if (found == cases_.end()) throw std::invalid_argument("there is no case named \"" + options_.only + "\"");
    CommonOptions quiet = options_.common;
    if (quiet.log_level.empty()) quiet.log_level = "off";
    const Host host = open_host(quiet);
    const CaseResult result =
        run_case(host, find_plugin(host, options_.plugin, options_.native_library), *found, options_.own_store);
    print(to_json(result).dump(-1, ' ', false, Json::error_handler_t::replace));
    return result.outcome == "fail" ? kFailed : kDone;
  }

  int run_all(const std::vector<std::string>& own_arguments) const {
    int counts[3] = {0, 0, 0};  // passed, failed, skipped
    Json report = {{"plugin", options_.plugin}, {"cases", Json::array()}};
    for (const Case& one : cases_) {
      if (one.name.find(options_.filter) == std::string::npos) continue;
      if (options_.own_store && !one.parts.keyed) continue;  // Without keys there is no state.
      const CaseResult result = run_in_child(one, own_arguments);
      const bool passed = result.outcome == "pass";
      const bool skipped = result.outcome == "skip";
      ++counts[passed ? 0 : skipped ? 2 : 1];
      report["cases"].push_back(to_json(result));
      if (!options_.common.json) {
        std::string text = result.outcome;
        text.resize(std::max<size_t>(text.size(), 8), ' ');
        text += result.name;
        if (!passed) text += "\n        " + result.reason + " (" + one.file + ")";
        print(text);
      }
    }
    report["passed"] = counts[0];
    report["failed"] = counts[1];
    report["skipped"] = counts[2];
    if (options_.common.json) {
      print(report.dump(2, ' ', false, Json::error_handler_t::replace));
    } else {
      print(std::to_string(counts[0]) + " passed, " + std::to_string(counts[1]) + " failed, " +
            std::to_string(counts[2]) + " skipped");
    }
    return counts[1] == 0 && counts[0] > 0 ? kDone : kFailed;
  }

 private:
  CaseResult run_in_child(const Case& one, const std::vector<std::string>& own_arguments) const {
    std::vector<std::string> arguments = own_arguments;
    arguments.insert(arguments.end(), {"--only", one.name});
    Child child("/proc/self/exe", arguments);
    const auto text = child.read(std::chrono::seconds(options_.timeout_s));
    if (!text) return {one.name, "timeout", "no result after " + std::to_string(options_.timeout_s) + " s", ""};
    const std::string ending = child.wait();
    // User code of a case may have printed before; the result is the last line.
    const size_t end = text->find_last_not_of('\n');
    const size_t start = end == std::string::npos ? std::string::npos : text->find_last_of('\n', end);
    const Json result = Json::parse(text->substr(start == std::string::npos ? 0 : start + 1), nullptr, false);
    if (!ending.empty() || !result.is_object()) {
      return {one.name, "crash", ending.empty() ? "the process gave no result; it printed: " + *text : ending, ""};
    }
    return {one.name, result.value("outcome", "fail"), result.value("reason", ""), result.value("digest", "")};
  }

  const ConformOptions& options_;
  std::vector<Case> cases_;
};

// The arguments this command was called with, for the children: everything but the hidden option.
std::vector<std::string> child_arguments(const ConformOptions& options) {
  std::vector<std::string> out = {"clutch", "conform", options.plugin, "--cases", cases_folder(options)};
  const auto add = [&](const char* name, const std::string& value) {
    if (!value.empty()) out.insert(out.end(), {name, value});
  };
  add("--native-library", options.native_library);
  add("--config", options.common.config_file);
  add("--plugins", options.common.plugin_path);
  add("--python", options.common.python);
  add("--log", options.common.log_level);
  if (options.own_store) out.emplace_back("--own-store");
  for (const std::string& define : options.common.defines) add("-D", define);
  return out;
}

}  // namespace

void add_conform(CLI::App& app, Run& ret_run) {
  auto* command = app.add_subcommand("conform", "Run the conformance table against a plugin; a crash is a result");
  auto options = std::make_shared<ConformOptions>();  // Why: the command line and the run it leads to both keep it.
  command->add_option("PLUGIN", options->plugin, "Mode or id of the plugin")->required();
  command->add_option("--cases", options->cases, "Folder with the cases (*.toml)")->type_name("DIR");
  command->add_option("--native-library", options->native_library, "Library with the symbols of native cases")
      ->type_name("FILE");
  command->add_option("--filter", options->filter, "Only cases whose name has this in it");
  command->add_option("--timeout", options->timeout_s, "Seconds a case may take")
      ->check(CLI::Range(1, 3600))
      ->capture_default_str();
  command->add_flag("--own-store", options->own_store,
                    "Cases with keys alone, with state and timers in a store of this command");
  command->add_option("--only", options->only)->group("");
  options->common.add_to(*command);
  command->callback([&ret_run, options] {
    ret_run = [options] {
      if (!options->native_library.empty()) {
        options->native_library = std::filesystem::absolute(options->native_library).string();
      }
      const Conform conform(*options);
      return options->only.empty() ? conform.run_all(child_arguments(*options)) : conform.run_here();
    };
  });
}

}  // namespace clutch::tool
