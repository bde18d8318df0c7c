/* What a function is: its kind, where its code comes from, and the rows that go in and come out. */
#ifndef CLUTCH_ABI_SPEC_H
#define CLUTCH_ABI_SPEC_H

#include "arrow.h"
#include "base.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Kinds are string ids; docs/kinds.md lists them. Those of level 1 whose shape is row to row or row to rows:
 *
 *   id               shape         one row in gives
 *   table.scalar     row to row    f(*columns) -> one value
 *   table.table      row to rows   f(*columns) -> iterable of values, one value, or None for no rows
 *   stream.map       row to row    f(value) -> one value
 *   stream.flat_map  row to rows   f(value) -> iterable of values, or None for no rows
 *   stream.filter    row to rows   f(value) -> keep the row if true; output schema = input schema
 *
 *   table.scalar.vectorized  whole columns  f(*columns) -> a column of equal length; step options "style" (pandas,
 *                                           numpy, arrow) and "takes_row" (one frame of all columns)
 *   table.scalar.async       async rows     await f(*columns) -> one value; many rows at a time, results in order
 *
 * Of rows and values:
 *   table.*  The columns of the input are the positional arguments.
 *   stream.* The value is the only column, or a Row of all columns if there are several.
 *   A result with one column is the value itself; one with several takes a Row, tuple, list or dict of that many.
 */
#define CLUTCH_KIND_TABLE_SCALAR "table.scalar"
#define CLUTCH_KIND_TABLE_SCALAR_VECTORIZED "table.scalar.vectorized"
#define CLUTCH_KIND_TABLE_SCALAR_ASYNC "table.scalar.async"
#define CLUTCH_KIND_TABLE_TABLE "table.table"
#define CLUTCH_KIND_STREAM_MAP "stream.map"
#define CLUTCH_KIND_STREAM_FLAT_MAP "stream.flat_map"
#define CLUTCH_KIND_STREAM_FILTER "stream.filter"
#define CLUTCH_KIND_STREAM_KEYED_PROCESS "stream.keyed_process"

/* How payload holds the code. Other ids are legal between a host and a plugin that know them. */
#define CLUTCH_PAYLOAD_PICKLE "pickle" /* pickle or cloudpickle bytes of a callable or function object */
#define CLUTCH_PAYLOAD_IMPORT "import" /* "module:attribute" or "path/file.py:attribute", attribute may be dotted */
#define CLUTCH_PAYLOAD_SOURCE "source" /* Python text; the last function or class it defines, or option "attribute" */
#define CLUTCH_PAYLOAD_NATIVE "native" /* "libfoo.so:symbol" */

/*
 * One step of a function. Steps run one after the other on live objects inside the runtime: what step i gives is the
 * value (for table.* after the first step: the single argument) of step i+1, without conversion in between.
 */
typedef struct clutch_step {
  uint32_t struct_size;
  uint32_t reserved0;
  clutch_str name;        /* For messages, metrics and logs. Never empty. */
  clutch_str kind;        /* One of the ids above. */
  uint32_t kind_revision; /* 1 */
  uint32_t reserved1;
  clutch_str payload_format; /* One of CLUTCH_PAYLOAD_*. */
  clutch_bytes payload;
  clutch_options options; /* Of this step: "attribute", "python.version" (of a pickle), a plugin's own. */
} clutch_step;

/* What to do with a row whose call raised, or whose result does not fit the result schema. */
#define CLUTCH_ON_ERROR_FAIL 0        /* The batch fails; nothing of it is kept. */
#define CLUTCH_ON_ERROR_NULL 1        /* Row to row: the result is null. Row to rows: the row gives no rows. */
#define CLUTCH_ON_ERROR_DEAD_LETTER 2 /* The row goes to the dead letters, the others go on. */

typedef struct clutch_spec {
  uint32_t struct_size;
  uint32_t reserved0;
  clutch_str name;                 /* Of the whole function; equals steps[0].name for a single step. */
  const clutch_step* const* steps; /* n_steps pointers, at least one. */
  uint64_t n_steps;
  const struct ArrowSchema* input;  /* Struct of the input's columns. Borrowed until function_open returns. */
  const struct ArrowSchema* output; /* Struct of the result's columns. For stream.filter at the end: as the input. */
  int32_t on_error;                 /* CLUTCH_ON_ERROR_* */
  uint32_t reserved1;
  clutch_options options; /* The host's configuration as it holds for this function: python.* and others. */
} clutch_spec;

#ifdef __cplusplus
}
#endif

#endif
