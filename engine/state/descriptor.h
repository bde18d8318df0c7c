// What a state is called, what it holds, and how long.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "time/timestamp.h"

namespace clutch::engine {

// Reducing and aggregating states are values to a backend: their functions run where user code runs.
enum class StateKind : uint8_t { kValue, kList, kMap };

// Time to live, of a value, of each item of a list, of each entry of a map; in processing time.
struct StateTtl {
  enum class Refresh : uint8_t { kOnCreateAndWrite, kOnReadAndWrite };
  enum class Visibility : uint8_t { kNeverExpired, kExpiredIfNotCleanedUp };

  int64_t duration;  // > 0 (unit: milliseconds)
  Refresh refresh = Refresh::kOnCreateAndWrite;
  // With kExpiredIfNotCleanedUp what has expired is seen once more, by the read that finds and removes it.
  Visibility visibility = Visibility::kNeverExpired;

  bool expired(int64_t written, int64_t now) const { return saturating_add(written, duration) <= now; }
  bool operator==(const StateTtl&) const = default;
};

struct StateDescriptor {
  std::string name;
  StateKind kind;
  std::optional<StateTtl> ttl;

  bool operator==(const StateDescriptor&) const = default;
};

}  // namespace clutch::engine
