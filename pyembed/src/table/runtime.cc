#include "table/runtime.h"

#include <charconv>

#include "clutch/pyembed.h"
#include "streams/streams.h"

namespace clutch::pyembed {
namespace {

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const size_t end = text.find(separator);
    std::string_view part = text.substr(0, end);
    while (!part.empty() && part.front() == ' ') part.remove_prefix(1);
    while (!part.empty() && part.back() == ' ') part.remove_suffix(1);
    if (!part.empty()) parts.emplace_back(part);
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  return parts;
}

// A file of Python code is found through its folder; folders and archives stand on the path themselves.
std::string path_entry(std::string file) {
  if (!std::string_view(file).ends_with(".py")) return file;
  const size_t slash = file.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : file.substr(0, slash);
}

}  // namespace

Result<std::unique_ptr<Runtime>> Runtime::make(const clutch_host* host, const clutch_options& configuration) {
  std::unique_ptr<Runtime> runtime(new Runtime(host));
  CLUTCH_RETURN_IF_ERROR(runtime->configure(configuration));
  add_printing_host(runtime->host_);
  return runtime;
}

Runtime::~Runtime() { remove_printing_host(host_); }

Status Runtime::configure(const clutch_options& configuration) {
  for (uint64_t i = 0; i < configuration.count; ++i) {
    const std::string_view key = to_view(configuration.data[i].key);
    const std::string_view value = to_view(configuration.data[i].value);
    if (key == CLUTCH_PYEMBED_PROGRAM) {
      if (!value.empty() && value.front() != '/') {
        return Status(CLUTCH_ERR_CONFIG,
                      std::string(key) + " = \"" + std::string(value) + "\" must be an absolute path",
                      CLUTCH_ORIGIN_CONFIG);
      }
      program_ = value;
    } else if (key == CLUTCH_PYEMBED_PROGRESS) {
      uint64_t address = 0;
      const auto [stop, error] = std::from_chars(value.data(), value.data() + value.size(), address);
      if (error != std::errc() || stop != value.data() + value.size() || address % alignof(int64_t) != 0) {
        return Status(CLUTCH_ERR_CONFIG,
                      std::string(key) + " = \"" + std::string(value) + "\" is not the decimal address of an int64",
                      CLUTCH_ORIGIN_CONFIG);
      }
      progress_ = reinterpret_cast<int64_t*>(address);
    } else if (key == "python.row-deadline") {
      CLUTCH_ASSIGN_OR_RETURN(const int64_t milliseconds, parse_milliseconds(key, value));
      row_deadline_ns_ = milliseconds * 1'000'000;
    } else if (key == "python.pythonpath") {
      for (std::string& entry : split(value, ':')) path_.push_back(std::move(entry));
    } else if (key == "python.files") {
      for (std::string& entry : split(value, ',')) path_.push_back(path_entry(std::move(entry)));
    }
  }
  return Status();
}

Result<Interpreter*> Runtime::interpreter() {
  CLUTCH_ASSIGN_OR_RETURN(Interpreter * found, Interpreter::get(program_));
  if (!path_done_ && !path_.empty()) {
    Gil gil;
    CLUTCH_RETURN_IF_ERROR(found->add_to_path(gil, path_));
  }
  path_done_ = true;
  return found;
}

std::vector<std::pair<std::string, std::string>> Runtime::facts() const {
  const Interpreter* running = Interpreter::running();
  if (running == nullptr) return {};
  return {{"python.version", running->version()},
          {"python.executable", running->executable()},
          {"python.prefix", running->prefix()},
          {"python.attached", running->owned() ? "false" : "true"}};
}

}  // namespace clutch::pyembed
