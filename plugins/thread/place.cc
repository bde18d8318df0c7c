#include "thread/place.h"

#include <dlfcn.h>

#include "thread/libpython.h"

namespace clutch::thread {
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

Status Places::check_isolated(const interpreter::Interpreter& python) {
  if (python.libpython.empty()) {
    return Status(CLUTCH_ERR_UNSUPPORTED, python.libpython_reason, CLUTCH_ORIGIN_CONFIG);
  }
  if (python.free_threaded) {
    return Status(CLUTCH_ERR_UNSUPPORTED,
                  "Python " + python.version.text() + " at " + python.asked +
                      " has no global lock, so one interpreter serves all threads; set python.thread.interpreters to 1",
                  CLUTCH_ORIGIN_CONFIG);
  }
  return Status();
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

Result<std::vector<Island*>> Places::isolated(const interpreter::Interpreter& python, const std::string& library,
                                              size_t count) {
  const std::lock_guard lock(mutex_);
  CLUTCH_RETURN_IF_ERROR(check_isolated(python));
  std::vector<Island*>& there = isolated_[python.executable];
  while (there.size() < count) {
    CLUTCH_ASSIGN_OR_RETURN(Island * island, Island::make(python.libpython, library, there.size() + 1));
    there.push_back(island);
  }
  return std::vector<Island*>(there.begin(), there.begin() + static_cast<ptrdiff_t>(count));
}

}  // namespace clutch::thread
