// Runs the cases of a test library inside the interpreter under test: libpython first and globally, as the runtime
// finds it in a host, then the library that refers to its symbols.
#include <dlfcn.h>

#include <cstdio>
#include <cstdlib>

int main(int argc, char** argv) {
  const char* libpython = std::getenv("CLUTCH_TEST_LIBPYTHON");
  if (libpython == nullptr || argc < 2) {
    std::fprintf(stderr, "usage: CLUTCH_TEST_LIBPYTHON=libpythonX.Y.so %s CASES.so [gtest options]\n", argv[0]);
    return 2;
  }
  if (dlopen(libpython, RTLD_NOW | RTLD_GLOBAL) == nullptr) {
    std::fprintf(stderr, "%s\n", dlerror());
    return 2;
  }
  void* cases = dlopen(argv[1], RTLD_NOW);
  void* run = cases != nullptr ? dlsym(cases, "clutch_run_cases") : nullptr;
  if (run == nullptr) {
    std::fprintf(stderr, "%s\n", dlerror());
    return 2;
  }
  argv[1] = argv[0];
  return reinterpret_cast<int (*)(int, char**)>(run)(argc - 1, argv + 1);
}
