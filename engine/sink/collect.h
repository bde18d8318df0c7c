// The sinks without an outside: `collect` and `blackhole`.
#pragma once

#include <memory>

#include "job/description.h"
#include "sink/collected.h"
#include "sink/sink.h"

namespace clutch::engine {

// The queue must outlive the sink and its writers.
Result<std::unique_ptr<Sink>> make_collect(const SinkSpec& spec, CollectQueue& queue);
Result<std::unique_ptr<Sink>> make_blackhole(const SinkSpec& spec, CollectQueue& queue);

}  // namespace clutch::engine
