// Sinks by their type in the description.
#pragma once

#include <memory>

#include "job/description.h"
#include "sink/collected.h"
#include "sink/sink.h"

namespace clutch::engine {

// Reads the members of the sink. CLUTCH_ERR_CONFIG names the place; nothing is opened. Not for
// those of type "python", which are operators (operators/python_sink_operator.h). `queue` takes what is collected.
Result<std::unique_ptr<Sink>> make_sink(const SinkSpec& spec, CollectQueue& queue);

}  // namespace clutch::engine
