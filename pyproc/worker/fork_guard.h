// User code may fork and come back: then there are two processes in the worker's loop, and only one may answer.
#pragma once

namespace clutch::pyproc {

// Remember that this process is the worker. Call once.
void guard_against_forks();

// After user code: ends the process if it is a fork of the worker.
void fork_guard_check();

}  // namespace clutch::pyproc
