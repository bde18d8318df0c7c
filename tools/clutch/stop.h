// Ending early: by a signal, or because nobody reads the output any more.
#pragma once

namespace clutch::tool {

// Thrown to unwind, so that functions, workers and unfinished files go; main then ends the process by the signal, as
// the shell expects of a filter.
struct Stopped {
  int signal;
};

// From now on the first SIGINT or SIGTERM is noted instead of ending the process; one more ends it at once.
void note_stop_signals();

// Throws Stopped if a signal was noted.
void throw_if_stopped();

// End the process as if the signal had never been caught.
[[noreturn]] void end_by(int signal);

}  // namespace clutch::tool
