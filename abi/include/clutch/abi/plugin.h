/* The contract of an execution-mode plugin: a runtime that opens functions, and functions that take batches. */
#ifndef CLUTCH_ABI_PLUGIN_H
#define CLUTCH_ABI_PLUGIN_H

#include "base.h"
#include "batch.h"
#include "host.h"
#include "spec.h"

#ifdef __cplusplus
extern "C" {
#endif

/* One line of what a plugin can do. The manifest beside the plugin says the same, and the host compares. */
typedef struct clutch_capability {
  uint32_t struct_size;
  uint32_t reserved0;
  clutch_str kind;       /* Kind id. */
  uint32_t min_revision; /* Revisions of the kind that are served, both ends included. */
  uint32_t max_revision;
  clutch_str payloads; /* Payload formats, separated by commas, sorted. */
  uint64_t features;   /* CLUTCH_FEATURE_*: low 32 bits may be ignored by who does not know them, high may not. */
} clutch_capability;

#define CLUTCH_FEATURE_CHAIN 1u     /* May stand in a chain of several steps. */
#define CLUTCH_FEATURE_ISOLATED 2u  /* A crash of the user's code does not reach the host. */
#define CLUTCH_FEATURE_ZERO_COPY 4u /* Columns reach the user's code without a copy. */
#define CLUTCH_FEATURE_FUSED 8u     /* Steps may say where their arguments come from: CLUTCH_OPTION_ARGUMENTS. */

/* Filled by function_open; the host sets struct_size. */
typedef struct clutch_function_info {
  uint32_t struct_size;
  uint32_t max_in_flight; /* Batches that may be pending at once; 1 if submit never returns CLUTCH_PENDING. */
} clutch_function_info;

/**
 * Receives facts from runtime_describe, which calls it before it returns. Copy the text.
 * [thread: any] [state: runtime] [blocks: no] [fails: never]
 */
typedef void (*clutch_fact_sink)(void* sink, clutch_str key, clutch_str value);

struct clutch_plugin_api {
  uint32_t struct_size;
  uint32_t reserved0;
  clutch_str id;      /* Reverse domain name: "org.clutch.thread". */
  clutch_str version; /* Of the plugin itself. */
  clutch_str mode;    /* Value of python.execution-mode that selects it. */
  const clutch_capability* const* capabilities;
  uint64_t n_capabilities;

  /**
   * Give a plugin extension table by id, or NULL.
   * [thread: any] [state: loaded] [blocks: no] [fails: never]
   */
  const void* (*get_extension)(const char* id);

  /**
   * Make a runtime. Reads the configuration and refuses illegal values; starts no interpreter and no process.
   * A process may hold several runtimes, also of several hosts.
   * @return CLUTCH_OK, CLUTCH_ERR_CONFIG (names key and value), CLUTCH_ERR_MEMORY.
   * [thread: control] [state: loaded] [blocks: no] [fails: status]
   */
  int32_t (*runtime_open)(const clutch_host* host, const clutch_options* configuration,
                          CLUTCH_OUT clutch_runtime** ret_runtime, clutch_error* error);

  /**
   * Say if this runtime can serve the function as specified: interpreter there and fit, types known, packages there.
   * May run the interpreter once to ask it, and keeps the answer; does not load the user's code.
   * @param reason  CLUTCH_OK: the facts the yes rests on, as details ("python.version", ...).
   *                CLUTCH_ERR_UNSUPPORTED: why not, in a sentence that stands alone.
   * [thread: control] [state: runtime] [blocks: start] [fails: status]
   */
  int32_t (*runtime_probe)(clutch_runtime* runtime, const clutch_spec* spec, clutch_error* reason);

  /**
   * Tell the facts about a runtime, a call of the sink each: "python.version", "python.executable", "workers", ...
   * [thread: any] [state: runtime] [blocks: no] [fails: never]
   */
  void (*runtime_describe)(clutch_runtime* runtime, clutch_fact_sink sink, void* sink_self);

  /**
   * End a runtime. All its functions must be closed before. Returns when nothing of it runs any more.
   * [thread: control] [state: runtime] [blocks: start] [fails: never]
   */
  void (*runtime_close)(CLUTCH_MOVE clutch_runtime* runtime);

  /**
   * Load a function and call its open() once if it has one. On failure nothing is left open, and close() was called
   * if open() had been.
   * @param context  Host's handle of this function; valid until function_close has returned.
   * @return CLUTCH_OK; CLUTCH_ERR_FUNCTION with exception and traceback; CLUTCH_ERR_LOAD; CLUTCH_ERR_UNSUPPORTED.
   * [thread: control] [state: runtime] [blocks: start] [fails: status]
   */
  int32_t (*function_open)(clutch_runtime* runtime, const clutch_spec* spec, clutch_function_context* context,
                           CLUTCH_OUT clutch_function** ret_function, clutch_function_info* ret_info,
                           clutch_error* error);

  /**
   * Run a batch, or take it to be run.
   *
   * CLUTCH_OK: done, all output is staged. CLUTCH_PENDING: taken; the plugin calls batch_complete exactly once, maybe
   * before this returns. Negative: failed, nothing runs; batch_complete is not called.
   * @param batch  Borrowed until this returns; what it points to (rows, context) until completion.
   * @param error  Host-owned, filled if the batch fails, now or at completion.
   * [thread: task] [state: function] [blocks: user] [fails: status]
   */
  int32_t (*function_submit)(clutch_function* function, const clutch_batch* batch, clutch_error* error);

  /**
   * Lend the calling thread to the plugin until a batch of this function completes or the deadline passes, so that a
   * completion needs no hand-over between threads. NULL if the plugin completes by itself.
   * @param deadline_ns  CLOCK_MONOTONIC.
   * @return CLUTCH_OK if a batch completed or none is pending, CLUTCH_PENDING at the deadline.
   * [thread: task] [state: function] [blocks: deadline] [fails: never]
   */
  int32_t (*function_poll)(clutch_function* function, int64_t deadline_ns);

  /**
   * Ask that a batch end soon with CLUTCH_ERR_CANCELLED. Returns at once; the batch completes in the usual way. Does
   * nothing if that batch is over.
   * [thread: any] [state: function] [blocks: no] [fails: never]
   */
  void (*function_cancel)(clutch_function* function, uint64_t sequence);

  /**
   * Call close() of the user's object once if open() was called, and let go of it. No batch may be pending. The
   * function is gone in every case; a negative status tells that close() failed.
   * [thread: control] [state: function] [blocks: user] [fails: status]
   */
  int32_t (*function_close)(CLUTCH_MOVE clutch_function* function, clutch_error* error);
};

#ifdef __cplusplus
}
#endif

#endif
