#include "thread/place.h"

#include <dlfcn.h>

#include "thread/libpython.h"

namespace clutch::thread {
namespace {

using GetTable = const clutch_plugin_api* (*)();

Status load_failure(const std::string& what) { return Status(CLUTCH_ERR_LOAD, what, CLUTCH_ORIGIN_CONFIG); }

Result<const clutch_plugin_api*> table_of(void* handle, const std::string& library) {
  if (handle == nullptr) {
    return load_failure("the Python runtime " + library + " could not be loaded: " + loader_error());
  }
  const auto get_table = reinterpret_cast<GetTable>(dlsym(handle, CLUTCH_PYEMBED_SYMBOL));
  if (get_table == nullptr) {
    return load_failure(library + " is not the Python runtime of Clutch: it has no symbol " CLUTCH_PYEMBED_SYMBOL);
  }
  const clutch_plugin_api* const table = get_table();
  if (table == nullptr || !CLUTCH_HAS(table, clutch_plugin_api, function_close)) {
    return load_failure(library + " is of another version of Clutch; install both from one build");
  }
  return table;
}

// libpython comes first, which makes it the global scope of its namespace: the runtime and extension modules find its
// symbols there. RTLD_GLOBAL is neither needed nor survived by glibc in a namespace that dlmopen made.
Result<const clutch_plugin_api*> open_namespace(const interpreter::Interpreter& python, const std::string& library,
                                                size_t number) {
  void* const libpython = dlmopen(LM_ID_NEWLM, python.libpython.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (libpython == nullptr) {
    return load_failure("interpreter " + std::to_string(number) +
                        " of python.thread.interpreters cannot have a link namespace of its own: " + loader_error() +
                        "; ask for fewer");
  }
  Lmid_t name = 0;
  if (dlinfo(libpython, RTLD_DI_LMID, &name) != 0) {
    return load_failure("the link namespace of interpreter " + std::to_string(number) +
                        " is unknown: " + loader_error());
  }
  return table_of(dlmopen(name, library.c_str(), RTLD_NOW | RTLD_LOCAL), library);
}

}  // namespace

Places& Places::instance() {
  static Places* const places = new Places;  // Never destroyed: functions may run until the process ends.
  return *places;
}

Status Places::check_program(const interpreter::Interpreter& python) const {
  if (shared_ == nullptr || program_ == python.executable) return Status();
  return Status(CLUTCH_ERR_UNSUPPORTED,
                "this process already runs Python for " + program_ + ", so it cannot also run " + python.executable +
                    "; use one python.executable for all functions of this mode, set python.thread.interpreters above "
                    "1, or use a mode that runs Python in its own process",
                CLUTCH_ORIGIN_CONFIG);
}

Status Places::check_shared(const interpreter::Interpreter& python) {
  const std::lock_guard lock(mutex_);
  CLUTCH_RETURN_IF_ERROR(check_program(python));
  return check_process(python);
}

Result<const clutch_plugin_api*> Places::shared(const interpreter::Interpreter& python, const std::string& library) {
  const std::lock_guard lock(mutex_);
  CLUTCH_RETURN_IF_ERROR(check_program(python));
  if (shared_ != nullptr) return shared_;
  CLUTCH_ASSIGN_OR_RETURN([[maybe_unused]] const std::string libpython, bring_in(python));
  CLUTCH_ASSIGN_OR_RETURN(shared_, table_of(dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL), library));
  program_ = python.executable;
  return shared_;
}

Result<std::vector<const clutch_plugin_api*>> Places::isolated(const interpreter::Interpreter& python,
                                                               const std::string& library, size_t count) {
  const std::lock_guard lock(mutex_);
  if (python.libpython.empty()) {
    return Status(CLUTCH_ERR_UNSUPPORTED, python.libpython_reason, CLUTCH_ORIGIN_CONFIG);
  }
  std::vector<const clutch_plugin_api*>& there = isolated_[python.executable];
  while (there.size() < count) {
    CLUTCH_ASSIGN_OR_RETURN(const clutch_plugin_api* table, open_namespace(python, library, there.size() + 1));
    there.push_back(table);
  }
  return std::vector<const clutch_plugin_api*>(there.begin(), there.begin() + static_cast<ptrdiff_t>(count));
}

}  // namespace clutch::thread
