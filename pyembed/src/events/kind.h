// What the kinds of the events executor have in common and in what they differ.
#pragma once

#include <cstdint>
#include <string_view>

namespace clutch::pyembed {

struct EventKind {
  // What one row's call looks like; python/events.py has a loop for each.
  enum class Call : uint8_t {
    kProcess,  // f(value, ctx): results, or None
    kMap,      // f(value): one result, or None for none
    kFlatMap,  // f(value): results, or None
    kReduce,   // f(before, value): what is kept and given
    kJoin,     // f(left, right, ctx): results, or None
  };
  std::string_view id;
  Call call;
  bool keyed;      // has state, and timers unless it is a reduction
  bool two;        // has the columns input, value1 and value2
  bool broadcast;  // the second input changes the broadcast state
};

// NULL for kinds of other executors.
const EventKind* find_event_kind(std::string_view id);

}  // namespace clutch::pyembed
