#include "interpreter/start.h"

#include <pthread.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <future>
#include <string>
#include <thread>
#include <utility>

#include "interpreter/python.h"
#include "interpreter/ref.h"
#include "interpreter/slots.h"

namespace clutch::pyembed {
namespace {

// Far above the largest PyConfig known (448 bytes in 3.13), whose layout differs in every release and stays unread
// but for the members below.
constexpr size_t kConfigRoom = 8192;
struct alignas(16) ConfigRoom {
  std::array<unsigned char, kConfigRoom> bytes{};
  int at(size_t i) const {
    int value;
    std::memcpy(&value, bytes.data() + i * sizeof(int), sizeof(int));
    return value;
  }
  void set(size_t i, int value) { std::memcpy(bytes.data() + i * sizeof(int), &value, sizeof(int)); }
};
constexpr size_t kIsolated = 1;
constexpr size_t kUseEnvironment = 2;
constexpr size_t kInstallSignalHandlers = 4;

// Puts every signal's disposition back when it goes.
class SignalsKept {
 public:
  SignalsKept() {
    for (int signal = 1; signal < kCount; ++signal) {
      known_[signal] = sigaction(signal, nullptr, &saved_[signal]) == 0;
    }
  }
  ~SignalsKept() {
    for (int signal = 1; signal < kCount; ++signal) {
      if (signal == SIGKILL || signal == SIGSTOP || !known_[signal]) continue;
      sigaction(signal, &saved_[signal], nullptr);
    }
  }
  SignalsKept(const SignalsKept&) = delete;
  SignalsKept& operator=(const SignalsKept&) = delete;

 private:
  static constexpr int kCount = 65;
  std::array<struct sigaction, kCount> saved_{};
  std::array<bool, kCount> known_{};
};

// The pyvenv.cfg of the virtual environment that `program` belongs to, "" if it belongs to none.
std::string venv_file(const std::string& program) {
  const std::string folder = program.substr(0, program.rfind('/'));
  for (const std::string& place : {folder, folder.substr(0, folder.rfind('/'))}) {
    if (access((place + "/pyvenv.cfg").c_str(), F_OK) == 0) return place + "/pyvenv.cfg";
  }
  return "";
}

// Where the interpreter was told to look, and what to do about it.
std::string advice(const std::string& program) {
  if (const char* home = std::getenv("PYTHONHOME"); home != nullptr && *home != '\0') {
    return std::string("PYTHONHOME is \"") + home +
           "\", where its standard library must be; unset PYTHONHOME, or name the folder that has this version's lib";
  }
  return "its standard library must be below " + program.substr(0, program.rfind('/')) +
         "/../lib; see what it lacks with: " + program + " -c pass, in the environment of this process";
}

Status failed(const InitStatus& status, const std::string& program) {
  std::string message = "cannot start Python for " + program + ": ";
  message += status.message != nullptr ? status.message : "it asked to exit";
  if (status.function != nullptr) message += std::string(" (") + status.function + ")";
  return Status(CLUTCH_ERR_LOAD, message + "; " + advice(program), CLUTCH_ORIGIN_CONFIG);
}

// True if the members this file touches are where it expects them: the two kinds of defaults must differ there.
bool layout_known(const ConfigRoom& plain, const ConfigRoom& isolated) {
  return plain.at(kIsolated) == 0 && isolated.at(kIsolated) == 1 && plain.at(kUseEnvironment) == 1 &&
         isolated.at(kUseEnvironment) == 0 && plain.at(kInstallSignalHandlers) == 1 &&
         isolated.at(kInstallSignalHandlers) == 0;
}

Status pre_initialize(const std::string& program) {
  const Slots& found = slots();
  PreConfig config{};
  found.preconfig_init(&config);
  config.parse_argv = 0;
  config.configure_locale = 0;  // The host's locale is the host's.
  config.coerce_c_locale = 0;
  config.coerce_c_locale_warn = 0;
  config.utf8_mode = 1;
  const InitStatus status = found.preinitialize(&config);
  if (status.type != 0) return failed(status, program);
  return Status();
}

// Never by Py_InitializeEx, which ends the process when it fails.
Status initialize(const std::string& program) {
  const Slots& found = slots();
  ConfigRoom config;
  ConfigRoom isolated;
  found.config_init(config.bytes.data());
  found.config_init_isolated(isolated.bytes.data());
  // Where the members are not known Python installs its handlers, and SignalsKept takes them away again.
  if (layout_known(config, isolated)) config.set(kInstallSignalHandlers, 0);
  found.config_clear(isolated.bytes.data());
  const InitStatus status = found.initialize_from_config(config.bytes.data());
  Status result = status.type != 0 ? failed(status, program) : Status();
  found.config_clear(config.bytes.data());
  return result;
}

std::string text_of(PyView object) {
  Py_ssize_t size = 0;
  const char* text = object ? slots().utf8_and_size(object.get(), &size) : nullptr;
  if (text == nullptr) {
    PyErr_Clear();
    return "?";
  }
  return std::string(text, static_cast<size_t>(size));
}

// A venv whose packages would not be found is worse than none: its functions would load other versions in silence.
Status verify(const std::string& program) {
  const std::string prefix = text_of(PySys_GetObject("prefix"));
  const std::string base = text_of(PySys_GetObject("base_prefix"));
  if (!venv_file(program).empty() && prefix == base) {
    return Status(CLUTCH_ERR_LOAD,
                  program + " belongs to a virtual environment, but the interpreter came up with prefix " + prefix +
                      "; name the environment's bin/python by its absolute path",
                  CLUTCH_ORIGIN_CONFIG);
  }
  return Status();
}

Status run(const std::string& program, Status (*prepare)()) {
  const Slots& found = slots();
  const std::pair<bool, const char*> needed[] = {{found.preconfig_init != nullptr, "PyPreConfig_InitPythonConfig"},
                                                 {found.preinitialize != nullptr, "Py_PreInitialize"},
                                                 {found.set_program_name != nullptr, "Py_SetProgramName"},
                                                 {found.config_init != nullptr, "PyConfig_InitPythonConfig"},
                                                 {found.config_init_isolated != nullptr, "PyConfig_InitIsolatedConfig"},
                                                 {found.initialize_from_config != nullptr, "Py_InitializeFromConfig"},
                                                 {found.config_clear != nullptr, "PyConfig_Clear"}};
  for (const auto& [there, name] : needed) {
    if (there) continue;
    return Status(CLUTCH_ERR_LOAD,
                  std::string("the libpython of ") + program + " does not export " + name +
                      "; CPython 3.8 or later is needed, or python.execution-mode = process",
                  CLUTCH_ORIGIN_CONFIG);
  }
  SignalsKept signals;
  CLUTCH_RETURN_IF_ERROR(pre_initialize(program));
  wchar_t* name = Py_DecodeLocale(program.c_str(), nullptr);
  if (name == nullptr) return Status(CLUTCH_ERR_MEMORY, "no memory for the name of the interpreter");
  found.set_program_name(name);  // Keeps the pointer in old versions, so it is never freed.
  CLUTCH_RETURN_IF_ERROR(initialize(program));
  // Both take what they find at their first import: _signal the disposition of SIGINT, threading its main thread.
  for (const char* module : {"_signal", "threading"}) {
    if (PyRef imported = PyRef::steal(PyImport_ImportModule(module)); !imported) PyErr_Clear();
  }
  Status status = verify(program);
  if (status.ok()) status = prepare();
  PyEval_SaveThread();
  return status;
}

}  // namespace

Status start_interpreter(const std::string& program, Status (*prepare)()) {
  std::promise<Status> started;
  std::future<Status> result = started.get_future();
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  for (int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS}) sigdelset(&all, signal);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  try {
    std::thread([program, prepare, promise = std::move(started)]() mutable {
      pthread_setname_np(pthread_self(), "clutch-python");
      promise.set_value(run(program, prepare));
      // The thread stays, because Python's idea of its main thread must stay true. Nothing ever wakes it.
      for (;;) pause();
    }).detach();
  } catch (const std::system_error& error) {
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    return Status(CLUTCH_ERR_LOAD, std::string("cannot start a thread for Python: ") + error.what());
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return result.get();
}

}  // namespace clutch::pyembed
