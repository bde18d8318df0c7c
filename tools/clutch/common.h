// What the subcommands of `clutch` share: options that open a host, reports, and how a failure is shown.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "clutch/clutch.hpp"
#include "clutch/columnar/result.h"

namespace CLI {
class App;
}

namespace clutch::tool {

// Exit codes of the command. One that a signal ended ends by that signal (a shell shows 130 for SIGINT).
inline constexpr int kDone = 0;
inline constexpr int kFailed = 1;
inline constexpr int kUsage = 2;
inline constexpr const char* kExitCodes =
    "Exit code: 0 done; 1 failed, or a check found something wrong (standard error says what); 2 wrong usage.";

struct CommonOptions {
  std::vector<std::string> defines;  // "key=value"
  std::string config_file;
  std::string plugin_path;
  std::string log_level;
  std::string python;  // Short for -D python.executable=...
  bool json = false;

  enum class Reports : uint8_t { kJson, kNone };
  void add_to(CLI::App& command, Reports reports = Reports::kJson);
  Format format() const { return json ? Format::kJson : Format::kText; }
};

// The host that the options ask for. Throws clutch::Error; std::invalid_argument for a define without "=".
Host open_host(const CommonOptions& options);
HostSettings host_settings(const CommonOptions& options);

// "key=value" split; throws std::invalid_argument.
std::pair<std::string, std::string> split_define(const std::string& define);

// Why the command failed, as it is told to people and to programs. Thrown by what knows more than an Error says.
struct Failure {
  std::string code;  // CLUTCH_ERR_*
  std::string message;
  Options details;

  std::string detail(const std::string& key) const;
};
Failure failure_of(const Error& error);

// Tell a failure: on standard error the message, then traceback, worker's stack and last lines, if there are any. With
// json also one object on standard output, which then has nothing else.
void tell(const Failure& failure, bool json);

// Print a report on standard output, at once, with a line end. Throws Stopped if nobody reads it, and
// std::runtime_error if it cannot be written.
void print(const std::string& text);

// Turn a Status of the lower rooms into the exception the subcommands throw.
void check(const Status& status);
template <typename T>
T unwrap(Result<T> result) {
  if (!result.ok()) check(result.status());
  return *std::move(result);
}

// Subcommands: each adds itself to the command line; `ret_run` is called if it was chosen and gives the exit code.
using Run = std::function<int()>;
void add_apply(CLI::App& app, Run& ret_run);
void add_run(CLI::App& app, Run& ret_run);
void add_plugins(CLI::App& app, Run& ret_run);
void add_explain(CLI::App& app, Run& ret_run);
void add_doctor(CLI::App& app, Run& ret_run);
void add_config(CLI::App& app, Run& ret_run);
void add_conform(CLI::App& app, Run& ret_run);
void add_bench(CLI::App& app, Run& ret_run);

}  // namespace clutch::tool
