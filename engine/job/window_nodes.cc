#include "job/window_nodes.h"

#include <algorithm>
#include <array>
#include <limits>

#include "job/nodes.h"
#include "operators/kinds.h"

namespace clutch::engine {
namespace {

constexpr int64_t kLowest = std::numeric_limits<int64_t>::min();
constexpr int64_t kHighest = std::numeric_limits<int64_t>::max();
constexpr std::array<std::string_view, 7> kFunctions = {"reduce", "aggregate", "apply",   "process",
                                                        "join",   "flat_join", "co_group"};
constexpr std::array<std::string_view, 2> kAfter = {"apply", "process"};
constexpr std::array<std::string_view, 2> kDomains = {"event", "processing"};
constexpr std::array<std::string_view, 5> kAssigners = {"tumbling", "sliding", "session", "count", "global"};
constexpr std::array<std::string_view, 6> kTriggers = {
    "event_time", "processing_time", "continuous_event_time", "continuous_processing_time", "count", "never"};
constexpr std::array<std::string_view, 2> kEvictors = {"count", "time"};

// What `read` makes of the object that is a member; the place of an error is that object's.
template <typename T, typename Read>
void read_part(Members& members, std::string_view name, T& out, Read read) {
  const nlohmann::json& json = members.value(name);
  if (!members.ok()) return;
  Members inner(json, members.place_of(name));
  Result<T> made = read(inner);
  if (Status status = inner.end(); !status.ok()) return members.fail(std::move(status));
  if (!made.ok()) return members.fail(name, made.status().message());
  out = *std::move(made);
}

Result<WindowAssigner> read_assigner(Members& in, std::string& ret_windows) {
  const size_t type = in.choice("type", kAssigners);
  ret_windows = "time";
  if (type >= 3) {
    ret_windows = type == 3 ? "count" : "global";
    if (type == 4) return WindowAssigner::global();
    const int64_t size = in.integer("size", kLowest, kHighest);
    const std::optional<int64_t> slide = in.optional_integer("slide", kLowest, kHighest);
    return slide.has_value() ? WindowAssigner::count_sliding(size, *slide) : WindowAssigner::count_tumbling(size);
  }
  const TimeDomain domain = in.choice("domain", kDomains) == 0 ? TimeDomain::kEventTime : TimeDomain::kProcessingTime;
  if (type == 2) return WindowAssigner::session(domain, in.integer("gap_ms", kLowest, kHighest));
  const int64_t size = in.integer("size_ms", kLowest, kHighest);
  const int64_t offset = in.optional_integer("offset_ms", kLowest, kHighest).value_or(0);
  if (type == 0) return WindowAssigner::tumbling(domain, size, offset);
  return WindowAssigner::sliding(domain, size, in.integer("slide_ms", kLowest, kHighest), offset);
}

Result<Trigger> read_trigger(Members& in) {
  const size_t type = in.choice("type", kTriggers);
  const bool purging = in.boolean_or("purging", false);
  Result<Trigger> trigger = Trigger::never();
  if (type == 0) trigger = Trigger::event_time();
  if (type == 1) trigger = Trigger::processing_time();
  if (type == 2) trigger = Trigger::continuous_event_time(in.integer("interval_ms", kLowest, kHighest));
  if (type == 3) trigger = Trigger::continuous_processing_time(in.integer("interval_ms", kLowest, kHighest));
  if (type == 4) trigger = Trigger::count(in.integer("count", kLowest, kHighest));
  return trigger.ok() && purging ? trigger->purging() : trigger;
}

Result<std::optional<Evictor>> read_evictor(Members& in) {
  const size_t type = in.choice("type", kEvictors);
  const bool after = in.boolean_or("after", false);
  Result<Evictor> evictor = type == 0 ? Evictor::count(in.integer("count", kLowest, kHighest), after)
                                      : Evictor::time(in.integer("window_ms", kLowest, kHighest), after);
  if (!evictor.ok()) return evictor.status();
  return std::optional<Evictor>(*evictor);
}

}  // namespace

WindowSpec read_window(Members& members, const Blobs& blobs) {
  WindowSpec spec;
  spec.function = kFunctions[members.choice("function", kFunctions)];
  if (!members.ok()) return spec;
  spec.python.kind = find_window_kind(spec.function)->name;
  read_function(members, blobs, spec.python);
  if (members.ok() && !spec.python.output.has_value()) {
    members.fail({}, "\"output\" is missing; give the type of what a window gives");
  }
  if (spec.folds() && members.has("window_code")) {
    spec.after = read_code(members, "window_code", blobs);
    spec.after_kind = find_window_kind(kAfter[members.choice("window_function", kAfter)])->name;
  }
  if (spec.function == "aggregate") spec.accumulator = members.optional_type("accumulator");
  spec.all = members.boolean_or("all", false);
  read_part(members, "assigner", spec.assigner, [&](Members& in) { return read_assigner(in, spec.windows); });
  spec.trigger = spec.assigner.default_trigger();
  if (members.has("trigger")) read_part(members, "trigger", spec.trigger, read_trigger);
  if (members.has("evictor")) read_part(members, "evictor", spec.evictor, read_evictor);
  if (members.ok() && spec.evictor.has_value() && spec.folds()) {
    members.fail("evictor",
                 "windows that " + spec.function + " keep no elements that could be evicted; use apply or process");
  }
  spec.allowed_lateness = members.optional_integer("allowed_lateness_ms", 0, kHighest).value_or(0);
  spec.late_tag = members.optional_text("late_tag");
  if (members.ok() && spec.late_tag.has_value()) {
    const auto& sides = spec.python.side_outputs;
    const bool declared =
        std::any_of(sides.begin(), sides.end(), [&](const auto& side) { return side.first == *spec.late_tag; });
    if (!declared) members.fail("late_tag", "\"" + *spec.late_tag + "\" is not among the side_outputs");
    if (find_window_kind(spec.function)->inputs == 2) {
      members.fail("late_tag", "late elements of two inputs have no type in common; leave it out");
    }
  }
  return spec;
}

IntervalJoinSpec read_interval_join(Members& members, const Blobs& blobs) {
  IntervalJoinSpec spec;
  spec.python.kind = interval_join_kind().name;
  read_function(members, blobs, spec.python);
  if (members.ok() && !spec.python.output.has_value()) {
    members.fail({}, "\"output\" is missing; give the type of what a pair gives");
  }
  const int64_t lower = members.integer("lower_ms", kLowest, kHighest);
  const int64_t upper = members.integer("upper_ms", kLowest, kHighest);
  const bool lower_exclusive = members.boolean_or("lower_exclusive", false);
  const bool upper_exclusive = members.boolean_or("upper_exclusive", false);
  if (!members.ok()) return spec;
  Result<JoinInterval> interval = JoinInterval::make(lower, upper, lower_exclusive, upper_exclusive);
  if (!interval.ok()) {
    members.fail({}, interval.status().message());
  } else {
    spec.interval = *interval;
  }
  return spec;
}

}  // namespace clutch::engine
