/* Host extension: keep a batch's input alive beyond its completion. */
#ifndef CLUTCH_EXT_MEMORY_H
#define CLUTCH_EXT_MEMORY_H

#include "../abi/base.h"

#ifdef __cplusplus
extern "C" {
#endif

#define CLUTCH_HOST_MEMORY "clutch.host.memory/1"

typedef struct clutch_input_lease clutch_input_lease; /* host */

typedef struct clutch_host_memory {
  uint32_t struct_size;
  uint32_t reserved0;

  /**
   * Keep the input of a batch readable until the lease is dropped, for views that user code still holds.
   * @return CLUTCH_OK; CLUTCH_ERR_UNSUPPORTED if the input belongs to the caller and cannot outlive the batch (then
   *         copy what must live on); CLUTCH_ERR_STALE.
   * [thread: any] [state: batch] [blocks: no] [fails: status]
   */
  int32_t (*lease_take)(clutch_batch_context* context, CLUTCH_OUT clutch_input_lease** ret_lease, clutch_error* error);

  /**
   * Drop a lease; also after the batch, the function or the runtime is gone.
   * [thread: any] [state: none] [blocks: no] [fails: never]
   */
  void (*lease_drop)(CLUTCH_MOVE clutch_input_lease* lease);
} clutch_host_memory;

#ifdef __cplusplus
}
#endif

#endif
