/* C interface of the Python runtime: one shared object that serves CPython 3.8 and later without being linked to any
 * of them. Load it after libpython's symbols are visible to it; it resolves them from there.
 *
 * It speaks the plugin contract: the thread plugin forwards to this table in the host's own process, and a worker
 * process is a small host of its own that calls the same table. So user functions run through the same code in every
 * mode.
 */
#ifndef CLUTCH_PYEMBED_H
#define CLUTCH_PYEMBED_H

#include "clutch/abi/plugin.h"
#include "clutch/abi/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Keys of the runtime's configuration beside those of docs/configuration.md. They are set by the one who loads it. */
#define CLUTCH_PYEMBED_PROGRAM                                                         \
  "python.embed.program" /* Absolute path of the interpreter whose prefix and packages \
                            are used; needed when the runtime has to initialise. */
#define CLUTCH_PYEMBED_PROGRESS                                                          \
  "python.embed.progress" /* Decimal address of an int64 the row loop stores the current \
                             row index to, every few rows; "0" or absent: none. */

/**
 * Give the runtime's table. mode is "embedded". If an interpreter lives in this process (or namespace) already, the
 * runtime attaches to it and never finalises it; otherwise it initialises one, once per process, on the first
 * function_open, and leaves it alive.
 * [thread: any] [state: none] [blocks: no] [fails: never]
 */
__attribute__((visibility("default"))) const clutch_plugin_api* clutch_pyembed_table_v1(void);

#define CLUTCH_PYEMBED_SYMBOL "clutch_pyembed_table_v1"

#ifdef __cplusplus
}
#endif

#endif
