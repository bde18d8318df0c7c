/* The C API of libclutch for applications: open a host, open Python functions, send batches of rows through them.
 *
 *   clutch_app            one host: configuration, plugins, log. Several may live in one process.
 *   clutch_app_function   one opened function (or chain of steps) on the plugin that the registry chose.
 *   clutch_app_result     what one batch gave: rows, side outputs, dead letters. Lives on its own.
 *   clutch_app_batcher    makes batches of single rows.
 *   clutch_app_error      why a call failed.
 *
 * Rules for all of it:
 *  - Text is UTF-8, zero-terminated. `char *` results belong to the caller: clutch_app_text_free. `const char *`
 *    results are borrowed from the object they were asked of.
 *  - A call that can fail returns a status (abi/status.h) and takes `ret_error`: NULL if the reason is not wanted,
 *    otherwise it is set to a new error on failure (free it with clutch_app_error_free) and left alone on success.
 *  - Structs with struct_size: set it to sizeof, zero the rest, fill what you need.
 *      C:   clutch_app_settings settings = {.struct_size = sizeof(settings)};
 *  - Arrow arrays marked CLUTCH_APP_MOVED are consumed on every path, also when the call fails; their release member
 *    is NULL afterwards.
 *  - Threads: a clutch_app and a clutch_app_function may be used from several threads at once. A result, an error, a
 *    builder and a batcher belong to one thread at a time. libclutch creates no threads.
 */
#ifndef CLUTCH_CLUTCH_H
#define CLUTCH_CLUTCH_H

#include <stdint.h>

#include "clutch/abi/arrow.h"
#include "clutch/abi/base.h"
#include "clutch/abi/status.h"
#include "clutch/ext/state.h"
#include "clutch/ext/timer.h"

#ifdef __cplusplus
extern "C" {
#endif

#if defined(_WIN32)
#define CLUTCH_API
#else
#define CLUTCH_API __attribute__((visibility("default")))
#endif

#define CLUTCH_APP_MOVED /* Consumed by the call on every path. */

typedef struct clutch_app clutch_app;
typedef struct clutch_app_function clutch_app_function;
typedef struct clutch_app_result clutch_app_result;
typedef struct clutch_app_error clutch_app_error;
typedef struct clutch_app_builder clutch_app_builder;
typedef struct clutch_app_batcher clutch_app_batcher;

/* How a report is written. */
#define CLUTCH_APP_TEXT 0
#define CLUTCH_APP_JSON 1

/* ---- Text, versions, errors ------------------------------------------------------------------------------------ */

/* Version of this library, "0.1.0". */
CLUTCH_API const char* clutch_app_version(void);

/* Free text that a call returned as `char *`. NULL is allowed. */
CLUTCH_API void clutch_app_text_free(char* text);

/* Name of a status: "CLUTCH_ERR_USER". Never NULL. */
CLUTCH_API const char* clutch_app_status_name(int32_t status);

CLUTCH_API int32_t clutch_app_error_code(const clutch_app_error* error);        /* CLUTCH_ERR_* */
CLUTCH_API int32_t clutch_app_error_origin(const clutch_app_error* error);      /* CLUTCH_ORIGIN_* */
CLUTCH_API const char* clutch_app_error_message(const clutch_app_error* error); /* Borrowed. */
CLUTCH_API uint64_t clutch_app_error_detail_count(const clutch_app_error* error);
CLUTCH_API const char* clutch_app_error_detail_key(const clutch_app_error* error, uint64_t index);
CLUTCH_API const char* clutch_app_error_detail_value(const clutch_app_error* error, uint64_t index);
/* Value of one CLUTCH_DETAIL_*, or NULL. */
CLUTCH_API const char* clutch_app_error_detail(const clutch_app_error* error, const char* key);
/* All of it as a JSON object: code, name, origin, message, details. */
CLUTCH_API char* clutch_app_error_json(const clutch_app_error* error);
/* Say why, in a callback of the application that was given an error to fill (clutch_app_state_store). Text is copied.
 */
CLUTCH_API void clutch_app_error_set(clutch_app_error* error, int32_t code, const char* message);
/* Free an error that a call made. NULL is allowed. Not for borrowed ones (clutch_app_result_dead_letter_error). */
CLUTCH_API void clutch_app_error_free(clutch_app_error* error);

/* ---- The host -------------------------------------------------------------------------------------------------- */

/* One key with its value. Frozen. */
typedef struct clutch_app_option {
  const char* key;
  const char* value;
} clutch_app_option;

#define CLUTCH_APP_LOG_TRACE 0
#define CLUTCH_APP_LOG_DEBUG 1
#define CLUTCH_APP_LOG_INFO 2
#define CLUTCH_APP_LOG_WARN 3
#define CLUTCH_APP_LOG_ERROR 4
#define CLUTCH_APP_LOG_HOST_MISBEHAVING 5   /* A plugin saw libclutch break the contract. */
#define CLUTCH_APP_LOG_PLUGIN_MISBEHAVING 6 /* A plugin broke the contract. */

/* Receives log lines, from any thread, also several at once. All text is borrowed for the call.
 * source is who speaks ("host", "thread", "stdout"); function is the function's name or NULL. Must not call back
 * into the same clutch_app. */
typedef void (*clutch_app_log_fn)(void* self, int32_t level, const char* source, const char* function,
                                  const char* text);

#define CLUTCH_APP_NO_ENVIRONMENT 1u /* flags: CLUTCH_* variables of the environment are not read. */

typedef struct clutch_app_settings {
  uint32_t struct_size;
  uint32_t flags;                   /* CLUTCH_APP_NO_ENVIRONMENT */
  const clutch_app_option* options; /* Configuration; wins over the environment, which wins over the file. */
  uint64_t n_options;
  const char* config_file; /* TOML file; NULL: none (the variable CLUTCH_CONFIG may name one). */
  const char* plugin_path; /* Folders with plugins, separated by ':', searched first; NULL: none. */
  const char* log_level;   /* "trace", "debug", "info", "warn", "error", "off"; NULL: "warn". */
  clutch_app_log_fn log;   /* NULL: lines go to stderr. */
  void* log_self;
} clutch_app_settings;

/**
 * Open a host: read the configuration and find plugins. Loads no plugin and starts nothing.
 * A broken plugin in a folder is no failure: it is in the report of clutch_app_plugins with its reason.
 * @param settings  NULL: configuration from the environment alone.
 * @return CLUTCH_OK; CLUTCH_ERR_CONFIG (bad value, bad file with line and column); CLUTCH_ERR_ARGUMENT.
 */
CLUTCH_API int32_t clutch_app_open(const clutch_app_settings* settings, clutch_app** ret_app,
                                   clutch_app_error** ret_error);

/**
 * Close a host: its runtimes (interpreters, worker processes) end. Refused with CLUTCH_ERR_ARGUMENT, naming them,
 * while functions are open; then the host stays as it is. NULL is allowed. Results may outlive the host.
 */
CLUTCH_API int32_t clutch_app_close(clutch_app* app, clutch_app_error** ret_error);

/* Set a configuration value. Holds for functions opened from now on. CLUTCH_ERR_CONFIG if it is not legal. */
CLUTCH_API int32_t clutch_app_set(clutch_app* app, const char* key, const char* value, clutch_app_error** ret_error);

/**
 * Get a configuration value and where it comes from ("default", "environment CLUTCH_...", "file x.toml:3", ...).
 * @param ret_origin  NULL if not wanted.
 * @return CLUTCH_OK; CLUTCH_ERR_NOT_FOUND if the key has no value.
 */
CLUTCH_API int32_t clutch_app_get(clutch_app* app, const char* key, char** ret_value, char** ret_origin,
                                  clutch_app_error** ret_error);

/* Every key that has a value, with its origin, as text or JSON. */
CLUTCH_API char* clutch_app_configuration(clutch_app* app, int32_t format);

/* Plugins found, with mode, version, place and capabilities; then every place looked at and what was refused, why. */
CLUTCH_API char* clutch_app_plugins(clutch_app* app, int32_t format);

/* Facts about the runtime behind a mode (python.version, python.executable, workers, ...). Opens it if need be.
 * @param ret_text  Text (a "key: value" line each) or a JSON object. */
CLUTCH_API int32_t clutch_app_describe(clutch_app* app, const char* mode, int32_t format, char** ret_text,
                                       clutch_app_error** ret_error);

/* ---- What a function is ---------------------------------------------------------------------------------------- */

/* What to do with a row whose call raised, or whose result does not fit. */
#define CLUTCH_APP_ON_ERROR_FAIL 0        /* The batch fails. */
#define CLUTCH_APP_ON_ERROR_NULL 1        /* The row's result is null; from row to rows: no rows. */
#define CLUTCH_APP_ON_ERROR_DEAD_LETTER 2 /* The row is put aside with its error, the others go on. */

typedef struct clutch_app_step {
  uint32_t struct_size;
  uint32_t kind_revision;           /* 0: 1 */
  const char* name;                 /* NULL: taken from an import payload's attribute, or the kind. */
  const char* kind;                 /* "table.scalar", "table.table", "stream.map", "stream.flat_map", ... */
  const char* payload_format;       /* "import", "source", "pickle", "native" */
  const void* payload;              /* "import": "module:attribute" or "path/file.py:attribute". */
  uint64_t payload_size;            /* 0: payload is zero-terminated text. */
  const clutch_app_option* options; /* Of this step. */
  uint64_t n_options;
} clutch_app_step;

/*
 * The rows in and out are given as text ("word: string, n: int64"; a type without a name is column f0, f1, ...; a
 * single nameless type of the output is column "result") or as an Arrow schema of a struct. Types: Clutch's text form
 * and the SQL names of PyFlink, see docs. No output where the last step is stream.filter: as the input.
 */
typedef struct clutch_app_spec {
  uint32_t struct_size;
  int32_t on_error;                    /* CLUTCH_APP_ON_ERROR_* */
  const char* name;                    /* For messages, metrics, logs; NULL: the steps' names with " > ". */
  const clutch_app_step* const* steps; /* Run one after the other inside the runtime. */
  uint64_t n_steps;
  const char* input;
  const char* output;
  const struct ArrowSchema* input_schema;  /* Instead of input; borrowed. */
  const struct ArrowSchema* output_schema; /* Instead of output; borrowed. */
  const char* mode;                        /* This function's own python.execution-mode; NULL: the host's. */
  const clutch_app_option* options;        /* Configuration of this function alone; wins over the host's. */
  uint64_t n_options;
  void (*completed)(void* self, uint64_t sequence); /* NULL, or called when a submitted batch is over, from any
                                                       thread; only signal a loop there, call nothing of Clutch. */
  void* completed_self;

  /* Not there if struct_size ends before them. */
  const struct clutch_app_state_store* state_store; /* NULL: state and timers lie in the host's memory. Else the table
                                                       is copied; what its self points to lives until the function is
                                                       closed. */
} clutch_app_spec;

/* Read type text into the schema of a struct of columns, which the caller releases. `text` as in clutch_app_spec. */
CLUTCH_API int32_t clutch_app_schema_parse(const char* text, struct ArrowSchema* ret_schema,
                                           clutch_app_error** ret_error);

/* Write the columns of a struct schema as text, "word: string, n: int64 not null". */
CLUTCH_API int32_t clutch_app_schema_text(const struct ArrowSchema* schema, char** ret_text,
                                          clutch_app_error** ret_error);

/**
 * Say which plugins can serve a kind of function and why the others cannot, from what is known without loading them.
 * @param kind  NULL: a table of all kinds by plugin.
 */
CLUTCH_API int32_t clutch_app_explain_kind(clutch_app* app, const char* kind, int32_t format, char** ret_text,
                                           clutch_app_error** ret_error);

/* Decide as clutch_app_function_open would, with the probe of loaded plugins, and tell the decision; also where it
 * is a refusal. Opens runtimes, but no function. */
CLUTCH_API int32_t clutch_app_explain_spec(clutch_app* app, const clutch_app_spec* spec, int32_t format,
                                           char** ret_text, clutch_app_error** ret_error);

/* ---- State and timers of the application ----------------------------------------------------------------------- */

/*
 * A function's keyed state and timers lie in the host's memory, unless clutch_app_spec.state_store names a store of the
 * application: then the application keeps, snapshots and restores them, and the host asks it through this table.
 *
 *  - A store serves one function. Restore it before the function opens.
 *  - Calls never overlap. They come from the threads that call into the function and from those of its plugin, and hold
 *    the batch up. A store must not call into the function it serves.
 *  - Between two commits nothing changes: a batch that moves to another worker reads again what it has read.
 *  - What the host gives is borrowed for the call. What the store gives (values, entries, timers) stays valid until the
 *    next call on it.
 *  - The key of size 0 is that of the function itself: state which belongs to no key (broadcast state).
 *  - now_ms is the batch's processing time. The store gives no more and no less than is to be seen then; see ttl_* of
 *    clutch_state_declaration. Reads change nothing.
 *  - A call that fails returns a negative status and says why by clutch_app_error_set; its batch fails with that.
 *
 * The tags in brackets are those of clutch/abi/base.h; the one who is called is the application here.
 */

/* One value as a read gives it. data is NULL where there is none; an empty value has data, and size 0. Frozen. */
typedef struct clutch_app_state_value {
  const uint8_t* data;
  uint64_t size;
  int64_t version; /* Grows with each committed change to the key's state; -1 if the store does not count. */
} clutch_app_state_value;

/* An item of a list (map_key is unused) or an entry of a map. Frozen. */
typedef struct clutch_app_state_entry {
  clutch_bytes map_key;
  clutch_bytes value;
} clutch_app_state_entry;

/* Names an entry of a key's map. Frozen. */
typedef struct clutch_app_entry_name {
  clutch_bytes key;
  clutch_bytes map_key;
} clutch_app_entry_name;

/* A part of the list or the map of one key. */
typedef struct clutch_app_page_request {
  uint32_t struct_size;
  uint32_t state;
  clutch_bytes key;
  clutch_bytes after; /* map: the page begins behind this key; data is NULL for the first page */
  uint64_t first;     /* list: so many items stand in front of the page */
  uint64_t max_bytes; /* About; a page has one entry at least if any is left. */
  int64_t now_ms;
} clutch_app_page_request;

/* Entries of a map in the order of the bytes of their keys. Frozen. */
typedef struct clutch_app_page {
  const clutch_app_state_entry* entries;
  uint64_t n_entries;
  int32_t more; /* 1 if something is left behind the page. */
  int32_t reserved0;
} clutch_app_page;

/* A change to the state of a key. Frozen. */
typedef struct clutch_app_state_change {
  uint32_t state;
  int32_t op; /* CLUTCH_STATE_OP_*. PUT is of values and maps alone: a list is cleared and appended to. */
  clutch_bytes key;
  clutch_bytes map_key; /* data is NULL where the op has none. */
  clutch_bytes value;
} clutch_app_state_change;

/* A timer, or a change to it. Registering one that exists, or deleting one that does not, changes nothing. Frozen. */
typedef struct clutch_app_timer {
  clutch_bytes key;
  int64_t time_ms;
  int32_t domain; /* CLUTCH_TIMER_EVENT_TIME, CLUTCH_TIMER_PROCESSING_TIME */
  int32_t op;     /* CLUTCH_TIMER_REGISTER, CLUTCH_TIMER_DELETE; unused where timers are due */
} clutch_app_timer;

/* What one batch changes. */
typedef struct clutch_app_commit {
  uint32_t struct_size;
  uint32_t reserved0;
  uint64_t sequence; /* Of the batch. */
  int64_t now_ms;
  const clutch_app_state_change* changes; /* By state; those of one key stand together; in order for each key. */
  uint64_t n_changes;
  const clutch_app_timer* timers; /* In order; the timers that fired are deleted first. */
  uint64_t n_timers;
} clutch_app_commit;

typedef struct clutch_app_state_store {
  uint32_t struct_size;
  uint32_t reserved0;
  void* self;

  /**
   * Take a state of the function. Each has a name of its own, and may be there already from before.
   * @param state  0, 1, 2, ...: what the calls below name it by.
   * [thread: task] [state: opening] [blocks: user] [fails: status]
   */
  int32_t (*declare)(void* self, uint32_t state, const clutch_state_declaration* declaration, clutch_app_error* error);

  /**
   * Read a value state for many keys. The keys are distinct.
   * @param ret_values  n_keys values, none at first.
   * [thread: task] [state: batch] [blocks: user] [fails: status]
   */
  int32_t (*read)(void* self, uint32_t state, const clutch_bytes* keys, uint64_t n_keys, int64_t now_ms,
                  clutch_app_state_value* ret_values, clutch_app_error* error);

  /**
   * Read one page of the list or the map of a key.
   * @param ret_page  Empty at first.
   * [thread: task] [state: batch] [blocks: user] [fails: status]
   */
  int32_t (*read_page)(void* self, const clutch_app_page_request* request, clutch_app_page* ret_page,
                       clutch_app_error* error);

  /**
   * Look up single entries of a map state.
   * @param ret_values  n_names values, none at first; their versions are not used.
   * [thread: task] [state: batch] [blocks: user] [fails: status]
   */
  int32_t (*look_up)(void* self, uint32_t state, const clutch_app_entry_name* names, uint64_t n_names, int64_t now_ms,
                     clutch_app_state_value* ret_values, clutch_app_error* error);

  /**
   * Make all changes of a batch or none of them. Called once a batch that changes anything, when nothing else can make
   * it fail any more.
   * [thread: task] [state: batch] [blocks: user] [fails: status]
   */
  int32_t (*commit)(void* self, const clutch_app_commit* commit, clutch_app_error* error);

  /**
   * Give the timers that are due: those of event time up to and with event_ms, then those of processing time up to and
   * with processing_ms, each domain in order of time and key. They stay until a commit deletes them.
   * [thread: task] [state: function] [blocks: user] [fails: status]
   */
  int32_t (*due)(void* self, int64_t event_ms, int64_t processing_ms, const clutch_app_timer** ret_timers,
                 uint64_t* ret_count, clutch_app_error* error);

  /**
   * Give the time of the earliest timer of a domain. Asked when the function has opened and after commits with timers.
   * @return CLUTCH_OK; CLUTCH_ERR_NOT_FOUND if there is none.
   * [thread: task] [state: function] [blocks: user] [fails: status]
   */
  int32_t (*next)(void* self, int32_t domain, int64_t* ret_time_ms, clutch_app_error* error);
} clutch_app_state_store;

/* ---- Functions ------------------------------------------------------------------------------------------------- */

/**
 * Open a function: decide for a plugin, load the user's code there, call its open() once.
 * A plugin other than the one asked for is used only as python.execution-mode.fallback allows, with a warning.
 * @return CLUTCH_OK; CLUTCH_ERR_UNSUPPORTED (message and "decision" detail name every plugin and why not);
 *         CLUTCH_ERR_FUNCTION (with exception and traceback); CLUTCH_ERR_CONFIG; CLUTCH_ERR_LOAD; CLUTCH_ERR_ARGUMENT.
 */
CLUTCH_API int32_t clutch_app_function_open(clutch_app* app, const clutch_app_spec* spec,
                                            clutch_app_function** ret_function, clutch_app_error** ret_error);

/**
 * Close a function: batches in flight are cancelled and waited for, close() of the user's object runs. The handle is
 * gone in every case; a negative status tells that close() failed. NULL is allowed. No other call on the function may
 * be running.
 */
CLUTCH_API int32_t clutch_app_function_close(clutch_app_function* function, clutch_app_error** ret_error);

CLUTCH_API const char* clutch_app_function_name(const clutch_app_function* function);
CLUTCH_API const char* clutch_app_function_mode(const clutch_app_function* function);       /* It runs in this one. */
CLUTCH_API const char* clutch_app_function_asked_mode(const clutch_app_function* function); /* Configured. */
CLUTCH_API const char* clutch_app_function_plugin(const clutch_app_function* function);     /* Id of the plugin. */
/* Plugin chosen, and why each other lost. */
CLUTCH_API char* clutch_app_function_decision(const clutch_app_function* function, int32_t format);
CLUTCH_API const struct ArrowSchema* clutch_app_function_input_schema(const clutch_app_function* function);
CLUTCH_API const struct ArrowSchema* clutch_app_function_output_schema(const clutch_app_function* function);
/* Batches that may be in flight before submit waits. */
CLUTCH_API uint32_t clutch_app_function_max_in_flight(const clutch_app_function* function);

#define CLUTCH_APP_END_OF_INPUT 1u    /* No batch follows. */
#define CLUTCH_APP_HAS_WATERMARK 2u   /* watermark_ms is set. */
#define CLUTCH_APP_INPUT_BORROWED 4u  /* The rows' memory ends with the batch: leases on it are refused. */
#define CLUTCH_APP_UNTRUSTED_INPUT 8u /* Check every offset and value of the rows, not their structure alone. */

/*
 * Everything about a batch beside its rows; all optional. Array members are moved like the rows; a NULL pointer or a
 * released array means absent.
 *
 * Keys. A keyed function gets for every row the key it belongs to, as bytes that the application encodes: either
 * `keys` alone with one key a row, or `keys` with the distinct keys and `key_index` (int32) with the position of each
 * row's key. Batches with keys run one at a time, so each sees the state that the one before committed.
 *
 * Groups. Aggregates (table.aggregate, table.table_aggregate, table.aggregate.vectorized) give rows for each of the
 * distinct keys, in their order, and the origin of an output row is the position of its key; without keys the batch is
 * one group. `merges` are done before the rows, in their order: what key `from` has gathered goes to key `into`, as
 * when session windows grow together; a key that was only merged away gives no row. They need `keys` with `key_index`.
 *
 * Time. The host, or the store of the application, keeps the timers a function registers. A batch with keys gets all
 * timers that are due: event-time timers up to the watermark, processing-time timers up to the processing time. They
 * fire before the batch's rows. To fire timers when no rows come, submit a batch of zero rows with an empty `keys`
 * array and the new time; clutch_app_function_next_timer says when. A watermark below the one before counts as the one
 * before.
 */
typedef struct clutch_app_batch_options {
  uint32_t struct_size;
  uint32_t flags;                                 /* CLUTCH_APP_END_OF_INPUT and those below it */
  int64_t timeout_ms;                             /* Deadline from now; 0: the plugin's default. */
  int64_t processing_time_ms;                     /* Unix time; 0: now. */
  int64_t watermark_ms;                           /* Event time; with CLUTCH_APP_HAS_WATERMARK. */
  CLUTCH_APP_MOVED struct ArrowArray* timestamps; /* int64, ms, nullable, one a row. */
  CLUTCH_APP_MOVED struct ArrowArray* row_kinds;  /* int8: 0 insert, 1 update before, 2 update after, 3 delete. */
  CLUTCH_APP_MOVED struct ArrowArray* keys;       /* binary or utf8 */
  CLUTCH_APP_MOVED struct ArrowArray* key_index;  /* int32, one a row */
  CLUTCH_APP_MOVED struct ArrowArray* row_flags; /* int8: 1 for a row no call of the function sees (FILTER, DISTINCT) */
  CLUTCH_APP_MOVED struct ArrowArray* merges;    /* struct<into: int32, from: int32>, own length; see Groups */
} clutch_app_batch_options;

/**
 * Run one batch and wait for it.
 *
 * @param rows     Struct array in the function's input schema. Nulls of the struct itself are refused.
 * @param options  NULL: none.
 * @return CLUTCH_OK; the error of the batch: CLUTCH_ERR_USER, CLUTCH_ERR_VALUE, CLUTCH_ERR_DATA, CLUTCH_ERR_DEADLINE,
 *         CLUTCH_ERR_WORKER_LOST, ...; CLUTCH_ERR_CLOSED if the function is broken for good. Nothing is kept of a
 *         batch that failed.
 * Cost: well under a microsecond over what the plugin takes.
 */
CLUTCH_API int32_t clutch_app_function_call(clutch_app_function* function, CLUTCH_APP_MOVED struct ArrowArray* rows,
                                            const clutch_app_batch_options* options, clutch_app_result** ret_result,
                                            clutch_app_error** ret_error);

/**
 * Hand in one batch to be run. Waits while as many are in flight as the function takes, at most until the deadline.
 * A plugin that works on the caller's thread runs it before this returns; its result and its errors still come
 * through await.
 *
 * Results stay with the function until awaited, in any order.
 * @param ret_sequence  1, 2, 3, ...: the number by which the batch is awaited.
 * @return CLUTCH_OK; CLUTCH_ERR_DATA or CLUTCH_ERR_ARGUMENT (not taken: rows do not fit); CLUTCH_ERR_DEADLINE (not
 *         taken: no slot became free in time); CLUTCH_ERR_CLOSED.
 */
CLUTCH_API int32_t clutch_app_function_submit(clutch_app_function* function, CLUTCH_APP_MOVED struct ArrowArray* rows,
                                              const clutch_app_batch_options* options, uint64_t* ret_sequence,
                                              clutch_app_error** ret_error);

/**
 * Wait for one submitted batch and take its result. It can be taken once.
 *
 * @param timeout_ms  How long this call waits; 0: look, do not wait; negative: as long as it takes.
 * @return CLUTCH_OK; CLUTCH_PENDING when timeout_ms is over (nothing is lost, await again); the error of the batch.
 *         CLUTCH_ERR_DEADLINE also comes when the plugin stays silent after the batch's deadline: then the batch is
 *         given up, and whatever it gives later is dropped. CLUTCH_ERR_NOT_FOUND: no such batch, or taken before.
 */
CLUTCH_API int32_t clutch_app_function_await(clutch_app_function* function, uint64_t sequence, int64_t timeout_ms,
                                             clutch_app_result** ret_result, clutch_app_error** ret_error);

/**
 * Wait for whichever batch is over first.
 * @param ret_sequence  Which one; also set when that batch failed; 0 if none is in flight or waiting to be taken
 *                      (then the status is CLUTCH_ERR_NOT_FOUND).
 */
CLUTCH_API int32_t clutch_app_function_await_any(clutch_app_function* function, int64_t timeout_ms,
                                                 uint64_t* ret_sequence, clutch_app_result** ret_result,
                                                 clutch_app_error** ret_error);

/* Ask that a batch end soon with CLUTCH_ERR_CANCELLED; it still has to be awaited. Nothing happens if it is over. */
CLUTCH_API int32_t clutch_app_function_cancel(clutch_app_function* function, uint64_t sequence);

#define CLUTCH_APP_EVENT_TIME 0
#define CLUTCH_APP_PROCESSING_TIME 1

/* Time of the earliest timer of one domain. CLUTCH_ERR_NOT_FOUND if there is none; another status if the application's
 * store could not say. */
CLUTCH_API int32_t clutch_app_function_next_timer(clutch_app_function* function, int32_t domain, int64_t* ret_time_ms);

/* ---- Results --------------------------------------------------------------------------------------------------- */

CLUTCH_API void clutch_app_result_free(clutch_app_result* result); /* NULL is allowed. */
CLUTCH_API uint64_t clutch_app_result_sequence(const clutch_app_result* result);
CLUTCH_API int64_t clutch_app_result_row_count(const clutch_app_result* result);

/* Rows of the main output, a struct array in the function's output schema. Borrowed from the result. NULL only when
 * memory is out. */
CLUTCH_API const struct ArrowArray* clutch_app_result_rows(clutch_app_result* result);
/* Move the rows of the main output out of the result, which has none afterwards. */
CLUTCH_API int32_t clutch_app_result_take_rows(clutch_app_result* result, struct ArrowArray* ret_rows);
/* The input row each output row came from, row_count numbers that never decrease; before them stand rows that timers
 * gave, as -1 - i for timer i of the batch, in the order they fired. NULL: row i came from input row i. */
CLUTCH_API const int32_t* clutch_app_result_origin(clutch_app_result* result);
/* The event time of each output row, row_count int64 with nulls: that of the input row it came from, or that of the
 * timer of event time which gave it. Null where there is none, and for kinds that take rows by group. Borrowed from the
 * result; ask before the rows are taken. NULL only when memory is out. */
CLUTCH_API const struct ArrowArray* clutch_app_result_timestamps(clutch_app_result* result);
CLUTCH_API const struct ArrowSchema* clutch_app_result_schema(const clutch_app_result* result);

/* Side outputs that the function declared, whether this batch gave rows for them or not. */
CLUTCH_API uint64_t clutch_app_result_side_count(const clutch_app_result* result);
CLUTCH_API const char* clutch_app_result_side_name(const clutch_app_result* result, uint64_t index);
/* By name. NULL if the function has no side output of this name. */
CLUTCH_API const struct ArrowSchema* clutch_app_result_side_schema(const clutch_app_result* result, const char* name);
CLUTCH_API const struct ArrowArray* clutch_app_result_side_rows(clutch_app_result* result, const char* name);
CLUTCH_API const int32_t* clutch_app_result_side_origin(clutch_app_result* result, const char* name);
CLUTCH_API const struct ArrowArray* clutch_app_result_side_timestamps(clutch_app_result* result, const char* name);

/* Rows put aside under CLUTCH_APP_ON_ERROR_DEAD_LETTER, in order of their input row. */
CLUTCH_API uint64_t clutch_app_result_dead_letter_count(const clutch_app_result* result);
CLUTCH_API int64_t clutch_app_result_dead_letter_row(const clutch_app_result* result, uint64_t index);
CLUTCH_API const clutch_app_error* clutch_app_result_dead_letter_error(const clutch_app_result* result, uint64_t index);
/* The values of those rows, one row a dead letter, in the function's input schema. NULL if there are none. */
CLUTCH_API const struct ArrowArray* clutch_app_result_dead_letter_rows(clutch_app_result* result);

/* ---- Values one at a time (Arrow arrays are the fast way) ------------------------------------------------------ */

#define CLUTCH_APP_VALUE_NULL 0
#define CLUTCH_APP_VALUE_BOOL 1  /* integer: 0 or 1 */
#define CLUTCH_APP_VALUE_INT 2   /* integer; also dates, times, timestamps and durations in their unit */
#define CLUTCH_APP_VALUE_REAL 3  /* real */
#define CLUTCH_APP_VALUE_BYTES 4 /* data and size: text and bytes */

/* Frozen. */
typedef struct clutch_app_value {
  int32_t kind; /* CLUTCH_APP_VALUE_* */
  int32_t reserved0;
  int64_t integer;
  double real;
  const char* data;
  uint64_t size;
} clutch_app_value;

/* Read one value of an array of flat type. CLUTCH_ERR_UNSUPPORTED for nested types, CLUTCH_ERR_ARGUMENT out of range.
 * data points into the array. */
CLUTCH_API int32_t clutch_app_value_read(const struct ArrowSchema* schema, const struct ArrowArray* rows,
                                         int64_t column, int64_t row, clutch_app_value* ret_value,
                                         clutch_app_error** ret_error);

/* Text of one row, any type, for people: {'word': 'a', 'n': 1}. */
CLUTCH_API char* clutch_app_row_text(const struct ArrowSchema* schema, const struct ArrowArray* rows, int64_t row);

/* Build a batch row by row. `columns` as clutch_app_spec.input; flat types only. */
CLUTCH_API int32_t clutch_app_builder_open(const char* columns, clutch_app_builder** ret_builder,
                                           clutch_app_error** ret_error);
CLUTCH_API void clutch_app_builder_free(clutch_app_builder* builder);
/* Append one row. CLUTCH_ERR_VALUE names column and value that do not fit; then nothing was appended. */
CLUTCH_API int32_t clutch_app_builder_add(clutch_app_builder* builder, const clutch_app_value* values,
                                          uint64_t n_values, clutch_app_error** ret_error);
/* Take the rows as a batch; the builder is empty and can be used again. */
CLUTCH_API int32_t clutch_app_builder_finish(clutch_app_builder* builder, struct ArrowArray* ret_rows,
                                             clutch_app_error** ret_error);

/* ---- Batches of single rows ------------------------------------------------------------------------------------ */

/*
 * A batch closes (is submitted) when it has max_rows, or about max_bytes, or when its first row is max_age_us old, or
 * at once when the function is idle: so low load has low latency and high load has big batches without tuning. The
 * idle rule works at each push where the plugin runs batches elsewhere, and at each poll where it runs them on the
 * caller's thread (there a push that ran a batch would make every batch one row).
 * Nothing runs by itself: age is looked at in push, poll, flush and next. clutch_app_batcher_next_deadline tells a
 * loop when to call poll at the latest.
 */
typedef struct clutch_app_batcher_settings {
  uint32_t struct_size;
  uint32_t flags;
  int64_t max_rows;   /* 0: python.fn-execution.bundle.size (1000) */
  int64_t max_bytes;  /* 0: clutch.batch.max-bytes (1 MiB) */
  int64_t max_age_us; /* 0: python.fn-execution.bundle.time (1 s); negative: no limit */
  int64_t timeout_ms; /* Deadline of each batch, as in clutch_app_batch_options. */
} clutch_app_batcher_settings;

/* Rows of one batch, counted over all rows ever pushed, from 0. Frozen. */
typedef struct clutch_app_row_span {
  uint64_t first;
  uint64_t count;
} clutch_app_row_span;

/* The function must stay open until the batcher is closed. */
CLUTCH_API int32_t clutch_app_batcher_open(clutch_app_function* function, const clutch_app_batcher_settings* settings,
                                           clutch_app_batcher** ret_batcher, clutch_app_error** ret_error);
/* Rows that were not submitted and results that were not taken are dropped. NULL is allowed. */
CLUTCH_API void clutch_app_batcher_close(clutch_app_batcher* batcher);

/* Append one row of flat values. May submit, and then wait for a slot. */
CLUTCH_API int32_t clutch_app_batcher_push(clutch_app_batcher* batcher, const clutch_app_value* values,
                                           uint64_t n_values, clutch_app_error** ret_error);
/* Append rows [start, start + count) of an array in the function's input schema; copied. */
CLUTCH_API int32_t clutch_app_batcher_push_rows(clutch_app_batcher* batcher, const struct ArrowArray* rows,
                                                int64_t start, int64_t count, clutch_app_error** ret_error);
/* Submit the open batch if it is old enough or the function is idle. Waits for nothing but the plugin's own work on
 * this thread. */
CLUTCH_API int32_t clutch_app_batcher_poll(clutch_app_batcher* batcher, clutch_app_error** ret_error);
/* Submit the open batch whatever its size; waits for a slot. */
CLUTCH_API int32_t clutch_app_batcher_flush(clutch_app_batcher* batcher, clutch_app_error** ret_error);
/* CLOCK_MONOTONIC (unit: ns) at which the open batch is old enough; INT64_MAX if nothing is waiting for its age. */
CLUTCH_API int64_t clutch_app_batcher_next_deadline(const clutch_app_batcher* batcher);
/**
 * Take the result of the oldest submitted batch: results come in the order of the rows.
 * @param timeout_ms  As in clutch_app_function_await.
 * @param ret_span    Which rows; NULL if not wanted; also set when the batch failed.
 * @return CLUTCH_OK; CLUTCH_PENDING: not over yet; the error of the batch; CLUTCH_ERR_NOT_FOUND: no batch is
 *         submitted.
 */
CLUTCH_API int32_t clutch_app_batcher_next(clutch_app_batcher* batcher, int64_t timeout_ms,
                                           clutch_app_row_span* ret_span, clutch_app_result** ret_result,
                                           clutch_app_error** ret_error);

/* ---- Metrics --------------------------------------------------------------------------------------------------- */

#define CLUTCH_APP_STAGE_QUEUE 0
#define CLUTCH_APP_STAGE_ENCODE 1
#define CLUTCH_APP_STAGE_WAKE 2
#define CLUTCH_APP_STAGE_RUN 3
#define CLUTCH_APP_STAGE_COPY 4
#define CLUTCH_APP_STAGE_VALIDATE 5
#define CLUTCH_APP_STAGE_COMMIT 6

typedef struct clutch_app_metrics {
  uint32_t struct_size; /* Set by the caller; members beyond it are not written. */
  uint32_t in_flight;
  uint64_t batches_submitted;
  uint64_t batches_done;
  uint64_t batches_failed;
  uint64_t rows_in;   /* Of committed batches, like the four below. */
  uint64_t rows_out;  /* Main output. */
  uint64_t rows_side; /* All side outputs together. */
  uint64_t dead_letters;
  uint64_t timers_fired;
  uint64_t restarts;    /* Worker restarts: what the plugin counted as "worker.restarts". */
  uint64_t busy_ns;     /* From submit to completion, all batches. */
  uint64_t stage_ns[8]; /* By CLUTCH_APP_STAGE_*. */
  uint64_t errors[24];  /* By -status: errors[7] counts CLUTCH_ERR_USER. */
} clutch_app_metrics;

CLUTCH_API int32_t clutch_app_function_metrics(clutch_app_function* function, clutch_app_metrics* ret_metrics);
/* The same and the metrics the user's code and the plugin reported by name, as text or JSON. */
CLUTCH_API char* clutch_app_function_metrics_report(clutch_app_function* function, int32_t format);
/* One reported metric: a counter's sum, a gauge's value, a meter's count, a histogram's mean.
 * CLUTCH_ERR_NOT_FOUND if it was never reported. */
CLUTCH_API int32_t clutch_app_function_metric(clutch_app_function* function, const char* name, double* ret_value);

#ifdef __cplusplus
}
#endif

#endif
