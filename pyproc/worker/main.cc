#include <cstdio>
#include <exception>

#include "worker/worker.h"
#include "worker/worker_main.h"

int clutch_worker_main(const clutch_plugin_api* table, int, const char* const*) {
  try {
    // Why never deleted: the watch thread uses it until the process is gone.
    auto* worker = new clutch::pyproc::Worker(*table);
    return worker->run();
  } catch (const std::exception& problem) {
    std::fprintf(stderr, "clutch worker: %s\n", problem.what());
    return 2;
  }
}
