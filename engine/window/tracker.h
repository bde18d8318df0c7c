// The life of all windows of an operator: which records go where, when windows fire, and when they are over. It holds
// no records; it tells an operator what to do with them.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "clutch/columnar/result.h"
#include "exchange/key_group.h"
#include "window/assigner.h"
#include "window/merging_windows.h"
#include "window/trigger.h"
#include "window/window.h"

namespace clutch::engine {

// A key, by a number that the operator gave it.
using KeyId = uint64_t;
class KeyTable;

// What the operator must do. Contents are named by (key, state); a window's name can differ from `window` in sessions.
struct WindowAction {
  enum class Kind : uint8_t {
    kAdd,    // put the record into the contents
    kMerge,  // move the contents named `source` to `state`; `window` has taken the place of the windows of both
    kFire,   // hand the contents, which are not empty, with `window` to the window function
    kPurge,  // empty the contents
    kDrop,   // the window is over: free the contents and what user code kept with the window, and call its clear()
    kLate,   // the record is late for all of its windows: to the late side output, or nowhere
  };
  Kind kind;
  KeyId key;
  Window window{};
  Window state{};
  Window source{};  // kMerge
  int64_t row = 0;  // kAdd, kLate: as given with the record

  bool operator==(const WindowAction&) const = default;
};

using WindowActions = std::vector<WindowAction>;

// Semantics are those of Flink's window operator:
// * A window of event time is late once the watermark has reached its last timestamp + the allowed lateness. Records go
//   to windows that are not late; a record without any is late if its own timestamp + lateness is passed.
// * A window fires as its trigger says, but never without contents. One that is fired stays until it is late, so late
//   records fire it again with all of its contents. Windows of processing time have no lateness.
// * Timers run in the order of their times; at the same time in the order in which they were set. So the same calls
//   give the same actions.
// Windows that do not end are forgotten once they are as if new (purged, no timer, no count). Not thread-safe.
class WindowTracker {
 public:
  // `processing_time` is that of now. CLUTCH_ERR_VALUE for a negative lateness. (unit: milliseconds)
  static Result<WindowTracker> make(WindowAssigner assigner, Trigger trigger, int64_t allowed_lateness,
                                    int64_t processing_time);

  struct Record {
    KeyId key;
    int64_t row = 0;                   // comes back with the actions
    int64_t timestamp = kNoTimestamp;  // windows of processing time give it to the trigger only
    int64_t gap = 0;                   // for dynamic sessions
  };
  // Place one record, at the current watermark and processing time. On an error (of the assigner) nothing has changed.
  Status add(const Record& record, WindowActions& out);

  // Move time; what is not later than before does nothing.
  void advance_watermark(int64_t watermark, WindowActions& out);
  void advance_processing_time(int64_t time, WindowActions& out);

  int64_t watermark() const { return watermark_; }
  // When advance_processing_time() must be called next, at the latest; kMaxWatermark if there is no need. May be
  // earlier than any action.
  int64_t next_processing_time() const;

  size_t open_windows() const { return open_; }
  // Whether anything is known of the key; if not, its number may be given to another one.
  bool holds(KeyId key) const { return keys_.contains(key); }

  // What windows these are, in words: those in flight are of no use to a tracker of others.
  std::string shape() const;
  // The windows in flight with their timers, as bytes by key group (tracker_snapshot.cc). Without the watermark.
  std::map<int32_t, std::string> snapshot(const KeyTable& keys, const KeyGroups& groups) const;
  // Take in a key group of which nothing is here yet; its keys get numbers of `keys`. Timers that became due meanwhile
  // run when time is moved next. CLUTCH_ERR_DATA says what is wrong with the bytes, which may come from anywhere; the
  // tracker is of no use then.
  Status restore(KeyTable& keys, const KeyGroups& groups, int32_t group, std::string_view snapshot);

 private:
  struct Timer {
    TimeDomain domain;
    int64_t time;
    bool operator==(const Timer&) const = default;
  };
  // A window in flight. Its timers are the truth; the queues may hold more, which are skipped.
  struct Slot {
    Window window;
    Window state;
    bool filled = false;
    TriggerState trigger;
    std::vector<Timer> timers;
  };
  struct PerKey {
    int64_t count = 0;
    MergingWindows merging;
    std::vector<Slot> slots;  // by window
  };
  struct Due {
    KeyId key;
    Window window;
  };
  using Queue = std::map<int64_t, std::vector<Due>>;
  class Context;
  class Writer;
  class Reader;

  WindowTracker(WindowAssigner assigner, Trigger trigger, int64_t allowed_lateness, int64_t processing_time)
      : assigner_(assigner), trigger_(trigger), lateness_(allowed_lateness), processing_time_(processing_time) {}

  bool event_time() const { return assigner_.domain() == TimeDomain::kEventTime; }
  int64_t cleanup_time(Window window) const;
  bool late(Window window) const { return event_time() && cleanup_time(window) <= watermark_; }
  Queue& queue(TimeDomain domain) { return queues_[static_cast<size_t>(domain)]; }

  void place(PerKey& per_key, Window window, const Record& record, WindowActions& out);
  void merge(PerKey& per_key, KeyId key, const Merge& merge, WindowActions& out);
  Slot& slot_for(PerKey& per_key, Window window, Window state);
  void set_timer(KeyId key, Slot& slot, Timer timer);
  void run_timers(TimeDomain domain, int64_t until, WindowActions& out);
  void on_timer(Due due, Timer timer, WindowActions& out);
  void apply(KeyId key, Slot& slot, TriggerResult result, WindowActions& out);
  void forget(PerKey& per_key, Window window);

  WindowAssigner assigner_;
  Trigger trigger_;
  int64_t lateness_;
  int64_t processing_time_;
  int64_t watermark_ = kMinWatermark;
  size_t open_ = 0;
  std::unordered_map<KeyId, PerKey> keys_;
  std::array<Queue, 2> queues_;  // by domain
  std::vector<Window> windows_;  // of the record being placed
};

}  // namespace clutch::engine
