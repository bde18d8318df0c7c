/* A complete execution-mode plugin in one C file: runs functions of a C shared library (native.h is what they include).
 *
 * Copy this file and plugin.toml.in to start a plugin of your own. Read it from the bottom: the one exported symbol,
 * the table of calls, then the calls in the order in which the host makes them. Comments say what the contract
 * (clutch/abi.h) asks of every plugin; docs/writing-a-plugin.md walks through all of it. */
#define _POSIX_C_SOURCE 200809L /* strndup, clock_gettime */

#include <dlfcn.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "clutch/abi.h"
#include "native.h"

#ifndef PLUGIN_ID /* The build may give another identity, so that a copy can stand beside the original. */
#define PLUGIN_ID "org.clutch.template"
#define PLUGIN_MODE "native"
#endif
#define PLUGIN_VERSION "0.1.0"

#define TEXT(literal) \
  { (literal), sizeof(literal) - 1 }
#define SHOW(text) (int)(text).size, (text).data /* For "%.*s". */
#define ROWS_BETWEEN_CHECKS 64

/* ---- Arrow columns: read a value, build a column row by row, hand a struct array over. --------------------------- */

/* A growing run of bytes. */
typedef struct bytes {
  uint8_t* data;
  uint64_t size, capacity;
} bytes;

/* A column under construction. format is c (int8), i (int32), l (int64), g (float64), u (utf8) or z (binary). */
typedef struct column {
  char format;
  int64_t length;
  int64_t mark; /* A length to go back to. */
  bytes validity;
  bytes offsets; /* int32, for u and z: where each value starts, and the end of the last. */
  bytes values;
} column;

/* 0, or -1 if there is no memory. data may be NULL for zeros. */
static int bytes_append(bytes* self, const void* data, uint64_t size) {
  if (self->size + size > self->capacity || self->data == NULL) {
    uint64_t capacity = self->capacity < 64 ? 64 : self->capacity;
    while (capacity < self->size + size) capacity *= 2;
    uint8_t* grown = realloc(self->data, capacity);
    if (grown == NULL) return -1;
    self->data = grown;
    self->capacity = capacity;
  }
  if (size > 0 && data != NULL) memcpy(self->data + self->size, data, size);
  if (size > 0 && data == NULL) memset(self->data + self->size, 0, size);
  self->size += size;
  return 0;
}

/* Bytes of a value; 0 where offsets tell. */
static uint64_t column_width(char format) {
  return format == 'c' ? 1 : format == 'i' ? 4 : format == 'l' || format == 'g' ? 8 : 0;
}

/* The first offset is there before there are values. */
static int column_start(column* self) {
  const int32_t start = 0;
  const int started = column_width(self->format) != 0 || self->offsets.size != 0;
  return started ? 0 : bytes_append(&self->offsets, &start, sizeof(start));
}

/* Add one value; data NULL means null. size counts for utf8 and binary only. 0, or -1: no memory, or over 2 GiB. */
static int column_add(column* self, const void* data, uint64_t size) {
  const uint64_t width = column_width(self->format);
  if (column_start(self) != 0) return -1;
  if (self->length % 8 == 0 && bytes_append(&self->validity, NULL, 1) != 0) return -1;
  if (width != 0 || data == NULL) size = width;
  const int32_t end = (int32_t)(self->values.size + size);
  if (width == 0 && self->values.size + size > INT32_MAX) return -1;
  if (bytes_append(&self->values, data, size) != 0) return -1;
  if (width == 0 && bytes_append(&self->offsets, &end, sizeof(end)) != 0) return -1;
  const unsigned bit = 1u << (self->length % 8);
  uint8_t* byte = &self->validity.data[self->length++ / 8];
  *byte = (uint8_t)(data != NULL ? *byte | bit : *byte & ~bit); /* Truncating leaves bits behind. */
  return 0;
}

/* Drop the values from the mark on. */
static void column_truncate(column* self) {
  self->length = self->mark;
  self->validity.size = ((uint64_t)self->length + 7) / 8;
  self->values.size = (uint64_t)self->length * column_width(self->format);
  if (self->offsets.size == 0) return;
  self->offsets.size = ((uint64_t)self->length + 1) * sizeof(int32_t);
  self->values.size = (uint64_t)((const int32_t*)(const void*)self->offsets.data)[self->length];
}

static void column_free(column* self) {
  free(self->validity.data);
  free(self->offsets.data);
  free(self->values.data);
  memset(self, 0, sizeof(*self));
}

/* Release callback, for a struct array and for its columns alike: may run on any thread and needs nothing of us. */
static void release_array(struct ArrowArray* array) {
  for (int64_t i = 0; i < array->n_buffers; ++i) free((void*)(uintptr_t)array->buffers[i]);
  for (int64_t i = 0; i < array->n_children; ++i) {
    struct ArrowArray* child = array->children[i];
    if (child != NULL && child->release != NULL) child->release(child);
    free(child);
  }
  free((void*)array->buffers);
  free(array->children);
  array->release = NULL;
}

/* 0, or -1: no memory. The array is to be released in both cases. */
static int array_init(struct ArrowArray* array, int64_t length, int64_t n_buffers, uint64_t n_children) {
  *array = (struct ArrowArray){.length = length, .null_count = -1, .release = release_array}; /* -1: not counted */
  array->buffers = calloc(3, sizeof(void*));
  array->children = calloc(n_children + 1, sizeof(struct ArrowArray*));
  if (array->buffers == NULL || array->children == NULL) return -1;
  array->n_buffers = n_buffers;
  array->n_children = (int64_t)n_children;
  return 0;
}

/* Move a column into an array; as array_init. */
static int column_export(column* self, struct ArrowArray* ret_array) {
  const int has_offsets = column_width(self->format) == 0;
  if (array_init(ret_array, self->length, has_offsets ? 3 : 2, 0) != 0 || column_start(self) != 0) return -1;
  ret_array->buffers[0] = self->validity.data;
  ret_array->buffers[1] = has_offsets ? self->offsets.data : self->values.data;
  ret_array->buffers[2] = has_offsets ? self->values.data : NULL;
  memset(self, 0, sizeof(*self));
  return 0;
}

/* Move columns into a struct array of that many rows; as array_init. */
static int columns_export(column* columns, uint64_t n_columns, int64_t length, struct ArrowArray* ret_array) {
  if (array_init(ret_array, length, 1, n_columns) != 0) return -1;
  ret_array->null_count = 0;
  for (uint64_t i = 0; i < n_columns; ++i) {
    ret_array->children[i] = calloc(1, sizeof(struct ArrowArray));
    if (ret_array->children[i] == NULL || column_export(&columns[i], ret_array->children[i]) != 0) return -1;
  }
  return 0;
}

/* Read one value: NULL if it is null. ret_size is set for utf8 and binary. index counts from the array's own start. */
static const void* column_value(const struct ArrowArray* array, char format, int64_t index, uint64_t* ret_size) {
  const int64_t at = array->offset + index;
  const uint8_t* validity = array->buffers[0];
  if (validity != NULL && (validity[at / 8] >> (at % 8) & 1) == 0) return NULL;
  if (format == 'u' || format == 'z') {
    const int32_t* offsets = array->buffers[1];
    *ret_size = (uint64_t)(offsets[at + 1] - offsets[at]);
    return array->buffers[2] != NULL ? (const char*)array->buffers[2] + offsets[at] : "";
  }
  return (const uint8_t*)array->buffers[1] + (uint64_t)at * column_width(format);
}

/* ---- Objects. The host sees pointers only; what is behind them is ours. ----------------------------------------- */

struct clutch_runtime {
  const clutch_host* host; /* Valid until runtime_close has returned, as its extensions are. It may lack any of them. */
  const clutch_host_metrics* metrics;
  const clutch_host_cancel* cancel;
  const clutch_host_dead_letter* dead_letter;
  const clutch_host_side_output* side_output;
  const clutch_host_state* state;
  const clutch_host_timer* timer;
};

/* NATIVE_* by name, and by the Arrow format letter of a column. */
static const char* const type_names[] = {"null", "int64", "float64", "utf8"};
static int32_t type_of(char letter) {
  return letter == 'l' ? NATIVE_INT64 : letter == 'g' ? NATIVE_FLOAT64 : NATIVE_UTF8;
}

enum shape { SHAPE_MAP, SHAPE_FILTER, SHAPE_KEYED };

struct clutch_function {
  clutch_runtime* runtime;
  clutch_function_context* context;
  char* name;
  char* inputs;  /* The Arrow format letter of each column. */
  char* outputs; /* The same of the result; of a filter "l", its answer. */
  enum shape shape;
  int32_t on_error;
  uint32_t state_id, aside_tag;
  void* library;
  native_function call;
  native_value* arguments; /* Calls on one function never overlap, so scratch space may live here. */
  native_value* results;
  atomic_uint_fast64_t cancelled; /* Sequence of the batch that function_cancel named; set from any thread. */
};

/* What a batch gives beside its outputs: the input row of each output row, input rows for the side output, timers. */
enum staged { ORIGIN, ASIDE, TIMER_KEY, TIMER_TIME, TIMER_DOMAIN, TIMER_OP, STAGED };
static const char staged_formats[] = "iiilcc";

struct value_of_key {
  bytes value;
  int present, changed;
};

/* A batch while it runs, and what it gives, held back until it is known to be good. */
struct run {
  clutch_function* function;
  const clutch_batch* batch;
  clutch_error* error;
  native_call call;            /* What the user's function sees; its self is this. */
  int32_t failure;             /* Why the row that runs now has failed, CLUTCH_OK if it has not, ... */
  char reason[256];            /* ... and in words. */
  column* columns;             /* The outputs, and behind them those of enum staged. */
  column* staged;              /* By enum staged. */
  struct value_of_key* values; /* One a key of the batch. */
  uint64_t n_columns, n_keys;
  int32_t key, timer;         /* Whose row or timer runs now, and that timer's place: -1 - timer is its rows' origin. */
  struct value_of_key before; /* Its value before the row, put back if the row fails. */
  void* scratch;
};

/* Fill a host-owned error and return its code. The host copies, so the text may live on the stack. */
__attribute__((format(printf, 5, 6))) static int32_t fail(const clutch_runtime* runtime, clutch_error* error,
                                                          int32_t code, int32_t origin, const char* format, ...) {
  char message[512];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(message, sizeof(message), format, arguments);
  va_end(arguments);
  const clutch_str text = {message, strlen(message)};
  runtime->host->error_set(error, code, origin, text);
  return code;
}

static clutch_str text_of(const char* text) { return (clutch_str){text, strlen(text)}; }

static int32_t no_memory(const clutch_runtime* runtime, clutch_error* error) {
  return fail(runtime, error, CLUTCH_ERR_MEMORY, CLUTCH_ORIGIN_HOST, "no memory left in mode " PLUGIN_MODE);
}

/* ---- What native.h offers to a function. All of it is staged. --------------------------------------------------- */

__attribute__((format(printf, 3, 4))) static int32_t refuse(struct run* run, int32_t code, const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(run->reason, sizeof(run->reason), format, arguments);
  va_end(arguments);
  run->failure = code;
  return -1;
}

static void* give_scratch(native_call* call, uint64_t size) {
  struct run* run = call->self;
  free(run->scratch);
  return run->scratch = malloc(size > 0 ? size : 1);
}

static int32_t add_row_number(struct run* run, enum staged into) {
  const int32_t row = run->call.row < 0 ? -1 - run->timer : (int32_t)run->call.row;
  return column_add(&run->staged[into], &row, 0) == 0 ? 0
                                                      : refuse(run, CLUTCH_ERR_MEMORY, "no memory for a row number");
}

static int32_t emit_row(native_call* call) {
  struct run* run = call->self;
  for (uint64_t i = 0; i < call->n_results; ++i) {
    const native_value* value = &call->results[i];
    const void* data = value->type == NATIVE_UTF8 ? (const void*)value->as.utf8 : (const void*)&value->as;
    const int32_t wanted = type_of(run->function->outputs[i]);
    if (value->type != NATIVE_NULL && value->type != wanted) {
      const char* got = value->type > 0 && value->type <= NATIVE_UTF8 ? type_names[value->type] : "none of NATIVE_*";
      return refuse(run, CLUTCH_ERR_VALUE, "result of type %s does not fit %s; return %s or change the result type",
                    got, type_names[wanted], type_names[wanted]);
    }
    if (column_add(&run->columns[i], value->type == NATIVE_NULL ? NULL : data, value->size) != 0) {
      return refuse(run, CLUTCH_ERR_MEMORY, "no memory for the result, or more than 2 GiB of text in a batch");
    }
  }
  memset(call->results, 0, call->n_results * sizeof(*call->results));
  return add_row_number(run, ORIGIN);
}

static int32_t set_aside(native_call* call) {
  struct run* run = call->self;
  if (call->row < 0) return refuse(run, CLUTCH_ERR_USER, "a timer has no row to set aside");
  return add_row_number(run, ASIDE);
}

static const void* load(native_call* call, uint64_t* ret_size) {
  const struct run* run = call->self;
  *ret_size = run->values[run->key].value.size;
  return run->values[run->key].present ? run->values[run->key].value.data : NULL;
}

static int32_t store(native_call* call, const void* data, uint64_t size) {
  struct run* run = call->self;
  struct value_of_key* value = &run->values[run->key];
  value->value.size = 0;
  value->present = data != NULL;
  value->changed = 1;
  const int failed = bytes_append(&value->value, data, data != NULL ? size : 0);
  return failed == 0 ? 0 : refuse(run, CLUTCH_ERR_MEMORY, "no memory for the state");
}

static int32_t set_timer(native_call* call, int64_t time_ms) {
  struct run* run = call->self;
  const int8_t domain = CLUTCH_TIMER_EVENT_TIME;
  const int8_t op = CLUTCH_TIMER_REGISTER;
  const void* cells[] = {&run->key, &time_ms, &domain, &op};
  int failed = 0;
  for (int i = 0; i < STAGED - TIMER_KEY; ++i) failed |= column_add(&run->staged[TIMER_KEY + i], cells[i], 0);
  return failed == 0 ? 0 : refuse(run, CLUTCH_ERR_MEMORY, "no memory for a timer");
}

/* The only service that speaks to the host while a row runs. */
static void add_to_counter(native_call* call, const char* name, double value) {
  const clutch_function* function = ((const struct run*)call->self)->function;
  const clutch_host_metrics* metrics = function->runtime->metrics;
  if (metrics != NULL) metrics->record(function->context, CLUTCH_METRIC_COUNTER, text_of(name), value);
}

#define SERVICES                                                                                            \
  .scratch = give_scratch, .count = add_to_counter, .emit = emit_row, .set_aside = set_aside, .load = load, \
  .store = store, .set_timer = set_timer

/* ---- Rows ------------------------------------------------------------------------------------------------------- */

/* Call the user's function for run->call. 0, or -1 with failure and reason; then nothing of what it gave is left. */
static int32_t call_user(struct run* run) {
  const enum shape shape = run->function->shape;
  struct value_of_key* value = &run->values[run->key];
  for (uint64_t i = 0; i < run->n_columns; ++i) run->columns[i].mark = run->columns[i].length;
  run->failure = CLUTCH_OK;
  run->before.present = value->present;
  run->before.changed = value->changed;
  run->before.value.size = 0;
  if (bytes_append(&run->before.value, value->value.data, value->value.size) != 0) {
    return refuse(run, CLUTCH_ERR_MEMORY, "no memory for the state");
  }

  snprintf(run->reason, sizeof(run->reason), "failed without a reason");
  memset(run->call.results, 0, run->call.n_results * sizeof(*run->call.results));
  if (run->function->call(&run->call) != 0 && run->failure == CLUTCH_OK) run->failure = CLUTCH_ERR_USER;
  if (run->failure == CLUTCH_OK && shape == SHAPE_MAP) emit_row(&run->call);
  if (run->failure == CLUTCH_OK && shape == SHAPE_FILTER && run->call.results[0].as.int64 != 0) {
    add_row_number(run, ORIGIN);
  }
  if (run->failure == CLUTCH_OK) return 0;

  for (uint64_t i = 0; i < run->n_columns; ++i) column_truncate(&run->columns[i]);
  const struct value_of_key now = *value;
  *value = run->before;
  run->before = now;
  return -1;
}

/* What the specification asks for a row that failed. CLUTCH_OK if the batch goes on without it. */
static int32_t row_failed(struct run* run) {
  const clutch_function* function = run->function;
  const clutch_runtime* runtime = function->runtime;
  const int64_t row = run->call.row;
  clutch_error* error = run->error;
  int32_t returned = run->failure;
  if (function->on_error == CLUTCH_ON_ERROR_NULL && returned != CLUTCH_ERR_MEMORY) {
    memset(function->results, 0, run->call.n_results * sizeof(native_value));
    if (function->shape != SHAPE_MAP || emit_row(&run->call) == 0) return CLUTCH_OK;
  } else if (function->on_error == CLUTCH_ON_ERROR_DEAD_LETTER && returned != CLUTCH_ERR_MEMORY &&
             runtime->dead_letter != NULL && row >= 0) {
    const int32_t status = runtime->dead_letter->add(run->batch->context, row, &error, run->error);
    if (status != CLUTCH_OK) return status;
    returned = CLUTCH_OK; /* From here on, error is the row's. */
  }
  char number[24];
  snprintf(number, sizeof(number), "%lld", (long long)row);
  fail(runtime, error, run->failure, CLUTCH_ORIGIN_USER, "function \"%s\" %s%s: %s", function->name,
       row < 0 ? "timer" : "row ", row < 0 ? "" : number, run->reason);
  runtime->host->error_detail(error, text_of(CLUTCH_DETAIL_FUNCTION), text_of(function->name));
  if (row >= 0) runtime->host->error_detail(error, text_of(CLUTCH_DETAIL_ROW), text_of(number));
  return returned;
}

/* CLUTCH_OK unless the batch should end now. Asked between rows, so that no row is torn. */
static int32_t may_go_on(const struct run* run) {
  const clutch_runtime* runtime = run->function->runtime;
  const clutch_batch* batch = run->batch;
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  const int late = batch->deadline_ns != 0 && (int64_t)now.tv_sec * 1000000000 + now.tv_nsec > batch->deadline_ns;
  const int cancelled = atomic_load_explicit(&run->function->cancelled, memory_order_relaxed) == batch->sequence ||
                        (runtime->cancel != NULL && runtime->cancel->is_cancelled(batch->context) != 0);
  if (!late && !cancelled) return CLUTCH_OK;
  return fail(runtime, run->error, cancelled ? CLUTCH_ERR_CANCELLED : CLUTCH_ERR_DEADLINE,
              cancelled ? CLUTCH_ORIGIN_HOST : CLUTCH_ORIGIN_USER, "function \"%s\" %s at row %lld",
              run->function->name, cancelled ? "was cancelled" : "passed the deadline of its batch",
              (long long)run->call.row);
}

static int32_t call_once(struct run* run, int64_t nth) {
  const int32_t status = nth % ROWS_BETWEEN_CHECKS == 0 ? may_go_on(run) : CLUTCH_OK;
  return status != CLUTCH_OK || call_user(run) == 0 ? status : row_failed(run);
}

static void select_key(struct run* run, int32_t key) {
  run->key = key;
  run->call.key = column_value(run->batch->keys, 'z', key, &run->call.key_size);
}

/* Timers come before the rows. */
static int32_t run_timers(struct run* run) {
  const struct ArrowArray* timers = run->batch->timers;
  uint64_t size = 0;
  for (int64_t i = 0; timers != NULL && i < timers->length; ++i) {
    const int64_t at = timers->offset + i; /* The offset of a struct array shifts its columns. */
    select_key(run, *(const int32_t*)column_value(timers->children[0], 'i', at, &size));
    run->call.timestamp_ms = *(const int64_t*)column_value(timers->children[1], 'l', at, &size);
    run->timer = (int32_t)i;
    const int32_t status = call_once(run, i);
    if (status != CLUTCH_OK) return status;
  }
  return CLUTCH_OK;
}

static int32_t run_rows(struct run* run) {
  const clutch_function* function = run->function;
  const clutch_batch* batch = run->batch;
  native_call* call = &run->call;
  uint64_t size = 0;
  call->arguments = function->arguments;
  call->n_arguments = strlen(function->inputs);
  for (call->row = 0; call->row < batch->rows->length; ++call->row) {
    for (uint64_t i = 0; i < call->n_arguments; ++i) {
      native_value* value = &function->arguments[i];
      const char letter = function->inputs[i];
      const void* data = column_value(batch->rows->children[i], letter, batch->rows->offset + call->row, &value->size);
      value->type = data != NULL ? type_of(letter) : NATIVE_NULL;
      if (letter == 'u') value->as.utf8 = data;
      if (letter != 'u' && data != NULL) memcpy(&value->as, data, sizeof(value->as));
    }
    if (function->shape == SHAPE_KEYED) {
      select_key(run, *(const int32_t*)column_value(batch->key_index, 'i', call->row, &size));
    }
    const int64_t* time = batch->timestamps != NULL ? column_value(batch->timestamps, 'l', call->row, &size) : NULL;
    call->timestamp_ms = time != NULL ? *time : INT64_MIN;
    const int32_t status = call_once(run, call->row);
    if (status != CLUTCH_OK) return status;
  }
  return CLUTCH_OK;
}

/* ---- Batches. All of a batch's effects go to the host at its end, each kind in one call. ------------------------- */

/* The state of all keys of the batch in one call, which is why a plugin never asks for a single one. */
static int32_t read_state(struct run* run) {
  const clutch_function* function = run->function;
  struct ArrowArray read;
  const int32_t status = function->runtime->state->read(run->batch->context, function->state_id, &read, run->error);
  if (status != CLUTCH_OK) return status;
  int failed = 0;
  for (uint64_t key = 0; key < run->n_keys; ++key) {
    struct value_of_key* value = &run->values[key];
    uint64_t size = 0;
    const void* data = column_value(read.children[0], 'z', read.offset + (int64_t)key, &size);
    value->present = data != NULL;
    failed |= bytes_append(&value->value, data, data != NULL ? size : 0);
  }
  read.release(&read); /* CLUTCH_OUT: ours now. */
  return failed != 0 ? no_memory(function->runtime, run->error) : CLUTCH_OK;
}

static int32_t write_state(struct run* run) {
  const clutch_runtime* runtime = run->function->runtime;
  column columns[] = {{.format = 'i'}, {.format = 'c'}, {.format = 'z'}, {.format = 'z'}}; /* key, op, map_key, value */
  int failed = 0;
  for (int32_t key = 0; key < (int32_t)run->n_keys; ++key) {
    const struct value_of_key* value = &run->values[key];
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
static int32_t emit(struct run* run, uint32_t tag, column* rows, column* origin) {
  const clutch_runtime* runtime = run->function->runtime;
  const int64_t length = origin->length;
  const int one_to_one = run->function->shape == SHAPE_MAP && length == run->batch->rows->length;
  struct ArrowArray values = {.release = NULL}, origins = {.release = NULL};
  if ((rows != NULL && columns_export(rows, run->call.n_results, length, &values) != 0) ||
      (!one_to_one && column_export(origin, &origins) != 0)) {
    if (values.release != NULL) values.release(&values);
    if (origins.release != NULL) origins.release(&origins);
    return no_memory(runtime, run->error);
  }
  return runtime->host->emit(run->batch->context, tag, &values, &origins, run->error);
}

static int32_t set_timers(struct run* run) {
  const clutch_runtime* runtime = run->function->runtime;
  column* timers = &run->staged[TIMER_KEY];
  struct ArrowArray changes;
  if (timers->length == 0) return CLUTCH_OK;
  const int failed = columns_export(timers, STAGED - TIMER_KEY, timers->length, &changes);
  if (failed == 0) return runtime->timer->apply(run->batch->context, &changes, run->error);
  changes.release(&changes);
  return no_memory(runtime, run->error);
}

static int32_t run_batch(struct run* run) {
  const clutch_function* function = run->function;
  const int keyed = function->shape == SHAPE_KEYED;
  int32_t status = keyed ? read_state(run) : CLUTCH_OK;
  if (status == CLUTCH_OK) status = run_timers(run);
  if (status == CLUTCH_OK) status = run_rows(run);
  column* rows = function->shape == SHAPE_FILTER ? NULL : run->columns;
  column* aside = &run->staged[ASIDE];
  if (status == CLUTCH_OK) status = emit(run, CLUTCH_TAG_MAIN, rows, &run->staged[ORIGIN]);
  if (status == CLUTCH_OK && aside->length > 0) status = emit(run, function->aside_tag, NULL, aside);
  if (status == CLUTCH_OK && keyed) status = write_state(run);
  if (status == CLUTCH_OK && keyed) status = set_timers(run);
  return status;
}

/* 0, or -1: no memory. run_free is to be called in both cases. */
static int run_init(struct run* run, uint64_t n_keys) {
  const clutch_function* function = run->function;
  const uint64_t n_outputs = strlen(function->outputs);
  run->n_keys = n_keys;
  run->n_columns = n_outputs + STAGED;
  run->call = (native_call){SERVICES, .self = run, .row = -1, .results = function->results, .n_results = n_outputs};
  run->call.timestamp_ms = INT64_MIN;
  run->call.watermark_ms = run->batch->watermark_ms;
  run->call.error = run->reason;
  run->call.error_size = sizeof(run->reason);
  run->columns = calloc(run->n_columns, sizeof(column));
  run->values = calloc(n_keys + 1, sizeof(struct value_of_key));
  if (run->columns == NULL || run->values == NULL) return -1;
  run->staged = &run->columns[n_outputs];
  for (uint64_t i = 0; i < run->n_columns; ++i) {
    run->columns[i].format = i < n_outputs ? function->outputs[i] : staged_formats[i - n_outputs];
  }
  return 0;
}

static void run_free(struct run* run) {
  for (uint64_t i = 0; run->columns != NULL && i < run->n_columns; ++i) column_free(&run->columns[i]);
  for (uint64_t i = 0; run->values != NULL && i <= run->n_keys; ++i) free(run->values[i].value.data);
  free(run->before.value.data);
  free(run->columns);
  free(run->values);
  free(run->scratch);
}

/* Runs the batch on the caller's thread, so CLUTCH_PENDING is never returned and function_poll is not needed. */
static int32_t function_submit(clutch_function* function, const clutch_batch* batch, clutch_error* error) {
  struct run run = {.function = function, .batch = batch, .error = error};
  const int keyed = function->shape == SHAPE_KEYED;
  if (keyed && (batch->keys == NULL || batch->key_index == NULL)) {
    return fail(function->runtime, error, CLUTCH_ERR_DATA, CLUTCH_ORIGIN_HOST,
                "function \"%s\" got batch %llu without keys", function->name, (unsigned long long)batch->sequence);
  }
  const int ready = run_init(&run, keyed ? (uint64_t)batch->keys->length : 0) == 0;
  const int32_t status = ready ? run_batch(&run) : no_memory(function->runtime, error);
  run_free(&run);
  return status;
}

static void function_cancel(clutch_function* function, uint64_t sequence) {
  atomic_store_explicit(&function->cancelled, sequence, memory_order_relaxed);
}

static int equals(clutch_str text, const char* word) {
  return text.size == strlen(word) && memcmp(text.data, word, text.size) == 0;
}

/* ---- Functions and runtimes
 * --------------------------------------------------------------------------------------------------- */

/* The letters of a schema's columns. CLUTCH_OK, or the error is filled. */
static int32_t read_schema(const clutch_runtime* runtime, const clutch_spec* spec, const struct ArrowSchema* schema,
                           char** ret_letters, clutch_error* error) {
  char* letters = calloc((size_t)schema->n_children + 1, 1);
  if (letters == NULL) return no_memory(runtime, error);
  for (int64_t i = 0; i < schema->n_children; ++i) {
    const struct ArrowSchema* child = schema->children[i];
    if (strlen(child->format) != 1 || strchr("lgu", child->format[0]) == NULL || child->dictionary != NULL) {
      free(letters);
      return fail(runtime, error, CLUTCH_ERR_UNSUPPORTED, CLUTCH_ORIGIN_USER,
                  "function \"%.*s\" column \"%s\" has the Arrow type %s%s; mode " PLUGIN_MODE
                  " serves int64, float64 and utf8",
                  SHOW(spec->name), child->name != NULL ? child->name : "",
                  child->dictionary != NULL ? "dictionary with index " : "", child->format);
    }
    letters[i] = child->format[0];
  }
  *ret_letters = letters;
  return CLUTCH_OK;
}

/* Can this specification be served? Fills shape, inputs and outputs; looks at nothing of the user's. */
static int32_t check_spec(const clutch_runtime* runtime, const clutch_spec* spec, clutch_function* into,
                          clutch_error* error) {
  const clutch_step* step = spec->steps[0];
  const char* wrong = NULL; /* What is not served, and what is, for a sentence that stands alone. */
  clutch_str value = TEXT("");
  into->shape = equals(step->kind, CLUTCH_KIND_STREAM_FILTER)          ? SHAPE_FILTER
                : equals(step->kind, CLUTCH_KIND_STREAM_KEYED_PROCESS) ? SHAPE_KEYED
                                                                       : SHAPE_MAP;
  if (spec->n_steps != 1) {
    wrong = "is a chain; mode " PLUGIN_MODE " serves single functions";
  } else if (!equals(step->payload_format, CLUTCH_PAYLOAD_NATIVE)) {
    wrong = "does not have a payload of format native, which is all that mode " PLUGIN_MODE " serves: ";
    value = step->payload_format;
  } else if (into->shape == SHAPE_MAP && !equals(step->kind, CLUTCH_KIND_STREAM_MAP) &&
             !equals(step->kind, CLUTCH_KIND_TABLE_SCALAR)) {
    wrong =
        "has a kind other than table.scalar, stream.map, stream.filter and stream.keyed_process, which are all that "
        "mode " PLUGIN_MODE " serves: ";
    value = step->kind;
  } else if (into->shape == SHAPE_KEYED &&
             (runtime->state == NULL || runtime->timer == NULL || runtime->side_output == NULL)) {
    wrong = "needs a host with state, timers and side outputs";
  }
  if (wrong != NULL) {
    return fail(runtime, error, CLUTCH_ERR_UNSUPPORTED, CLUTCH_ORIGIN_USER, "function \"%.*s\" %s%.*s",
                SHOW(spec->name), wrong, SHOW(value));
  }
  const int32_t status = read_schema(runtime, spec, spec->input, &into->inputs, error);
  if (status != CLUTCH_OK) return status;
  if (into->shape != SHAPE_FILTER) return read_schema(runtime, spec, spec->output, &into->outputs, error);
  into->outputs = strdup("l"); /* A filter gives its input; what it calculates is one number. */
  return into->outputs != NULL ? CLUTCH_OK : no_memory(runtime, error);
}

static int32_t runtime_probe(clutch_runtime* runtime, const clutch_spec* spec, clutch_error* reason) {
  clutch_function scratch = {.runtime = runtime};
  const int32_t status = check_spec(runtime, spec, &scratch, reason);
  free(scratch.inputs);
  free(scratch.outputs);
  return status;
}

/* Load "native:/path/libfoo.so:symbol"; the prefix may be missing. */
static int32_t load_symbol(clutch_function* function, const clutch_step* step, clutch_error* error) {
  char path[4096] = "";
  const int size = snprintf(path, sizeof(path), "%.*s", (int)step->payload.size, (const char*)step->payload.data);
  char* start = strncmp(path, "native:", 7) == 0 ? path + 7 : path;
  char* colon = strrchr(start, ':');
  if (size >= (int)sizeof(path) || start[0] != '/' || colon == NULL || colon[1] == '\0') {
    return fail(function->runtime, error, CLUTCH_ERR_FUNCTION, CLUTCH_ORIGIN_USER,
                "function \"%s\" payload '%s' is not of the form /path/to/libfoo.so:symbol; the path must be absolute",
                function->name, path);
  }
  *colon = '\0';
  function->library = dlopen(start, RTLD_NOW | RTLD_LOCAL);
  void* symbol = function->library != NULL ? dlsym(function->library, colon + 1) : NULL;
  memcpy(&function->call, &symbol, sizeof(symbol)); /* ISO C has no cast from an object to a function. */
  if (symbol != NULL) return CLUTCH_OK;
  const char* why = dlerror();
  return fail(function->runtime, error, CLUTCH_ERR_FUNCTION, CLUTCH_ORIGIN_USER,
              "function \"%s\" could not be loaded: %s", function->name, why != NULL ? why : "it is NULL");
}

/* What may only be done while a function opens: declare its state and its side outputs. */
static int32_t declare(clutch_function* function, const clutch_spec* spec, clutch_error* error) {
  const clutch_runtime* runtime = function->runtime;
  const clutch_step* step = spec->steps[0];
  const clutch_state_declaration state = {
      .struct_size = sizeof(state), .state_kind = CLUTCH_STATE_VALUE, .name = TEXT("value")};
  clutch_str aside = TEXT("aside");
  for (uint64_t i = 0; i < step->options.count; ++i) {
    if (equals(step->options.data[i].key, "side_output")) aside = step->options.data[i].value;
  }
  const int32_t status = runtime->state->declare(function->context, &state, &function->state_id, error);
  if (status != CLUTCH_OK) return status;
  return runtime->side_output->declare(function->context, aside, spec->input, &function->aside_tag, error);
}

static int32_t function_close(clutch_function* function, clutch_error* error) {
  (void)error;
  if (function->library != NULL) dlclose(function->library);
  free(function->name);
  free(function->inputs);
  free(function->outputs);
  free(function->arguments);
  free(function->results);
  free(function);
  return CLUTCH_OK;
}

static int32_t function_open(clutch_runtime* runtime, const clutch_spec* spec, clutch_function_context* context,
                             clutch_function** ret_function, clutch_function_info* ret_info, clutch_error* error) {
  clutch_function* function = calloc(1, sizeof(*function));
  if (function == NULL) return no_memory(runtime, error);
  function->runtime = runtime;
  function->context = context;
  function->on_error = spec->on_error;
  function->name = strndup(spec->name.data, spec->name.size);
  int32_t status = check_spec(runtime, spec, function, error);
  if (status == CLUTCH_OK) {
    function->arguments = calloc(strlen(function->inputs) + 1, sizeof(native_value));
    function->results = calloc(strlen(function->outputs) + 1, sizeof(native_value));
    const int ready = function->name != NULL && function->arguments != NULL && function->results != NULL;
    status = ready ? load_symbol(function, spec->steps[0], error) : no_memory(runtime, error);
  }
  if (status == CLUTCH_OK && function->shape == SHAPE_KEYED) status = declare(function, spec, error);
  if (status != CLUTCH_OK) {
    function_close(function, NULL);
    return status; /* An out-parameter is written on success only. */
  }
  ret_info->max_in_flight = 1;
  *ret_function = function;
  return CLUTCH_OK;
}

static int32_t runtime_open(const clutch_host* host, const clutch_options* configuration, clutch_runtime** ret_runtime,
                            clutch_error* error) {
  (void)configuration; /* A flat list of texts, python.* and others; this plugin has no keys of its own. */
  clutch_runtime* runtime = calloc(1, sizeof(*runtime));
  if (runtime == NULL) {
    const clutch_runtime none = {.host = host};
    return no_memory(&none, error);
  }
  runtime->host = host;
  runtime->metrics = host->get_extension(host, CLUTCH_HOST_METRICS);
  runtime->cancel = host->get_extension(host, CLUTCH_HOST_CANCEL);
  runtime->dead_letter = host->get_extension(host, CLUTCH_HOST_DEAD_LETTER);
  runtime->side_output = host->get_extension(host, CLUTCH_HOST_SIDE_OUTPUT);
  runtime->state = host->get_extension(host, CLUTCH_HOST_STATE);
  runtime->timer = host->get_extension(host, CLUTCH_HOST_TIMER);
  *ret_runtime = runtime;
  return CLUTCH_OK;
}

static void runtime_describe(clutch_runtime* runtime, clutch_fact_sink sink, void* self) {
  (void)runtime;
  sink(self, text_of("native.types"), text_of("int64, float64, utf8"));
}

static void runtime_close(clutch_runtime* runtime) { free(runtime); }

static const void* get_extension(const char* id) {
  (void)id; /* An unknown id is no error; this plugin offers no extension. */
  return NULL;
}

/* ---- The table and the one exported symbol ----------------------------------------------------------------------- */

#define CAPABILITY(kind) \
  { sizeof(clutch_capability), 0, TEXT(kind), 1, 1, TEXT(CLUTCH_PAYLOAD_NATIVE), 0 }

/* The same as in plugin.toml; the host compares them. */
static const clutch_capability served[] = {CAPABILITY(CLUTCH_KIND_STREAM_FILTER),
                                           CAPABILITY(CLUTCH_KIND_STREAM_KEYED_PROCESS),
                                           CAPABILITY(CLUTCH_KIND_STREAM_MAP), CAPABILITY(CLUTCH_KIND_TABLE_SCALAR)};
static const clutch_capability* const capabilities[] = {&served[0], &served[1], &served[2], &served[3]};

static const clutch_plugin_api api = {
    .struct_size = sizeof(clutch_plugin_api),
    .id = TEXT(PLUGIN_ID),
    .version = TEXT(PLUGIN_VERSION),
    .mode = TEXT(PLUGIN_MODE),
    .capabilities = capabilities,
    .n_capabilities = sizeof(capabilities) / sizeof(capabilities[0]),
    .get_extension = get_extension,
    .runtime_open = runtime_open,
    .runtime_probe = runtime_probe,
    .runtime_describe = runtime_describe,
    .runtime_close = runtime_close,
    .function_open = function_open,
    .function_submit = function_submit,
    .function_cancel = function_cancel,
    .function_close = function_close,
};

/* Choose the highest level that both sides know; on refusal the host still learns our range. */
int32_t clutch_plugin_negotiate_v1(const clutch_host_offer* offer, clutch_plugin_answer* answer) {
  answer->min_level = 1;
  answer->max_level = CLUTCH_ABI_LEVEL;
  if (offer->min_level > answer->max_level || offer->max_level < answer->min_level) return CLUTCH_ERR_UNSUPPORTED;
  answer->level = offer->max_level < answer->max_level ? offer->max_level : answer->max_level;
  answer->api = &api;
  return CLUTCH_OK;
}
