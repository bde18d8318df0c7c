/* What a C function must look like for the template plugin to run it: payload "/path/to/libfoo.so:symbol" of format
 * "native", where symbol is a native_function. */
#ifndef CLUTCH_TEMPLATE_NATIVE_H
#define CLUTCH_TEMPLATE_NATIVE_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define NATIVE_NULL 0
#define NATIVE_INT64 1
#define NATIVE_FLOAT64 2
#define NATIVE_UTF8 3

/* One value of a row. Text of arguments lives until the function returns. Text of results must be valid UTF-8 and
 * live until then too: a constant, text of an argument, or scratch memory. */
typedef struct native_value {
  int32_t type; /* NATIVE_* */
  int32_t reserved0;
  union {
    int64_t int64;
    double float64;
    const char* utf8; /* Not zero-terminated. */
  } as;
  uint64_t size; /* Of utf8, in bytes. */
} native_value;

typedef struct native_call native_call;

/**
 * Serve one row, or one timer of a key.
 *
 *   table.scalar, stream.map  Fill call->results; what is left alone stays null.
 *   stream.filter             Set results[0] to an int64: the row is kept if it is not 0.
 *   stream.keyed_process      Call any of the services; a timer calls with row == -1 and without arguments.
 *
 * @return 0, or anything else with a reason written into call->error. A failed row leaves nothing behind: what it
 *         emitted, registered or stored is taken back.
 */
typedef int32_t (*native_function)(native_call* call);

struct native_call {
  const native_value* arguments; /* The columns of the row. */
  uint64_t n_arguments;
  native_value* results; /* One for each column of the result, all null at first. */
  uint64_t n_results;
  int64_t row;        /* Index in the batch, -1 for a timer. */
  const uint8_t* key; /* Encoded by the host; NULL but in stream.keyed_process. */
  uint64_t key_size;
  int64_t timestamp_ms; /* Event time of the row, INT64_MIN if it has none; of a timer the time it was set to. */
  int64_t watermark_ms;
  char* error; /* Zero-terminated UTF-8, at most error_size bytes with the zero. */
  uint64_t error_size;

  /* A block of memory that lives until the function returns, or NULL. Asking again gives up the block before. */
  void* (*scratch)(native_call* call, uint64_t size);

  /* Add value to a counter of the function. */
  void (*count)(native_call* call, const char* name, double value);

  /* The rest is for stream.keyed_process; each returns 0, or -1 if there is no memory. */

  /* Send the results as one output row and make them null again. */
  int32_t (*emit)(native_call* call);

  /* Send the input row itself to the side output ("aside", or the option "side_output" of the step). */
  int32_t (*set_aside)(native_call* call);

  /* Bytes stored for this key, NULL if there are none; valid until they are stored anew or the function returns. */
  const void* (*load)(native_call* call, uint64_t* ret_size);

  /* Store bytes for this key, copied; NULL removes them. data must not be what load returned. */
  int32_t (*store)(native_call* call, const void* data, uint64_t size);

  /* Set an event-time timer for this key. */
  int32_t (*set_timer)(native_call* call, int64_t time_ms);

  void* self; /* The plugin's own. */
};

#ifdef __cplusplus
}
#endif

#endif
