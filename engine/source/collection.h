// Elements that are given with the job.
#pragma once

#include <memory>

#include "job/description.h"
#include "source/source.h"

namespace clutch::engine {

// `values` (JSON values of the type) or `blobs` (numbers of blobs in the form of packed.h). One subtask reads all, in
// order.
Result<std::unique_ptr<Source>> make_collection(const SourceSpec& spec);

}  // namespace clutch::engine
