/* What a function is: its kind, where its code comes from, and the rows that go in and come out. */
#ifndef CLUTCH_ABI_SPEC_H
#define CLUTCH_ABI_SPEC_H

#include "arrow.h"
#include "base.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Kinds are string ids; docs/kinds.md lists them. Those of level 1:
 *
 *   id                          shape          call -> what it gives
 *   table.scalar                row to row     f(*columns) -> one value
 *   table.table                 row to rows    f(*columns) -> iterable of values, one value, or None for no rows
 *   table.scalar.vectorized     whole columns  f(*columns), once a batch -> a column of equal length
 *   table.scalar.async          async rows     await f(*columns) -> one value; many rows at a time, results in order
 *   stream.map                  row to row     f(value) -> one value
 *   stream.flat_map             row to rows    f(value) -> iterable of values, or None for no rows
 *   stream.filter               row to rows    f(value) -> keep the row if true; output schema = input schema
 *   stream.key_by               row to row     f(value) -> the key; gives the columns value and key. Ends a chain
 *   stream.timestamps           row to row     f(value, timestamp) -> the new timestamp (int64). Input: the columns
 *                                              value and timestamp (int64), whose null is the least int64. Alone
 *   stream.async                async rows     await f(value) -> list of values; many rows at a time. Alone. Rows may
 *                                              be emitted in any order: origins may decrease
 *
 * Options of a step of table.scalar.vectorized: "style" (pandas, numpy, arrow) and "takes_row" (one frame of all
 * columns). Of stream.async: "timeout_ms", "capacity", "ordered", "batch_size", "batch_timeout_ms" (docs/kinds.md).
 *
 * Those that take the rows of a batch by group. A group is a key of the batch (clutch_batch.keys); without keys the
 * whole batch is one. The origin of an output row is the position of its group in keys, not an input row:
 *
 *   id                          shape           one group gives
 *   table.aggregate             fold by group   get_value(accumulator) -> one value
 *   table.table_aggregate       fold by group   emit_value(accumulator) -> iterable of values, or None for no rows
 *   table.aggregate.vectorized  group to rows   one value of all its rows, whose columns are given whole
 *
 * Fold by group: create_accumulator() once for a group without state, merge(accumulator, [others]) for clutch_batch
 * .merges, then for each row accumulate(accumulator, *columns), or retract(...) where its row kind is update-before or
 * delete. The accumulators are state of the host. A key that only was merged into another gives nothing.
 * Options of the step: "accumulator", the accumulator's type as text; "views", the ListViews and MapViews in it, as
 * JSON [[position, "list", element type], [position, "map", key type, value type], ...].
 *
 * Those that are called for one row or one timer at a time and give any number of rows. Each stands alone, and yields
 * (or returns an iterable of) values for the main output and pairs (tag, value) for side outputs, or gives None:
 *
 *   id                    call
 *   stream.process        process_element(value, ctx)
 *   stream.keyed_process  process_element(value, ctx), and on_timer(timestamp, ctx) for each of clutch_batch.timers,
 *                         in their order and before the rows; state by key, from the context of open()
 *
 * Options of the step: "key_type", the type of the key as text, whose row codec the bytes of clutch_batch.keys follow
 * ("pickle": they are its pickle; without the option they are UTF-8 text); "side_outputs", a JSON object from the name
 * of a side output to its type as text: a ROW is the columns, anything else one column "value". Rows for other tags are
 * dropped. The origin of a row from a timer is -1.
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
#define CLUTCH_KIND_TABLE_AGGREGATE "table.aggregate"
#define CLUTCH_KIND_TABLE_TABLE_AGGREGATE "table.table_aggregate"
#define CLUTCH_KIND_TABLE_AGGREGATE_VECTORIZED "table.aggregate.vectorized"
#define CLUTCH_KIND_STREAM_MAP "stream.map"
#define CLUTCH_KIND_STREAM_FLAT_MAP "stream.flat_map"
#define CLUTCH_KIND_STREAM_FILTER "stream.filter"
#define CLUTCH_KIND_STREAM_KEY_BY "stream.key_by"
#define CLUTCH_KIND_STREAM_TIMESTAMPS "stream.timestamps"
#define CLUTCH_KIND_STREAM_ASYNC "stream.async"
#define CLUTCH_KIND_STREAM_PROCESS "stream.process"
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

/*
 * Steps that say where their arguments come from are calls like f(g(x), y): each runs once a row, in order, on live
 * objects. They stand in options of the step, so that they need nothing of who only passes a spec on. All steps of such
 * a function are of kind table.scalar, and the plugin has CLUTCH_FEATURE_FUSED.
 *
 *   - "arguments" = "column:1, step:0, constant:0": column:N is the value of input column N; step:N what step N gave,
 *     which stands before this one; constant:N a constant of this step, made once when the function opens. Without this
 *     option the first step takes all columns, and each other one what the step before gave.
 *   - "constant.N" is a Python literal such as 'abc' (number, text, bytes, None, True, False, and tuples, lists and
 *     dicts of them); "constant.N.pickle" instead is any object, pickled, as base64.
 *   - "output" = "0" is the result column that the step gives. If any step has this option, each result column is given
 *     by one step; else the last one gives the result.
 */
#define CLUTCH_OPTION_ARGUMENTS "arguments"
#define CLUTCH_OPTION_CONSTANT "constant."
#define CLUTCH_OPTION_OUTPUT "output"

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

#define CLUTCH_KIND_STREAM_REDUCE "stream.reduce"
#define CLUTCH_KIND_STREAM_CO_MAP "stream.co_map"
#define CLUTCH_KIND_STREAM_CO_FLAT_MAP "stream.co_flat_map"
#define CLUTCH_KIND_STREAM_CO_PROCESS "stream.co_process"
#define CLUTCH_KIND_STREAM_KEYED_CO_PROCESS "stream.keyed_co_process"
#define CLUTCH_KIND_STREAM_BROADCAST_PROCESS "stream.broadcast_process"
#define CLUTCH_KIND_STREAM_KEYED_BROADCAST_PROCESS "stream.keyed_broadcast_process"
#define CLUTCH_KIND_STREAM_INTERVAL_JOIN "stream.interval_join"
#define CLUTCH_KIND_STREAM_WINDOW_REDUCE "stream.window.reduce"
#define CLUTCH_KIND_STREAM_WINDOW_AGGREGATE "stream.window.aggregate"
#define CLUTCH_KIND_STREAM_WINDOW_APPLY "stream.window.apply"
#define CLUTCH_KIND_STREAM_WINDOW_PROCESS "stream.window.process"
#define CLUTCH_KIND_STREAM_WINDOW_JOIN "stream.window.join"
#define CLUTCH_KIND_STREAM_WINDOW_FLAT_JOIN "stream.window.flat_join"
#define CLUTCH_KIND_STREAM_WINDOW_CO_GROUP "stream.window.co_group"
#endif
