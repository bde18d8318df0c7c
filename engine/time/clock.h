// Where the engine reads time from; tests give it a clock that they move themselves.
#pragma once

#include <cstdint>

namespace clutch::engine {

class Clock {
 public:
  virtual ~Clock() = default;
  // (unit: milliseconds). Safe to call from any thread.
  virtual int64_t now() const = 0;
};

// Processing time: since 1970-01-01 UTC. Goes back when the system's clock is set back.
class WallClock final : public Clock {
 public:
  int64_t now() const override;
};

// For durations, such as how long an input has been silent: since some moment, never back.
class SteadyClock final : public Clock {
 public:
  int64_t now() const override;
};

}  // namespace clutch::engine
