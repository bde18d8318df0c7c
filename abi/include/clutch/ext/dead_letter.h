/* Host extension: rows that cannot be served, kept with the reason instead of failing the batch. */
#ifndef CLUTCH_EXT_DEAD_LETTER_H
#define CLUTCH_EXT_DEAD_LETTER_H

#include "../abi/base.h"

#ifdef __cplusplus
extern "C" {
#endif

#define CLUTCH_HOST_DEAD_LETTER "clutch.host.dead_letter/1"

typedef struct clutch_host_dead_letter {
  uint32_t struct_size;
  uint32_t reserved0;

  /**
   * Stage one input row as a dead letter, at most once a row. The host takes the row's values from the input.
   * @param row        Index in the batch's input.
   * @param ret_error  Host-owned error of this row, to be filled with error_set and error_detail before completion.
   * @return CLUTCH_OK; CLUTCH_ERR_ARGUMENT if row is out of range or was staged before; CLUTCH_ERR_STALE.
   * [thread: any] [state: batch] [blocks: no] [fails: status]
   */
  int32_t (*add)(clutch_batch_context* context, int64_t row, CLUTCH_OUT clutch_error** ret_error, clutch_error* error);
} clutch_host_dead_letter;

#ifdef __cplusplus
}
#endif

#endif
