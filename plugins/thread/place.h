// The places of this process where Python runs: its own, and private link namespaces with an interpreter each.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "clutch/columnar/result.h"
#include "clutch/pyembed.h"
#include "interpreter/interpreter.h"
#include "thread/island.h"

namespace clutch::thread {

// Copies of the Python runtime (clutch_pyembed.so) and of libpython, loaded once and kept until the process ends. The
// one object that all runtimes of a process share, because an interpreter is: it can neither be had twice in a
// namespace nor be taken out again.
class Places {
 public:
  static Places& instance();

  // Could shared() serve that interpreter? CLUTCH_ERR_UNSUPPORTED with a sentence that stands alone if not.
  Status check_shared(const interpreter::Interpreter& python);

  // The same for isolated().
  static Status check_isolated(const interpreter::Interpreter& python);

  // The runtime's table in the process's own namespace, beside libpython.
  Result<const clutch_plugin_api*> shared(const interpreter::Interpreter& python, const std::string& library);

  // So many namespaces for that interpreter, each with a libpython, an interpreter and a lock of its own.
  Result<std::vector<Island*>> isolated(const interpreter::Interpreter& python, const std::string& library,
                                        size_t count);

  Places(const Places&) = delete;
  Places& operator=(const Places&) = delete;

 private:
  Places() = default;
  Status check_program(const interpreter::Interpreter& python) const;

  std::mutex mutex_;  // Held while a library loads; no user code runs then.
  const clutch_plugin_api* shared_ = nullptr;
  std::string program_;                                   // Interpreter that the shared one was brought up for.
  std::map<std::string, std::vector<Island*>> isolated_;  // By program.
};

}  // namespace clutch::thread
