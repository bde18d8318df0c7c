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
#include "exchange/loop.h"
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
// * What an iteration feeds back finds room always, so that a circle of full channels cannot stand still: up to a limit
//   that fails the put. While there is more of it than `capacity`, the other channels wait.
// * wake() lets one take() return without an element, be it waiting or the next to come; several before it count once.
// * close() is a sender's last word. The gate has ended when all channels are closed and empty.
// * cancel() ends everything at once: what is waiting is freed, and every call in progress or to come returns the
//   reason.
class InputGate {
 public:
  static constexpr int64_t kMinBytes = 64;

  InputGate(size_t channels, int64_t capacity) : channels_(channels), capacity_(capacity) {}

  // Before the gate is used: it is one of the iteration's, and what is put is counted there. `outside` says of each
  // channel whether it comes from elsewhere: it counts as one until it is closed.
  void join(Loop& loop, std::vector<bool> outside);
  // Before the gate is used: the channel brings what the loop feeds back, at most so many bytes; and nothing when the
  // loop is over.
  void feed_back(size_t channel, const Loop& loop, int64_t limit);

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

  // Nothing of this channel will come any more. While channels are paused, take() is woken when that becomes so.
  bool is_over(size_t channel) const;
  void pause(size_t channel);
  void resume(size_t channel);

  // The first reason counts. `reason` must be an error.
  void cancel(Status reason);

  int64_t buffered(size_t channel) const;       // (unit: bytes)
  int64_t buffered() const;                     // in all channels
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
    const Loop* fed_back_by = nullptr;
    std::condition_variable room;
  };

  bool has_room(const Channel& channel, int64_t bytes) const {
    return channel.waiting.empty() || bytes <= capacity_ - channel.bytes;
  }
  Channel* longest_waiting();
  Status put_unbounded(Channel& channel, StreamElement element, int64_t bytes);
  void add(Channel& channel, StreamElement element, int64_t bytes);
  bool ended() const;

  mutable std::mutex mutex_;          // guards all below
  std::condition_variable readable_;  // an element, an end, or a reason
  std::vector<Channel> channels_;
  const int64_t capacity_;
  struct Membership {
    Loop* loop;
    std::vector<bool> outside;
  };
  std::vector<Membership> loops_;  // not changed while the gate is used
  int64_t feedback_limit_ = 0;     // of all such channels together; likewise
  int64_t feedback_bytes_ = 0;
  uint64_t arrivals_ = 0;
  bool woken_ = false;
  Status cancelled_;
};

}  // namespace clutch::engine
