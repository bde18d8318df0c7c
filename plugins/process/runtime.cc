#include "process/runtime.h"

#include <dlfcn.h>
#include <unistd.h>

#include <algorithm>

#include "interpreter/kinds.h"
#include "interpreter/packages.h"

namespace clutch::process {
namespace {

std::string_view view(clutch_str text) { return {text.data != nullptr ? text.data : "", text.size}; }

// The folder that holds what belongs to the plugin. Installed, the plugin is LIBDIR/clutch-1/plugins/process/ and the
// rest stands in LIBDIR/clutch-1; in a build tree each file is in the folder of its room.
std::string base_folder() {
  static const char anchor = 0;
  Dl_info info{};
  const std::string own = dladdr(&anchor, &info) != 0 && info.dli_fname != nullptr ? info.dli_fname : "";
  const size_t slash = own.rfind('/');
  return (slash == std::string::npos ? std::string() : own.substr(0, slash)) + "/../../";
}

Result<std::string> find_part(const std::string& name, const std::string& room, int access_mode) {
  const std::string base = base_folder();
  std::string looked;
  for (const std::string& path : {base + name, base + room + "/" + name}) {
    if (::access(path.c_str(), access_mode) == 0) return path;
    looked += (looked.empty() ? "" : " and ") + path;
  }
  return Status(CLUTCH_ERR_NOT_FOUND,
                name + ", which process mode needs, is missing; looked at " + looked + "; install Clutch anew",
                CLUTCH_ORIGIN_CONFIG);
}

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> words;
  while (!text.empty()) {
    const size_t end = text.find(separator);
    if (end != 0) words.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  return words;
}

// A relative executable means another file in every folder; whether it exists is an answer of probe.
Status check_executable(std::string_view executable) {
  if (!executable.empty() && (executable.front() == '/' || executable.find('/') == std::string_view::npos)) return {};
  return interpreter::resolve(executable).status();
}

clutch_options borrow(const pyproc::Options& options, std::vector<clutch_option>& list) {
  for (const auto& [key, value] : options) list.push_back({pyproc::to_str(key), pyproc::to_str(value)});
  return {list.data(), list.size()};
}

pyproc::Options copy(const clutch_options& options) {
  pyproc::Options out;
  out.reserve(options.count);
  for (uint64_t i = 0; i < options.count; ++i) out.emplace_back(view(options.data[i].key), view(options.data[i].value));
  return out;
}

// Keys that make workers differ; the others go with each function.
bool makes_workers(std::string_view key) {
  return key == "python.pythonpath" || key == "python.files" || key == kLibraryKey ||
         key.substr(0, 15) == "python.process.";
}

Result<pyproc::OpenFunction> request_of(const clutch_spec& spec) {
  pyproc::OpenFunction request;
  request.name = view(spec.name);
  for (uint64_t i = 0; i < spec.n_steps; ++i) {
    const clutch_step& step = *spec.steps[i];
    pyproc::StepSpec& out = request.steps.emplace_back();
    out.name = view(step.name);
    out.kind = view(step.kind);
    out.kind_revision = step.kind_revision;
    out.payload_format = view(step.payload_format);
    if (step.payload.size > 0) out.payload.assign(reinterpret_cast<const char*>(step.payload.data), step.payload.size);
    out.options = copy(step.options);
  }
  CLUTCH_ASSIGN_OR_RETURN(request.input, columnar::import_field(*spec.input));
  CLUTCH_ASSIGN_OR_RETURN(request.output, columnar::import_field(*spec.output));
  request.on_error = spec.on_error;
  request.options = copy(spec.options);
  return request;
}

Status check_spec(const clutch_spec& spec, const clutch_host& host) {
  for (uint64_t i = 0; i < spec.n_steps; ++i) {
    const std::string_view kind = view(spec.steps[i]->kind);
    if (interpreter::serves(kind)) continue;
    return {CLUTCH_ERR_UNSUPPORTED,
            "process mode does not serve the kind " + std::string(kind) + "; it serves " + interpreter::kinds_served(),
            CLUTCH_ORIGIN_PLUGIN};
  }
  if (spec.on_error == CLUTCH_ON_ERROR_DEAD_LETTER && host.get_extension(&host, CLUTCH_HOST_DEAD_LETTER) == nullptr) {
    return {CLUTCH_ERR_UNSUPPORTED,
            "function \"" + std::string(view(spec.name)) + "\" wants dead letters, which this host does not have",
            CLUTCH_ORIGIN_HOST};
  }
  return {};
}

}  // namespace

Result<Runtime::Effective> Runtime::read(const clutch_options& options) {
  Effective out;
  CLUTCH_ASSIGN_OR_RETURN(out.options, pyproc::read_pool_options(options));
  for (const auto& [key, value] : out.options.all) {
    if (key == "python.executable") {
      CLUTCH_RETURN_IF_ERROR(check_executable(value));
      out.request.executable = value;
    } else if (key == "python.pythonpath" || key == "python.files") {
      const std::vector<std::string> words = split(value, key == "python.files" ? ',' : ':');
      out.request.search_path.insert(out.request.search_path.end(), words.begin(), words.end());
    } else if (key == kLibraryKey) {
      if (value.empty() || value.front() != '/') {
        return Status(CLUTCH_ERR_CONFIG, key + " has the value '" + value + "'; it takes an absolute path",
                      CLUTCH_ORIGIN_CONFIG);
      }
      out.library = value;
    }
  }
  return out;
}

Result<std::unique_ptr<Runtime>> Runtime::open(const clutch_host* host, const clutch_options& configuration) {
  CLUTCH_ASSIGN_OR_RETURN(Effective checked, read(configuration));
  return std::unique_ptr<Runtime>(new Runtime(host, std::move(checked.options.all)));
}

// The runtime's configuration with what the function says otherwise.
Result<Runtime::Effective> Runtime::effective(const clutch_options& of_function) const {
  pyproc::Options merged = configuration_;
  for (auto& [key, value] : copy(of_function)) {
    const auto known =
        std::find_if(merged.begin(), merged.end(), [&k = key](const auto& pair) { return pair.first == k; });
    if (known == merged.end()) {
      merged.emplace_back(std::move(key), std::move(value));
    } else {
      known->second = std::move(value);
    }
  }
  std::vector<clutch_option> list;
  return read(borrow(merged, list));
}

Result<Facts> Runtime::probe(const clutch_spec& spec) {
  CLUTCH_RETURN_IF_ERROR(check_spec(spec, *host_));
  CLUTCH_ASSIGN_OR_RETURN(Effective wanted, effective(spec.options));
  wanted.request.packages = interpreter::packages_of(spec);
  CLUTCH_ASSIGN_OR_RETURN(const interpreter::Interpreter python, cache_.probe(wanted.request));
  CLUTCH_RETURN_IF_ERROR(interpreter::check_packages(python, wanted.request.packages));
  Facts facts = {{"python.version", python.version.text()},
                 {"python.executable", python.executable},
                 {"python.prefix", python.prefix},
                 {"workers", std::to_string(wanted.options.workers)}};
  const std::lock_guard lock(mutex_);
  facts_ = facts;
  return facts;
}

Facts Runtime::facts() {
  const std::lock_guard lock(mutex_);
  Facts out = facts_;
  for (auto& [identity, pool] : pools_) {
    pool->describe([&](std::string_view key, std::string_view value) {
      const auto known = std::find_if(out.begin(), out.end(), [&](const auto& pair) { return pair.first == key; });
      if (known == out.end()) {
        out.emplace_back(key, value);
      } else {
        known->second = value;
      }
    });
  }
  return out;
}

Result<pyproc::Pool*> Runtime::pool_for(Effective wanted) {
  CLUTCH_ASSIGN_OR_RETURN(const interpreter::Interpreter python, cache_.probe(wanted.request));
  std::vector<std::string> parts = {python.asked};
  for (const auto& [key, value] : wanted.options.all) {
    if (makes_workers(key)) parts.push_back(key + "=" + value);
  }
  std::sort(parts.begin() + 1, parts.end());
  std::string identity;
  for (const std::string& part : parts) identity.append(part).push_back('\0');

  const std::lock_guard lock(mutex_);
  std::unique_ptr<pyproc::Pool>& pool = pools_[identity];
  if (!pool) {
    pyproc::Worker::Paths paths;
    paths.python = python.asked;
    paths.launcher = wanted.options.launcher;
    paths.embed = wanted.library;
    if (paths.launcher.empty()) {
      CLUTCH_ASSIGN_OR_RETURN(paths.launcher, find_part(pyproc::kLauncherName, "pyproc/launcher", X_OK));
    }
    if (paths.embed.empty()) {
      CLUTCH_ASSIGN_OR_RETURN(paths.embed, find_part(pyproc::kEmbedName, "pyembed", R_OK));
    }
    CLUTCH_ASSIGN_OR_RETURN(paths.worker, find_part(pyproc::kWorkerName, "pyproc/worker", R_OK));
    pool = std::make_unique<pyproc::Pool>(std::move(wanted.options), std::move(paths), *host_);
  }
  return pool.get();
}

Result<OpenedFunction> Runtime::open_function(const clutch_spec& spec, clutch_function_context* context) {
  CLUTCH_RETURN_IF_ERROR(check_spec(spec, *host_));
  CLUTCH_ASSIGN_OR_RETURN(pyproc::OpenFunction request, request_of(spec));
  CLUTCH_ASSIGN_OR_RETURN(Effective wanted, effective(spec.options));
  OpenedFunction out;
  CLUTCH_ASSIGN_OR_RETURN(out.pool, pool_for(std::move(wanted)));
  CLUTCH_ASSIGN_OR_RETURN(out.function, out.pool->open(std::move(request), context));
  return out;
}

}  // namespace clutch::process
