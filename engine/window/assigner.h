// Which windows a record belongs to.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "clutch/columnar/result.h"
#include "time/timestamp.h"
#include "window/trigger.h"
#include "window/window.h"

namespace clutch::engine {

// What an assigner may look at. It keeps nothing itself.
struct Placement {
  int64_t time;       // the record's timestamp, or the processing time where time_domain() says so
  int64_t count = 0;  // records of the key before this one; for count windows
  int64_t gap = 0;    // for dynamic sessions (unit: milliseconds)
};

// A plain value. Sizes, slides, gaps and offsets are in milliseconds; count windows count records.
class WindowAssigner {
 public:
  // [n * size + offset, (n + 1) * size + offset) for every n. CLUTCH_ERR_VALUE unless abs(offset) < size.
  static Result<WindowAssigner> tumbling(TimeDomain domain, int64_t size, int64_t offset = 0);
  // A window of `size` begins every `slide`; a record is in none where slide > size leaves a hole. CLUTCH_ERR_VALUE
  // unless size > 0 and abs(offset) < slide.
  static Result<WindowAssigner> sliding(TimeDomain domain, int64_t size, int64_t slide, int64_t offset = 0);
  // [time, time + gap), to be merged with the windows of the key that it touches.
  static Result<WindowAssigner> session(TimeDomain domain, int64_t gap);
  // The same with the gap of each record.
  static WindowAssigner dynamic_session(TimeDomain domain);
  static WindowAssigner global();
  // Window n has the records n * slide to n * slide + size - 1 of its key; slide is size for tumbling.
  static Result<WindowAssigner> count_tumbling(int64_t size);
  static Result<WindowAssigner> count_sliding(int64_t size, int64_t slide);

  // Append the windows of a record, the latest first. CLUTCH_ERR_VALUE for kNoTimestamp in event time, and for a gap
  // that is not positive; `out` is as before then.
  Status assign(const Placement& record, std::vector<Window>& out) const;

  TimeDomain domain() const { return domain_; }  // processing time for global and count windows, which are never late
  bool merging() const { return kind_ == Kind::kSession || kind_ == Kind::kDynamicSession; }
  bool counting() const { return kind_ == Kind::kCount; }

  // What fires the windows where the user does not say: the end of a time window, the size of a count window (which is
  // purged, because nothing else ever frees it), and nothing for the global window.
  Trigger default_trigger() const;

  // In words, with all numbers: two assigners of one text are the same.
  std::string text() const;

 private:
  enum class Kind : uint8_t { kSliding, kSession, kDynamicSession, kGlobal, kCount };

  WindowAssigner(Kind kind, TimeDomain domain, int64_t size, int64_t slide, int64_t offset)
      : kind_(kind), domain_(domain), size_(size), slide_(slide), offset_(offset) {}
  void assign_sliding(int64_t time, std::vector<Window>& out) const;
  void assign_count(int64_t count, std::vector<Window>& out) const;

  Kind kind_;
  TimeDomain domain_;
  int64_t size_;  // of a session: the gap
  int64_t slide_;
  int64_t offset_;
};

}  // namespace clutch::engine
