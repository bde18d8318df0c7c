/* Host extension: has the host asked a batch to stop? */
#ifndef CLUTCH_EXT_CANCEL_H
#define CLUTCH_EXT_CANCEL_H

#include "../abi/base.h"

#ifdef __cplusplus
extern "C" {
#endif

#define CLUTCH_HOST_CANCEL "clutch.host.cancel/1"

typedef struct clutch_host_cancel {
  uint32_t struct_size;
  uint32_t reserved0;

  /**
   * Tell if the batch should stop. Cheap enough to be asked every few hundred rows (one atomic load).
   * @return 1 or 0; 1 also for a stale context.
   * [thread: any] [state: batch] [blocks: no] [fails: never]
   */
  int32_t (*is_cancelled)(clutch_batch_context* context);
} clutch_host_cancel;

#ifdef __cplusplus
}
#endif

#endif
