// Batches that end early: by a deadline, a limit of a row's time, or the host. The sentences of all executors.
#pragma once

#include <string>

#include "clutch/abi/batch.h"
#include "errors/exception.h"
#include "table/host.h"
#include "watch/watchdog.h"

namespace clutch::pyembed {

// Is it time to stop? Asked between two pieces of work.
bool must_stop(const Host& host, const clutch_batch& batch, const Watch& watch);

// Why it is. `where` begins the sentence: function "f" row 3.
Status stopped(const Host& host, const clutch_batch& batch, const Watch& watch, const std::string& function,
               const std::string& where, int64_t row);

// Both; `where` is only called if it is.
template <typename Where>
Status check_stop(const Host& host, const clutch_batch& batch, const Watch& watch, const std::string& function,
                  Where&& where, int64_t row) {
  return must_stop(host, batch, watch) ? stopped(host, batch, watch, function, where(), row) : Status();
}

// What the watchdog's exception means, which user code let pass. `cause` is not kNone.
Status interrupted(const Gil& gil, Interpreter& interpreter, Cause cause, const std::string& where, PyView exception);

}  // namespace clutch::pyembed
