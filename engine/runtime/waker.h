// How other threads make a subtask look up from its waiting.
#pragma once

namespace clutch::engine {

class Waker {
 public:
  virtual ~Waker() = default;
  // From any thread, at any time. A call while the subtask is busy makes its next waiting end at once.
  virtual void wake() = 0;
};

}  // namespace clutch::engine
