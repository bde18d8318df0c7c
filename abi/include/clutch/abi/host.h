/* What every host offers every plugin. Anything more is an extension, asked for by id (clutch/ext/). */
#ifndef CLUTCH_ABI_HOST_H
#define CLUTCH_ABI_HOST_H

#include "arrow.h"
#include "base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Owned by the host; valid from runtime_open until runtime_close has returned. Pass it as first argument. */
struct clutch_host {
  uint32_t struct_size;
  uint32_t reserved0;
  void* self; /* The host's own; a plugin does not touch it. */

  /**
   * Give the table of a host extension, or NULL if this host does not have it.
   * @param id  For example CLUTCH_HOST_LOG. The table lives as long as the host.
   * [thread: any] [state: runtime] [blocks: no] [fails: never]
   */
  const void* (*get_extension)(const clutch_host* host, const char* id);

  /**
   * Set code, origin and message of an error, and forget the details it had. The host copies.
   * @param code     Negative status.
   * @param message  What failed, with which value, and what to do. One sentence or two, no trailing newline.
   * [thread: any] [state: loaded] [blocks: no] [fails: never]
   */
  void (*error_set)(clutch_error* error, int32_t code, int32_t origin, clutch_str message);

  /**
   * Add a detail to an error; a second value for a key replaces the first. Keys are CLUTCH_DETAIL_* or "vendor.key".
   * [thread: any] [state: loaded] [blocks: no] [fails: never]
   */
  void (*error_detail)(clutch_error* error, clutch_str key, clutch_str value);

  /**
   * Stage output rows of a batch.
   *
   * @param tag     CLUTCH_TAG_MAIN or a side output's tag.
   * @param rows    Struct array in the agreed output schema. Its release member is NULL (a "released" array) to say:
   *                the input rows that origin names, unchanged; only where output and input schema are the same.
   * @param origin  int32 array without nulls, never decreasing (but in stream.async): the input row each output row
   * came from. Released (release member NULL) to say: one output row for every input row, in order. For kinds that take
   *                rows by group (spec.h) a group stands wherever an input row is named here.
   * @return CLUTCH_OK; CLUTCH_ERR_DATA if the rows do not fit; CLUTCH_ERR_STALE.
   * Cost: no copy; structural checks only, O(columns).
   * [thread: any] [state: batch] [blocks: no] [fails: status]
   */
  int32_t (*emit)(clutch_batch_context* context, uint32_t tag, CLUTCH_MOVE struct ArrowArray* rows,
                  CLUTCH_MOVE struct ArrowArray* origin, clutch_error* error);

  /**
   * Report that a batch whose submit returned CLUTCH_PENDING is over. Call once; the context is stale afterwards and
   * the input may be gone. The error given to submit must be filled before if status is negative.
   * [thread: any] [state: batch] [blocks: no] [fails: never]
   */
  void (*batch_complete)(clutch_batch_context* context, int32_t status);
};

#ifdef __cplusplus
}
#endif

#endif
