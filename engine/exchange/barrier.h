// Where a checkpoint cuts a stream: what is before the barrier belongs to it, what is behind does not.
#pragma once

#include <cstdint>

namespace clutch::engine {

struct Barrier {
  int64_t checkpoint;

  bool operator==(const Barrier&) const = default;
};

}  // namespace clutch::engine
