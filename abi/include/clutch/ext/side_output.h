/* Host extension: names for side outputs. */
#ifndef CLUTCH_EXT_SIDE_OUTPUT_H
#define CLUTCH_EXT_SIDE_OUTPUT_H

#include "../abi/arrow.h"
#include "../abi/base.h"

#ifdef __cplusplus
extern "C" {
#endif

#define CLUTCH_HOST_SIDE_OUTPUT "clutch.host.side_output/1"

typedef struct clutch_host_side_output {
  uint32_t struct_size;
  uint32_t reserved0;

  /**
   * Get the tag number of a side output for use with emit. The same name gives the same number again.
   * @param schema  Struct of its columns, borrowed.
   * @return CLUTCH_OK; CLUTCH_ERR_ARGUMENT if the name is known with another schema.
   * [thread: control] [state: opening] [blocks: no] [fails: status]
   */
  int32_t (*declare)(clutch_function_context* context, clutch_str name, const struct ArrowSchema* schema,
                     CLUTCH_OUT uint32_t* ret_tag, clutch_error* error);
} clutch_host_side_output;

#ifdef __cplusplus
}
#endif

#endif
