// Functions of CPython that not every version since 3.8 has, or has outside of its limited API. Looked up once, in the
// scope the runtime's own references were bound in, so a private link namespace finds its own interpreter.
#pragma once

#include <cstddef>
#include <cstdint>

#include "interpreter/python.h"

namespace clutch::pyembed {

// PyStatus and PyPreConfig as every version from 3.8 to 3.13 lays them out on Linux; start.cc checks what it can.
struct InitStatus {
  int type;  // 0 ok, 1 error, 2 exit
  const char* function;
  const char* message;
  int exit_code;
};
static_assert(sizeof(InitStatus) == 32);

struct PreConfig {
  int config_init;
  int parse_argv;
  int isolated;
  int use_environment;
  int configure_locale;
  int coerce_c_locale;
  int coerce_c_locale_warn;
  int utf8_mode;
  int dev_mode;
  int allocator;
};
static_assert(sizeof(PreConfig) == 40);

using Vectorcall = PyObject* (*)(PyObject* callable, PyObject* const* args, size_t nargsf, PyObject* none);

struct Slots {
  // Call with positional arguments in an array. Always there: three functions with one signature served it in turn
  // (3.8, 3.9 and 3.10, from 3.11). The last argument must be NULL: it means names in one and a dict in the others.
  Vectorcall vectorcall;
  // The function a callable is called by, which saves a step; exported since 3.11, else NULL.
  Vectorcall (*vectorcall_of)(PyObject* callable);
  // Always there; in the limited API since 3.10.
  const char* (*utf8_and_size)(PyObject* text, Py_ssize_t* ret_size);

  // An empty str for `size` characters up to `highest`. Exported by every version, in the limited API of none.
  PyObject* (*new_text)(Py_ssize_t size, Py_UCS4 highest);

  // The thread state that holds the lock, or NULL, without a check. One of the two is there in every known version.
  PyThreadState* (*current_state)();
  int (*gil_held)();
  int (*is_finalizing)();  // NULL where no version of it is there

  void (*preconfig_init)(PreConfig*);
  InitStatus (*preinitialize)(const PreConfig*);
  void (*set_program_name)(const wchar_t*);
  void (*config_init)(void* config);
  void (*config_init_isolated)(void* config);
  InitStatus (*initialize_from_config)(const void* config);
  void (*config_clear)(void* config);

  // Sets up the C library's character tables of a thread that another link namespace made; NULL where unknown.
  void (*ctype_init)();

  // What is missing that the runtime cannot do without, or NULL.
  const char* missing = nullptr;
};

// (nargs | kArgsOffset) lets the callee use args[-1] for a bound method's self.
inline constexpr size_t kArgsOffset = static_cast<size_t>(1) << (8 * sizeof(size_t) - 1);

const Slots& slots();

}  // namespace clutch::pyembed
