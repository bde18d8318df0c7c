// Bringing up CPython inside a process that is not Python's own.
#pragma once

#include <string>

#include "clutch/columnar/result.h"

namespace clutch::pyembed {

// Initialise CPython for the environment of `program` (absolute path of an interpreter, also of a venv) on a thread
// made for it, which lives as long as the process, so that Python's main thread is none of the host's. `prepare` runs
// on that thread with the lock held, before any other thread can enter; its failure counts as one of the start.
//
// The host keeps its signal handlers, locale, working directory and environment. A failed start leaves the process as
// it is, but CPython cannot be started again in it.
Status start_interpreter(const std::string& program, Status (*prepare)());

}  // namespace clutch::pyembed
