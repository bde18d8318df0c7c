// Folders for files by the time when they are written.
#pragma once

#include <cstdint>
#include <string>

namespace clutch::engine {

// A strftime pattern at a time (milliseconds since 1970), in the zone of this machine: "%Y-%m-%d/%H". Without "." and
// ".." and empty steps, so that it stays below the folder it is of.
std::string bucket_at(const std::string& pattern, int64_t time);

}  // namespace clutch::engine
