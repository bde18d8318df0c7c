// The clutch command: run functions over files, and look at, check and measure an installation.
#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <exception>
#include <stdexcept>
#include <string>
#include <vector>

#include "common.h"
#include "stop.h"
#include "usage.h"

namespace clutch::tool {
namespace {

// Asked before the command line is parsed, because a failure to parse it is told as JSON too.
bool wants_json(const std::vector<std::string>& arguments) {
  for (const std::string& argument : arguments) {
    if (argument == "--json") return true;
  }
  return false;
}

int run_command(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + (argc > 0 ? 1 : 0), argv + argc);
  const bool json = wants_json(arguments);
  CLI::App app("Python functions inside data engines: run, explain, check and measure.", "clutch");
  app.set_version_flag("--version", clutch_app_version());
  app.require_subcommand(1);
  app.footer(kExitCodes);
  Run run;
  add_apply(app, run);
  add_run(app, run);
  add_plugins(app, run);
  add_explain(app, run);
  add_config(app, run);
  add_doctor(app, run);
  add_conform(app, run);
  add_bench(app, run);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // Help, or the version.
    tell({"CLUTCH_ERR_ARGUMENT", usage_error(app, error, arguments), {}}, json);
    return kUsage;
  }
  try {
    return run();
  } catch (const Failure& failure) {
    tell(failure, json);
  } catch (const Error& error) {
    tell(failure_of(error), json);
  } catch (const std::invalid_argument& error) {
    tell({"CLUTCH_ERR_ARGUMENT", error.what(), {}}, json);
    return kUsage;
  } catch (const std::exception& error) {
    tell({"CLUTCH_ERR_INTERNAL", error.what(), {}}, json);
  }
  return kFailed;
}

}  // namespace
}  // namespace clutch::tool

int main(int argc, char** argv) try {
  std::signal(SIGPIPE, SIG_IGN);  // A closed reader is an error of the write, after which everything is cleaned up.
  return clutch::tool::run_command(argc, argv);
} catch (const clutch::tool::Stopped& stopped) {
  clutch::tool::end_by(stopped.signal);
} catch (const std::exception& error) {
  std::fprintf(stderr, "clutch: %s\n", error.what());
  return clutch::tool::kFailed;
}
