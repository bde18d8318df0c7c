// The runtimes of the process plugin: pools of workers, one for each way in which its functions want their interpreter.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "clutch/abi.h"
#include "clutch/columnar/result.h"
#include "interpreter/interpreter.h"
#include "supervisor/pool.h"

namespace clutch::process {

using Facts = std::vector<std::pair<std::string, std::string>>;

// Absolute path of the Python runtime, for tests; else it is found beside the plugin.
inline constexpr std::string_view kLibraryKey = "python.embed.library";

struct OpenedFunction {
  pyproc::Pool* pool = nullptr;
  pyproc::Function* function = nullptr;
};

class Runtime {
 public:
  // Checks the configuration; starts nothing.
  static Result<std::unique_ptr<Runtime>> open(const clutch_host* host, const clutch_options& configuration);

  const clutch_host* host() const { return host_; }
  Result<Facts> probe(const clutch_spec& spec);
  Facts facts();
  Result<OpenedFunction> open_function(const clutch_spec& spec, clutch_function_context* context);

 private:
  // What a function's configuration means here.
  struct Effective {
    pyproc::PoolOptions options;
    interpreter::Request request;
    std::string library;
  };

  Runtime(const clutch_host* host, pyproc::Options configuration)
      : host_(host), configuration_(std::move(configuration)) {}
  static Result<Effective> read(const clutch_options& options);
  Result<Effective> effective(const clutch_options& of_function) const;
  Result<pyproc::Pool*> pool_for(Effective effective);

  const clutch_host* host_;
  const pyproc::Options configuration_;
  interpreter::ProbeCache& cache_ = interpreter::ProbeCache::of_process();

  std::mutex mutex_;  // guards the rest; describe() may come at any time
  // Why: one worker serves one code identity, so functions share workers exactly if they want the same interpreter,
  // search path and limits.
  std::map<std::string, std::unique_ptr<pyproc::Pool>> pools_;
  Facts facts_;
};

}  // namespace clutch::process
