#include "interpreter/interpreter.h"

#include <dlfcn.h>
#include <unistd.h>

#include <atomic>
#include <iterator>
#include <mutex>
#include <optional>

#include "columns_source.h"
#include "context_source.h"
#include "drivers_source.h"
#include "errors_source.h"
#include "events_source.h"
#include "fold_source.h"
#include "forks_source.h"
#include "groups_source.h"
#include "interpreter/slots.h"
#include "interpreter/start.h"
#include "invoke_source.h"
#include "loading_source.h"
#include "loop_source.h"
#include "results_source.h"
#include "streams/streams.h"
#include "streams_source.h"
#include "windows_source.h"

namespace clutch::pyembed {
namespace {

// Why: the state of the process-wide interpreter. It is never destroyed, because Python threads may outlive main().
struct Shared {
  std::mutex mutex;  // Taken without the interpreter lock, which is taken inside.
  std::atomic<Interpreter*> running{nullptr};
  std::optional<Status> failure;
  Interpreter* starting = nullptr;
  bool adopted = false;
};

Shared& shared() {
  static Shared* const kShared = new Shared;
  return *kShared;
}

struct Source {
  const char* text;
  const char* file;
};

constexpr Source kSources[] = {
    {kErrorsSource, "<clutch errors>"},   {kLoadingSource, "<clutch loading>"}, {kContextSource, "<clutch context>"},
    {kStreamsSource, "<clutch streams>"}, {kDriversSource, "<clutch drivers>"}, {kForksSource, "<clutch forks>"},
    {kFoldSource, "<clutch fold>"},       {kGroupsSource, "<clutch groups>"},   {kColumnsSource, "<clutch columns>"},
    {kResultsSource, "<clutch results>"}, {kLoopSource, "<clutch loop>"},       {kInvokeSource, "<clutch invoke>"},
    {kEventsSource, "<clutch events>"},   {kWindowsSource, "<clutch windows>"},
};
static_assert(std::size(kSources) == Interpreter::kFiles);

std::string raised_text() {
  PyObject *type = nullptr, *value = nullptr, *traceback = nullptr;
  PyErr_Fetch(&type, &value, &traceback);
  PyErr_NormalizeException(&type, &value, &traceback);
  PyRef owned_type = PyRef::steal(type), owned_value = PyRef::steal(value), owned_traceback = PyRef::steal(traceback);
  PyRef text = owned_value ? PyRef::steal(PyObject_Repr(owned_value.get())) : PyRef();
  return to_text(text);
}

}  // namespace

std::string to_text(PyView object) {
  Py_ssize_t size = 0;
  const char* text = nullptr;
  if (object && PyUnicode_Check(object.get())) text = slots().utf8_and_size(object.get(), &size);
  if (text == nullptr) {
    PyErr_Clear();
    return "?";
  }
  return std::string(text, static_cast<size_t>(size));
}

Interpreter* Interpreter::running() { return shared().running.load(std::memory_order_acquire); }

void Interpreter::adopt() { shared().adopted = true; }

Result<Interpreter*> Interpreter::get(const std::string& program) {
  if (Interpreter* there = running(); there != nullptr) {
    if (!interpreter_alive()) {
      return Status(CLUTCH_ERR_CLOSED, "the Python interpreter of this process has been shut down");
    }
    return there;
  }
  Shared& state = shared();
  GilRelease release;  // Another thread may hold the mutex and wait for the lock.
  std::lock_guard<std::mutex> guard(state.mutex);
  if (Interpreter* there = running(); there != nullptr) return there;
  if (state.failure) return *state.failure;
  if (slots().missing != nullptr) {
    state.failure =
        Status(CLUTCH_ERR_LOAD,
               std::string("this libpython does not export ") + slots().missing + "; CPython 3.8 or later is needed",
               CLUTCH_ORIGIN_CONFIG);
    return *state.failure;
  }
  state.starting = new Interpreter;  // Never destroyed: functions and threads refer to it until the process ends.
  Status status;
  if (Py_IsInitialized() != 0) {
    state.starting->owned_ = state.adopted;
    status = prepare();
  } else if (program.empty()) {
    return Status(CLUTCH_ERR_CONFIG,
                  "there is no interpreter in this process and python.embed.program does not name one to start",
                  CLUTCH_ORIGIN_CONFIG);
  } else {
    state.starting->owned_ = true;
    state.starting->started_ = true;
    status = start_interpreter(program, &Interpreter::prepare);
  }
  if (!status.ok()) {
    state.failure = status;
    return status;
  }
  state.running.store(state.starting, std::memory_order_release);
  return state.starting;
}

Status Interpreter::prepare() {
  Gil gil;
  return shared().starting->load(gil);
}

Status Interpreter::load(const Gil& gil) {
  CLUTCH_ASSIGN_OR_RETURN(module_, Module::make());
  interrupted_ = PyRef::steal(PyErr_NewExceptionWithDoc("clutch.Interrupted",
                                                        "A row ran longer than allowed, or its batch was cancelled.",
                                                        PyExc_BaseException, nullptr));
  if (!interrupted_) return Status(CLUTCH_ERR_LOAD, "Python cannot make an exception class: " + raised_text());
  version_ = Py_GetVersion();
  version_ = version_.substr(0, version_.find(' '));
  executable_ = to_text(PySys_GetObject("executable"));
  prefix_ = to_text(PySys_GetObject("prefix"));
  if (owned_ && !install_streams(gil, *this)) {
    return Status(CLUTCH_ERR_LOAD, "sys.stdout cannot be replaced: " + raised_text());
  }
  CLUTCH_RETURN_IF_ERROR(offer_package(gil));
  if (started_) {
    PyRef refuse = helper(gil, File::kForks, "refuse_forks");
    if (!refuse || !PyRef::steal(PyObject_CallObject(refuse.get(), nullptr))) {
      return Status(CLUTCH_ERR_LOAD, "os.fork cannot be replaced: " + raised_text());
    }
  }
  return Status();
}

PyRef Interpreter::helper(const Gil&, File file, const char* attribute) {
  PyRef& names = files_[static_cast<size_t>(file)];
  if (!names) {
    const Source& source = kSources[static_cast<size_t>(file)];
    PyRef code = PyRef::steal(Py_CompileString(source.text, source.file, Py_file_input));
    PyRef fresh = PyRef::steal(PyDict_New());
    PyRef name = PyRef::steal(PyUnicode_FromString("clutch"));
    if (!code || !fresh || !name || PyDict_SetItemString(fresh.get(), "__name__", name.get()) != 0 ||
        PyDict_SetItemString(fresh.get(), "__builtins__", PyEval_GetBuiltins()) != 0) {
      return {};
    }
    if (!PyRef::steal(PyEval_EvalCode(code.get(), fresh.get(), fresh.get()))) return {};
    names = std::move(fresh);
  }
  PyObject* found = PyDict_GetItemString(names.get(), attribute);
  if (found == nullptr && PyErr_Occurred() == nullptr) PyErr_SetString(PyExc_AttributeError, attribute);
  return PyRef::share(found);
}

// It lies in the folder "python" beside this library.
Status Interpreter::offer_package(const Gil&) {
  Dl_info self{};
  if (dladdr(reinterpret_cast<void*>(&raised_text), &self) == 0 || self.dli_fname == nullptr) return Status();
  const std::string library = self.dli_fname;
  const std::string folder = library.substr(0, library.rfind('/') + 1) + "python";
  if (access((folder + "/clutch/__init__.py").c_str(), R_OK) != 0) return Status();
  PyObject* path = PySys_GetObject("path");  // borrowed
  PyRef text = PyRef::steal(PyUnicode_DecodeFSDefaultAndSize(folder.data(), static_cast<Py_ssize_t>(folder.size())));
  if (path != nullptr && PyList_Check(path) != 0 && text && PyList_Append(path, text.get()) == 0) return Status();
  return Status(CLUTCH_ERR_LOAD, "cannot put " + folder + " on sys.path: " + raised_text());
}

Status Interpreter::add_to_path(const Gil&, const std::vector<std::string>& entries) {
  PyObject* path = PySys_GetObject("path");  // borrowed
  if (path == nullptr || PyList_Check(path) == 0)
    return Status(CLUTCH_ERR_LOAD, "sys.path of this interpreter is no list");
  Py_ssize_t position = 0;
  for (const std::string& entry : entries) {
    PyRef text = PyRef::steal(PyUnicode_DecodeFSDefaultAndSize(entry.data(), static_cast<Py_ssize_t>(entry.size())));
    const int there = text ? PySequence_Contains(path, text.get()) : -1;
    if (there == 0 && PyList_Insert(path, position++, text.get()) == 0) continue;
    if (there > 0) continue;
    return Status(CLUTCH_ERR_LOAD, "cannot put " + entry + " on sys.path: " + raised_text());
  }
  return Status();
}

}  // namespace clutch::pyembed
