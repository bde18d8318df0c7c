/* One batch on its way through a function: a transaction over its input rows. */
#ifndef CLUTCH_ABI_BATCH_H
#define CLUTCH_ABI_BATCH_H

#include "arrow.h"
#include "base.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Everything a batch gives (rows by tag, state changes, timers, dead letters) is staged with its context. When the
 * batch completes with CLUTCH_OK the host commits all of it, otherwise it drops all of it. The input stays as it is,
 * at its address, until then, so a plugin that loses a worker can run the same batch again.
 */
#define CLUTCH_BATCH_END_OF_INPUT 1u /* flags: no batch follows. */

/*
 * Bit of row_flags: the row reaches no call of the function. A FILTER of the aggregate was false for it, or a DISTINCT
 * has seen its values before. It still counts as a row of its key.
 */
#define CLUTCH_ROW_SKIP 1

typedef struct clutch_batch {
  uint32_t struct_size;
  uint32_t flags;
  clutch_batch_context* context; /* For host services. Stale once the batch completed. */
  uint64_t sequence;             /* 1, 2, 3... per function; the id of this batch in messages and replays. */
  int64_t deadline_ns;           /* CLOCK_MONOTONIC; 0 means none. */
  int64_t processing_time_ms;    /* Unix time at which the host says the batch runs; the same for a replay. */
  int64_t watermark_ms;          /* Event time; INT64_MIN where there is none. */

  const struct ArrowArray* rows; /* Struct array in the agreed input schema. Borrowed until completion. */

  /* Only for shapes that have them, otherwise NULL. Each has rows->length entries unless said otherwise. */
  const struct ArrowArray* timestamps; /* int64, ms, nullable: event time of each row. */
  const struct ArrowArray* row_kinds;  /* int8: 0 insert, 1 update before, 2 update after, 3 delete. */
  const struct ArrowArray* keys;       /* binary: the distinct keys of this batch, encoded by the host. */
  const struct ArrowArray* key_index;  /* int32: for each row the position of its key in keys. */
  const struct ArrowArray* timers;     /* struct<key_index:int32, time_ms:int64, domain:int8>: timers that fire,
                                          before the rows. Own length. */

  /* Not there if struct_size ends before them. */
  const struct ArrowArray* row_flags; /* int8: CLUTCH_ROW_*, one a row. NULL: no row has any. */
  const struct ArrowArray* merges;    /* struct<into:int32, from:int32>, positions in keys: before the rows, in this
                                         order, the accumulator of `from` goes into that of `into` and is cleared. Own
                                         length. For session windows that grow together. */
} clutch_batch;

/* Output tag of the main output. Side outputs have the tags that the host interned when the function opened. */
#define CLUTCH_TAG_MAIN 0u

#ifdef __cplusplus
}
#endif

#endif
