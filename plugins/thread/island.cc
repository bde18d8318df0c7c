#include "thread/island.h"

#include <dlfcn.h>
#include <pthread.h>

#include <memory>

#include "clutch/pyembed.h"
#include "thread/libpython.h"

namespace clutch::thread {
namespace {

using CreateKey = int (*)(pthread_key_t*, void (*)(void*));
using GetTable = const clutch_plugin_api* (*)();

// Half of all. The host's code runs on the island's thread, too, when Python calls a host service; its keys are below.
constexpr int kReservedKeys = 512;

Status failure(std::string message) { return Status(CLUTCH_ERR_LOAD, std::move(message), CLUTCH_ORIGIN_CONFIG); }

// Takes the keys of thread-specific data that the host's C library may give out, so that the namespace uses others.
bool reserve_keys(void* libpython) {
  const auto create = reinterpret_cast<CreateKey>(dlsym(libpython, "pthread_key_create"));
  if (create == nullptr) return false;
  for (int i = 0; i < kReservedKeys; ++i) {
    pthread_key_t key = 0;
    if (create(&key, nullptr) != 0) return false;
  }
  return true;
}

// The thread on which namespaces are loaded. It never ends, because their constructors leave data on it that only they
// understand (libpython 3.13 has an allocator that does).
//
// It has a second use: it tells the host's C library that it has company. Threads of an island are made by another C
// library, so a program without threads would go on to count references and take locks (the loader's and malloc's, too)
// as if it were alone, while an island's thread calls the host's services.
Result<ServingThread*> loading_thread() {
  struct Loader {
    ServingThread thread;
    Status started = thread.start(&pthread_create);
  };
  static Loader* const loader = new Loader;  // Never destroyed, since its thread never ends.
  if (!loader->started.ok()) return loader->started;
  return &loader->thread;
}

}  // namespace

Result<const clutch_plugin_api*> table_of(void* handle, const std::string& library) {
  if (handle == nullptr) {
    return failure("the Python runtime " + library + " could not be loaded: " + loader_error());
  }
  const auto get_table = reinterpret_cast<GetTable>(dlsym(handle, CLUTCH_PYEMBED_SYMBOL));
  if (get_table == nullptr) {
    return failure(library + " is not the Python runtime of Clutch: it has no symbol " CLUTCH_PYEMBED_SYMBOL);
  }
  const clutch_plugin_api* const table = get_table();
  if (table == nullptr || !CLUTCH_HAS(table, clutch_plugin_api, function_close)) {
    return failure(library + " is of another version of Clutch; install both from one build");
  }
  return table;
}

Result<Island*> Island::make(const std::string& libpython, const std::string& library, size_t number) {
  const std::string what = "interpreter " + std::to_string(number) + " of python.thread.interpreters";
  CLUTCH_ASSIGN_OR_RETURN(ServingThread * loader, loading_thread());
  Result<Island*> island = failure(what + " was not loaded");
  loader->run([&] { island = load(libpython, library, what); });
  return island;
}

Result<Island*> Island::load(const std::string& libpython, const std::string& library, const std::string& what) {
  // libpython comes first, which makes it the global scope of its namespace: the runtime and extension modules find its
  // symbols there. RTLD_GLOBAL is neither needed nor survived by glibc in a namespace that dlmopen made.
  void* const handle = dlmopen(LM_ID_NEWLM, libpython.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) {
    return failure(what + " cannot have a link namespace of its own: " + loader_error() + "; ask for fewer");
  }
  Lmid_t name = 0;
  if (dlinfo(handle, RTLD_DI_LMID, &name) != 0) return failure(what + " is in no known namespace: " + loader_error());
  const auto create_thread = reinterpret_cast<ServingThread::Create>(dlsym(handle, "pthread_create"));
  if (create_thread == nullptr || !reserve_keys(handle)) {
    return failure(what + " has a C library without threads or thread-specific data");
  }

  std::unique_ptr<Island> island(new Island);
  CLUTCH_ASSIGN_OR_RETURN(island->api_, table_of(dlmopen(name, library.c_str(), RTLD_NOW | RTLD_LOCAL), library));
  if (Status status = island->thread_.start(create_thread); !status.ok()) return std::move(status).prefixed(what);
  return island.release();  // Never destroyed: its thread and its interpreter live as long as the process.
}

}  // namespace clutch::thread
