#include "interpreter/slots.h"

#include <dlfcn.h>

#include <initializer_list>

namespace clutch::pyembed {
namespace {

template <typename Function>
void find(Function& slot, std::initializer_list<const char*> names) {
  slot = nullptr;
  for (const char* name : names) {
    // RTLD_DEFAULT means the scope of the library that asks: this one, in whichever namespace it was loaded.
    if (void* symbol = dlsym(RTLD_DEFAULT, name); symbol != nullptr) {
      slot = reinterpret_cast<Function>(symbol);
      return;
    }
  }
}

Slots look_up() {
  Slots found;
  find(found.vectorcall, {"PyObject_Vectorcall", "PyObject_VectorcallDict", "_PyObject_FastCallDict"});
  find(found.vectorcall_of, {"PyVectorcall_Function"});
  find(found.utf8_and_size, {"PyUnicode_AsUTF8AndSize"});
  find(found.new_text, {"PyUnicode_New"});
  find(found.current_state, {"PyThreadState_GetUnchecked", "_PyThreadState_UncheckedGet"});
  find(found.gil_held, {"PyGILState_Check"});
  find(found.is_finalizing, {"Py_IsFinalizing", "_Py_IsFinalizing"});
  find(found.preconfig_init, {"PyPreConfig_InitPythonConfig"});
  find(found.preinitialize, {"Py_PreInitialize"});
  find(found.set_program_name, {"Py_SetProgramName"});
  find(found.config_init, {"PyConfig_InitPythonConfig"});
  find(found.config_init_isolated, {"PyConfig_InitIsolatedConfig"});
  find(found.initialize_from_config, {"Py_InitializeFromConfig"});
  find(found.config_clear, {"PyConfig_Clear"});
  find(found.ctype_init, {"__ctype_init"});
  if (found.vectorcall == nullptr) {
    found.missing = "PyObject_Vectorcall";
  } else if (found.utf8_and_size == nullptr) {
    found.missing = "PyUnicode_AsUTF8AndSize";
  } else if (found.current_state == nullptr && found.gil_held == nullptr) {
    found.missing = "PyGILState_Check";
  }
  return found;
}

}  // namespace

const Slots& slots() {
  static const Slots kSlots = look_up();
  return kSlots;
}

}  // namespace clutch::pyembed
