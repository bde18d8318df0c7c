#include "thread/runtime.h"

#include <dlfcn.h>
#include <unistd.h>

#include <charconv>

#include "clutch/pyembed.h"
#include "interpreter/packages.h"
#include "thread/place.h"

namespace clutch::thread {
namespace {

std::string_view view(clutch_str text) { return {text.data != nullptr ? text.data : "", text.size}; }

clutch_str to_str(std::string_view text) { return {text.data(), text.size()}; }

Status config_failure(std::string message) {
  return Status(CLUTCH_ERR_CONFIG, std::move(message), CLUTCH_ORIGIN_CONFIG);
}

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> words;
  while (!text.empty()) {
    const size_t end = text.find(separator);
    std::string_view word = text.substr(0, end);
    while (!word.empty() && word.front() == ' ') word.remove_prefix(1);
    while (!word.empty() && word.back() == ' ') word.remove_suffix(1);
    if (!word.empty()) words.emplace_back(word);
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  return words;
}

Result<size_t> read_count(std::string_view text) {
  size_t count = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (failure != std::errc() || end != text.data() + text.size() || count < 1 || count > kMaxInterpreters) {
    return config_failure("python.thread.interpreters is '" + std::string(text) + "'; give a whole number from 1 to " +
                          std::to_string(kMaxInterpreters));
  }
  return count;
}

// A relative executable means another file in every folder; the rest of its refusals are answers of a probe, since
// another plugin might not need it.
Status check_executable(std::string_view executable) {
  if (!executable.empty() && (executable.front() == '/' || executable.find('/') == std::string_view::npos)) return {};
  return interpreter::resolve(executable).status();
}

// Installed, the plugin is LIBDIR/clutch-1/plugins/thread/clutch-thread.so and the Python runtime stands in
// LIBDIR/clutch-1; in a build tree they are plugins/thread/ and pyembed/.
Result<std::string> find_library(const Settings& settings) {
  if (!settings.library.empty()) return settings.library;
  static const char anchor = 0;
  Dl_info info{};
  const std::string own = dladdr(&anchor, &info) != 0 && info.dli_fname != nullptr ? info.dli_fname : "";
  const std::string base = own.substr(0, own.rfind('/') == std::string::npos ? 0 : own.rfind('/')) + "/../../";
  std::string looked;
  for (const char* place : {"clutch_pyembed.so", "pyembed/clutch_pyembed.so"}) {
    const std::string path = base + place;
    if (access(path.c_str(), R_OK) == 0) return path;
    looked += (looked.empty() ? "" : " and ") + path;
  }
  return Status(CLUTCH_ERR_NOT_FOUND,
                "the Python runtime clutch_pyembed.so is missing; looked at " + looked + "; install Clutch anew",
                CLUTCH_ORIGIN_CONFIG);
}

}  // namespace

Result<Settings> read_settings(const clutch_options& configuration) {
  Settings settings;
  for (uint64_t i = 0; i < configuration.count; ++i) {
    const std::string_view key = view(configuration.data[i].key);
    const std::string_view value = view(configuration.data[i].value);
    settings.options.emplace_back(key, value);
    if (key == "python.executable") {
      CLUTCH_RETURN_IF_ERROR(check_executable(value));
      settings.executable = value;
    } else if (key == "python.thread.interpreters") {
      CLUTCH_ASSIGN_OR_RETURN(settings.interpreters, read_count(value));
    } else if (key == "python.pythonpath" || key == "python.files") {
      const auto words = split(value, key == "python.files" ? ',' : ':');
      settings.search_path.insert(settings.search_path.end(), words.begin(), words.end());
    } else if (key == kLibraryKey) {
      if (value.empty() || value.front() != '/') {
        return config_failure(std::string(kLibraryKey) + " is '" + std::string(value) + "'; give an absolute path");
      }
      settings.library = value;
    }
  }
  return settings;
}

Runtime::~Runtime() {
  for (auto& [program, inners] : inner_) {
    for (const Inner& inner : inners) {
      inner.run([&] { inner.api->runtime_close(inner.runtime); });
    }
  }
}

Result<interpreter::Interpreter> Runtime::interpreter_of(const clutch_options& options,
                                                         const std::vector<std::string>& packages) {
  interpreter::Request request;
  request.packages = packages;
  request.executable = settings_.executable;
  request.search_path = settings_.search_path;
  for (uint64_t i = 0; i < options.count; ++i) {
    if (view(options.data[i].key) == "python.executable") request.executable = view(options.data[i].value);
  }
  return cache_.probe(request);
}

Result<Runtime::Facts> Runtime::probe(const clutch_spec& spec) {
  const std::vector<std::string> packages = interpreter::packages_of(spec);
  CLUTCH_ASSIGN_OR_RETURN(const interpreter::Interpreter python, interpreter_of(spec.options, packages));
  CLUTCH_RETURN_IF_ERROR(interpreter::check_packages(python, packages));
  if (settings_.interpreters == 1) {
    CLUTCH_RETURN_IF_ERROR(Places::instance().check_shared(python));
  } else {
    CLUTCH_RETURN_IF_ERROR(Places::check_isolated(python));
  }
  CLUTCH_ASSIGN_OR_RETURN([[maybe_unused]] const std::string library, find_library(settings_));
  Facts facts = {{"python.version", python.version.text()},
                 {"python.executable", python.executable},
                 {"python.prefix", python.prefix},
                 {"libpython", python.libpython},
                 {"interpreters", std::to_string(settings_.interpreters)}};
  const std::lock_guard lock(mutex_);
  facts_ = facts;
  return facts;
}

Runtime::Facts Runtime::facts() const {
  const std::lock_guard lock(mutex_);
  if (!facts_.empty()) return facts_;
  return {{"python.executable", settings_.executable}, {"interpreters", std::to_string(settings_.interpreters)}};
}

Result<std::vector<Inner>*> Runtime::bring_up(const interpreter::Interpreter& python, clutch_error* error,
                                              bool& filled) {
  std::vector<Inner>& there = inner_[python.executable];
  if (there.size() == settings_.interpreters) return &there;

  CLUTCH_ASSIGN_OR_RETURN(const std::string library, find_library(settings_));
  std::vector<Inner> places;
  if (settings_.interpreters == 1) {
    CLUTCH_ASSIGN_OR_RETURN(const clutch_plugin_api* table, Places::instance().shared(python, library));
    places.push_back({table, nullptr, nullptr});
  } else {
    CLUTCH_ASSIGN_OR_RETURN(const std::vector<Island*> islands,
                            Places::instance().isolated(python, library, settings_.interpreters));
    for (Island* island : islands) places.push_back({&island->api(), nullptr, island});
  }

  std::vector<clutch_option> options;
  for (const auto& [key, value] : settings_.options) options.push_back({to_str(key), to_str(value)});
  options.push_back({to_str(CLUTCH_PYEMBED_PROGRAM), to_str(python.executable)});
  const clutch_options configuration{options.data(), options.size()};
  for (size_t i = there.size(); i < places.size(); ++i) {
    Inner& inner = places[i];
    int32_t status = CLUTCH_OK;
    inner.run([&] { status = inner.api->runtime_open(host_, &configuration, &inner.runtime, error); });
    if (status != CLUTCH_OK) {
      filled = true;
      return Status(status, "the Python runtime could not be opened");
    }
    there.push_back(inner);
  }
  return &there;
}

Result<Inner> Runtime::next(const clutch_options& options, clutch_error* error, bool& filled) {
  CLUTCH_ASSIGN_OR_RETURN(const interpreter::Interpreter python, interpreter_of(options));
  const std::lock_guard lock(mutex_);
  CLUTCH_ASSIGN_OR_RETURN(const std::vector<Inner>* inners, bring_up(python, error, filled));
  return (*inners)[turn_++ % inners->size()];
}

}  // namespace clutch::thread
