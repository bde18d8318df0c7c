#include "common.h"

#include <CLI/CLI.hpp>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "stop.h"

namespace clutch::tool {

void CommonOptions::add_to(CLI::App& command, Reports reports) {
  command.add_option("-D,--define", defines, "Set a configuration key: -D python.execution-mode=thread")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);  // one value each; what follows is not one more
  command.add_option("--config", config_file, "Configuration file (TOML)")->type_name("FILE");
  command.add_option("--plugins", plugin_path, "Folders searched for plugins first, separated by ':'")
      ->type_name("PATH");
  command.add_option("--python", python, "Interpreter; short for -D python.executable=PATH")->type_name("PATH");
  command.add_option("--log", log_level, "Log level: trace, debug, info, warn (default), error, off")
      ->type_name("LEVEL");
  if (reports == Reports::kJson) {
    command.add_flag("--json", json, "Report on standard output as one JSON document, failures too");
  }
  command.footer(kExitCodes);
}

std::pair<std::string, std::string> split_define(const std::string& define) {
  const size_t equals = define.find('=');
  if (equals == std::string::npos || equals == 0) {
    throw std::invalid_argument("-D " + define + ": write KEY=VALUE");
  }
  return {define.substr(0, equals), define.substr(equals + 1)};
}

HostSettings host_settings(const CommonOptions& options) {
  HostSettings settings;
  if (!options.python.empty()) settings.options.emplace_back("python.executable", options.python);
  for (const std::string& define : options.defines) settings.options.push_back(split_define(define));
  settings.config_file = options.config_file;
  settings.plugin_path = options.plugin_path;
  settings.log_level = options.log_level;
  return settings;
}

Host open_host(const CommonOptions& options) { return Host(host_settings(options)); }

std::string Failure::detail(const std::string& key) const {
  for (const auto& [name, value] : details) {
    if (name == key) return value;
  }
  return {};
}

Failure failure_of(const Error& error) { return {error.code_name(), error.what(), error.details()}; }

void tell(const Failure& failure, bool json) {
  std::fprintf(stderr, "clutch: %s\n", failure.message.c_str());
  const std::pair<const char*, const char*> sections[] = {{CLUTCH_DETAIL_TRACEBACK, ""},
                                                          {CLUTCH_DETAIL_PYTHON_STACK, "Python stack:\n"},
                                                          {CLUTCH_DETAIL_WORKER_LOG, "Last lines of the worker:\n"}};
  for (const auto& [key, title] : sections) {
    const std::string text = failure.detail(key);
    if (!text.empty()) std::fprintf(stderr, "%s%s%s", title, text.c_str(), text.back() == '\n' ? "" : "\n");
  }
  if (!json) return;
  nlohmann::ordered_json details = nlohmann::ordered_json::object();
  for (const auto& [key, value] : failure.details) details[key] = value;
  const nlohmann::ordered_json out = {
      {"error", {{"code", failure.code}, {"message", failure.message}, {"details", details}}}};
  print(out.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
}

void print(const std::string& text) {
  const bool ended = !text.empty() && text.back() == '\n';
  if (std::fputs(text.c_str(), stdout) >= 0 && (ended || std::fputc('\n', stdout) != EOF) && std::fflush(stdout) == 0) {
    return;
  }
  if (errno == EPIPE) throw Stopped{SIGPIPE};
  throw std::runtime_error(std::string("cannot write standard output: ") + std::strerror(errno));
}

void check(const Status& status) {
  if (!status.ok()) throw Error(status.code(), std::string(status.message()));
}

}  // namespace clutch::tool
