// What the engine knows of the kinds of Python functions.
#pragma once

#include <string>
#include <string_view>

namespace clutch::engine {

#define CLUTCH_ENGINE_KIND_MAP "stream.map"
#define CLUTCH_ENGINE_KIND_FILTER "stream.filter"
// f(value, timestamp) and f(key, n): the columns are positional arguments.
#define CLUTCH_ENGINE_KIND_COLUMNS "table.scalar"

struct KindInfo {
  std::string_view name;
  int inputs = 1;
  bool keyed = false;
  bool step = false;       // may be one of several steps of a function
  bool broadcast = false;  // the second input is broadcast
  bool state = false;      // gets keys: it has state, if only operator state
};

// nullptr: not a kind of an operator in a stream.
const KindInfo* find_kind(std::string_view name);

// All names, for messages.
std::string kind_names();

}  // namespace clutch::engine
