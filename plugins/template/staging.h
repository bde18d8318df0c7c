/* What one batch gives, held back until it is known to be good: rows, side rows, state and timers, and the services of
 * native.h that fill them. Part of the template plugin; knows nothing of the host. */
#ifndef CLUTCH_TEMPLATE_STAGING_H
#define CLUTCH_TEMPLATE_STAGING_H

#include <stdio.h>

#include "clutch/abi/status.h"
#include "clutch/ext/timer.h"
#include "columns.h"
#include "native.h"

enum { TIMER_KEY, TIMER_TIME, TIMER_DOMAIN, TIMER_OP, TIMER_COLUMNS };

struct value_of_key {
  bytes value;
  int present;
  int changed;
};

struct staging {
  native_call call;    /* What the user's function sees; its self is this. */
  int32_t failure;     /* Why the row that runs now has failed, CLUTCH_OK if it has not, ... */
  char reason[256];    /* ... and in words. */
  const char *letters; /* Arrow format of each result column. Borrowed. */
  column *outputs;
  column origin; /* The input row of each output row. */
  column aside;  /* Input rows for the side output. */
  column timers[TIMER_COLUMNS];
  struct value_of_key *values; /* One a key of the batch. */
  uint64_t n_keys;
  int32_t key;                /* The one whose row or timer runs now. */
  struct value_of_key before; /* Its value before the row, put back if the row fails. */
  void *scratch;
};

static int32_t staging_refuse(struct staging *self, int32_t code, const char *reason) {
  self->failure = code;
  snprintf(self->reason, sizeof(self->reason), "%s", reason);
  return -1;
}

static void *give_scratch(native_call *call, uint64_t size) {
  struct staging *self = call->self;
  free(self->scratch);
  self->scratch = malloc(size > 0 ? size : 1);
  return self->scratch;
}

/* Add the row number of the call to a column. */
static int32_t add_row_number(struct staging *self, column *into) {
  const int32_t row = (int32_t)self->call.row;
  return column_add(into, &row, 0) == 0 ? 0 : staging_refuse(self, CLUTCH_ERR_MEMORY, "no memory for a row number");
}

static int32_t emit_row(native_call *call) {
  struct staging *self = call->self;
  for (uint64_t i = 0; i < call->n_results; ++i) {
    static const char *const type_names[] = {"null", "int64", "float64", "utf8"};
    const native_value *value = &call->results[i];
    const void *data = value->type == NATIVE_UTF8 ? (const void *)value->as.utf8 : (const void *)&value->as;
    if (value->type < NATIVE_NULL || value->type > NATIVE_UTF8) {
      return staging_refuse(self, CLUTCH_ERR_VALUE, "result has a type that is none of NATIVE_*");
    }
    if (value->type != NATIVE_NULL && "-lgu"[value->type] != self->letters[i]) {
      const char *wanted = type_names[self->letters[i] == 'l' ? 1 : self->letters[i] == 'g' ? 2 : 3];
      self->failure = CLUTCH_ERR_VALUE;
      snprintf(self->reason, sizeof(self->reason),
               "result of type %s does not fit %s; return %s or change the result type", type_names[value->type],
               wanted, wanted);
      return -1;
    }
    if (column_add(&self->outputs[i], value->type == NATIVE_NULL ? NULL : data, value->size) != 0) {
      return staging_refuse(self, CLUTCH_ERR_MEMORY, "no memory for the result, or more than 2 GiB of text in a batch");
    }
  }
  memset(call->results, 0, call->n_results * sizeof(*call->results));
  return add_row_number(self, &self->origin);
}

static int32_t set_aside(native_call *call) {
  struct staging *self = call->self;
  if (call->row < 0) return staging_refuse(self, CLUTCH_ERR_USER, "a timer has no row to set aside");
  return add_row_number(self, &self->aside);
}

static const void *load(native_call *call, uint64_t *ret_size) {
  const struct staging *self = call->self;
  *ret_size = self->values[self->key].value.size;
  return self->values[self->key].present ? self->values[self->key].value.data : NULL;
}

static int32_t store(native_call *call, const void *data, uint64_t size) {
  struct staging *self = call->self;
  struct value_of_key *value = &self->values[self->key];
  value->value.size = 0;
  value->present = data != NULL;
  value->changed = 1;
  if (bytes_append(&value->value, data, data != NULL ? size : 0) == 0) return 0;
  return staging_refuse(self, CLUTCH_ERR_MEMORY, "no memory for the state");
}

static int32_t set_timer(native_call *call, int64_t time_ms) {
  struct staging *self = call->self;
  const int8_t domain = CLUTCH_TIMER_EVENT_TIME;
  const int8_t op = CLUTCH_TIMER_REGISTER;
  const void *cells[TIMER_COLUMNS] = {&self->key, &time_ms, &domain, &op};
  for (int i = 0; i < TIMER_COLUMNS; ++i) {
    if (column_add(&self->timers[i], cells[i], 0) != 0) {
      return staging_refuse(self, CLUTCH_ERR_MEMORY, "no memory for a timer");
    }
  }
  return 0;
}

/* 0, or -1: no memory. staging_free is to be called in both cases. results: one a letter, owned by the caller. */
static int staging_init(struct staging *self, const char *letters, native_value *results, uint64_t n_keys) {
  const uint64_t n_outputs = strlen(letters);
  memset(self, 0, sizeof(*self));
  self->letters = letters;
  self->n_keys = n_keys;
  self->origin.format = 'i';
  self->aside.format = 'i';
  for (int i = 0; i < TIMER_COLUMNS; ++i) self->timers[i].format = "ilcc"[i];
  self->call.results = results;
  self->call.n_results = n_outputs;
  self->call.row = -1;
  self->call.timestamp_ms = INT64_MIN;
  self->call.error = self->reason;
  self->call.error_size = sizeof(self->reason);
  self->call.scratch = give_scratch;
  self->call.emit = emit_row;
  self->call.set_aside = set_aside;
  self->call.load = load;
  self->call.store = store;
  self->call.set_timer = set_timer;
  self->call.self = self;
  self->outputs = calloc(n_outputs + 1, sizeof(column));
  self->values = calloc(n_keys + 1, sizeof(struct value_of_key));
  if (self->outputs == NULL || self->values == NULL) return -1;
  for (uint64_t i = 0; i < n_outputs; ++i) self->outputs[i].format = letters[i];
  return 0;
}

static void staging_free(struct staging *self) {
  for (uint64_t i = 0; self->outputs != NULL && i < self->call.n_results; ++i) column_free(&self->outputs[i]);
  for (uint64_t i = 0; self->values != NULL && i <= self->n_keys; ++i) free(self->values[i].value.data);
  for (int i = 0; i < TIMER_COLUMNS; ++i) column_free(&self->timers[i]);
  column_free(&self->origin);
  column_free(&self->aside);
  free(self->before.value.data);
  free(self->outputs);
  free(self->values);
  free(self->scratch);
}

/* Call the user's function for self->call. 0, or -1 with failure and reason; then nothing of what it gave is left.
 * keep is 'e' to emit the results as a row, 'f' to keep the input row if the first result is not 0, or 'n'. */
static int staging_call(struct staging *self, native_function function, char keep) {
  struct value_of_key *value = &self->values[self->key];
  const int64_t emitted = self->origin.length;
  const int64_t aside = self->aside.length;
  const int64_t timers = self->timers[TIMER_KEY].length;
  self->failure = CLUTCH_OK;
  self->before.present = value->present;
  self->before.changed = value->changed;
  self->before.value.size = 0;
  if (bytes_append(&self->before.value, value->value.data, value->value.size) != 0) {
    return staging_refuse(self, CLUTCH_ERR_MEMORY, "no memory for the state");
  }

  snprintf(self->reason, sizeof(self->reason), "failed without a reason");
  memset(self->call.results, 0, self->call.n_results * sizeof(*self->call.results));
  if (function(&self->call) != 0 && self->failure == CLUTCH_OK) self->failure = CLUTCH_ERR_USER;
  if (self->failure == CLUTCH_OK && keep == 'e') emit_row(&self->call);
  if (self->failure == CLUTCH_OK && keep == 'f' && self->call.results[0].as.int64 != 0) {
    add_row_number(self, &self->origin);
  }
  if (self->failure == CLUTCH_OK) return 0;

  for (uint64_t i = 0; i < self->call.n_results; ++i) column_truncate(&self->outputs[i], emitted);
  for (int i = 0; i < TIMER_COLUMNS; ++i) column_truncate(&self->timers[i], timers);
  column_truncate(&self->origin, emitted);
  column_truncate(&self->aside, aside);
  const struct value_of_key now = *value;
  *value = self->before;
  self->before = now;
  return -1;
}

#endif
