#include "time/clock.h"

#include <chrono>

namespace clutch::engine {
namespace {

template <typename Source>
int64_t milliseconds() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(Source::now().time_since_epoch()).count();
}

}  // namespace

int64_t WallClock::now() const { return milliseconds<std::chrono::system_clock>(); }

int64_t SteadyClock::now() const { return milliseconds<std::chrono::steady_clock>(); }

}  // namespace clutch::engine
