// clutch run: run the script of a job, or show its plan, with an interpreter and settings of the command line.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>
#include <stdexcept>

#include "child.h"
#include "common.h"
#include "usage.h"

namespace clutch::tool {
namespace {

namespace fs = std::filesystem;

struct RunOptions {
  CommonOptions common;
  std::string plan;  // the form; empty: the job runs
  std::string output;
  std::string status;
  std::vector<std::string> words;  // the script and what follows it
};

// Says whether the interpreter has the package: "own", "given" with the folder in front of its path, or why not.
constexpr const char* kProbe = R"(
import sys

def why():
    try:
        import clutch._host
    except Exception as error:
        return "%s: %s" % (type(error).__name__, str(error).replace("\n", " "))
    return ""

wrong = why()
if wrong and sys.argv[1]:
    for name in [name for name in sys.modules if name.split(".")[0] == "clutch"]:
        del sys.modules[name]
    sys.path.insert(0, sys.argv[1])
    wrong = why()
    print("given" if not wrong else "no " + wrong)
else:
    print("own" if not wrong else "no " + wrong)
)";

void check_word(const std::string& option, const std::string& word, const std::vector<std::string>& words) {
  if (std::find(words.begin(), words.end(), word) != words.end()) return;
  std::string list;
  for (const std::string& known : words) {
    list += (list.empty() ? "" : known == words.back() ? " and " : ", ") + known;
  }
  throw std::invalid_argument(option + " " + word + ": there are " + list);
}

// The option -D at words[i], or nothing. Behind the script it is still the command's; `i` is moved to its last word.
std::optional<std::string> define_at(const std::vector<std::string>& words, size_t& i) {
  const std::string& word = words[i];
  if (word == "-D" || word == "--define") {
    if (i + 1 == words.size()) throw std::invalid_argument(word + ": write KEY=VALUE behind it");
    return words[++i];
  }
  if (word.rfind("--define=", 0) == 0) return word.substr(std::strlen("--define="));
  if (word.rfind("-D", 0) == 0) return word.substr(2);
  return std::nullopt;
}

std::string checked_script(const RunOptions& options) {
  if (options.words.empty()) throw std::invalid_argument("SCRIPT is required; `clutch run --help` lists the options");
  const std::string& script = options.words.front();
  if (script.size() > 1 && script.front() == '-') {
    const std::string name = script.substr(0, script.find('='));
    const std::string meant =
        nearest(name, {"--define", "--config", "--plugins", "--python", "--log", "--plan", "--output", "--status"});
    throw std::invalid_argument("unknown option " + name + (meant.empty() ? ";" : "; did you mean " + meant + "?") +
                                " `clutch run --help` lists the options");
  }
  std::error_code ignored;
  if (!fs::exists(script, ignored)) {
    throw std::invalid_argument("the script " + script + " does not exist; name the Python file of a job");
  }
  if (fs::is_directory(script, ignored)) {
    throw std::invalid_argument("the script " + script + " is a folder; name the Python file of a job");
  }
  if (access(script.c_str(), R_OK) != 0) {
    throw std::invalid_argument("the script " + script + " cannot be read: " + std::strerror(errno));
  }
  return script;
}

// As a shell finds it; an empty text if there is none.
std::string find_program(const std::string& name) {
  if (name.find('/') != std::string::npos) return access(name.c_str(), X_OK) == 0 ? name : std::string();
  const char* path = std::getenv("PATH");
  std::istringstream folders(path != nullptr ? path : "/usr/bin:/bin");
  for (std::string folder; std::getline(folders, folder, ':');) {
    const fs::path found = fs::path(folder.empty() ? "." : folder) / name;
    std::error_code ignored;
    if (fs::is_regular_file(found, ignored) && access(found.c_str(), X_OK) == 0) return found.string();
  }
  return {};
}

// The package for interpreters that have none of their own: where this command was built or installed to.
std::string package_folder() {
  std::error_code failed;
  const fs::path own = fs::read_symlink("/proc/self/exe", failed).parent_path();
  for (const fs::path& folder : {own / "../../python", own / CLUTCH_PACKAGE_FOLDER}) {
    if (fs::exists(folder / "clutch" / "_host.abi3.so", failed)) return fs::weakly_canonical(folder, failed).string();
  }
  return {};
}

// The folder that has to be in front of the interpreter's path; empty: none. Throws what is wrong with the interpreter.
std::string needed_folder(const std::string& python) {
  const std::string folder = package_folder();
  Child probe(python, {python, "-c", kProbe, folder});
  const std::optional<std::string> told = probe.read(std::chrono::seconds(60));
  std::string answer = told.value_or("");
  while (!answer.empty() && answer.back() == '\n') answer.pop_back();
  if (answer == "own") return {};
  if (answer == "given") return folder;
  if (answer.rfind("no ", 0) == 0) {
    throw std::runtime_error(python + " cannot import clutch (" + answer.substr(3) +
                             "); name another interpreter with --python, or put the package into its PYTHONPATH");
  }
  throw std::runtime_error(python + " does not answer as a Python does; name an interpreter with --python");
}

void set(const char* name, const std::string& value) {
  if (setenv(name, value.c_str(), 1) != 0) throw std::runtime_error(std::string(name) + ": " + std::strerror(errno));
}

void set_environment(const RunOptions& options, const std::string& folder) {
  using Json = nlohmann::ordered_json;
  const auto text = [](const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); };
  Json defined = Json::object();
  for (const auto& [key, value] : host_settings(options.common).options) defined[key] = value;
  if (!defined.empty()) set("CLUTCH_JOB_OPTIONS", text(defined));
  if (!options.plan.empty()) {
    const std::string output = options.output.empty() ? "" : fs::absolute(options.output).string();
    set("CLUTCH_JOB_PLAN", text({{"format", options.plan}, {"output", output}}));
  }
  if (!options.status.empty()) set("CLUTCH_JOB_STATUS", options.status);
  if (!options.common.config_file.empty()) set("CLUTCH_CONFIG", fs::absolute(options.common.config_file).string());
  if (!options.common.plugin_path.empty()) set("CLUTCH_PLUGIN_PATH", options.common.plugin_path);
  if (!options.common.log_level.empty()) set("CLUTCH_LOG_LEVEL", options.common.log_level);
  if (folder.empty()) return;
  const char* before = std::getenv("PYTHONPATH");
  set("PYTHONPATH", folder + (before != nullptr && *before != '\0' ? std::string(":") + before : std::string()));
}

int run(RunOptions options) {
  const std::string script = checked_script(options);
  size_t next = 1;
  for (; next < options.words.size(); ++next) {
    const std::optional<std::string> define = define_at(options.words, next);
    if (!define.has_value()) break;
    options.common.defines.push_back(*define);
  }
  if (next < options.words.size() && options.words[next] == "--") ++next;
  if (!options.plan.empty()) check_word("--plan", options.plan, {"text", "json", "svg", "html"});
  if (!options.status.empty()) check_word("--status", options.status, {"auto", "always", "never"});
  if (options.plan.empty() && !options.output.empty()) {
    throw std::invalid_argument("--output " + options.output + ": it takes a plan; say --plan too");
  }
  // Wrong values of the command line are told before anything runs.
  const std::string wanted = open_host(options.common).get("python.executable").first;
  const std::string python = find_program(wanted);
  if (python.empty()) {
    throw std::runtime_error("the interpreter " + wanted + " is not there or not executable; name one with --python");
  }
  set_environment(options, needed_folder(python));
  std::vector<std::string> arguments = {python, script};
  arguments.insert(arguments.end(), options.words.begin() + static_cast<std::ptrdiff_t>(next), options.words.end());
  std::vector<char*> argv;
  argv.reserve(arguments.size() + 1);
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  std::signal(SIGPIPE, SIG_DFL);  // the script's matter, as without this command
  execv(python.c_str(), argv.data());
  throw std::runtime_error("cannot start " + python + ": " + std::strerror(errno));
}

}  // namespace

void add_run(CLI::App& app, Run& ret_run) {
  auto options = std::make_shared<RunOptions>();  // Shared: the callbacks outlive this call.
  CLI::App* command =
      app.add_subcommand("run", "Run the script of a job: clutch run [OPTIONS] SCRIPT [-D KEY=VALUE]... [ARGUMENTS]");
  options->common.add_to(*command, CommonOptions::Reports::kNone);
  command
      ->add_flag("--plan{text}", options->plan,
                 "Do not run; show the plan, in a form: --plan=text (default), json, svg or html")
      ->type_name("FORM");
  command->add_option("--output", options->output, "File for the plan; more jobs of the script get numbers behind it")
      ->type_name("FILE");
  command
      ->add_option("--status", options->status,
                   "Lines about the operators while jobs run: auto (default: on a terminal), always or never")
      ->type_name("WHEN");
  command->prefix_command();
  command->footer(
      "Exit code: 0 done; 1 failed, of a job or of its script; 2 wrong usage. Ctrl-C cancels the job, and the script "
      "ends by SIGINT (130 in a shell). A script may end with codes of its own.");
  command->callback([command, options, &ret_run] {
    options->words = command->remaining();
    ret_run = [options] { return run(*options); };
  });
}

}  // namespace clutch::tool
