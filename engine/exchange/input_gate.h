// Where a subtask waits for its inputs: bounded channels, one from each sender, with one place to wait for all.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <variant>
#include <vector>

#include "clutch/columnar/owned.h"
#include "clutch/columnar/result.h"
#include "exchange/barrier.h"
#include "time/signal.h"

namespace clutch::engine {

// What travels through a channel, in order.
using StreamElement = std::variant<columnar::Array, TimeSignal, Barrier>;

// Any number of threads may call it; the elements of one channel keep their order if one thread puts them. Waiting
// costs nothing: no call polls. The gate must outlive every call.
//
// * A channel holds at most `capacity` bytes, as its senders count them; put() waits for room. An element larger than
//   that goes into an empty channel, alone. Every element counts as at least kMinBytes, so signals are bounded, too.
// * take() gives the element that has waited longest among the channels that are not paused. A paused channel keeps
//   what it has, and its senders wait once it is full: so a checkpoint aligns its barriers.
// * wake() lets one take() return without an element, be it waiting or the next to come; several before it count once.
// * close() is a sender's last word. The gate has ended when all channels are closed and empty.
// * cancel() ends everything at once: what is waiting is freed, and every call in progress or to come returns the
//   reason.
class InputGate {
 public:
  static constexpr int64_t kMinBytes = 64;

  InputGate(size_t channels, int64_t capacity) : channels_(channels), capacity_(capacity) {}

  // Errors: the reason of cancel(); CLUTCH_ERR_CLOSED after close() of the channel. The element is lost then.
  Status put(size_t channel, StreamElement element, int64_t bytes);
  // Only to be called after the channel's last put() has returned. Again does nothing.
  void close(size_t channel);

  struct Taken {
    enum class Kind : uint8_t {
      kElement,  // `element` of `channel`
      kTimeout,  // nothing came in time
      kWoken,    // somebody called wake()
      kEnded,    // nothing will come any more
    };
    Kind kind;
    size_t channel = 0;
    StreamElement element;
  };
  using Deadline = std::chrono::steady_clock::time_point;
  // Wait for an element, at most until the deadline; one that has passed asks without waiting. Fails with the reason of
  // cancel() only.
  Result<Taken> take(std::optional<Deadline> until = std::nullopt);

  // An element that is there is taken before the call is heard, so nothing that arrives is held up by it.
  void wake();

  void pause(size_t channel);
  void resume(size_t channel);

  // The first reason counts. `reason` must be an error.
  void cancel(Status reason);

  int64_t buffered(size_t channel) const;       // (unit: bytes)
  uint64_t blocked_puts(size_t channel) const;  // how many puts found no room, so far

 private:
  struct Waiting {
    uint64_t number;  // in the order of arrival at the gate
    StreamElement element;
    int64_t bytes;
  };
  struct Channel {
    std::deque<Waiting> waiting;
    int64_t bytes = 0;
    uint64_t blocked = 0;
    bool closed = false;
    bool paused = false;
    std::condition_variable room;
  };

  bool has_room(const Channel& channel, int64_t bytes) const {
    return channel.waiting.empty() || bytes <= capacity_ - channel.bytes;
  }
  Channel* longest_waiting();
  bool ended() const;

  mutable std::mutex mutex_;          // guards all below
  std::condition_variable readable_;  // an element, an end, or a reason
  std::vector<Channel> channels_;
  const int64_t capacity_;
  uint64_t arrivals_ = 0;
  bool woken_ = false;
  Status cancelled_;
};

}  // namespace clutch::engine
