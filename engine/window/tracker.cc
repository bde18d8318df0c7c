#include "window/tracker.h"

#include <algorithm>
#include <string>

namespace clutch::engine {

using Kind = WindowAction::Kind;

class WindowTracker::Context final : public TriggerContext {
 public:
  Context(WindowTracker& tracker, KeyId key, Slot& slot)
      : TriggerContext(slot.window, slot.trigger), tracker_(tracker), key_(key), slot_(slot) {}

  int64_t watermark() const override { return tracker_.watermark_; }
  int64_t processing_time() const override { return tracker_.processing_time_; }
  void set_timer(TimeDomain domain, int64_t time) override { tracker_.set_timer(key_, slot_, {domain, time}); }

 private:
  WindowTracker& tracker_;
  KeyId key_;
  Slot& slot_;
};

Result<WindowTracker> WindowTracker::make(WindowAssigner assigner, Trigger trigger, int64_t allowed_lateness,
                                          int64_t processing_time) {
  if (allowed_lateness < 0) {
    return Status(CLUTCH_ERR_VALUE, "the allowed lateness of a window cannot be " + std::to_string(allowed_lateness) +
                                        " ms; it cannot be negative");
  }
  return WindowTracker(assigner, trigger, allowed_lateness, processing_time);
}

int64_t WindowTracker::cleanup_time(Window window) const {
  return event_time() ? saturating_add(window.max_timestamp(), lateness_) : window.max_timestamp();
}

Status WindowTracker::add(const Record& record, WindowActions& out) {
  const int64_t time = event_time() ? record.timestamp : processing_time_;
  int64_t count = 0;
  if (assigner_.counting()) {
    const auto found = keys_.find(record.key);
    if (found != keys_.end()) count = found->second.count;
  }
  windows_.clear();
  CLUTCH_RETURN_IF_ERROR(assigner_.assign({.time = time, .count = count, .gap = record.gap}, windows_));

  PerKey& per_key = keys_[record.key];
  if (assigner_.counting()) ++per_key.count;
  const size_t before = out.size();
  for (const Window window : windows_) place(per_key, window, record, out);
  // A record that was placed left an action. One in the hole between two sliding windows was not placed, and is late
  // only if its time is over.
  if (out.size() == before && event_time() && saturating_add(record.timestamp, lateness_) <= watermark_) {
    out.push_back({.kind = Kind::kLate, .key = record.key, .row = record.row});
  }
  if (per_key.slots.empty() && per_key.count == 0) keys_.erase(record.key);
  return {};
}

void WindowTracker::place(PerKey& per_key, Window window, const Record& record, WindowActions& out) {
  Window state = window;
  if (assigner_.merging()) {
    const Merge merged = per_key.merging.add(window);
    window = merged.window;
    state = merged.state;
    if (!merged.merged.empty()) merge(per_key, record.key, merged, out);
  }
  if (late(window)) {
    // Only a window that stands alone: one that took in a window in flight ends no earlier than that one.
    if (assigner_.merging()) per_key.merging.retire(window);
    return;
  }
  Slot& slot = slot_for(per_key, window, state);
  out.push_back({.kind = Kind::kAdd, .key = record.key, .window = window, .state = state, .row = record.row});
  slot.filled = true;
  Context context(*this, record.key, slot);
  apply(record.key, slot, trigger_.on_element(context, record.timestamp), out);
  const int64_t cleanup = cleanup_time(window);
  if (cleanup != kMaxWatermark) set_timer(record.key, slot, {assigner_.domain(), cleanup});
  forget(per_key, window);
}

void WindowTracker::merge(PerKey& per_key, KeyId key, const Merge& merge, WindowActions& out) {
  bool filled = false;
  std::vector<TriggerState> states;
  std::erase_if(per_key.slots, [&](const Slot& slot) {
    if (std::find(merge.merged.begin(), merge.merged.end(), slot.window) == merge.merged.end()) return false;
    filled = filled || slot.filled;
    states.push_back(slot.trigger);
    return true;
  });
  open_ -= states.size();
  for (const Window source : merge.merged_states) {
    out.push_back({.kind = Kind::kMerge, .key = key, .window = merge.window, .state = merge.state, .source = source});
  }
  Slot& slot = slot_for(per_key, merge.window, merge.state);
  slot.filled = filled;
  Context context(*this, key, slot);
  trigger_.on_merge(context, states);
}

WindowTracker::Slot& WindowTracker::slot_for(PerKey& per_key, Window window, Window state) {
  const auto at = std::partition_point(per_key.slots.begin(), per_key.slots.end(),
                                       [&](const Slot& slot) { return slot.window < window; });
  if (at != per_key.slots.end() && at->window == window) return *at;
  ++open_;
  Slot slot;
  slot.window = window;
  slot.state = state;
  return *per_key.slots.insert(at, std::move(slot));
}

void WindowTracker::set_timer(KeyId key, Slot& slot, Timer timer) {
  if (std::find(slot.timers.begin(), slot.timers.end(), timer) != slot.timers.end()) return;
  slot.timers.push_back(timer);
  queue(timer.domain)[timer.time].push_back({key, slot.window});
}

void WindowTracker::apply(KeyId key, Slot& slot, TriggerResult result, WindowActions& out) {
  if (!slot.filled) return;
  if (fires(result)) out.push_back({.kind = Kind::kFire, .key = key, .window = slot.window, .state = slot.state});
  if (purges(result)) {
    out.push_back({.kind = Kind::kPurge, .key = key, .window = slot.window, .state = slot.state});
    slot.filled = false;
  }
}

void WindowTracker::advance_watermark(int64_t watermark, WindowActions& out) {
  if (watermark <= watermark_) return;
  watermark_ = watermark;
  run_timers(TimeDomain::kEventTime, watermark, out);
}

void WindowTracker::advance_processing_time(int64_t time, WindowActions& out) {
  if (time <= processing_time_) return;
  processing_time_ = time;
  run_timers(TimeDomain::kProcessingTime, time, out);
}

void WindowTracker::run_timers(TimeDomain domain, int64_t until, WindowActions& out) {
  Queue& timers = queue(domain);
  while (!timers.empty() && timers.begin()->first <= until) {
    const auto node = timers.extract(timers.begin());
    for (const Due due : node.mapped()) on_timer(due, {domain, node.key()}, out);
  }
}

void WindowTracker::on_timer(Due due, Timer timer, WindowActions& out) {
  const auto found = keys_.find(due.key);
  if (found == keys_.end()) return;
  PerKey& per_key = found->second;
  const auto at = std::partition_point(per_key.slots.begin(), per_key.slots.end(),
                                       [&](const Slot& slot) { return slot.window < due.window; });
  // The window may have been merged or dropped since.
  if (at == per_key.slots.end() || at->window != due.window || std::erase(at->timers, timer) == 0) return;

  Context context(*this, due.key, *at);
  apply(due.key, *at, trigger_.on_timer(context, timer.domain, timer.time), out);
  if (timer.domain == assigner_.domain() && timer.time == cleanup_time(due.window)) {
    out.push_back({.kind = Kind::kDrop, .key = due.key, .window = at->window, .state = at->state});
    at->filled = false;
    at->trigger.reset();
    at->timers.clear();
  }
  forget(per_key, due.window);
  if (per_key.slots.empty() && per_key.count == 0) keys_.erase(found);
}

void WindowTracker::forget(PerKey& per_key, Window window) {
  const auto at = std::partition_point(per_key.slots.begin(), per_key.slots.end(),
                                       [&](const Slot& slot) { return slot.window < window; });
  if (at->filled || at->trigger.has_value() || !at->timers.empty()) return;
  per_key.slots.erase(at);
  per_key.merging.retire(window);
  --open_;
}

int64_t WindowTracker::next_processing_time() const {
  const Queue& timers = queues_[static_cast<size_t>(TimeDomain::kProcessingTime)];
  return timers.empty() ? kMaxWatermark : timers.begin()->first;
}

}  // namespace clutch::engine
