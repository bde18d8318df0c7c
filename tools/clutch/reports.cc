// clutch plugins, explain, config and doctor: what is installed, what would be chosen, and what is missing.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "common.h"

namespace clutch::tool {
namespace {

using Json = nlohmann::ordered_json;

// A function of each kind that every interpreter with the kind's packages can serve.
struct Trial {
  const char* kind;
  const char* input;
  const char* output;
  const char* text;
};
constexpr const char* kCall = "def f(x):\n    return [x]\n";
constexpr const char* kOfTime = "def f(x, t):\n    return t\n";
constexpr const char* kCoroutine = "async def f(x):\n    return x\n";
constexpr const char* kFold =
    "class F:\n"
    "    def create_accumulator(self): return 0\n"
    "    def accumulate(self, accumulator, x): pass\n"
    "    def get_value(self, accumulator): return accumulator\n"
    "    def emit_value(self, accumulator): return [accumulator]\n"
    "    def add(self, value, accumulator): return accumulator\n"
    "    def get_result(self, accumulator): return accumulator\n";
constexpr const char* kTwo =
    "class F:\n"
    "    def map1(self, x): return x\n"
    "    def map2(self, x): return x\n"
    "    def flat_map1(self, x): return [x]\n"
    "    def flat_map2(self, x): return [x]\n"
    "    def process_element(self, x, ctx): return [x]\n"
    "    def process_broadcast_element(self, x, ctx): return [x]\n"
    "    def process_element1(self, x, ctx): return [x]\n"
    "    def process_element2(self, x, ctx): return [x]\n";
constexpr const char* kTwoInputs = "input: int8, value1: int64, value2: int64";
constexpr const char* kWindow = "value: int64, op: int8, cell: int32, other: int32, start: int64, end: int64";
constexpr const char* kTwoWindow =
    "input: int8, value1: int64, value2: int64, op: int8, cell: int32, other: int32, start: int64, end: int64";
constexpr Trial kTrials[] = {
    {"table.scalar", "x: int64", "int64", kCall},
    {"table.scalar.vectorized", "x: int64", "int64", kCall},
    {"table.scalar.async", "x: int64", "int64", kCoroutine},
    {"table.table", "x: int64", "int64", kCall},
    {"table.aggregate", "x: int64", "int64", kFold},
    {"table.aggregate.vectorized", "x: int64", "int64", kCall},
    {"table.table_aggregate", "x: int64", "int64", kFold},
    {"stream.map", "x: int64", "int64", kCall},
    {"stream.flat_map", "x: int64", "int64", kCall},
    {"stream.filter", "x: int64", "x: int64", kCall},
    {"stream.key_by", "x: int64", "value: int64, key: int64", kCall},
    {"stream.timestamps", "value: int64, timestamp: int64", "int64", kOfTime},
    {"stream.async", "x: int64", "int64", kCoroutine},
    {"stream.process", "x: int64", "int64", kCall},
    {"stream.keyed_process", "x: int64", "int64", kCall},
    {"stream.reduce", "x: int64", "int64", kCall},
    {"stream.co_map", kTwoInputs, "int64", kTwo},
    {"stream.co_flat_map", kTwoInputs, "int64", kTwo},
    {"stream.co_process", kTwoInputs, "int64", kTwo},
    {"stream.keyed_co_process", kTwoInputs, "int64", kTwo},
    {"stream.broadcast_process", kTwoInputs, "int64", kTwo},
    {"stream.keyed_broadcast_process", kTwoInputs, "int64", kTwo},
    {"stream.interval_join", "left: int64, right: int64, left_timestamp: int64, right_timestamp: int64", "int64",
     kCall},
    {"stream.window.reduce", kWindow, "int64", kCall},
    {"stream.window.aggregate", kWindow, "int64", kFold},
    {"stream.window.apply", kWindow, "int64", kCall},
    {"stream.window.process", kWindow, "int64", kCall},
    {"stream.window.join", kTwoWindow, "int64", kCall},
    {"stream.window.flat_join", kTwoWindow, "int64", kCall},
    {"stream.window.co_group", kTwoWindow, "int64", kCall},
};

Spec trial_spec(const Trial& trial, const std::string& mode) {
  Spec spec(trial.kind, source(trial.text));
  spec.name("doctor")
      .input(trial.input)
      .output(trial.output)
      .mode(mode)
      .option("python.execution-mode.fallback", "forbid")
      .step_option("accumulator", "BIGINT");  // Only aggregates look at it.
  return spec;
}

// What one mode says about this interpreter: a verdict a kind, and the facts.
Json examine(const Host& host, const std::string& mode) {
  Json kinds = Json::object();
  Json facts = Json::object();
  for (const Trial& trial : kTrials) {
    const Json decision = Json::parse(host.explain(trial_spec(trial, mode), Format::kJson));
    Json answer = {{"served", false}, {"reason", decision.value("reason", "")}};
    for (const Json& candidate : decision.value("candidates", Json::array())) {
      if (candidate.value("mode", "") != mode) continue;
      answer["served"] = candidate.value("verdict", "") == "chosen";
      answer["reason"] = candidate.value("reason", "");
      const Json candidate_facts = candidate.value("facts", Json::object());
      for (const auto& [key, value] : candidate_facts.items()) facts[key] = value;
    }
    kinds[trial.kind] = answer;
  }
  return {{"kinds", kinds}, {"facts", facts}};
}

// Keys that are set, then all other known ones with their defaults.
std::string whole_configuration(const Host& host, bool json) {
  Json entries = Json::parse(host.configuration(Format::kJson));
  std::set<std::string> told;
  for (const Json& entry : entries) told.insert(entry.value("key", ""));
  std::istringstream known(CLUTCH_KNOWN_KEYS);
  for (std::string key; known >> key;) {
    if (told.count(key) != 0) continue;
    Json value = nullptr;
    try {
      const std::string text = host.get(key).first;
      if (!text.empty()) value = text;
    } catch (const Error& error) {
      if (error.code() != CLUTCH_ERR_NOT_FOUND) throw;
    }
    entries.push_back({{"key", key}, {"value", value}, {"origin", value.is_null() ? "not set" : "default"}});
  }
  if (json) return entries.dump(2, ' ', false, Json::error_handler_t::replace);
  std::string text;
  for (const Json& entry : entries) {
    text += entry.value("key", "");
    if (!entry["value"].is_null()) {
      text += " = " + entry["value"].dump(-1, ' ', false, Json::error_handler_t::replace);
    }
    text += "  # " + entry.value("origin", "") + "\n";
  }
  return text;
}

std::vector<std::string> modes_of(const Host& host) {
  const Json found = Json::parse(host.plugins(Format::kJson));
  std::vector<std::string> modes;
  for (const Json& plugin : found.value("plugins", Json::array())) modes.push_back(plugin.value("mode", ""));
  return modes;
}

int doctor(const CommonOptions& options) {
  CommonOptions quiet = options;
  if (quiet.log_level.empty()) quiet.log_level = "error";
  const Host host = open_host(quiet);
  const auto [executable, origin] = host.get("python.executable");
  Json report = {{"python.executable", executable}, {"origin", origin}, {"modes", Json::object()}};
  bool any = false;
  for (const std::string& mode : modes_of(host)) {
    if (mode == "native") continue;  // Needs no interpreter.
    report["modes"][mode] = examine(host, mode);
  }
  for (const auto& [mode, answer] : report["modes"].items()) {
    for (const auto& [kind, verdict] : answer["kinds"].items()) any = any || verdict.value("served", false);
  }
  report["usable"] = any;
  if (options.json) {
    print(report.dump(2));
    return any ? kDone : kFailed;
  }
  std::string text = "python.executable  " + executable + "  (" + origin + ")\n";
  if (report["modes"].empty()) {
    text += "No plugin was found that runs Python; `clutch plugins` lists where it was looked for.\n";
  }
  const auto add = [&](std::string name, const std::string& value) {
    name.resize(std::max<size_t>(name.size(), 22), ' ');
    text += "  " + name + " " + value + "\n";
  };
  for (const auto& [mode, answer] : report["modes"].items()) {
    text += "\n" + mode + "\n";
    for (const auto& [key, value] : answer["facts"].items()) {
      add(key, value.is_string() ? value.get<std::string>() : value.dump());
    }
    for (const auto& [kind, verdict] : answer["kinds"].items()) {
      add(kind, verdict.value("served", false) ? "yes" : "no: " + verdict.value("reason", std::string()));
    }
  }
  print(text);
  return any ? kDone : kFailed;
}

}  // namespace

void add_plugins(CLI::App& app, Run& ret_run) {
  auto* command = app.add_subcommand("plugins", "List the plugins found, and every place looked at");
  auto options = std::make_shared<CommonOptions>();  // Why: the command line and the run it leads to both keep it.
  options->add_to(*command);
  command->callback([&ret_run, options] {
    ret_run = [options] {
      print(open_host(*options).plugins(options->format()));
      return kDone;
    };
  });
}

void add_explain(CLI::App& app, Run& ret_run) {
  struct Options {
    CommonOptions common;
    std::string kind;
    std::string function;
    std::string input = "x: string";
    std::string output = "string";
    std::string mode;
  };
  auto* command =
      app.add_subcommand("explain", "Say which plugin serves a kind or a function, and why the others do not");
  auto options = std::make_shared<Options>();  // Why: as in add_plugins.
  command->add_option("KIND", options->kind, "Kind of function; without it, all kinds by plugin");
  command->add_option("--function", options->function,
                      "Decide for this function, \"module:attribute\" or \"file.py:attribute\"");
  command->add_option("--input-type", options->input, "Its input columns");
  command->add_option("--result-type", options->output, "Its result");
  command->add_option("--mode", options->mode, "Its own execution mode");
  options->common.add_to(*command);
  command->callback([&ret_run, options] {
    ret_run = [options] {
      const Host host = open_host(options->common);
      if (options->function.empty()) {
        print(host.explain_kind(options->kind, options->common.format()));
        return kDone;
      }
      Spec spec(options->kind.empty() ? "table.scalar" : options->kind, imported(options->function));
      spec.input(options->input).output(options->output).mode(options->mode);
      print(host.explain(spec, options->common.format()));
      return Json::parse(host.explain(spec, Format::kJson)).value("ok", false) ? kDone : kFailed;
    };
  });
}

void add_config(CLI::App& app, Run& ret_run) {
  struct Options {
    CommonOptions common;
    bool all = false;
  };
  auto* command =
      app.add_subcommand("config", "List the configuration keys that are set, and where each value is from");
  auto options = std::make_shared<Options>();  // Why: as in add_plugins.
  command->add_flag("--all", options->all, "Also the keys that are not set, with their defaults");
  options->common.add_to(*command);
  command->callback([&ret_run, options] {
    ret_run = [options] {
      const Host host = open_host(options->common);
      print(options->all ? whole_configuration(host, options->common.json)
                         : host.configuration(options->common.format()));
      return kDone;
    };
  });
}

void add_doctor(CLI::App& app, Run& ret_run) {
  auto* command = app.add_subcommand("doctor", "Say what an interpreter can serve in each mode, and what it lacks");
  auto options = std::make_shared<CommonOptions>();  // Why: as in add_plugins.
  options->add_to(*command);
  command->callback([&ret_run, options] { ret_run = [options] { return doctor(*options); }; });
}

}  // namespace clutch::tool
