// The same library as a Python module: `import clutch_pyembed; clutch_pyembed.serve(library, ...)` is how a worker
// process, started as a plain interpreter, becomes one.
#include <dlfcn.h>

#include <string>
#include <vector>

#include "clutch/pyembed.h"
#include "interpreter/interpreter.h"

namespace clutch::pyembed {
namespace {

using WorkerMain = int (*)(const clutch_plugin_api* table, int argc, const char* const* argv);
constexpr char kWorkerMain[] = "clutch_worker_main";

PyObject* serve(PyObject*, PyObject* arguments) {
  std::vector<std::string> texts;
  const Py_ssize_t count = PyTuple_Size(arguments);
  for (Py_ssize_t i = 0; i < count; ++i) {
    PyRef text = PyRef::steal(PyObject_Str(PyTuple_GetItem(arguments, i)));
    if (!text) return nullptr;
    texts.push_back(to_text(text));
  }
  if (texts.empty()) {
    PyErr_SetString(PyExc_TypeError, "serve() needs the path of the worker library");
    return nullptr;
  }
  void* library = dlopen(texts.front().c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    PyErr_Format(PyExc_ImportError, "cannot load the worker library: %s", dlerror());
    return nullptr;
  }
  auto worker_main = reinterpret_cast<WorkerMain>(dlsym(library, kWorkerMain));
  if (worker_main == nullptr) {
    PyErr_Format(PyExc_ImportError, "the library %s has no function %s", texts.front().c_str(), kWorkerMain);
    return nullptr;
  }
  std::vector<const char*> argv;
  for (size_t i = 1; i < texts.size(); ++i) argv.push_back(texts[i].c_str());
  const int argc = static_cast<int>(argv.size());
  argv.push_back(nullptr);
  Interpreter::adopt();
  int result;
  {
    GilRelease release;
    result = worker_main(clutch_pyembed_table_v1(), argc, argv.data());
  }
  return PyLong_FromLong(result);
}

PyMethodDef kMethods[] = {
    {"serve", serve, METH_VARARGS, "Load a worker library and run its clutch_worker_main; gives what that returns."},
    {nullptr, nullptr, 0, nullptr},
};

PyModuleDef kModule = {
    PyModuleDef_HEAD_INIT, "clutch_pyembed", nullptr, -1, kMethods, nullptr, nullptr, nullptr, nullptr};

}  // namespace
}  // namespace clutch::pyembed

PyMODINIT_FUNC PyInit_clutch_pyembed(void);  // exported by the macro

PyMODINIT_FUNC PyInit_clutch_pyembed(void) { return PyModule_Create(&clutch::pyembed::kModule); }
