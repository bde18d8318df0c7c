// What runtime_open makes: one host's configuration over the process's one interpreter.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "interpreter/interpreter.h"
#include "loading/spec.h"
#include "table/host.h"

namespace clutch::pyembed {

class Runtime {
 public:
  // Fails with CLUTCH_ERR_CONFIG. Starts nothing.
  static Result<std::unique_ptr<Runtime>> make(const clutch_host* host, const clutch_options& configuration);
  ~Runtime();
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;

  const Host& host() const { return host_; }
  int64_t row_deadline_ns() const { return row_deadline_ns_; }
  int64_t* progress() const { return progress_; }  // NULL: none was given

  // The interpreter with this runtime's folders on sys.path, started if needed.
  Result<Interpreter*> interpreter();

  // Facts of runtime_probe and runtime_describe; empty before the interpreter runs.
  std::vector<std::pair<std::string, std::string>> facts() const;

 private:
  explicit Runtime(const clutch_host* host) : host_(host) {}
  Status configure(const clutch_options& configuration);

  Host host_;
  std::string program_;
  std::vector<std::string> path_;
  int64_t row_deadline_ns_ = 0;
  int64_t* progress_ = nullptr;
  bool path_done_ = false;  // control calls of one runtime never overlap
};

}  // namespace clutch::pyembed
