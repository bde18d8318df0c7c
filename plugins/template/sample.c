/* Functions for the template plugin, as a user writes them. The tests and docs/writing-a-plugin.md run them. */
#include <stdio.h>
#include <string.h>

#include "native.h"

#define EXPORT __attribute__((visibility("default")))

/* The functions as the plugin looks them up. */
EXPORT int32_t sample_plus_one(native_call* call);
EXPORT int32_t sample_add(native_call* call);
EXPORT int32_t sample_identity_text(native_call* call);
EXPORT int32_t sample_half(native_call* call);
EXPORT int32_t sample_upper(native_call* call);
EXPORT int32_t sample_is_even(native_call* call);
EXPORT int32_t sample_wrong_type(native_call* call);
EXPORT int32_t sample_running_total(native_call* call);

static void set_int64(native_value* value, int64_t number) {
  value->type = NATIVE_INT64;
  value->as.int64 = number;
}

/* int64 -> int64, null stays null; the largest number has no successor. */
int32_t sample_plus_one(native_call* call) {
  const native_value* x = &call->arguments[0];
  if (x->type == NATIVE_NULL) return 0;
  if (x->as.int64 == INT64_MAX) {
    snprintf(call->error, call->error_size, "OverflowError: %lld + 1 does not fit 64 bits", (long long)x->as.int64);
    return 1;
  }
  set_int64(&call->results[0], x->as.int64 + 1);
  return 0;
}

/* int64, int64 -> int64, null if either is; sums wrap around as unsigned numbers do. */
int32_t sample_add(native_call* call) {
  const native_value* x = &call->arguments[0];
  const native_value* y = &call->arguments[1];
  if (x->type == NATIVE_NULL || y->type == NATIVE_NULL) return 0;
  set_int64(&call->results[0], (int64_t)((uint64_t)x->as.int64 + (uint64_t)y->as.int64));
  return 0;
}

/* Any type to the same type; text of an argument may be given back as it is. */
int32_t sample_identity_text(native_call* call) {
  call->results[0] = call->arguments[0];
  return 0;
}

/* float64 -> float64 */
int32_t sample_half(native_call* call) {
  if (call->arguments[0].type == NATIVE_NULL) return 0;
  call->results[0].type = NATIVE_FLOAT64;
  call->results[0].as.float64 = call->arguments[0].as.float64 / 2;
  return 0;
}

/* utf8 -> utf8, ASCII letters only. */
int32_t sample_upper(native_call* call) {
  const native_value* text = &call->arguments[0];
  if (text->type == NATIVE_NULL) return 0;
  char* copy = call->scratch(call, text->size);
  if (copy == NULL) {
    snprintf(call->error, call->error_size, "MemoryError: no room for %llu bytes", (unsigned long long)text->size);
    return 1;
  }
  for (uint64_t i = 0; i < text->size; ++i) {
    const char c = text->as.utf8[i];
    copy[i] = c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
  }
  call->results[0].type = NATIVE_UTF8;
  call->results[0].as.utf8 = copy;
  call->results[0].size = text->size;
  return 0;
}

/* Filter over an int64 column: keeps even numbers. */
int32_t sample_is_even(native_call* call) {
  const native_value* x = &call->arguments[0];
  set_int64(&call->results[0], x->type == NATIVE_INT64 && x->as.int64 % 2 == 0);
  return 0;
}

/* Gives text whatever the result type is. */
int32_t sample_wrong_type(native_call* call) {
  call->results[0].type = NATIVE_UTF8;
  call->results[0].as.utf8 = "abc";
  call->results[0].size = 3;
  return 0;
}

/*
 * Keyed: adds up the int64 column of each key and gives the total after every row. Negative numbers are set aside,
 * zero is an error. Each row sets a timer ten seconds later, which gives the total once more and forgets it.
 */
int32_t sample_running_total(native_call* call) {
  int64_t total = 0;
  uint64_t size = 0;
  const void* stored = call->load(call, &size);
  if (stored != NULL && size == sizeof(total)) memcpy(&total, stored, sizeof(total));

  if (call->row < 0) {
    set_int64(&call->results[0], total);
    if (call->emit(call) != 0) return 1;
    return call->store(call, NULL, 0);
  }

  const int64_t number = call->arguments[0].type == NATIVE_INT64 ? call->arguments[0].as.int64 : 0;
  if (number < 0) {
    call->count(call, "set_aside", 1);
    return call->set_aside(call);
  }
  total += number;
  set_int64(&call->results[0], total);
  if (call->emit(call) != 0) return 1;
  if (call->store(call, &total, sizeof(total)) != 0) return 1;
  if (number == 0) {
    snprintf(call->error, call->error_size, "ValueError: zero is not counted");
    return 1;
  }
  return call->timestamp_ms == INT64_MIN ? 0 : call->set_timer(call, call->timestamp_ms + 10000);
}
