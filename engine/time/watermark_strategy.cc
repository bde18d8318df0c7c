#include "time/watermark_strategy.h"

#include <algorithm>
#include <string>

namespace clutch::engine {

Result<WatermarkStrategy> WatermarkStrategy::bounded_out_of_orderness(int64_t delay) {
  if (delay < 0) {
    return Status(CLUTCH_ERR_VALUE, "watermarks cannot lag by " + std::to_string(delay) +
                                        " ms; give how much older than the newest record a record may be, 0 or more");
  }
  return WatermarkStrategy{.out_of_orderness = delay, .idle_after = {}};
}

Result<WatermarkStrategy> WatermarkStrategy::with_idleness(int64_t duration) const {
  if (duration <= 0) {
    return Status(CLUTCH_ERR_VALUE, "a stream cannot be idle after " + std::to_string(duration) +
                                        " ms without records; give a duration of at least 1 ms");
  }
  WatermarkStrategy changed = *this;
  changed.idle_after = duration;
  return changed;
}

void WatermarkGenerator::on_records(std::span<const int64_t> timestamps) {
  if (timestamps.empty()) return;
  record_seen_ = true;
  highest_ = std::max(highest_, *std::max_element(timestamps.begin(), timestamps.end()));
}

void WatermarkGenerator::on_period(TimeSignals& out) {
  if (silent_for_too_long()) {
    if (!idle_ && sent_ != kMaxWatermark) {
      idle_ = true;
      out.push_back({TimeSignal::Kind::kIdle});
    }
    return;
  }
  if (!strategy_.out_of_orderness.has_value() || highest_ == kNoTimestamp) return;
  send(saturating_subtract(saturating_subtract(highest_, *strategy_.out_of_orderness), 1), out);
}

bool WatermarkGenerator::silent_for_too_long() {
  if (!strategy_.idle_after.has_value()) return false;
  if (record_seen_) {
    record_seen_ = false;
    silent_since_.reset();
    return false;
  }
  const int64_t now = clock_->now();
  if (!silent_since_.has_value()) silent_since_ = now;
  return now - *silent_since_ > *strategy_.idle_after;
}

void WatermarkGenerator::send(int64_t watermark, TimeSignals& out) {
  if (watermark <= sent_) return;
  sent_ = watermark;
  if (idle_) {
    idle_ = false;
    out.push_back({TimeSignal::Kind::kActive});
  }
  out.push_back({TimeSignal::Kind::kWatermark, watermark});
}

}  // namespace clutch::engine
