// The clutch command: run functions over files, and look at, check and measure an installation.
#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <exception>

#include "common.h"

int main(int argc, char** argv) {
  using namespace clutch::tool;
  CLI::App app("Python functions inside data engines: run, explain, check and measure.", "clutch");
  app.set_version_flag("--version", clutch_app_version());
  app.require_subcommand(1);
  Run run;
  add_apply(app, run);
  add_plugins(app, run);
  add_explain(app, run);
  add_config(app, run);
  add_doctor(app, run);
  add_conform(app, run);
  add_bench(app, run);

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kDone : kUsage;
  }
  std::signal(SIGPIPE, SIG_IGN);  // A closed reader is an error of the write, which is reported.
  try {
    return run();
  } catch (const clutch::Error& error) {
    print_error(error, /*json=*/false);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "clutch: %s\n", error.what());
  }
  return kFailed;
}
