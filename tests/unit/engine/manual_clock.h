// A clock that stands still until a test moves it.
#pragma once

#include <cstdint>

#include "time/clock.h"

namespace clutch::engine {

class ManualClock final : public Clock {
 public:
  explicit ManualClock(int64_t now = 0) : now_(now) {}
  int64_t now() const override { return now_; }
  void advance(int64_t milliseconds) { now_ += milliseconds; }
  void set(int64_t now) { now_ = now; }

 private:
  int64_t now_;
};

}  // namespace clutch::engine
