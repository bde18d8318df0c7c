// Asking a Python interpreter what it is, by running it once. Nothing here loads Python into this process.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "clutch/columnar/result.h"

namespace clutch::interpreter {

// The oldest version that Clutch serves.
constexpr int kMinMajor = 3;
constexpr int kMinMinor = 8;

// The default of python.executable: looked up on PATH.
constexpr std::string_view kDefaultExecutable = "python3";

// "3.11.2" in parts.
struct Version {
  int major = 0;
  int minor = 0;
  int micro = 0;

  std::string text() const;        // "3.11.2"
  std::string minor_text() const;  // "3.11"
};

// The facts about one CPython of version 3.8 or later.
struct Interpreter {
  std::string asked;       // Absolute path that was run: what python.executable or PATH gave.
  std::string executable;  // What it calls itself (sys.executable): the program behind a shim; a venv stays one.
  Version version;
  std::string implementation;            // Always "cpython" here.
  std::string prefix;                    // sys.prefix: the venv's folder in a venv.
  std::string base_prefix;               // sys.base_prefix: the installation's folder.
  std::string libpython;                 // Absolute path of its shared libpython, which exists; empty if it has none.
  std::string libpython_reason;          // Why libpython is empty, a sentence that stands alone.
  bool free_threaded = false;            // Built without the GIL.
  std::string ext_suffix;                // Of extension modules: ".cpython-311-x86_64-linux-gnu.so".
  std::map<std::string, bool> packages;  // Each package asked for: can it be found?

  bool has_package(const std::string& name) const;
};

// What to ask for.
struct Request {
  std::string executable{kDefaultExecutable};  // An absolute path, or a name that is looked up on PATH.
  std::vector<std::string> packages;           // Top-level names to look for, without importing them. Costs ~10 ms.
  std::vector<std::string> search_path;        // Folders looked in first, as python.pythonpath gives them.
  int timeout_ms = 10000;                      // After this long the interpreter is killed.
};

// The absolute path that an executable setting means. CLUTCH_ERR_CONFIG for a relative path, CLUTCH_ERR_NOT_FOUND
// for a name that is not on PATH or a file that does not exist, CLUTCH_ERR_LOAD for one that cannot be executed.
// Symbolic links are kept: the python of a virtual environment is one.
Result<std::string> resolve(std::string_view executable);

// Run the interpreter once and return its facts. A missing libpython is a fact, not an error; every interpreter that
// cannot be used at all is an error whose message stands alone: no such file, not executable, not Python (with what it
// printed), too old, not CPython, silent for timeout_ms.
Result<Interpreter> probe(const Request& request);
Result<Interpreter> probe(std::string_view executable);

// Answers of earlier probes, kept as long as the file behind the path has the same size and modification time. Errors
// are not kept, nor answers in which a package is missing: it may be installed at any time. Safe to call from several
// threads.
class ProbeCache {
 public:
  // The one of this process. Why: a job has a runtime for every function, all ask about the same files, and asking
  // takes as long as starting Python does.
  static ProbeCache& of_process();

  Result<Interpreter> probe(const Request& request);

 private:
  struct Entry {
    long long mtime_ns = 0;
    long long size = 0;
    Interpreter interpreter;
  };

  std::mutex mutex_;  // Held while an interpreter runs, so that two callers ask it once.
  std::map<std::string, Entry> entries_;
};

}  // namespace clutch::interpreter
