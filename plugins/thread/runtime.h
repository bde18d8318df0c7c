// A runtime of the thread plugin: one host's configuration, and the Python runtimes it has opened with it.
#pragma once

#include <atomic>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "clutch/abi/plugin.h"
#include "clutch/columnar/result.h"
#include "interpreter/interpreter.h"
#include "thread/island.h"

namespace clutch::thread {

// Where clutch_pyembed.so is, for tests and odd installations; otherwise it is found relative to the plugin.
constexpr std::string_view kLibraryKey = "python.embed.library";
constexpr size_t kMaxInterpreters = 16;

struct Settings {
  std::vector<std::pair<std::string, std::string>> options;  // All of them, as given.
  std::string executable{interpreter::kDefaultExecutable};
  std::vector<std::string> search_path;  // python.pythonpath and python.files
  std::string library;                   // Absolute; empty: beside the plugin
  size_t interpreters = 1;
};

// CLUTCH_ERR_CONFIG naming key and value.
Result<Settings> read_settings(const clutch_options& configuration);

// One Python runtime opened with this host's configuration.
struct Inner {
  const clutch_plugin_api* api = nullptr;
  clutch_runtime* runtime = nullptr;
  Island* island = nullptr;  // Where its functions must be called; NULL: on any thread of this process

  // Calls body() where the runtime must be called.
  template <typename Body>
  void run(Body&& body) const {
    if (island == nullptr) {
      body();
    } else {
      island->thread().run(body);
    }
  }
};

class Runtime {
 public:
  Runtime(const clutch_host* host, Settings settings) : host_(host), settings_(std::move(settings)) {}
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;
  ~Runtime();

  const clutch_host* host() const { return host_; }

  using Facts = std::vector<std::pair<std::string, std::string>>;

  // Can this function run here? The facts that the yes rests on. Runs the interpreter at most once.
  Result<Facts> probe(const clutch_spec& spec);

  // What is known so far. Runs nothing.
  Facts facts() const;

  // The Python runtime that the next function belongs to, brought up if need be; they take turns. On CLUTCH_OK the
  // function may be opened there. A failure of runtime_open has filled the host's error, and is told by `filled`.
  Result<Inner> next(const clutch_options& options, clutch_error* error, bool& filled);

 private:
  Result<interpreter::Interpreter> interpreter_of(const clutch_options& options,
                                                  const std::vector<std::string>& packages = {});
  Result<std::vector<Inner>*> bring_up(const interpreter::Interpreter& python, clutch_error* error, bool& filled);

  const clutch_host* host_;
  const Settings settings_;
  interpreter::ProbeCache& cache_ = interpreter::ProbeCache::of_process();
  mutable std::mutex mutex_;  // Guards what follows; only control calls take it for long.
  Facts facts_;
  std::map<std::string, std::vector<Inner>> inner_;  // By program.
  size_t turn_ = 0;
};

}  // namespace clutch::thread
