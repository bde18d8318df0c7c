/* C interface of the worker library: what pyembed's serve() calls in a worker process. */
#ifndef CLUTCH_PYPROC_WORKER_MAIN_H
#define CLUTCH_PYPROC_WORKER_MAIN_H

#include <stdint.h>

#include "clutch/abi/plugin.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Serve the supervisor at the other end of ctl (protocol/layout.h) with this runtime until it says shutdown. Call once,
 * on the main thread, without the interpreter's lock. If the supervisor goes away without a word, the process ends at
 * once, whatever runs.
 * @param argv  As serve() got it; for people who list processes, the worker reads nothing from it.
 * @return Exit code: 0 after a shutdown; 1 if the runtime did not open; 2 if it was not started as layout.h says.
 */
__attribute__((visibility("default"))) int clutch_worker_main(const clutch_plugin_api* table, int argc,
                                                              const char* const* argv);

#define CLUTCH_WORKER_SYMBOL "clutch_worker_main"

#ifdef __cplusplus
}
#endif

#endif
