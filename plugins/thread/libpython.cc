#include "thread/libpython.h"

#include <dlfcn.h>
#include <link.h>
#include <sys/stat.h>

#include <cstring>
#include <string_view>
#include <vector>

namespace clutch::thread {
namespace {

using GetVersion = const char* (*)();

// Py_GetVersion needs no initialised interpreter. "3.11.2 (main, ...)" up to the blank.
std::string version_behind(void* symbol) {
  const char* const text = reinterpret_cast<GetVersion>(symbol)();
  return text != nullptr ? std::string(text, std::strcspn(text, " ")) : std::string();
}

std::string file_behind(void* symbol) {
  Dl_info info{};
  return dladdr(symbol, &info) != 0 && info.dli_fname != nullptr ? info.dli_fname : "";
}

bool is_libpython(const char* path) {
  const char* const slash = std::strrchr(path, '/');
  return std::string_view(slash != nullptr ? slash + 1 : path).starts_with("libpython");
}

int collect(dl_phdr_info* info, size_t, void* self) {
  if (info->dlpi_name != nullptr && is_libpython(info->dlpi_name)) {
    static_cast<std::vector<std::string>*>(self)->emplace_back(info->dlpi_name);
  }
  return 0;
}

// A libpython that something loaded with RTLD_LOCAL: mapped, but not in the global scope.
std::optional<PresentPython> find_local() {
  std::vector<std::string> paths;
  dl_iterate_phdr(collect, &paths);
  for (const std::string& path : paths) {
    void* const handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NOLOAD);
    if (handle == nullptr) continue;  // Of another link namespace.
    void* const symbol = dlsym(handle, "Py_GetVersion");
    std::string version = symbol != nullptr ? version_behind(symbol) : "";
    dlclose(handle);  // Only the reference that RTLD_NOLOAD took.
    if (!version.empty()) return PresentPython{std::move(version), path, false};
  }
  return std::nullopt;
}

Status unsupported(std::string message) {
  return Status(CLUTCH_ERR_UNSUPPORTED, std::move(message), CLUTCH_ORIGIN_CONFIG);
}

}  // namespace

std::string loader_error() {
  const char* const text = dlerror();
  return text != nullptr ? text : "the loader gives no reason";
}

std::optional<PresentPython> find_present_python() {
  if (void* const symbol = dlsym(RTLD_DEFAULT, "Py_GetVersion"); symbol != nullptr) {
    return PresentPython{version_behind(symbol), file_behind(symbol), true};
  }
  return find_local();
}

Status check_process(const interpreter::Interpreter& python) {
  const auto present = find_present_python();
  if (present && present->version != python.version.text()) {
    return unsupported("this process already holds Python " + present->version + " (" + present->path +
                       "), so it cannot also run Python " + python.version.text() + " of " + python.asked +
                       "; set python.executable to an interpreter of version " + present->version +
                       ", set python.thread.interpreters above 1, or use a mode that runs Python in its own process");
  }
  if (!present && python.libpython.empty()) return unsupported(python.libpython_reason);
  return Status();
}

Result<std::string> bring_in(const interpreter::Interpreter& python) {
  CLUTCH_RETURN_IF_ERROR(check_process(python));
  const auto present = find_present_python();
  if (present && present->global) return present->path;

  // Extension modules do not name libpython as something they need; they find its symbols in the global scope.
  const std::string path = present ? present->path : python.libpython;
  void* const handle = dlopen(path.c_str(), RTLD_NOW | RTLD_GLOBAL);
  if (handle == nullptr) {
    return Status(CLUTCH_ERR_LOAD, "libpython of " + python.asked + " could not be loaded: " + loader_error(),
                  CLUTCH_ORIGIN_CONFIG);
  }
  void* const own = dlsym(handle, "Py_GetVersion");
  void* const visible = dlsym(RTLD_DEFAULT, "Py_GetVersion");
  if (own == nullptr || own != visible || version_behind(own) != python.version.text()) {
    const std::string found = own != nullptr ? version_behind(own) : "none";
    const std::string seen = visible != nullptr ? file_behind(visible) : "nothing";
    return Status(CLUTCH_ERR_LOAD,
                  path + " is not the library of Python " + python.version.text() + " at " + python.asked +
                      ": it is of version " + found + ", and extension modules would be bound to " + seen +
                      "; repair that installation or set python.executable to another",
                  CLUTCH_ORIGIN_CONFIG);
  }
  return path;
}

}  // namespace clutch::thread
