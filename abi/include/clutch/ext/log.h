/* Host extension: lines for the host's log. */
#ifndef CLUTCH_EXT_LOG_H
#define CLUTCH_EXT_LOG_H

#include "../abi/base.h"

#ifdef __cplusplus
extern "C" {
#endif

#define CLUTCH_HOST_LOG "clutch.host.log/1"

#define CLUTCH_LOG_TRACE 0
#define CLUTCH_LOG_DEBUG 1
#define CLUTCH_LOG_INFO 2
#define CLUTCH_LOG_WARN 3
#define CLUTCH_LOG_ERROR 4
#define CLUTCH_LOG_HOST_MISBEHAVING 5   /* The plugin saw the host break the contract. */
#define CLUTCH_LOG_PLUGIN_MISBEHAVING 6 /* The plugin saw itself break it. */

typedef struct clutch_host_log {
  uint32_t struct_size;
  uint32_t reserved0;

  /**
   * Tell if a line of this level would be kept, so that the caller can skip making it.
   * @return 1 or 0.
   * [thread: any] [state: runtime] [blocks: no] [fails: never]
   */
  int32_t (*enabled)(const clutch_host* host, int32_t level);

  /**
   * Log one line. The host copies, adds time and thread, and limits the rate.
   * @param source   What speaks: "thread", "process.worker[3]", "stdout", "stderr".
   * @param context  Function the line belongs to, or NULL.
   * [thread: any] [state: runtime] [blocks: no] [fails: never]
   */
  void (*write)(const clutch_host* host, int32_t level, clutch_str source, clutch_function_context* context,
                clutch_str text);
} clutch_host_log;

#ifdef __cplusplus
}
#endif

#endif
