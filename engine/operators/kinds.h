// What the engine knows of the kinds of Python functions.
#pragma once

#include <string>
#include <string_view>

namespace clutch::engine {

#define CLUTCH_ENGINE_KIND_MAP "stream.map"
#define CLUTCH_ENGINE_KIND_FILTER "stream.filter"
// Sources and sinks in Python: functions over tickets (source/python/ticket.h), and over elements and control rows
// (python_sink_operator.h).
#define CLUTCH_ENGINE_KIND_SOURCE "stream.flat_map"
#define CLUTCH_ENGINE_KIND_SINK "stream.co_process"
#define CLUTCH_ENGINE_KIND_TIMESTAMPS "stream.timestamps"
// f(key, n): the columns are positional arguments.
#define CLUTCH_ENGINE_KIND_COLUMNS "table.scalar"

struct KindInfo {
  std::string_view name;
  int inputs = 1;
  bool keyed = false;
  bool step = false;       // may be one of several steps of a function
  bool broadcast = false;  // the second input is broadcast
  bool waits = false;      // for other systems, in the middle of its batches
  bool state = false;      // gets keys: it has state, if only operator state
};

// nullptr: not a kind of an operator in a stream.
const KindInfo* find_kind(std::string_view name);

// Of a node of type "window" by its function ("reduce"), and of one of type "interval_join"; nullptr: there is none.
const KindInfo* find_window_kind(std::string_view function);
const KindInfo& interval_join_kind();

// All names of kinds of operators, for messages.
std::string kind_names();

}  // namespace clutch::engine
