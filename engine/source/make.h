// Sources by their type in the description.
#pragma once

#include <memory>

#include "job/description.h"
#include "source/source.h"

namespace clutch::engine {

// Reads the members of the source. CLUTCH_ERR_CONFIG names the place; nothing is opened.
Result<std::unique_ptr<Source>> make_source(const SourceSpec& spec);

}  // namespace clutch::engine
