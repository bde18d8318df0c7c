/* Host extension: timers by key. They fire inside a later batch (clutch_batch.timers), never as a call of their own. */
#ifndef CLUTCH_EXT_TIMER_H
#define CLUTCH_EXT_TIMER_H

#include "../abi/arrow.h"
#include "../abi/base.h"

#ifdef __cplusplus
extern "C" {
#endif

#define CLUTCH_HOST_TIMER "clutch.host.timer/1"

#define CLUTCH_TIMER_EVENT_TIME 0
#define CLUTCH_TIMER_PROCESSING_TIME 1

#define CLUTCH_TIMER_REGISTER 0
#define CLUTCH_TIMER_DELETE 1

typedef struct clutch_host_timer {
  uint32_t struct_size;
  uint32_t reserved0;

  /**
   * Stage registrations and deletions, applied in order when the batch commits. Registering a timer that exists, or
   * deleting one that does not, changes nothing.
   * @param changes  struct<key: int32 (position in clutch_batch.keys), time_ms: int64, domain: int8, op: int8>.
   * @return CLUTCH_OK; CLUTCH_ERR_DATA for a key, domain or op out of range; CLUTCH_ERR_STALE.
   * [thread: any] [state: batch] [blocks: no] [fails: status]
   */
  int32_t (*apply)(clutch_batch_context* context, CLUTCH_MOVE struct ArrowArray* changes, clutch_error* error);
} clutch_host_timer;

#ifdef __cplusplus
}
#endif

/* Registered and fired inside this batch. It has the next place behind clutch_batch.timers, which the origins of its
 * rows name, and nothing of it stays. Given in the order of the places. */
#define CLUTCH_TIMER_FIRED 2

#endif
