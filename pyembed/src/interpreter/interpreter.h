// The one interpreter of this process (or link namespace): attached to if it is there, initialised if not, never
// finalised. The only object of the runtime that every host in the process shares.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "clutch/columnar/result.h"
#include "convert/module.h"
#include "interpreter/gil.h"
#include "interpreter/ref.h"

namespace clutch::pyembed {

class Interpreter {
 public:
  // The interpreter, brought up if needed for the environment of `program` (may be empty if one is there already). A
  // failure is final for the process and reported again to everybody who asks. Call without the lock or with it.
  static Result<Interpreter*> get(const std::string& program);

  // The interpreter if it has been brought up, else NULL. Never blocks.
  static Interpreter* running();

  // Say that an interpreter that is there already belongs to the runtime (a worker process): its streams may be
  // replaced. Before the first get().
  static void adopt();

  Interpreter(const Interpreter&) = delete;
  Interpreter& operator=(const Interpreter&) = delete;

  const Module& module() const { return *module_; }
  // True if the runtime brought the interpreter up itself, or was told to adopt it.
  bool owned() const { return owned_; }

  // "3.11.2", sys.executable, sys.prefix.
  const std::string& version() const { return version_; }
  const std::string& executable() const { return executable_; }
  const std::string& prefix() const { return prefix_; }

  // An attribute of one of the runtime's Python files, which is run at the first use. NULL with a Python error set.
  enum class File {
    kErrors,
    kLoading,
    kContext,
    kStreams,
    kDrivers,
    kForks,
    kFold,
    kGroups,
    kColumns,
    kResults,
    kLoop,
    kInvoke,
    kEvents,
    kWindows
  };
  static constexpr size_t kFiles = static_cast<size_t>(File::kWindows) + 1;
  PyRef helper(const Gil&, File file, const char* attribute);

  // What the watchdog raises in a thread that runs too long; a BaseException, so that `except Exception` lets it pass.
  PyObject* interrupted() const { return interrupted_.get(); }

  // Put folders and archives before the others on sys.path, in this order; what is there already stays where it is.
  Status add_to_path(const Gil&, const std::vector<std::string>& entries);

 private:
  Interpreter() = default;
  static Status prepare();
  // The `clutch` package that belongs to this runtime, behind everything else on sys.path.
  Status offer_package(const Gil&);
  Status load(const Gil&);

  bool owned_ = false;
  bool started_ = false;  // by the runtime, in the process of somebody else
  std::unique_ptr<Module> module_;
  PyRef interrupted_;
  PyRef files_[kFiles];
  std::string version_;
  std::string executable_;
  std::string prefix_;
};

// Text of a str, "?" for anything else. No Python error is left behind.
std::string to_text(PyView object);

}  // namespace clutch::pyembed
