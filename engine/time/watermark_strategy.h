// From the timestamps of records to watermarks, where timestamps enter the stream. A strategy says how, a generator
// does it for one subtask.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "clutch/columnar/result.h"
#include "time/clock.h"
#include "time/signal.h"

namespace clutch::engine {

struct WatermarkStrategy {
  // How much older than the newest record a record may be without being late; 0 for monotonous timestamps. Absent for a
  // stream without watermarks, which gets only the final one. (unit: milliseconds)
  std::optional<int64_t> out_of_orderness;
  // After how long without records the stream counts as idle; absent for never. (unit: milliseconds)
  std::optional<int64_t> idle_after;

  static WatermarkStrategy none() { return {}; }
  static WatermarkStrategy monotonous() { return {.out_of_orderness = 0, .idle_after = {}}; }
  // CLUTCH_ERR_VALUE for a negative delay.
  static Result<WatermarkStrategy> bounded_out_of_orderness(int64_t delay);
  // The same strategy with idleness. CLUTCH_ERR_VALUE for a duration that is not positive.
  Result<WatermarkStrategy> with_idleness(int64_t duration) const;
};

// Watches the timestamps of one subtask. Not thread-safe.
//
// The watermark is the highest timestamp - delay - 1 ms, so that a record exactly as old as allowed is not late. It is
// sent by on_period() only, never falls, and none is sent before the first record. A record that lifts the watermark
// makes an idle stream active again, before that watermark; a late record does not.
class WatermarkGenerator {
 public:
  // `clock` measures silence (a SteadyClock) and must outlive the generator.
  WatermarkGenerator(WatermarkStrategy strategy, const Clock& clock) : strategy_(strategy), clock_(&clock) {}

  // Timestamps of records that pass. kNoTimestamp counts as activity alone.
  void on_records(std::span<const int64_t> timestamps);

  // Call every auto-watermark interval; appends what must be sent. Silence is measured from the first period without a
  // record, so idleness is found up to one interval late, and never earlier than `idle_after`.
  void on_period(TimeSignals& out);

  // The input has ended: kMaxWatermark, once.
  void finish(TimeSignals& out) { send(kMaxWatermark, out); }

 private:
  bool silent_for_too_long();
  void send(int64_t watermark, TimeSignals& out);

  WatermarkStrategy strategy_;
  const Clock* clock_;
  int64_t highest_ = kNoTimestamp;
  int64_t sent_ = kMinWatermark;
  bool idle_ = false;
  bool record_seen_ = true;  // since the last period; a new stream counts as active
  std::optional<int64_t> silent_since_;
};

}  // namespace clutch::engine
