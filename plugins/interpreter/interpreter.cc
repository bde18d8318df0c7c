#include "interpreter/interpreter.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <optional>
#include <string>

#include "interpreter/run.h"

namespace clutch::interpreter {
namespace {

// Printed first, so that the answer is told from what a site customisation prints.
constexpr std::string_view kMarker = "clutch-probe-1";

// Runs on every Python that knows -I. Names and values end in a zero byte each, since a path may hold a newline. Its
// first line is an error to a shell, which then runs nothing of it.
// Why the search for pyvenv.cfg: without `site` (see command) nobody has made sys.prefix the virtual environment's yet.
// Why no sysconfig at first: importing it takes as long as all the rest. The library that the interpreter itself has
// mapped is the surest answer, and a static interpreter tells its library by the names every build uses.
// Why no importlib.util: asking the finders directly is what find_spec does for a top-level name, without its imports.
constexpr const char* kScript = R"PY(()
import os, sys
sink = []
def tell(name, value):
    sink.append(name.encode() + b'\0' + os.fsencode(str(value)) + b'\0')
def done():
    os.write(1, b'clutch-probe-1\0' + b''.join(sink))
    os._exit(0)
tell('version', '%d.%d.%d' % tuple(sys.version_info[:3]))
tell('implementation', sys.implementation.name)
tell('executable', sys.executable or '')
folder = os.path.dirname(sys.executable or '')
venv = os.path.dirname(folder)
if sys.flags.no_site and any(os.path.isfile(os.path.join(at, 'pyvenv.cfg')) for at in (folder, venv)):
    tell('prefix', venv)
else:
    tell('prefix', sys.prefix)
tell('base_prefix', sys.base_prefix)
if sys.version_info[:2] < (3, 8) or sys.implementation.name != 'cpython':
    done()
abiflags = getattr(sys, 'abiflags', '')
tell('free_threaded', 't' in abiflags)
from importlib.machinery import EXTENSION_SUFFIXES
tell('ext_suffix', EXTENSION_SUFFIXES[0])
count = int(sys.argv[1])
sys.path[0:0] = sys.argv[2 + count:]
for name in sys.argv[2:2 + count]:
    found = False
    for finder in sys.meta_path:
        try:
            found = finder.find_spec(name, None) is not None
        except Exception:
            continue
        if found:
            break
    tell('package:' + name, found)
tried = []
def offer(path):
    if path in tried:
        return
    tried.append(path)
    if os.path.isfile(path):
        tell('libpython', path)
        done()
try:
    with open('/proc/self/maps', 'rb') as maps:
        for line in maps:
            path = os.fsdecode(line.rstrip(b'\n').split(b' ', 5)[-1].strip())
            if os.path.basename(path).startswith('libpython%d.%d' % tuple(sys.version_info[:2])):
                offer(path)
except OSError:
    pass
stem = 'libpython%d.%d%s' % (sys.version_info[0], sys.version_info[1], abiflags)
names = [stem + '.so.1.0', stem + '.so']
multiarch = getattr(sys.implementation, '_multiarch', '')
def search(folders):
    for folder in folders:
        for name in names:
            if folder and name and '.so' in name:
                offer(os.path.join(folder, multiarch, name))
                offer(os.path.join(folder, name))
bases = [sys.base_exec_prefix, sys.base_prefix, os.path.dirname(os.path.dirname(os.path.realpath(sys.executable)))]
search([os.path.join(base, 'lib') for base in bases] + [os.path.join(base, 'lib64') for base in bases])
import sysconfig
values = sysconfig.get_config_vars()
names += [values.get('INSTSONAME') or '', values.get('LDLIBRARY') or '']
search([os.path.join(base, 'lib') for base in bases] + [values.get('LIBDIR') or '', values.get('LIBPL') or ''])
done()
)PY";

// The first lines of what a program printed, in one line, for a message.
std::string excerpt(const RunOutcome& outcome) {
  std::string text = outcome.err.empty() ? outcome.out : outcome.err;
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  constexpr size_t kLongest = 200;
  const bool cut = text.size() > kLongest;
  if (cut) text.resize(kLongest);
  for (char& c : text) {
    if (c == '\n') {
      c = '|';
    } else if (static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) >= 0x7f) {
      c = '?';
    }
  }
  if (text.empty()) return "it printed nothing";
  return "it printed: " + text + (cut ? "..." : "");
}

std::string how_it_ended(const RunOutcome& outcome) {
  if (outcome.signal != 0) return "ended by signal " + std::to_string(outcome.signal);
  if (outcome.exit_code >= 0) return "exit code " + std::to_string(outcome.exit_code);
  return "exit code unknown";
}

Status failure(int32_t code, std::string message) { return Status(code, std::move(message), CLUTCH_ORIGIN_CONFIG); }

bool is_directory(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::is_directory(path, ignored);
}

std::map<std::string, std::string> parse_pairs(std::string_view text) {
  std::map<std::string, std::string> pairs;
  while (true) {
    const size_t name_end = text.find('\0');
    if (name_end == std::string_view::npos) return pairs;
    const size_t value_end = text.find('\0', name_end + 1);
    if (value_end == std::string_view::npos) return pairs;
    pairs[std::string(text.substr(0, name_end))] = std::string(text.substr(name_end + 1, value_end - name_end - 1));
    text.remove_prefix(value_end + 1);
  }
}

std::optional<Version> parse_version(const std::string& text) {
  Version version;
  if (std::sscanf(text.c_str(), "%d.%d.%d", &version.major, &version.minor, &version.micro) != 3) return std::nullopt;
  return version;
}

bool too_old(const Version& version) {
  return version.major < kMinMajor || (version.major == kMinMajor && version.minor < kMinMinor);
}

Status too_old_failure(const std::string& what, const std::string& path) {
  return failure(CLUTCH_ERR_UNSUPPORTED, what + " at " + path + " is too old: Clutch needs " +
                                             std::to_string(kMinMajor) + "." + std::to_string(kMinMinor) +
                                             " or later; set python.executable");
}

std::string no_libpython(const Interpreter& python) {
  const std::string name = "libpython" + python.version.minor_text() + (python.free_threaded ? "t" : "") + ".so";
  return "Python " + python.version.text() + " at " + python.asked + " has no shared libpython (looked for " + name +
         " under " + python.base_prefix + "): install it (Debian: libpython" + python.version.minor_text() +
         "), use a Python built with --enable-shared, or use a mode that runs Python in its own process";
}

Result<Interpreter> understand(const Request& request, const std::string& path, const RunOutcome& outcome) {
  const size_t start = outcome.out.find(std::string(kMarker) + '\0');
  if (start == std::string::npos) {
    if (outcome.timed_out) {
      return failure(CLUTCH_ERR_LOAD, path + " did not answer within " + std::to_string(request.timeout_ms) +
                                          " ms when asked for its version; " + excerpt(outcome) +
                                          "; set python.executable to a Python interpreter");
    }
    if (outcome.err.find("Unknown option: -I") != std::string::npos) return too_old_failure("the Python", path);
    return failure(CLUTCH_ERR_LOAD, path +
                                        " is not a Python interpreter: it did not answer when asked for its version (" +
                                        how_it_ended(outcome) + "; " + excerpt(outcome) +
                                        "); set python.executable to a Python interpreter");
  }
  auto pairs = parse_pairs(std::string_view(outcome.out).substr(start + kMarker.size() + 1));
  const auto version = parse_version(pairs["version"]);
  if (!version) {
    return failure(CLUTCH_ERR_LOAD, path + " answered with a version that is none: '" + pairs["version"] + "'");
  }
  if (too_old(*version)) return too_old_failure("Python " + version->text(), path);
  if (pairs["implementation"] != "cpython") {
    return failure(CLUTCH_ERR_UNSUPPORTED, "the Python at " + path + " is " + pairs["implementation"] +
                                               ", not CPython: Clutch needs CPython " + std::to_string(kMinMajor) +
                                               "." + std::to_string(kMinMinor) + " or later; set python.executable");
  }

  Interpreter python;
  python.asked = path;
  python.version = *version;
  python.implementation = pairs["implementation"];
  python.executable = pairs["executable"].empty() ? path : pairs["executable"];
  python.prefix = pairs["prefix"];
  python.base_prefix = pairs["base_prefix"];
  python.free_threaded = pairs["free_threaded"] == "True";
  python.ext_suffix = pairs["ext_suffix"];
  python.libpython = pairs["libpython"];
  if (python.libpython.empty()) python.libpython_reason = no_libpython(python);
  for (const std::string& name : request.packages) python.packages[name] = pairs["package:" + name] == "True";
  return python;
}

// Why -S: reading .pth files and sitecustomize is half of an interpreter's start, and only packages depend on it.
std::vector<std::string> command(const Request& request, const std::string& path) {
  std::vector<std::string> argv = {path, "-I"};
  if (request.packages.empty()) argv.push_back("-S");
  argv.insert(argv.end(), {"-c", kScript, std::to_string(request.packages.size())});
  argv.insert(argv.end(), request.packages.begin(), request.packages.end());
  argv.insert(argv.end(), request.search_path.begin(), request.search_path.end());
  return argv;
}

Result<Interpreter> probe_path(const Request& request, const std::string& path) {
  CLUTCH_ASSIGN_OR_RETURN(const RunOutcome outcome, run(command(request, path), request.timeout_ms));
  return understand(request, path, outcome);
}

Result<std::string> look_up(std::string_view name) {
  const char* const path = std::getenv("PATH");
  std::string_view rest = path != nullptr ? path : "/usr/local/bin:/usr/bin:/bin";
  while (true) {
    const size_t colon = rest.find(':');
    const std::string_view folder = rest.substr(0, colon);
    // An empty or relative entry means the current folder, from which nothing is ever run.
    if (!folder.empty() && folder.front() == '/') {
      std::string candidate = std::string(folder) + "/" + std::string(name);
      if (access(candidate.c_str(), X_OK) == 0 && !is_directory(candidate)) return candidate;
    }
    if (colon == std::string_view::npos) break;
    rest.remove_prefix(colon + 1);
  }
  return failure(CLUTCH_ERR_NOT_FOUND, "there is no program " + std::string(name) +
                                           " on PATH; set python.executable to the absolute path of an interpreter");
}

}  // namespace

std::string Version::text() const { return minor_text() + "." + std::to_string(micro); }

std::string Version::minor_text() const { return std::to_string(major) + "." + std::to_string(minor); }

bool Interpreter::has_package(const std::string& name) const {
  const auto found = packages.find(name);
  return found != packages.end() && found->second;
}

Result<std::string> resolve(std::string_view executable) {
  const std::string shown(executable);
  if (executable.empty()) {
    return failure(CLUTCH_ERR_CONFIG,
                   "python.executable is empty; set it to the absolute path of an interpreter, or "
                   "to a name on PATH such as python3");
  }
  if (executable.find('\0') != std::string_view::npos) {
    return failure(CLUTCH_ERR_CONFIG, "python.executable holds a zero byte; set it to a path");
  }
  if (executable.find('/') == std::string_view::npos) return look_up(executable);
  if (executable.front() != '/') {
    return failure(CLUTCH_ERR_CONFIG, "python.executable is the relative path " + shown +
                                          ", which means another file in every folder; give the absolute path, or a "
                                          "name without a slash to look it up on PATH");
  }
  struct stat info {};
  if (stat(shown.c_str(), &info) != 0) {
    if (errno == ENOENT || errno == ENOTDIR) {
      return failure(CLUTCH_ERR_NOT_FOUND, "python.executable " + shown + " does not exist");
    }
    return failure(CLUTCH_ERR_LOAD, "python.executable " + shown + " cannot be looked at: " + std::strerror(errno));
  }
  if (S_ISDIR(info.st_mode)) {
    return failure(CLUTCH_ERR_LOAD, "python.executable " + shown +
                                        " is a folder; name the interpreter inside it, such "
                                        "as " +
                                        shown + "/bin/python3");
  }
  if (access(shown.c_str(), X_OK) != 0) {
    return failure(CLUTCH_ERR_LOAD, "python.executable " + shown + " is not executable: " + std::strerror(errno));
  }
  return shown;
}

Result<Interpreter> probe(const Request& request) {
  CLUTCH_ASSIGN_OR_RETURN(const std::string path, resolve(request.executable));
  return probe_path(request, path);
}

Result<Interpreter> probe(std::string_view executable) {
  Request request;
  request.executable = executable;
  return probe(request);
}

ProbeCache& ProbeCache::of_process() {
  static ProbeCache cache;
  return cache;
}

Result<Interpreter> ProbeCache::probe(const Request& request) {
  CLUTCH_ASSIGN_OR_RETURN(const std::string path, resolve(request.executable));
  struct stat info {};
  if (stat(path.c_str(), &info) != 0) {
    return failure(CLUTCH_ERR_NOT_FOUND, "python.executable " + path + " does not exist");
  }
  const long long mtime_ns = static_cast<long long>(info.st_mtim.tv_sec) * 1000000000LL + info.st_mtim.tv_nsec;
  std::string key = path;
  for (const std::string& word : request.packages) key += '\0' + word;
  key += '\0';
  for (const std::string& word : request.search_path) key += '\0' + word;

  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(key);
  if (found != entries_.end() && found->second.mtime_ns == mtime_ns && found->second.size == info.st_size) {
    return found->second.interpreter;
  }
  CLUTCH_ASSIGN_OR_RETURN(Interpreter python, probe_path(request, path));
  const bool complete =
      std::all_of(python.packages.begin(), python.packages.end(), [](const auto& package) { return package.second; });
  if (complete) entries_[key] = Entry{mtime_ns, info.st_size, python};
  return python;
}

}  // namespace clutch::interpreter
