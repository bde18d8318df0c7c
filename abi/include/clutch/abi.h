/* The whole plugin contract of level 1: what a plugin's author includes. */
#ifndef CLUTCH_ABI_H
#define CLUTCH_ABI_H

#include "abi/arrow.h"
#include "abi/base.h"
#include "abi/batch.h"
#include "abi/host.h"
#include "abi/negotiate.h"
#include "abi/plugin.h"
#include "abi/spec.h"
#include "abi/status.h"
#include "ext/cancel.h"
#include "ext/dead_letter.h"
#include "ext/log.h"
#include "ext/memory.h"
#include "ext/metrics.h"
#include "ext/side_output.h"
#include "ext/state.h"
#include "ext/timer.h"

#endif
