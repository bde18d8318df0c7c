// From what a worker answered to what the host gets: the answer is checked, copied and validated, then staged.
#pragma once

#include <vector>

#include "supervisor/host_services.h"
#include "supervisor/job.h"

namespace clutch::pyproc {

// Copy and check the OUT arena of a range of a job, and what came as notes. Row numbers become those of the batch.
// CLUTCH_ERR_PROTOCOL or CLUTCH_ERR_DATA: the worker answered what it must not.
Result<Outputs> collect(const Job& job, const Range& range, std::span<const uint8_t> arena, uint64_t used,
                        std::vector<BatchNotes>&& notes, JobTimes& times);

// Give everything to the host. The status is that of the first thing it did not take.
Status stage(const HostServices& host, Job& job);

// A worker's error about a range that begins at row `start` of its batch: row numbers in text and details become those
// of the batch.
Status in_batch_rows(Status error, int64_t start);

}  // namespace clutch::pyproc
