// The member `configuration` of a job: the engine's own keys are read, libclutch's are handed on.
#pragma once

#include "job/description.h"
#include "job/members.h"

namespace clutch::engine {

// Fills settings and configuration of the job. Keys that are neither the engine's nor begin with "python." or "clutch."
// are passed on, too: libclutch knows which of them it takes and warns of the others.
void read_settings(Members& members, JobDescription& job);

}  // namespace clutch::engine
