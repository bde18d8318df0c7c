// What travels in a stream about its time, between the records: watermarks, and whether the stream is idle.
#pragma once

#include <cstdint>
#include <vector>

#include "time/timestamp.h"

namespace clutch::engine {

struct TimeSignal {
  enum class Kind : uint8_t {
    kWatermark,  // no record with a timestamp <= time is expected any more
    kIdle,       // do not wait for this stream's watermark
    kActive,     // wait for it again
  };
  Kind kind;
  int64_t time = 0;  // of a watermark

  bool operator==(const TimeSignal&) const = default;
};

// In the order in which they must be sent.
using TimeSignals = std::vector<TimeSignal>;

}  // namespace clutch::engine
