// How many processors this process may use.
#pragma once

namespace clutch::pyproc {

// Processors by affinity, lowered to the quota of the control group (rounded down), at least 1.
int allowed_cpus();

}  // namespace clutch::pyproc
