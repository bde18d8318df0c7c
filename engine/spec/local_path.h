// Paths of a job's description: of this machine, plain or as a file: URL.
#pragma once

#include <string>

#include "spec/connector_members.h"

namespace clutch::engine {

// The required member `name`, without "file://". Refuses other schemes and an empty path through `members`.
std::string local_path(ConnectorMembers& members, std::string_view name);

}  // namespace clutch::engine
