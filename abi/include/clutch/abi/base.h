/* The words every other header is written in: sizes, text, ownership, and what the call tags mean. */
#ifndef CLUTCH_ABI_BASE_H
#define CLUTCH_ABI_BASE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Call tags. The last line of the comment above every function pointer states its contract in four tags. A script in
 * the tests fails the build where one is missing or has a word that is not in this list.
 *
 *   [thread: control]  The host never runs two control calls of one runtime at the same time.
 *   [thread: task]     Calls on one function never overlap, but may move from one thread to another between calls.
 *   [thread: io]       Made by a thread of the plugin.
 *   [thread: any]      From every thread, at any time, also several at once.
 *
 *   [state: WORDS]     Which objects must exist: none, loaded, runtime, function, batch (inside a batch: from submit
 *                      until it completes), opening (inside function_open).
 *
 *   [blocks: no]       Returns in microseconds, takes no lock that a blocking call holds.
 *   [blocks: deadline] Returns at the latest at the deadline it was given.
 *   [blocks: start]    May wait for an interpreter or a process to start.
 *   [blocks: user]     Runs code of the user; returns when that returns, or shortly after the batch's deadline.
 *
 *   [fails: never]     Cannot fail.
 *   [fails: status]    Returns a negative status and has filled the error it was given.
 *
 * For all of them: no exception, longjmp or signal leaves a function on either side. The host holds no lock while it
 * calls a plugin. A plugin that embeds an interpreter does not hold the interpreter's lock while it calls a host
 * function that blocks. A host function never re-enters the function or runtime it was called from.
 *
 * Growth. Every struct that crosses starts with struct_size (bytes the writer knew) and reserved0 (zero), has no
 * hidden padding, and only ever gets members appended. A reader uses a member if struct_size reaches its end. Structs
 * without struct_size are frozen. Growing structs are passed by pointer, never in arrays without a stride.
 */

/* Who owns what a pointer argument shows. The macros are empty; people and the header checker read them. */
#define CLUTCH_BORROW /* Belongs to the caller, valid until this call returns (or the named event). */
#define CLUTCH_MOVE   /* Consumed by the callee on every path, also when it returns an error. */
#define CLUTCH_OUT    /* Written by the callee, only on success. */

/* UTF-8 text that is not zero-terminated. data may be NULL if size is 0. Frozen. (unit: bytes) */
typedef struct clutch_str {
  const char* data;
  uint64_t size;
} clutch_str;

/* Bytes without meaning to the one who carries them. Frozen. (unit: bytes) */
typedef struct clutch_bytes {
  const uint8_t* data;
  uint64_t size;
} clutch_bytes;

/* One key with its value, both text. Frozen. */
typedef struct clutch_option {
  clutch_str key;
  clutch_str value;
} clutch_option;

/* A list of options. Borrowed as a whole: copy what must outlive the call. Frozen. */
typedef struct clutch_options {
  const clutch_option* data;
  uint64_t count;
} clutch_options;

/* 1 if the member of a struct that came from the other side exists there. */
#define CLUTCH_HAS(ptr, type, member) ((ptr)->struct_size >= offsetof(type, member) + sizeof(((type*)0)->member))

/* Opaque objects. Each belongs to the side named here; the other side only passes it back. */
typedef struct clutch_runtime clutch_runtime;                   /* plugin */
typedef struct clutch_function clutch_function;                 /* plugin */
typedef struct clutch_error clutch_error;                       /* host */
typedef struct clutch_function_context clutch_function_context; /* host: one function, from opening to closed */
typedef struct clutch_batch_context clutch_batch_context;       /* host: one batch, from submit to completion */

typedef struct clutch_host clutch_host;
typedef struct clutch_plugin_api clutch_plugin_api;

#ifdef __cplusplus
}
#endif

#endif
