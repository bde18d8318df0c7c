/* The objects of the template plugin, and what happens to a batch: rows in, user's function, everything it gave handed
 * to the host at the end. Part of template.c, split off to be read on its own. */
#ifndef CLUTCH_TEMPLATE_BATCH_H
#define CLUTCH_TEMPLATE_BATCH_H

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

#include "clutch/abi.h"
#include "columns.h"
#include "native.h"
#include "staging.h"

#ifndef PLUGIN_ID /* The build may give another identity, so that a copy can stand beside the original. */
#define PLUGIN_ID "org.clutch.template"
#define PLUGIN_MODE "native"
#endif

#define TEXT(literal) \
  { (literal), sizeof(literal) - 1 }
#define ROWS_BETWEEN_CHECKS 64

/* ---- Objects. The host sees pointers only; what is behind them is ours. ----------------------------------------- */

struct clutch_runtime {
  const clutch_host *host; /* Valid until runtime_close has returned. */
  /* Host extensions, asked for once. A host may lack any of them; the tables live as long as the host. */
  const clutch_host_metrics *metrics;
  const clutch_host_cancel *cancel;
  const clutch_host_dead_letter *dead_letter;
  const clutch_host_side_output *side_output;
  const clutch_host_state *state;
  const clutch_host_timer *timer;
};

enum shape { SHAPE_MAP, SHAPE_FILTER, SHAPE_KEYED };

struct clutch_function {
  clutch_runtime *runtime;
  clutch_function_context *context;
  char *name;
  char *inputs;  /* The Arrow format letter of each column. */
  char *outputs; /* The same of the result; of a filter "l", its answer. */
  enum shape shape;
  int32_t on_error;
  uint32_t state_id;
  uint32_t aside_tag;
  void *library;
  native_function call;
  native_value *arguments; /* Calls on one function never overlap, so scratch space may live here. */
  native_value *results;
  atomic_uint_fast64_t cancelled; /* Sequence of the batch that function_cancel named; set from any thread. */
};

/* A batch while it runs. */
struct run {
  clutch_function *function;
  const clutch_batch *batch;
  clutch_error *error;
  struct staging staging;
};

/* Fill a host-owned error and return its code. The host copies, so the text may live on the stack. */
__attribute__((format(printf, 5, 6))) static int32_t fail(const clutch_runtime *runtime, clutch_error *error,
                                                          int32_t code, int32_t origin, const char *format, ...) {
  char message[512];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(message, sizeof(message), format, arguments);
  va_end(arguments);
  const clutch_str text = {message, strlen(message)};
  runtime->host->error_set(error, code, origin, text);
  return code;
}

static int32_t no_memory(const clutch_runtime *runtime, clutch_error *error) {
  return fail(runtime, error, CLUTCH_ERR_MEMORY, CLUTCH_ORIGIN_HOST, "no memory left in mode " PLUGIN_MODE);
}

/* ---- Rows ------------------------------------------------------------------------------------------------------- */

/* The counter service of native.h, the only one that speaks to the host while a row runs. */
static void add_to_counter(native_call *call, const char *name, double value) {
  const struct staging *staging = call->self;
  const struct run *run = (const struct run *)((const char *)staging - offsetof(struct run, staging));
  const clutch_host_metrics *metrics = run->function->runtime->metrics;
  const clutch_str text = {name, strlen(name)};
  if (metrics != NULL) metrics->record(run->function->context, CLUTCH_METRIC_COUNTER, text, value);
}

/* What the specification asks for a row that failed. CLUTCH_OK if the batch goes on without it. */
static int32_t row_failed(struct run *run) {
  const clutch_function *function = run->function;
  const clutch_runtime *runtime = function->runtime;
  struct staging *staging = &run->staging;
  const int64_t row = staging->call.row;
  clutch_error *error = run->error;
  int32_t returned = staging->failure;
  if (function->on_error == CLUTCH_ON_ERROR_NULL && returned != CLUTCH_ERR_MEMORY) {
    memset(function->results, 0, staging->call.n_results * sizeof(native_value));
    if (function->shape != SHAPE_MAP || emit_row(&staging->call) == 0) return CLUTCH_OK;
  } else if (function->on_error == CLUTCH_ON_ERROR_DEAD_LETTER && returned != CLUTCH_ERR_MEMORY &&
             runtime->dead_letter != NULL && row >= 0) {
    const int32_t status = runtime->dead_letter->add(run->batch->context, row, &error, run->error);
    if (status != CLUTCH_OK) return status;
    returned = CLUTCH_OK; /* From here on, error is the row's. */
  }
  char number[24];
  snprintf(number, sizeof(number), "%lld", (long long)row);
  fail(runtime, error, staging->failure, CLUTCH_ORIGIN_USER, "function \"%s\" %s%s: %s", function->name,
       row < 0 ? "timer" : "row ", row < 0 ? "" : number, staging->reason);
  const clutch_str keys[] = {TEXT(CLUTCH_DETAIL_FUNCTION), TEXT(CLUTCH_DETAIL_ROW)};
  const clutch_str values[] = {{function->name, strlen(function->name)}, {number, strlen(number)}};
  for (int i = 0; i < (row < 0 ? 1 : 2); ++i) runtime->host->error_detail(error, keys[i], values[i]);
  return returned;
}

/* CLUTCH_OK unless the batch should end now. Asked between rows, so that no row is torn. */
static int32_t may_go_on(const struct run *run) {
  const clutch_runtime *runtime = run->function->runtime;
  const clutch_batch *batch = run->batch;
  const char *name = run->function->name;
  const long long row = run->staging.call.row;
  if (atomic_load_explicit(&run->function->cancelled, memory_order_relaxed) == batch->sequence ||
      (runtime->cancel != NULL && runtime->cancel->is_cancelled(batch->context) != 0)) {
    return fail(runtime, run->error, CLUTCH_ERR_CANCELLED, CLUTCH_ORIGIN_HOST,
                "function \"%s\" was cancelled at row %lld", name, row);
  }
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  if (batch->deadline_ns != 0 && (int64_t)now.tv_sec * 1000000000 + now.tv_nsec > batch->deadline_ns) {
    return fail(runtime, run->error, CLUTCH_ERR_DEADLINE, CLUTCH_ORIGIN_USER,
                "function \"%s\" passed the deadline of its batch at row %lld", name, row);
  }
  return CLUTCH_OK;
}

static int32_t call_once(struct run *run, int64_t nth) {
  const int32_t status = nth % ROWS_BETWEEN_CHECKS == 0 ? may_go_on(run) : CLUTCH_OK;
  if (status != CLUTCH_OK) return status;
  const char keep = "efn"[run->function->shape];
  return staging_call(&run->staging, run->function->call, keep) == 0 ? CLUTCH_OK : row_failed(run);
}

static void select_key(struct run *run, int32_t key) {
  native_call *call = &run->staging.call;
  run->staging.key = key;
  call->key = column_value(run->batch->keys, 'z', key, &call->key_size);
}

/* Timers come before the rows. */
static int32_t run_timers(struct run *run) {
  const struct ArrowArray *timers = run->batch->timers;
  uint64_t size = 0;
  for (int64_t i = 0; timers != NULL && i < timers->length; ++i) {
    const int64_t at = timers->offset + i; /* The offset of a struct array shifts its columns. */
    select_key(run, *(const int32_t *)column_value(timers->children[0], 'i', at, &size));
    run->staging.call.timestamp_ms = *(const int64_t *)column_value(timers->children[1], 'l', at, &size);
    const int32_t status = call_once(run, i);
    if (status != CLUTCH_OK) return status;
  }
  return CLUTCH_OK;
}

static int32_t run_rows(struct run *run) {
  const clutch_function *function = run->function;
  const clutch_batch *batch = run->batch;
  native_call *call = &run->staging.call;
  uint64_t size = 0;
  call->arguments = function->arguments;
  call->n_arguments = strlen(function->inputs);
  for (call->row = 0; call->row < batch->rows->length; ++call->row) {
    for (uint64_t i = 0; i < call->n_arguments; ++i) {
      native_value *value = &function->arguments[i];
      const char letter = function->inputs[i];
      const void *data = column_value(batch->rows->children[i], letter, batch->rows->offset + call->row, &value->size);
      value->type = data == NULL    ? NATIVE_NULL
                    : letter == 'l' ? NATIVE_INT64
                    : letter == 'g' ? NATIVE_FLOAT64
                                    : NATIVE_UTF8;
      if (value->type == NATIVE_UTF8) value->as.utf8 = data;
      if (value->type == NATIVE_INT64 || value->type == NATIVE_FLOAT64) memcpy(&value->as, data, sizeof(value->as));
    }
    if (function->shape == SHAPE_KEYED) {
      select_key(run, *(const int32_t *)column_value(batch->key_index, 'i', call->row, &size));
    }
    const int64_t *time = batch->timestamps != NULL ? column_value(batch->timestamps, 'l', call->row, &size) : NULL;
    call->timestamp_ms = time != NULL ? *time : INT64_MIN;
    const int32_t status = call_once(run, call->row);
    if (status != CLUTCH_OK) return status;
  }
  return CLUTCH_OK;
}

/* ---- Batches. All of a batch's effects go to the host at its end, each kind in one call. ------------------------- */

/* The state of all keys of the batch in one call, which is why a plugin never asks for a single one. */
static int32_t read_state(struct run *run) {
  const clutch_function *function = run->function;
  struct ArrowArray read;
  const int32_t status = function->runtime->state->read(run->batch->context, function->state_id, &read, run->error);
  if (status != CLUTCH_OK) return status;
  int failed = 0;
  for (uint64_t key = 0; key < run->staging.n_keys; ++key) {
    struct value_of_key *value = &run->staging.values[key];
    uint64_t size = 0;
    const void *data = column_value(read.children[0], 'z', read.offset + (int64_t)key, &size);
    value->present = data != NULL;
    failed |= bytes_append(&value->value, data, data != NULL ? size : 0);
  }
  read.release(&read); /* CLUTCH_OUT: ours now. */
  return failed != 0 ? no_memory(function->runtime, run->error) : CLUTCH_OK;
}

static int32_t write_state(struct run *run) {
  const clutch_runtime *runtime = run->function->runtime;
  column columns[] = {{.format = 'i'}, {.format = 'c'}, {.format = 'z'}, {.format = 'z'}}; /* key, op, map_key, value */
  int failed = 0;
  for (int32_t key = 0; key < (int32_t)run->staging.n_keys; ++key) {
    const struct value_of_key *value = &run->staging.values[key];
    const int8_t op = value->present ? CLUTCH_STATE_OP_PUT : CLUTCH_STATE_OP_CLEAR;
    if (!value->changed) continue;
    failed |= column_add(&columns[0], &key, 0) | column_add(&columns[1], &op, 0) | column_add(&columns[2], NULL, 0) |
              column_add(&columns[3], value->present ? value->value.data : NULL, value->value.size);
  }
  struct ArrowArray changes;
  failed |= columns_export(columns, 4, columns[0].length, &changes);
  for (int i = 0; i < 4; ++i) column_free(&columns[i]);
  if (failed == 0 && changes.length > 0) { /* CLUTCH_MOVE: the host releases it, also when it fails. */
    return runtime->state->apply(run->batch->context, run->function->state_id, &changes, run->error);
  }
  changes.release(&changes);
  return failed != 0 ? no_memory(runtime, run->error) : CLUTCH_OK;
}

/* Output rows go over by value, or (rows NULL) as "these input rows, unchanged", which copies nothing. */
static int32_t emit(struct run *run, uint32_t tag, column *rows, column *origin) {
  const clutch_runtime *runtime = run->function->runtime;
  const int64_t length = origin->length;
  const int one_to_one = run->function->shape == SHAPE_MAP && length == run->batch->rows->length;
  struct ArrowArray values = {.release = NULL};
  struct ArrowArray origins = {.release = NULL};
  if ((rows != NULL && columns_export(rows, run->staging.call.n_results, length, &values) != 0) ||
      (!one_to_one && column_export(origin, &origins) != 0)) {
    if (values.release != NULL) values.release(&values);
    if (origins.release != NULL) origins.release(&origins);
    return no_memory(runtime, run->error);
  }
  return runtime->host->emit(run->batch->context, tag, &values, &origins, run->error);
}

static int32_t set_timers(struct run *run) {
  const clutch_runtime *runtime = run->function->runtime;
  column *timers = run->staging.timers;
  struct ArrowArray changes;
  if (timers[TIMER_KEY].length == 0) return CLUTCH_OK;
  if (columns_export(timers, TIMER_COLUMNS, timers[TIMER_KEY].length, &changes) == 0) {
    return runtime->timer->apply(run->batch->context, &changes, run->error);
  }
  changes.release(&changes);
  return no_memory(runtime, run->error);
}

static int32_t run_batch(struct run *run) {
  const clutch_function *function = run->function;
  struct staging *staging = &run->staging;
  const int keyed = function->shape == SHAPE_KEYED;
  int32_t status = keyed ? read_state(run) : CLUTCH_OK;
  if (status == CLUTCH_OK) status = run_timers(run);
  if (status == CLUTCH_OK) status = run_rows(run);
  column *rows = function->shape == SHAPE_FILTER ? NULL : staging->outputs;
  if (status == CLUTCH_OK) status = emit(run, CLUTCH_TAG_MAIN, rows, &staging->origin);
  if (status == CLUTCH_OK && staging->aside.length > 0) status = emit(run, function->aside_tag, NULL, &staging->aside);
  if (status == CLUTCH_OK && keyed) status = write_state(run);
  if (status == CLUTCH_OK && keyed) status = set_timers(run);
  return status;
}

/* Runs the batch on the caller's thread, so CLUTCH_PENDING is never returned and function_poll is not needed. */
static int32_t function_submit(clutch_function *function, const clutch_batch *batch, clutch_error *error) {
  struct run run = {.function = function, .batch = batch, .error = error};
  const int keyed = function->shape == SHAPE_KEYED;
  if (keyed && (batch->keys == NULL || batch->key_index == NULL)) {
    return fail(function->runtime, error, CLUTCH_ERR_DATA, CLUTCH_ORIGIN_HOST,
                "function \"%s\" got batch %llu without keys", function->name, (unsigned long long)batch->sequence);
  }
  int32_t status = CLUTCH_OK;
  if (staging_init(&run.staging, function->outputs, function->results, keyed ? (uint64_t)batch->keys->length : 0) ==
      0) {
    run.staging.call.count = add_to_counter;
    run.staging.call.watermark_ms = batch->watermark_ms;
    status = run_batch(&run);
  } else {
    status = no_memory(function->runtime, error);
  }
  staging_free(&run.staging);
  return status;
}

static void function_cancel(clutch_function *function, uint64_t sequence) {
  atomic_store_explicit(&function->cancelled, sequence, memory_order_relaxed);
}

#endif
