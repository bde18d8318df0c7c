// clutch bench: the table of figures that this project is measured by, on this machine.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "bench/measure.h"
#include "child.h"
#include "common.h"

namespace clutch::tool {
namespace {

using Json = nlohmann::ordered_json;

struct BenchOptions {
  CommonOptions common;
  BenchSettings settings;
  std::string start;  // Hidden: print the time to the first result in this mode.
  bool rivals = false;
  bool open_close = false;
};

// What the figure should be at most, by measurement and mode; 0 where nothing was promised.
double limit_of(const std::string& what, const std::string& mode, bool newer_than_311) {
  const bool thread = mode == "thread";
  if (what == "int64 x + 1") return thread ? (newer_than_311 ? 1.15 : 1.0) : 1.25;
  if (what == "s.upper(), 12 bytes") return thread ? 1.4 : 0;
  if (what == "flat_map, 3 tokens") return thread ? 1.3 : 0;
  if (what == "three chained calls") return thread ? 1.0 : 0;
  if (what == "table function, 2 ints") return thread ? 1.2 : 0;
  if (what == "numpy x * 2, 1 M rows") return thread ? 1.1 : 2.5;
  if (what == "pandas s * 2, 64 Ki rows") return thread ? 1.2 : 1.6;
  if (what == "sum, 1000 groups") return thread ? 1.2 : 1.5;
  if (what == "async, sleeping 10 ms") return 1.2;
  // Idle for 2 ms, a thread finds cold caches, whatever it then does; the bar of 5 us is for the batch's own cost.
  if (what == "empty batch, idle") return thread ? 0 : 100;
  if (what == "empty batch, busy") return thread ? 5 : 10;
  if (what == "start to first result") return thread ? 60 : 120;
  if (what == "worker's resident memory") return 25;
  return 0;
}

class Bench {
 public:
  explicit Bench(const BenchOptions& options) : options_(options) {}

  int run() {
    const Host host = open_host(options_.common);
    const std::string python = host.get("python.executable").first;
    newer_than_311_ = is_newer_than_311(host);
    if (!options_.common.json) {
      char heads[96];
      std::snprintf(heads, sizeof heads, "%-28s %-24s %10s %10s", "what", "mode", "figure", "at most");
      print(version_ + ", batches of " + std::to_string(options_.settings.rows) + " rows, medians of " +
            std::to_string(options_.settings.repeats) + "\n\n" + heads);
    }
    for (const std::string mode : {"thread", "process"}) {
      for (const RowCase& one : row_cases()) add(measure_rows(host, mode, one, 2, options_.settings));
      add(measure_empty_idle(host, mode));
      add(measure_empty_busy(host, mode));
      add(measure_start(mode));
      if (mode == "process") add(measure_worker_memory(host, mode));
      if (options_.open_close) {
        for (Figure& figure : measure_open_close(host, mode, options_.settings)) add(std::move(figure));
      }
    }
    for (const std::string mode : {"thread", "process"}) {
      // Why a host of its own: workers that have imported pandas are no measure for anything else.
      const Host kinds = open_host(options_.common);
      for (Figure& figure : measure_kinds(kinds, mode, options_.settings)) add(std::move(figure));
    }
    if (options_.rivals) {
      for (Figure& figure : measure_rivals(python, options_.settings)) add(std::move(figure));
    }
    if (options_.common.json) print(report_.dump(2));
    return kDone;
  }

 private:
  bool is_newer_than_311(const Host& host) {
    Spec spec("table.scalar", source("import sys\ndef f(x):\n    return sys.version.split()[0]\n"));
    const Output output =
        host.open(spec.name("version").input("x: int64").output("string")).call(columns(std::vector<int64_t>{1}));
    version_ = "CPython " + output.column<std::string>(0)[0];
    int minor = 0;
    std::sscanf(version_.c_str(), "CPython 3.%d", &minor);
    return minor > 11;
  }

  Figure measure_start(const std::string& mode) const {
    std::vector<std::string> arguments = {"clutch", "bench", "--start", mode};
    const auto pass = [&](const char* name, const std::string& value) {
      if (!value.empty()) arguments.insert(arguments.end(), {name, value});
    };
    pass("--config", options_.common.config_file);
    pass("--plugins", options_.common.plugin_path);
    pass("--python", options_.common.python);
    for (const std::string& define : options_.common.defines) pass("-D", define);
    std::vector<double> times;
    for (int i = 0; i < 7; ++i) {
      Child child("/proc/self/exe", arguments);
      const auto text = child.read(std::chrono::seconds(60));
      const std::string ending = text ? child.wait() : "gave no result in 60 s";
      if (!ending.empty()) throw std::runtime_error("the start in mode " + mode + " " + ending);
      times.push_back(std::stod(*text));
    }
    std::sort(times.begin(), times.end());
    return {"start to first result", mode, times[times.size() / 2], "ms", 0, "fresh process, from opening the host"};
  }

  void add(Figure figure) {
    figure.limit = limit_of(figure.what, figure.mode, newer_than_311_);
    if (figure.mode != "thread" && figure.mode != "process") figure.limit = 0;
    if (options_.common.json) {
      report_.push_back({{"what", figure.what},
                         {"mode", figure.mode},
                         {"value", figure.value},
                         {"unit", figure.unit},
                         {"limit", figure.limit},
                         {"note", figure.note}});
      return;
    }
    char limit[32] = "";
    if (figure.limit > 0) std::snprintf(limit, sizeof limit, "%.4g", figure.limit);
    char line[160];
    std::snprintf(line, sizeof line, "%-28s %-24s %7.2f %-2s %10s  %s", figure.what.c_str(), figure.mode.c_str(),
                  figure.value, figure.unit.c_str(), limit,
                  figure.limit > 0 && figure.value > figure.limit ? "OVER  " : "");
    print(line + figure.note);
  }

  const BenchOptions& options_;
  bool newer_than_311_ = false;
  std::string version_;
  Json report_ = Json::array();
};

}  // namespace

void add_bench(CLI::App& app, Run& ret_run) {
  auto* command = app.add_subcommand(
      "bench", "Measure this installation; every figure is a ratio to a baseline of the same run, or a cost");
  auto options = std::make_shared<BenchOptions>();  // Why: the command line and the run it leads to both keep it.
  command->add_option("--rows", options->settings.rows, "Rows a batch")
      ->check(CLI::Range(1, 1 << 20))
      ->capture_default_str();
  command->add_option("--repeats", options->settings.repeats, "Repeats of each contender")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  command->add_flag("--rivals", options->rivals,
                    "Also measure multiprocessing and concurrent.futures on the same rows");
  command->add_flag("--open-close", options->open_close, "Also measure what many openings and closings leave behind");
  command->add_option("--opens", options->settings.opens, "How many of them")
      ->check(CLI::Range(1, 1 << 24))
      ->capture_default_str();
  command->add_option("--start", options->start)->group("");
  options->common.add_to(*command);
  command->callback([&ret_run, options] {
    ret_run = [options] {
      if (options->start.empty()) return Bench(*options).run();
      print(std::to_string(time_to_first_result(host_settings(options->common), options->start)));
      return kDone;
    };
  });
}

}  // namespace clutch::tool
