/* Host extension: keyed state, which belongs to the host and is read and written many keys at a time. */
#ifndef CLUTCH_EXT_STATE_H
#define CLUTCH_EXT_STATE_H

#include "../abi/arrow.h"
#include "../abi/base.h"

#ifdef __cplusplus
extern "C" {
#endif

#define CLUTCH_HOST_STATE "clutch.host.state/1"

#define CLUTCH_STATE_VALUE 0 /* One value a key. */
#define CLUTCH_STATE_LIST 1  /* A list of values a key. */
#define CLUTCH_STATE_MAP 2   /* Map from bytes to bytes a key. */

/* What begins the time to live of a value (list: of each item; map: of each entry) anew. */
#define CLUTCH_STATE_TTL_ON_CREATE_AND_WRITE 0
#define CLUTCH_STATE_TTL_ON_READ_AND_WRITE 1 /* Reads of the user count, which CLUTCH_STATE_OP_TOUCH tells. */

/* Whether a value that has expired is read. */
#define CLUTCH_STATE_TTL_NEVER_RETURN_EXPIRED 0
#define CLUTCH_STATE_TTL_RETURN_EXPIRED 1 /* As long as it is there; the batch that touches it removes it. */

/* A state a function declares while it opens. */
typedef struct clutch_state_declaration {
  uint32_t struct_size;
  int32_t state_kind; /* CLUTCH_STATE_* */
  clutch_str name;    /* Unique within the function. */
  int64_t ttl_ms;     /* 0: never expires. In processing time. */

  /* 0 if struct_size ends before them. */
  int32_t ttl_update;     /* CLUTCH_STATE_TTL_ON_* */
  int32_t ttl_visibility; /* CLUTCH_STATE_TTL_*_EXPIRED */
} clutch_state_declaration;

/* In the place of a key, for read_page. */
#define CLUTCH_STATE_ALL_KEYS (-1)

/* Changes to state, as the columns of one Arrow struct array given to apply. */
#define CLUTCH_STATE_OP_PUT 0    /* value: set. map: put map_key. list: replaced by the values that follow. */
#define CLUTCH_STATE_OP_APPEND 1 /* list only */
#define CLUTCH_STATE_OP_REMOVE 2 /* map only: remove map_key */
#define CLUTCH_STATE_OP_CLEAR 3  /* all of the key */
#define CLUTCH_STATE_OP_TOUCH 4  /* The user has read it: all of the key, or in a map map_key if that is not null. */

/*
 * A batch names its keys (clutch_batch.keys). Reads see what the last committed batch left plus what this batch has
 * applied. Changes are staged and committed with the batch. Values are bytes; the runtime chooses their encoding and
 * carries its version inside them.
 *
 * A read through this table is not a read of the user, as a runtime reads for all keys of a batch. Where ttl_update or
 * ttl_visibility is not 0 the runtime stages CLUTCH_STATE_OP_TOUCH for what the user has read: with the batch, what has
 * expired is removed, and the rest begins its time anew if reads count. It changes nothing that this batch reads.
 */
typedef struct clutch_host_state {
  uint32_t struct_size;
  uint32_t reserved0;

  /**
   * Declare a state; the number it gets is used in batches. A second declaration of the same name must be equal.
   * [thread: control] [state: opening] [blocks: no] [fails: status]
   */
  int32_t (*declare)(clutch_function_context* context, const clutch_state_declaration* declaration,
                     CLUTCH_OUT uint32_t* ret_state, clutch_error* error);

  /**
   * Read the value state of all keys of the batch at once.
   * @param ret_values  struct<value: binary nullable, version: int64>, one row a key of clutch_batch.keys; null where
   *                    the key has no value. Versions grow with each committed change of that key's state.
   * [thread: any] [state: batch] [blocks: no] [fails: status]
   */
  int32_t (*read)(clutch_batch_context* context, uint32_t state, CLUTCH_OUT struct ArrowArray* ret_values,
                  clutch_error* error);

  /**
   * Read one page of the map or list state of one key, in a stable order while the batch runs; or at once a first page
   * of each key of the batch.
   * @param key       Position in clutch_batch.keys, or CLUTCH_STATE_ALL_KEYS.
   * @param cursor    Empty for the first page, then what the page before gave. Not for all keys.
   * @param max_bytes Soft bound on the page's size, of one key; a page has at least one entry if any is left.
   * @param ret_page  struct<map_key: binary nullable, value: binary>. Of all keys struct<key: int32, map_key, value,
   *                  next: binary nullable>, one key after the other; next is null but for the last row of a key that
   *                  has more, where it is the cursor of that key's next page.
   * @param ret_next  Cursor of the next page, empty at the end and for all keys. Valid until the next call on this
   * context. [thread: any] [state: batch] [blocks: no] [fails: status]
   */
  int32_t (*read_page)(clutch_batch_context* context, uint32_t state, int32_t key, clutch_bytes cursor,
                       uint64_t max_bytes, CLUTCH_OUT struct ArrowArray* ret_page, CLUTCH_OUT clutch_bytes* ret_next,
                       clutch_error* error);

  /**
   * Look up single map entries.
   * @param keys        struct<key: int32, map_key: binary>, borrowed.
   * @param ret_values  struct<value: binary nullable>, one row each.
   * [thread: any] [state: batch] [blocks: no] [fails: status]
   */
  int32_t (*lookup)(clutch_batch_context* context, uint32_t state, const struct ArrowArray* keys,
                    CLUTCH_OUT struct ArrowArray* ret_values, clutch_error* error);

  /**
   * Stage changes, applied in order.
   * @param changes  struct<key: int32, op: int8, map_key: binary nullable, value: binary nullable>.
   * @return CLUTCH_OK; CLUTCH_ERR_DATA for a key or op out of range, or an op the state's kind does not have.
   * [thread: any] [state: batch] [blocks: no] [fails: status]
   */
  int32_t (*apply)(clutch_batch_context* context, uint32_t state, CLUTCH_MOVE struct ArrowArray* changes,
                   clutch_error* error);
} clutch_host_state;

#ifdef __cplusplus
}
#endif

#endif
