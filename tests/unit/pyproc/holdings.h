// What processes hold, so that a test can say that nothing was left behind.
#pragma once

#include <cstdint>
#include <functional>
#include <iosfwd>
#include <string>
#include <vector>

namespace clutch::pyproc::testing {

struct Holdings {
  int64_t descriptors = 0;
  int64_t memfds = 0;  // mapped ones: arenas and progress pages
  int64_t threads = 0;
  bool operator==(const Holdings&) const = default;
};
std::ostream& operator<<(std::ostream& out, const Holdings& holdings);

// Of this process, or of another one of this user.
Holdings holdings(int pid = 0);

// Resident memory that no other process shares. (unit: KiB)
int64_t own_memory(int pid = 0);

// It runs: it does not just wait to be reaped by whoever inherited it.
bool lives(int pid);

// Processes whose parent this one is.
std::vector<int> children_of(int pid);

// It has ended with all its threads and waits to be reaped: its descriptors are closed.
bool dead(int pid);

// Look again and again until it is so. False after that time.
bool within(int64_t ms, const std::function<bool()>& condition);

}  // namespace clutch::pyproc::testing
