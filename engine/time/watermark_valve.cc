#include "time/watermark_valve.h"

#include <algorithm>
#include <cassert>
#include <optional>

namespace clutch::engine {

void WatermarkValve::take(size_t channel, TimeSignal signal, TimeSignals& out) {
  assert(channel < channels_.size());
  Channel& from = channels_[channel];
  switch (signal.kind) {
    case TimeSignal::Kind::kWatermark:
      if (from.idle || signal.time <= from.watermark) return;
      from.watermark = signal.time;
      send_lowest(out);
      return;
    case TimeSignal::Kind::kIdle:
      if (!from.idle) on_idle(from, out);
      return;
    case TimeSignal::Kind::kActive:
      from.idle = false;
      if (!idle_) return;
      idle_ = false;
      out.push_back({TimeSignal::Kind::kActive});
      return;
  }
}

void WatermarkValve::on_idle(Channel& channel, TimeSignals& out) {
  channel.idle = true;
  const bool held_back = channel.watermark == watermark_;
  if (!std::all_of(channels_.begin(), channels_.end(), [](const Channel& one) { return one.idle; })) {
    if (held_back) send_lowest(out);
    return;
  }
  if (held_back) {
    int64_t highest = watermark_;
    for (const Channel& one : channels_) highest = std::max(highest, one.watermark);
    send(highest, out);
  }
  idle_ = true;
  out.push_back({TimeSignal::Kind::kIdle});
}

void WatermarkValve::send_lowest(TimeSignals& out) {
  std::optional<int64_t> lowest;
  for (const Channel& one : channels_) {
    if (one.idle || one.watermark < watermark_) continue;
    if (!lowest.has_value() || one.watermark < *lowest) lowest = one.watermark;
  }
  if (lowest.has_value()) send(*lowest, out);
}

void WatermarkValve::send(int64_t watermark, TimeSignals& out) {
  if (watermark <= watermark_) return;
  watermark_ = watermark;
  out.push_back({TimeSignal::Kind::kWatermark, watermark});
}

}  // namespace clutch::engine
