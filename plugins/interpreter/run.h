// Runs one program to its end, in bounded time, and keeps what it printed.
#pragma once

#include <string>
#include <vector>

#include "clutch/columnar/result.h"

namespace clutch::interpreter {

struct RunOutcome {
  bool timed_out = false;  // It was killed because the time was over.
  int exit_code = -1;      // -1 if a signal ended it, or if somebody else in this process reaped it.
  int signal = 0;
  std::string out;  // At most 64 KiB each; what is beyond is read and dropped.
  std::string err;
};

// Starts argv[0] (an absolute path) in a process group of its own, with empty input, this process's environment and
// folder, default signal handling and no other descriptor of this process. Whatever of the group still runs when this
// returns is killed. The failure is that of starting it: CLUTCH_ERR_LOAD with the system's reason.
Result<RunOutcome> run(const std::vector<std::string>& argv, int timeout_ms);

}  // namespace clutch::interpreter
