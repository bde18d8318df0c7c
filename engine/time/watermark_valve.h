// The time of an operator with several input channels: the lowest watermark of those that are not idle.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "time/signal.h"

namespace clutch::engine {

// Combines the signals of `channels` inputs into the signals of one stream. Not thread-safe. Each call costs
// O(channels).
//
// * The output never falls. It is the lowest watermark of the active channels that have caught up with it; a channel
//   that comes back from idleness behind the output is waited for only once it has caught up.
// * When the last active channel becomes idle and was the one that held the output back, the highest watermark of all
//   channels is sent before kIdle: nobody is left to wait for. If it was not, the output is already beyond it.
// * A watermark of a channel that is idle is ignored: a channel says kActive first.
class WatermarkValve {
 public:
  explicit WatermarkValve(size_t channels) : channels_(channels) {}

  // Take one signal of a channel; appends what the operator must be told.
  void take(size_t channel, TimeSignal signal, TimeSignals& out);

  int64_t watermark() const { return watermark_; }
  bool idle() const { return idle_; }

 private:
  struct Channel {
    int64_t watermark = kMinWatermark;
    bool idle = false;
  };

  void on_idle(Channel& channel, TimeSignals& out);
  void send_lowest(TimeSignals& out);
  void send(int64_t watermark, TimeSignals& out);

  std::vector<Channel> channels_;
  int64_t watermark_ = kMinWatermark;
  bool idle_ = false;
};

}  // namespace clutch::engine
