/* The one symbol a plugin exports, and how both sides agree on a level before anything else happens. */
#ifndef CLUTCH_ABI_NEGOTIATE_H
#define CLUTCH_ABI_NEGOTIATE_H

#include "base.h"
#include "plugin.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Level of these headers. A level promises behaviour; struct_size only says which members exist. */
#define CLUTCH_ABI_LEVEL 1u

/* From the host: the levels it can work with. */
typedef struct clutch_host_offer {
  uint32_t struct_size;
  uint32_t reserved0;
  uint32_t min_level;
  uint32_t max_level;
  clutch_str host_version; /* For messages only. */
} clutch_host_offer;

/* From the plugin. The host zeroes it and sets struct_size. */
typedef struct clutch_plugin_answer {
  uint32_t struct_size;
  uint32_t reserved0;
  uint32_t min_level; /* The plugin's own range; filled also on refusal. */
  uint32_t max_level;
  uint32_t level; /* The one chosen: the highest both have. */
  uint32_t reserved1;
  const clutch_plugin_api* api; /* Lives as long as the plugin is loaded. */
} clutch_plugin_answer;

/**
 * Agree on a level. Has no side effect, calls nothing on the host, returns within 10 ms, and may be called again.
 * @return CLUTCH_OK, or CLUTCH_ERR_UNSUPPORTED if the ranges do not meet (min_level and max_level are then filled).
 * [thread: any] [state: none] [blocks: no] [fails: status]
 */
typedef int32_t (*clutch_plugin_negotiate_fn)(const clutch_host_offer* offer, clutch_plugin_answer* answer);

#define CLUTCH_PLUGIN_SYMBOL "clutch_plugin_negotiate_v1"

#if defined(_WIN32)
#define CLUTCH_PLUGIN_EXPORT __declspec(dllexport)
#else
#define CLUTCH_PLUGIN_EXPORT __attribute__((visibility("default")))
#endif

/* Only a plugin defines it. */
CLUTCH_PLUGIN_EXPORT int32_t clutch_plugin_negotiate_v1(const clutch_host_offer* offer, clutch_plugin_answer* answer);

#ifdef __cplusplus
}
#endif

#endif
