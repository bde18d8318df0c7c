/* The Arrow C data interface: the only form in which rows cross. Layout and guard as the Arrow specification fixes
 * them (https://arrow.apache.org/docs/format/CDataInterface.html), so these meet any other copy in one program. */
#ifndef CLUTCH_ABI_ARROW_H
#define CLUTCH_ABI_ARROW_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#ifndef ARROW_C_DATA_INTERFACE
#define ARROW_C_DATA_INTERFACE

#define ARROW_FLAG_DICTIONARY_ORDERED 1
#define ARROW_FLAG_NULLABLE 2
#define ARROW_FLAG_MAP_KEYS_SORTED 4

struct ArrowSchema {
  const char* format;
  const char* name;
  const char* metadata;
  int64_t flags;
  int64_t n_children;
  struct ArrowSchema** children;
  struct ArrowSchema* dictionary;
  void (*release)(struct ArrowSchema*);
  void* private_data;
};

struct ArrowArray {
  int64_t length;
  int64_t null_count;
  int64_t offset;
  int64_t n_buffers;
  int64_t n_children;
  const void** buffers;
  struct ArrowArray** children;
  struct ArrowArray* dictionary;
  void (*release)(struct ArrowArray*);
  void* private_data;
};

#endif /* ARROW_C_DATA_INTERFACE */

/*
 * Rules here, on top of Arrow's:
 *  - A batch of rows is one struct array ("+s") without nulls of its own; its children are the columns. The schema is
 *    agreed when a function opens, so a batch carries arrays only.
 *  - Offsets and slices are legal everywhere. A NULL buffer is legal where its size is zero, and for validity.
 *  - release may be called from any thread, needs no interpreter, cannot fail, and is called on the base only.
 */

#ifdef __cplusplus
}
#endif

#endif
