/* Host extension: numbers a plugin or the user's function reports. */
#ifndef CLUTCH_EXT_METRICS_H
#define CLUTCH_EXT_METRICS_H

#include "../abi/base.h"

#ifdef __cplusplus
extern "C" {
#endif

#define CLUTCH_HOST_METRICS "clutch.host.metrics/1"

/* Where the time of a batch went. A plugin reports the stages it has; they do not overlap. */
#define CLUTCH_STAGE_QUEUE 0    /* Waiting for a worker or an interpreter. */
#define CLUTCH_STAGE_ENCODE 1   /* Writing the input to where the function can read it. */
#define CLUTCH_STAGE_WAKE 2     /* From handing over to being looked at, both ways. */
#define CLUTCH_STAGE_RUN 3      /* In the loop over the rows: conversion and user code. */
#define CLUTCH_STAGE_COPY 4     /* Copying output. */
#define CLUTCH_STAGE_VALIDATE 5 /* Checking output. */
#define CLUTCH_STAGE_COMMIT 6   /* Staging output and state with the host. */
#define CLUTCH_STAGE_COUNT 7

#define CLUTCH_METRIC_COUNTER 0   /* value is added */
#define CLUTCH_METRIC_GAUGE 1     /* value replaces */
#define CLUTCH_METRIC_HISTOGRAM 2 /* value is one observation */
#define CLUTCH_METRIC_METER 3     /* value is a number of events, shown as a rate */

typedef struct clutch_host_metrics {
  uint32_t struct_size;
  uint32_t reserved0;

  /**
   * Add time to a stage of a batch. (unit: ns)
   * [thread: any] [state: batch] [blocks: no] [fails: never]
   */
  void (*stage)(clutch_batch_context* context, uint32_t stage, int64_t duration_ns);

  /**
   * Report a value under a name that is unique within the function; "." separates groups.
   * @param metric_kind  CLUTCH_METRIC_*; a name keeps the kind it had first, other kinds are ignored with a warning.
   * [thread: any] [state: function] [blocks: no] [fails: never]
   */
  void (*record)(clutch_function_context* context, int32_t metric_kind, clutch_str name, double value);
} clutch_host_metrics;

#ifdef __cplusplus
}
#endif

#endif
